/** `deno task clue`, as a user runs it. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { exists } from "@std/fs";
import { join } from "@std/path";
import { cpu } from "../../core/mod.ts";
import { classify } from "../../recipes/predict/classify.ts";
import { openPredictor } from "../../recipes/predict/open_predictor.ts";
import { inWorkplace, type Workplace } from "./pretrain_command.ts";
import { runRecipe } from "./recipe_command.ts";

/** Pairs whose class a character of the title gives away. */
function pairs(count: number): readonly string[] {
  const signs = "天家学", filler = "春夏秋冬雨晚早园山海";
  return Array.from({ length: count }, (_, i) => {
    const draw = (n: number): string => filler[(i * n + n * n) % filler.length]!;
    const label = (i * 7 + (i >> 3)) % 3;
    const title = `${draw(3)}${draw(7)}${signs[label]!}${draw(5)}`;
    return JSON.stringify({ id: i, query: `${draw(2)}${draw(9)}${i}`, title, label: `${label}` });
  });
}

const toy = [
  ...["--task", "qbqtc", "--data", "pairs", "--model", "first"],
  ...["--epochs", "16", "--batch", "16", "--rate", "0.005", "--dropout", "0", "--device", "cpu"],
];

/** A pretraining run of a few steps, and a task's folder. */
async function prepared({ folder, pretrain }: Workplace): Promise<void> {
  const { code, error } = await pretrain([
    ...["--corpus", "corpus.txt", "--device", "cpu", "--config", "toy.json", "--out", "first"],
  ]);
  assertEquals(code, 0, error);
  await Deno.writeTextFile(join(folder, "all.json"), pairs(600).join("\n") + "\n");
}

Deno.test("clue splits a file by groups, learns, judges and answers, the same again for the same seed", () =>
  inWorkplace(async (place) => {
    await prepared(place);
    const { folder } = place, clue = (words: readonly string[]) => runRecipe("clue", folder, words);
    const split = await clue(["--task", "qbqtc", "--split", "all.json", "--out", "pairs"]);
    assertEquals(split.code, 0, split.error);
    const counts = await Promise.all(
      ["train", "dev", "test"].map(async (name) =>
        (await Deno.readTextFile(join(folder, "pairs", `${name}.json`))).trimEnd().split("\n")
          .length
      ),
    );
    assertEquals(counts[0]! + counts[1]! + counts[2]!, 600);

    const words = [...toy, "--seeds", "2", "--json", "--out", "answers", "--save", "saved"];
    const first = await clue(words);
    assertEquals(first.code, 0, first.error);
    const rows = first.out.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(rows.length, 2 * 2 * 2);
    for (const { task, split, n, seed, metric, value } of rows) {
      assertEquals(task, "qbqtc");
      assertEquals(n, counts[split === "dev" ? 1 : 2]);
      assert([1, 2].includes(seed) && ["macro_f1", "accuracy"].includes(metric));
      assert(value > 90, `${metric} of ${split} with seed ${seed} is ${value}`);
    }
    const answers = await Deno.readTextFile(join(folder, "answers", "qbqtc_predict.json"));
    assertEquals(answers.trimEnd().split("\n").length, counts[2]);
    assertMatch(answers, /^\{"id":\d+,"label":"[012]"\}\n/);
    assert(await exists(join(folder, "answers", "seed-2", "qbqtc_predict.json")));

    // What is saved answers the test as the answers that were handed in: the best epoch's weights, and what was chosen on dev.
    const tests = (await Deno.readTextFile(join(folder, "pairs", "test.json"))).trimEnd();
    const asked = tests.split("\n").map((line) => {
      const { query, title } = JSON.parse(line);
      return [query, title] as const;
    });
    const saved = await classify(await openPredictor(join(folder, "saved"), cpu()), asked);
    assertEquals(
      saved.map(({ label }) => label),
      answers.trimEnd().split("\n").map((line) => JSON.parse(line).label),
    );
    const twice = await clue([...toy, "--save", "saved"]);
    assertEquals(twice.code, 2);
    assertStringIncludes(twice.error, "saved: it is not empty");
    assertStringIncludes(twice.error, "pass another --save");

    const other = await clue([...toy, "--seed", "2", "--out", "answers", "--save", "other"]);
    assertEquals([other.code, other.out, await exists(join(folder, "other"))], [2, "", false]);
    assertStringIncludes(other.error, "answers: those of qbqtc, seed 1, are there");

    const again = await clue([...toy, "--json"]);
    assertEquals(
      again.out,
      first.out.split("\n").filter((l) => l.includes('"seed":1')).join("\n") + "\n",
    );

    const short = toy.filter((_, i) => ![6, 7, 10, 11].includes(i));
    const grid = [...short, "--epochs", "6", "--rates", "1e-6,0.01", "--folds", "2"];
    const folded = await clue([...grid, "--out", "folded", "--json"]);
    assertEquals(folded.code, 0, folded.error);
    const told = folded.out.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(told.map(({ split, grid, metric }) => [split, grid?.rate, metric]), [
      ...[1e-6, 0.01].flatMap((rate) =>
        ["macro_f1", "accuracy"].map((metric) => ["dev", rate, metric])
      ),
      ...["folds", "test"].flatMap((split) =>
        ["macro_f1", "accuracy"].map((metric) => [split, undefined, metric])
      ),
    ]);
    assertEquals(told[4].n, counts[0]! + counts[1]!);
    assert(told[6].value > 60, `macro-F1 of two folds is ${told[6].value}`);
    assertStringIncludes(folded.error, "qbqtc: rate 0.01 and batch 16 are learnt with");
    assertStringIncludes(folded.error, "qbqtc, seed 1, fold 2 of 2, epoch 6: dev");
    const resumed = await clue([...grid, "--out", "folded", "--json"]);
    assertEquals(resumed.out, folded.out);
    assert(!resumed.error.includes("rate 0.01, batch 16, epoch"), resumed.error);

    const scratch = await clue([...toy, "--scratch", "--epochs", "1"]);
    assertEquals(scratch.code, 0, scratch.error);
    assertMatch(scratch.out, /^qbqtc +test +macro_f1 +[\d.]+ +\d+ +1$/m);
  }));

