/** `deno task clue --task all` over a little of every real data set at hand, from a model that has learnt nothing. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { dirname, join } from "@std/path";
import { unzipSync } from "npm:fflate@0.8.3";
import { inWorkplace } from "./pretrain_command.ts";
import { runRecipe } from "./recipe_command.ts";
import { testOnShared } from "./shared_data.ts";

/** Files by tasks: those of splits, or the only labelled one, from which --split makes them. */
const lines: Readonly<Record<string, readonly string[]>> = {
  afqmc: ["clue/afqmc/train.tsv", "clue/afqmc/dev.tsv", "clue/afqmc/test.tsv"],
  ocnli: ["clue/ocnli/train.10k.json", "clue/ocnli/dev.json", "clue/ocnli/test.json"],
  cluener: ["clue/cluener/train.json", "clue/cluener/dev.json", "clue/cluener/test.json"],
  ...Object.fromEntries(
    ["cluewsc", "csl", "chid", "bustm"].map((name) => [
      name,
      [`fewclue/${name}/train_few_all.json`, `fewclue/${name}/dev_few_all.json`],
    ]),
  ),
};
const records = ["clue/c3/c3-d-train.json", "clue/c3/c3-d-dev.json"];
const others = ["clue/c3/c3-m-train.json", "clue/c3/c3-m-dev.json"];
const whole: Readonly<Record<string, string>> = {
  tnews: "clue/tnews/dev.json",
  iflytek: "fewclue/iflytek/dev_few_all.json",
  qbqtc: "qbqtc/dev.json",
  chnsenticorp: "classification/chnsenticorp/dev.tsv",
};
const passages = "clue/cmrc2018/cmrc2018_dev.json";

/** Examples of a file, and of one that is split. */
const SOME = 24, SPLIT = 80;

const paths = [
  ...Object.values(lines).flat(),
  ...[...records, ...others, ...Object.values(whole), passages],
];
testOnShared(
  "every task is learnt from real data, and handed in",
  paths,
  (...found) =>
    inWorkplace(async ({ folder, pretrain }) => {
      const of = new Map(paths.map((path, i) => [path, found[i]!]));
      const write = async (name: string, text: string): Promise<string> => {
        await Deno.mkdir(dirname(join(folder, name)), { recursive: true });
        await Deno.writeTextFile(join(folder, name), text);
        return name;
      };
      const first = async (path: string, count: number): Promise<string> =>
        (await Deno.readTextFile(of.get(path)!)).split("\n").slice(0, count).join("\n") + "\n";
      const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
      for (const [task, files] of Object.entries(lines)) {
        for (const path of files) {
          await write(`CLUE/${task}/${nameOf(path)}`, await first(path, SOME));
        }
      }
      for (const path of [...records, ...others]) {
        const some = JSON.parse(await Deno.readTextFile(of.get(path)!)).slice(0, 8);
        await write(`CLUE/c3/${nameOf(path)}`, JSON.stringify(some));
      }
      const { data, ...rest } = JSON.parse(await Deno.readTextFile(of.get(passages)!));
      const few = await write("cmrc.json", JSON.stringify({ ...rest, data: data.slice(0, 40) }));
      const clue = (...words: readonly string[]) => runRecipe("clue", folder, words);
      const alone = await Promise.all(
        Object.entries(whole).map(async ([task, path]) =>
          [task, await write(nameOf(path).replace("dev", task), await first(path, SPLIT))] as const
        ),
      );
      for (const [task, file] of [["cmrc2018", few] as const, ...alone]) {
        const { code, error } = await clue(
          "--task",
          task,
          "--split",
          file,
          "--out",
          `CLUE/${task}`,
        );
        assertEquals(code, 0, error);
      }
      const begun = await pretrain([
        ...["--corpus", "corpus.txt", "--device", "cpu", "--config", "toy.json", "--out", "first"],
      ]);
      assertEquals(begun.code, 0, begun.error);
      const { code, out, error } = await clue(
        ...["--task", "all", "--data", "CLUE", "--model", "first", "--scratch", "--device", "cpu"],
        ...["--epochs", "1", "--batch", "16", "--length", "48", "--train-examples", "32"],
        ...["--out", "out", "--json"],
      );
      assertEquals(code, 0, error);
      const rows = out.trimEnd().split("\n").map((line) => JSON.parse(line));
      const learnt = new Set(rows.filter(({ split }) => split === "dev").map(({ task }) => task));
      const boards = ["reading", "ner"];
      assertEquals(
        [...learnt].sort(),
        [...Object.keys(lines), ...Object.keys(whole), "cmrc2018", "c3", ...boards].sort(),
      );
      assert(rows.every(({ value }) => value >= 0 && value <= 100));
      assertMatch(error, /13\/13 \w+, seed 1: \d+\/\d+/);
      const zip = unzipSync(await Deno.readFile(join(folder, "out", "submit.zip")));
      const check = await clue("--task", "all", "--data", "CLUE", "--check", "out");
      assertEquals([check.code, check.error], [0, ""]);
      assert(Object.keys(zip).length >= 7);
    }),
);
