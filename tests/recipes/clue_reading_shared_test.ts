/** The real files of CMRC 2018, ChID, C3 and CLUENER, read entirely. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { dirname, join } from "@std/path";
import type { Prepared, SplitName } from "../../recipes/clue/task.ts";
import { tasks } from "../../recipes/clue/tasks.ts";
import { readVocabulary } from "../../recipes/text/read_vocabulary.ts";
import { tokenizer } from "../../recipes/text/tokenize.ts";
import { faultsOf, perfect } from "./clue_reading_fixtures.ts";
import { testOnShared } from "./shared_data.ts";

const VOCABULARY = "vocab/google_zh_vocab.txt";

async function read(
  name: string,
  split: SplitName,
  file: string,
  vocabulary: string,
  length: number,
): Promise<Prepared> {
  const tokens = tokenizer(await readVocabulary(vocabulary));
  return (await tasks[name]!.load(dirname(file), split, tokens, length))!;
}

/** No row is too long, and none is empty. */
function assertRows({ units }: Prepared, length: number): void {
  for (const { rows } of units) {
    for (const { ids, segments } of rows) {
      assert(ids.length > 0 && ids.length <= length && segments.length === ids.length);
    }
  }
}

testOnShared(
  "CMRC 2018: 3,219 questions; a model that knows the answers finds all but the 33 that it must not",
  [
    "clue/cmrc2018/cmrc2018_dev.json",
    VOCABULARY,
  ],
  async (file, vocabulary) => {
    for (const length of [512, 256]) {
      const found = await read("cmrc2018", "dev", file, vocabulary, length);
      assertEquals([found.count, found.labelled], [3219, true]);
      assertRows(found, length);
      // Every question's answer is in one window at least.
      assertGreater(found.units.filter(({ target: [start] }) => start! > 0).length, 3218);
      // 32 are longer than 50 tokens; one, "4个" of "34个", ends within a number that is one token.
      assertEquals(Math.round(found.judge(perfect(found.units)).em! * 3219 / 100), 3219 - 33);
    }
  },
);

testOnShared("CMRC 2018: 2,000 questions whose answers are hidden", [
  "clue/cmrc2018/cmrc2018_test_2k.json",
  VOCABULARY,
], async (file, vocabulary) => {
  const found = await read("cmrc2018", "test", file, vocabulary, 512);
  assertEquals([found.count, found.labelled, found.submission], [
    2000,
    false,
    "cmrc2018_predict.json",
  ]);
  const outputs = found.units.map(({ rows: [row] }) => new Float32Array(2 * row!.ids.length));
  const text = found.lines(outputs).join("\n");
  assertEquals(Object.keys(JSON.parse(text)).length, 2000);
  assertEquals(
    await faultsOf("cmrc2018", { path: file, submission: found.submission! }, text),
    [],
  );
});

for (const [split, count] of [["train", 11869], ["dev", 3816]] as const) {
  testOnShared(`C3: ${count} questions of ${split}`, [
    `clue/c3/c3-d-${split}.json`,
    VOCABULARY,
  ], async (file, vocabulary) => {
    const found = await read("c3", split, file, vocabulary, 512);
    assertEquals([found.count, found.units.length], [count, count]);
    if (split === "dev") assertRows(found, 512);
    assertEquals(found.judge(perfect(found.units)), { accuracy: 100 });
  });
}

testOnShared("ChID of FewCLUE: 202 blanks", [
  "fewclue/chid/dev_few_all.json",
  VOCABULARY,
], async (file, vocabulary) => {
  const found = await read("chid", "dev", file, vocabulary, 64);
  assertEquals(found.count, 202);
  assertRows(found, 64);
  // Seven idioms, and three rows for those that are lacking.
  assert(found.units.every(({ rows }) => rows.filter(({ ids }) => ids.length === 1).length === 3));
  assertEquals(found.judge(perfect(found.units)), { accuracy: 100 });
});

testOnShared("FewCLUE's own answers to ChID have the form that is checked", [
  "fewclue/submit_example/chidf_predict.json",
], async (file) => {
  const lines = (await Deno.readTextFile(file)).trim().split("\n");
  const folder = await Deno.makeTempDir();
  try {
    const test = lines.map((_, id) =>
      JSON.stringify({ id, candidates: [..."甲乙丙丁戊己庚"], content: "#idiom#" })
    );
    await Deno.writeTextFile(join(folder, "test.json"), test.join("\n"));
    const asked = { path: join(folder, "test.json"), submission: "chidf_predict.json" };
    assertEquals(await faultsOf("chid", asked, lines.join("\n")), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (const [split, count] of [["train", 10748], ["dev", 843]] as const) {
  testOnShared(`CLUENER: ${count} sentences of ${split}; tags say all names, but one in another`, [
    `clue/cluener/${split}.json`,
    VOCABULARY,
  ], async (file, vocabulary) => {
    const found = await read("cluener", split, file, vocabulary, 128);
    assertEquals(found.count, count);
    assertRows(found, 128);
    const { macro_f1: f1 } = found.judge(perfect(found.units));
    console.log(`CLUENER ${split}: macro-F1 ${f1!.toFixed(2)}`);
    assertGreater(f1!, 99.5);
  });
}

testOnShared("CLUENER: 1,345 sentences whose names are hidden", [
  "clue/cluener/test.json",
  VOCABULARY,
], async (file, vocabulary) => {
  const found = await read("cluener", "test", file, vocabulary, 128);
  assertEquals([found.count, found.labelled], [1345, false]);
  const outputs = found.units.map(({ rows: [row] }) =>
    Float32Array.from(row!.ids, (_, t) => t % 7 === 1 ? 3 : 0)
  );
  const text = found.lines(outputs).join("\n");
  assertEquals(
    await faultsOf("cluener", { path: file, submission: "cluener_predict.json" }, text),
    [],
  );
});