Deno.test("clue refuses in one line what it cannot do, and leaves nothing", () =>
  inWorkplace(async (place) => {
    await prepared(place);
    const { folder } = place, clue = (words: readonly string[]) => runRecipe("clue", folder, words);
    await Deno.mkdir(join(folder, "bad"));
    const lines = pairs(4);
    const write = (name: string, own: readonly string[]) =>
      Deno.writeTextFile(join(folder, "bad", name), own.join("\n") + "\n");
    await write("dev.json", lines);
    const at = (name: string) => ["--task", "qbqtc", "--data", "bad", "--model", name];
    const train: readonly (readonly [lines: readonly string[], why: string])[] = [
      [[lines[0]!, "{"], "line 2: "],
      [[lines[0]!, lines[0]!], "line 2: id 0 is that of line 1"],
      [[JSON.stringify({ id: 1, query: "天", title: "地", label: "3" })], 'line 1: label is "3"'],
      [[JSON.stringify({ id: 1, query: "天", label: "1" })], "line 1: "],
      [[JSON.stringify({ id: 1, query: "天", title: "地" })], "line 1: it has no label"],
      [[""], "no example is in it"],
    ];
    for (const [own, why] of train) {
      await write("train.json", own);
      const { code, out, error } = await clue([...at("first"), "--out", "answers"]);
      assertEquals([code, out], [2, ""], error);
      assertStringIncludes(error, `Cannot read ${join("bad", "train.json")}: ${why}`);
      assertEquals(error.trimEnd().split("\n").length, 1, error);
    }
    await Deno.remove(join(folder, "bad", "train.json"));
    const good = ["--task", "qbqtc", "--data", "good", "--model", "first", "--epochs", "1"];
    await Deno.mkdir(join(folder, "good"));
    for (const name of ["train.json", "dev.json"]) {
      await Deno.writeTextFile(join(folder, "good", name), pairs(20).join("\n") + "\n");
    }
    const others: readonly (readonly [words: readonly string[], why: string])[] = [
      [at("first"), "Cannot learn qbqtc from bad: it has no train file"],
      [at("none"), "none"],
      [["--task", "qbqtc", "--data", "bad"], "Cannot clue without --model"],
      [["--task", "qbqt"], "qbqtc"],
      [["--task", "qbqtc", "--split", "bad/dev.json", "--out", "parts"], "nothing would be in"],
      [
        ["--task", "qbqtc", "--split", "all.json", "--out", "all.json"],
        "Cannot write in the folder all",
      ],
      // At once, and not when all is learnt.
      [[...good, "--out", "all.json"], "Cannot write in the folder all.json: "],
    ];
    for (const [words, why] of others) {
      const { code, error } = await clue(words);
      assertEquals([code, error.includes("learn from")], [2, false], error);
      assertStringIncludes(error, why);
    }
    assert(!await exists(join(folder, "answers")) && !await exists(join(folder, "parts")));
  }));
