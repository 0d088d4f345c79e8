/** Every split of real data is read whole, and refused where it is given to another task. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { dirname, join } from "@std/path";
import { InputError } from "../../recipes/cli/input_error.ts";
import { readVocabulary } from "../../recipes/text/read_vocabulary.ts";
import { tokenizer } from "../../recipes/text/tokenize.ts";
import { sureOf, taskOf } from "./clue_fixtures.ts";
import { testOnShared } from "./shared_data.ts";

const VOCABULARY = "vocab/google_zh_vocab.txt";

/** Files of a task: how many examples each has, and how many of them are left out. */
interface Expected {
  readonly task: string;
  readonly folder: string;
  readonly files: Readonly<Record<string, number>>;
  readonly left?: Readonly<Record<string, number>>;
  /** The file that answers to the test without labels are handed in as. */
  readonly submission?: string;
}

const few = (task: string, train: number, dev: number, test?: number, name?: string): Expected => ({
  task,
  folder: `fewclue/${task}`,
  files: {
    ...{ "train_few_all.json": train, "dev_few_all.json": dev },
    ...test !== undefined && { "test.json": test },
  },
  ...name !== undefined && { submission: name },
});

const all: readonly Expected[] = [
  {
    task: "afqmc",
    folder: "clue/afqmc",
    files: { "train.tsv": 34334, "dev.tsv": 3000, "test.tsv": 3861 },
    submission: "afqmc_predict.json",
  },
  {
    task: "ocnli",
    folder: "clue/ocnli",
    files: { "train.10k.json": 10000, "dev.json": 2000, "test.json": 3000 },
    left: { "train.10k.json": 15, "dev.json": 30 },
    submission: "ocnli_50k_predict.json",
  },
  { task: "tnews", folder: "clue/tnews", files: { "dev.json": 4928 } },
  few("tnews", 1185, 1098, 1500, "tnewsf_predict.json"),
  few("iflytek", 3024, 1373),
  few("ocnli", 160, 160),
  few("csl", 160, 160),
  few("cluewsc", 160, 159, 290, "cluewscf_predict.json"),
  few("bustm", 160, 160, 2000, "bustm_predict.json"),
  { task: "qbqtc", folder: "qbqtc", files: { "dev.json": 20000 } },
  { task: "chnsenticorp", folder: "classification/chnsenticorp", files: { "dev.tsv": 1200 } },
];

for (const { task: name, folder, files, left = {}, submission } of all) {
  const paths = Object.keys(files).map((file) => `${folder}/${file}`);
  testOnShared(`${name} of ${folder} is read whole`, [VOCABULARY, ...paths], async (...found) => {
    const tokens = tokenizer(await readVocabulary(found[0]!));
    const task = taskOf(name), own = dirname(found[1]!);
    for (const [file, count] of Object.entries(files)) {
      const split = (["train", "dev", "test"] as const).find((one) => file.startsWith(one))!;
      assert(task.files[split].includes(file));
      const read = await task.load(own, split, tokens, task.defaults.length);
      assertEquals(read!.count, count - (left[file] ?? 0), file);
      assertEquals(read!.units.length, read!.count);
      assertEquals(read!.labelled, split !== "test");
      const notes = read!.notes.filter((note) => note.includes("are left out"));
      assertEquals(notes.length, left[file] === undefined ? 0 : 1, notes.join());
      if (split !== "test") continue;
      assertEquals(read!.submission, submission);
      const answers = read!.lines(sureOf(read!.units.map(() => 1)));
      assertEquals(await task.faults(join(own, file), answers.join("\n")), []);
      assertEquals((await task.faults(join(own, file), answers.slice(1).join("\n"))).length, 1);
    }
  });
}

/** Labelled files that say by themselves whose they are not. */
const strangers: readonly (readonly [file: string, tasks: readonly string[]])[] = [
  ["clue/ocnli/dev.json", ["afqmc", "cmnli", "bustm", "tnews", "qbqtc"]],
  ["clue/tnews/dev.json", ["iflytek", "chnsenticorp", "afqmc"]],
  ["fewclue/iflytek/dev_few_all.json", ["tnews", "csl"]],
  ["fewclue/bustm/dev_few_all.json", ["ocnli", "cmnli", "tnews"]],
  ["fewclue/csl/dev_few_all.json", ["cluewsc", "afqmc"]],
  ["qbqtc/dev.json", ["afqmc", "bustm", "lcqmc"]],
  ["classification/chnsenticorp/dev.tsv", ["afqmc", "lcqmc"]],
];
for (const [file, tasks] of strangers) {
  testOnShared(`${file} is refused by other tasks at its first example`, [file], async (path) => {
    for (const name of tasks) {
      const split = () => taskOf(name).split(path);
      const { message } = await assertRejects(split, InputError, `Cannot read ${path}: line `);
      assertMatch(message, file.endsWith(".tsv") ? /: line 2: / : /: line 1: /);
    }
  });
}

testOnShared(
  "U+2028 in IFLYTEK's texts breaks no line",
  ["fewclue/iflytek/train_few_all.json"],
  async (path) => {
    const { notes, train, dev, test } = await taskOf("iflytek").split(path);
    assertEquals(train.length + dev.length + test.length, 3024);
    assertEquals(notes.length, 1);
    assert(/line \d+ and \d+ more holds? U\+2028/.test(notes[0]!), notes[0]);
  },
);

/** Two of the examples number their lines from 0 where their tests begin at 3000 and at 1: only ids may be wrong in them. */
const examples: readonly (readonly [task: string, file: string, faults: RegExp])[] = [
  ["tnews", "tnewsf", /^ids 20 to 1499 \(1480\) have no line$/],
  ["bustm", "bustm", /^(line \d+: id is \d+, the test has no such id|ids 3000 to 4999 .*)$/],
  ["cluewsc", "cluewscf", /^(line 1: id is 0, the test has no such id|ids 20 to 290 .*)$/],
];
for (const [name, file, known] of examples) {
  const paths = [
    `fewclue/submit_example/${file}_predict.json`,
    `fewclue/${name}/test.json`,
  ];
  testOnShared(
    `${name}: lines of the official example have the right form`,
    paths,
    async (...own) => {
      const [example, test] = own as [string, string];
      const faults = await taskOf(name).faults(test, await Deno.readTextFile(example));
      for (const fault of faults) assertMatch(fault, known);
    },
  );
}
