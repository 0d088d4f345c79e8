/** Tasks of reading and of names: from files to rows and targets, from outputs to submissions. */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { tasks } from "../../recipes/clue/tasks.ts";
import type { Unit } from "../../recipes/clue/unit.ts";
import {
  cmrc,
  dialogues,
  faultsOf,
  few,
  groupAnswers,
  groups,
  lines,
  loaded,
  perfect,
  sentences,
  texts,
  tokens,
  vocabulary,
  withFiles,
} from "./clue_reading_fixtures.ts";

const shown = ({ rows }: Unit): readonly string[] =>
  rows.map(({ ids }) => ids.map((id) => vocabulary.tokens[id]).join(" "));
const spaced = (text: string): string => [...text].join(" ");

Deno.test("CMRC 2018: a window points at the answer, and the answer is cut out of the passage", async () => {
  const found = await loaded("cmrc2018", "train", { "train.json": cmrc() }),
    outputs = perfect(found.units);
  assertEquals(found.count, 3);
  assertEquals(found.units.length, 3);
  const [unit] = found.units, [text] = shown(unit!);
  assert(
    text!.startsWith(`[CLS] ${spaced("舰名取自？")} [SEP] ${spaced("海明港号是一艘巡洋舰。，舰")}`),
  );
  const [row] = unit!.rows, [start, end] = unit!.target;
  assertEquals(row!.ids.slice(start, end! + 1).map((id) => vocabulary.tokens[id]), [..."皇家港"]);
  assertEquals(row!.segments.indexOf(1), 7);
  assertEquals(found.judge(outputs), { em: 100, f1: 100 });
  assertEquals(JSON.parse(found.lines(outputs).join("\n")), {
    A_QUERY_0: "皇家港",
    A_QUERY_1: "1862年",
    A_QUERY_2: "Port Royal",
  });
});

Deno.test("CMRC 2018: long passages are read in windows of a stride, those without the answer point at [CLS]", async () => {
  const context = `${"天地人".repeat(80)}皇家港${"舰船".repeat(60)}`, at = context.indexOf("皇");
  const qas = [{ id: "Q", question: "舰？", answers: [{ text: "皇家港", answer_start: at }] }];
  const file = { data: [{ paragraphs: [{ context, qas }] }] };
  const { units, judge } = await loaded("cmrc2018", "train", { "train.json": file }, 200);
  // 195 tokens of the passage fit beside the question and three special ones.
  assertEquals(units.map(({ rows: [row] }) => row!.ids.length), [200, 200, 363 - 256 + 5]);
  assertEquals(units.map(({ target }) => target), [[0, 0], [240 - 128 + 4, 242 - 128 + 4], [0, 0]]);
  const outputs = perfect(units);
  assertEquals(judge(outputs), { em: 100, f1: 100 });
  // The same words are in no window but the second: the others may say what they like more weakly.
  assertEquals(judge(outputs.with(1, new Float32Array(outputs[1]!.length))).em, 0);
});

Deno.test("CMRC 2018: no answer that is learnt starts with a comma, and hidden ones are none", async () => {
  const context = "是。，舰名取自皇家港", start = context.indexOf("，");
  const qas = [{ id: "Q", question: "舰？", answers: [{ text: "，舰名", answer_start: start }] }];
  const file = { data: [{ paragraphs: [{ context, qas }] }] };
  const { units: [unit] } = await loaded("cmrc2018", "train", { "train.json": file });
  assertEquals(unit!.target, [start + 1 + 4, start + 2 + 4]);
  const fake = cmrc({ answers: [{ text: "FAKE_ANSWER_1", answer_start: -1 }] });
  for (const answers of [fake, cmrc({ answers: undefined }), cmrc({ answers: [] })]) {
    const test = await loaded("cmrc2018", "test", { "test.json": answers });
    assertEquals([test.labelled, test.submission], [false, "cmrc2018_predict.json"]);
    assertEquals(test.units[0]!.target, []);
  }
});

Deno.test("C3: a row a choice, empty ones for choices that are lacking; files d and m are one split", async () => {
  const files = { "c3-d-train.json": dialogues, "c3-m-train.json": texts };
  const { units, count, judge, lines } = await loaded("c3", "train", files);
  assertEquals([count, units.length], [3, 3]);
  assertEquals(shown(units[1]!), [
    `[CLS] ${spaced("男：票卖完了吗？女：卖光了。")} [SEP] ${spaced("女人？")} [SEP] ${
      spaced("卖票")
    } [SEP]`,
    `[CLS] ${spaced("男：票卖完了吗？女：卖光了。")} [SEP] ${spaced("女人？")} [SEP] ${
      spaced("画龙")
    } [SEP]`,
    "[CLS]",
    "[CLS]",
  ]);
  assertEquals(units[0]!.rows[0]!.segments.indexOf(1), 16);
  assertEquals(units.map(({ target }) => target), [[0], [1], [3]]);
  assertEquals(judge(perfect(units)), { accuracy: 100 });
  assertEquals(lines(perfect(units))[1], '{"id":"11-5/2","label":1}');
});

Deno.test("C3: rows that are too long lose tokens from their longest part", async () => {
  const { units } = await loaded("c3", "train", { "train.json": dialogues }, 16);
  assertEquals(
    shown(units[0]!)[0],
    `[CLS] ${spaced("男：票卖完了吗")} [SEP] ${spaced("票？")} [SEP] ${spaced("卖光了")} [SEP]`,
  );
  for (const { rows } of units) assert(rows.every(({ ids }) => ids.length <= 16));
});

Deno.test("C3: tests of 1.1 and 1.0 have names of their own, and questions with numbers", async () => {
  const test = (
    id: number,
  ) => [[["王在。"], [{ question: "他在？", choice: ["天", "地", "人", "船"], id }], "11-5"]];
  await withFiles({ "test1.1.json": test(40), "test1.0.json": test(4) }, async (folder) => {
    const found = await tasks.c3!.tests(folder, tokens, 64);
    assertEquals(found.map(({ submission }) => submission), [
      "c311_predict.json",
      "c310_predict.json",
    ]);
    const [first] = found, scores = [Float32Array.of(0, 3, 1, 2)];
    assertEquals(first!.lines(scores), ['{"id":40,"label":1}']);
    const [asked] = await tasks.c3!.asked(folder),
      faults = (text: string) => faultsOf("c3", asked, text);
    assertEquals(await faults('{"id":40,"label":1}\n'), []);
    assertEquals(await faults('{"id":40,"label":"1"}\n'), [
      'line 1: label is "1", it must be a whole number from 0 to 3',
    ]);
    assertEquals(await faults('{"id":41,"label":4}\n'), [
      "line 1: id is 41, the test has no such id",
      "line 1: label is 4, it must be a whole number from 0 to 3",
      "id 40 has no line",
    ]);
  });
});

Deno.test("ChID: a row an idiom around its blank, other blanks masked, answers from the file beside", async () => {
  const files = { "train.json": lines(groups), "train_answer.json": groupAnswers };
  const { units, count, judge } = await loaded("chid", "train", files);
  assertEquals([count, units.length], [4, 4]);
  const rows = shown(units[1]!);
  assertEquals(rows.length, 10);
  // Seven tokens stand before the second blank; the first one makes them ten, of which the last seven stay.
  assertEquals(
    rows[2],
    `[CLS] ${spaced("甲乙丙丁")} [SEP] [MASK] [MASK] ${spaced("之笔，令人")} [MASK] 。 [SEP]`,
  );
  // Marks are written as the baseline writes them; this vocabulary has no "…" and no dashes but one.
  assertEquals(
    shown(units[2]!)[0],
    `[CLS] ${spaced("画龙点睛")} [SEP] " [MASK] " - - 他 . . . [SEP]`,
  );
  assertEquals(rows.slice(3), Array(7).fill("[CLS]"));
  assertEquals(units.map(({ target }) => target), [[0], [1], [2], [1]]);
  assert(units.every(({ rows }) => rows.every(({ segments }) => !segments.includes(1))));
  assertEquals(judge(perfect(units)), { accuracy: 100 });
  // Two blanks want one idiom: the surer one has it.
  const same = [Float32Array.of(1, 0, 9), Float32Array.of(5, 1, 8), Float32Array.of(0, 0, 2)];
  assertEquals(
    judge([
      ...same.map((own) => Float32Array.of(...own, ...Array(7).fill(99))),
      perfect(units)[3]!,
    ]),
    { accuracy: 25 },
  );
});

Deno.test("ChID: long passages are cut around the blank, half on either side where there are so many", async () => {
  const long = `${"天地人".repeat(20)}#idiom000001#${"舰船".repeat(30)}`;
  const group = {
    content: [long, `#idiom000002#${long.slice(-60)}`],
    candidates: ["画龙点睛", "拍案叫绝"],
  };
  const answers = { "#idiom000001#": 0, "#idiom000002#": 1 };
  const { units } = await loaded("chid", "train", {
    "train.json": lines([group]),
    "train_answer.json": answers,
  }, 28);
  const [middle, front] = units.map((unit) => shown(unit)[0]!.split(" "));
  assertEquals(middle!.length, 28);
  assertEquals(middle!.slice(6, 16).join(""), "人天地人天地人天地人");
  assertEquals(middle!.slice(16).join(""), "[MASK]舰船舰船舰船舰船舰船[SEP]");
  assertEquals(front!.slice(6).join(""), `[MASK]${"舰船".repeat(10)}[SEP]`);
});

Deno.test("ChID: beside an idiom of more than four tokens the blank stays, and all have the same text around it", async () => {
  const group = {
    content: [`${"天地人".repeat(20)}#idiom000001#`],
    candidates: ["画龙点睛", "画龙点睛拍案叫绝"],
  };
  const { units } = await loaded("chid", "train", {
    "train.json": lines([group]),
    "train_answer.json": { "#idiom000001#": 1 },
  }, 28);
  const [four, eight] = shown(units[0]!);
  assertEquals(eight!.split(" ").length, 28);
  assert(eight!.endsWith("天 地 人 [MASK] [SEP]"), eight);
  assertEquals(four!.slice(four!.indexOf("[SEP]")), eight!.slice(eight!.indexOf("[SEP]")));
});

Deno.test("ChID: FewCLUE's files of one blank, and its submissions", async () => {
  const files = {
    "train_few_all.json": lines(few),
    "test.json": lines(few.map((one) => ({ ...one, answer: undefined }))),
  };
  await withFiles(files, async (folder) => {
    const train = await tasks.chid!.load(folder, "train", tokens, 64);
    assertEquals(train!.units.map(({ target }) => target), [[1], [1]]);
    assertEquals(train!.judge(perfect(train!.units)), { accuracy: 100 });
    const [test] = await tasks.chid!.tests(folder, tokens, 64);
    assertEquals([test!.submission, test!.labelled], ["chidf_predict.json", false]);
    const said = test!.lines(perfect(train!.units)), [asked] = await tasks.chid!.asked(folder);
    assertEquals(said, ['{"id":7,"answer":"1"}', '{"id":8,"answer":"1"}']);
    assertEquals(await faultsOf("chid", asked, said.join("\n")), []);
    assertEquals(await faultsOf("chid", asked, '{"id":7,"answer":1}\n{"id":8,"answer":"2"}'), [
      'line 1: the answer is 1, it must be a text from "0" to "2"',
      'line 2: the answer is "2", it must be a text from "0" to "1"',
    ]);
  });
});

Deno.test("ChID and CMRC 2018 hand in one object: every fault of it is named", async () => {
  await withFiles(
    { "test1.1.json": lines(groups), "train.json": lines(groups) },
    async (folder) => {
      const [test] = await tasks.chid!.tests(folder, tokens, 64),
        [asked] = await tasks.chid!.asked(folder);
      const said = test!.lines(test!.units.map(() => Float32Array.of(...Array(10).fill(0).keys())));
      assertEquals(asked!.submission, "chid11_predict.json");
      assertEquals(await faultsOf("chid", asked, said.join("\n") + "\n"), []);
      assertEquals(Object.keys(JSON.parse(said.join("\n"))), Object.keys(groupAnswers));
      const wrong =
        '{"#idiom000001#": 1, "#idiom000001#": 2, "#idiom000009#": 0, "#idiom000002#": "a:\\"b\\": 1"}';
      assertEquals(await faultsOf("chid", asked, wrong), [
        "entry 2: id #idiom000001# is answered in entry 1 already",
        'entry 3: id is "#idiom000009#", the test has no such id',
        'entry 4: the answer is "a:\\"b\\": 1", it must be a whole number from 0 to 2',
        "ids #idiom000003# to #idiom000004# (2) have no entry",
      ]);
      assertEquals((await faultsOf("chid", asked, "[]")).slice(0, 1), [
        "the file: it is no object",
      ]);
    },
  );
  await withFiles({ "test.json": cmrc({ answers: [] }) }, async (folder) => {
    const [asked] = await tasks.cmrc2018!.asked(folder);
    assertEquals(await faultsOf("cmrc2018", asked, '{"A_QUERY_0": "港", "A_QUERY_1": 5}'), [
      "entry 2: the answer is 5, not text",
      "id A_QUERY_2 has no entry",
    ]);
  });
});

for (const name of ["cluener", "cluener-softmax"]) {
  Deno.test(`${name}: tags of tokens, names of characters`, async () => {
    const found = await loaded(name, "train", { "train.json": lines(sentences) }),
      { units } = found;
    // B-address is 1: of names that overlap the longest is taught.
    assertEquals(units[0]!.target, [0, 19, 20, 0, 22, 23, 23, 23, 0, 0, 0, 0, 4, 5, 5, 5, 5, 0]);
    assertEquals(units[1]!.target, [0, 0, 21, 0, 21, 0, 0]);
    assertEquals(found.lines(perfect(units)), [
      JSON.stringify({
        id: 0,
        label: {
          name: { 小王: [[0, 1]] },
          organization: { 北京大学: [[3, 6]] },
          book: { "《红楼梦》": [[11, 15]] },
        },
      }),
      JSON.stringify({ id: 1, label: { name: { 王: [[1, 1], [3, 3]] } } }),
      '{"id":2,"label":{}}',
    ]);
    // Four types stand there; one name of one of them, an address, is not found.
    assertEquals(found.judge(perfect(units)), { macro_f1: 75 });
  });
}

Deno.test("CLUENER: runs of tags that are no name are none, and long sentences are read in parts", async () => {
  const { units, lines: said } = await loaded("cluener", "train", {
    "train.json": lines(sentences),
  });
  // I without B; B without I; I of another type after B; S, S.
  const tags = Float32Array.of(0, 20, 20, 0, 22, 0, 4, 8, 21, 21, 0, 0, 0, 0, 0, 0, 0, 0);
  assertEquals(JSON.parse(said([tags, ...perfect(units).slice(1)])[0]!).label, {
    name: { 读: [[7, 7]], 书: [[8, 8]] },
  });
  const short = await loaded("cluener", "train", { "train.json": lines(sentences) }, 8);
  assertEquals(short.units.length, 5);
  assert(
    short.units.every(({ rows: [row], target }) =>
      row!.ids.length <= 8 && target.length === row!.ids.length
    ),
  );
  assertEquals(JSON.parse(short.lines(perfect(short.units))[1]!).label, {
    name: { 王: [[1, 1], [3, 3]] },
  });
});

Deno.test("CLUENER: a submission's names must stand where it says", async () => {
  const test = lines(sentences.map(({ text }, id) => ({ id, text })));
  await withFiles({ "test.json": test }, async (folder) => {
    const [asked] = await tasks["cluener-softmax"]!.asked(folder);
    assertEquals(asked!.submission, "cluener_predict.json");
    const good = sentences.map(({ label }, id) => ({ id, label }));
    const faults = (all: readonly unknown[]) => faultsOf("cluener", asked, lines(all));
    assertEquals(await faults(good), []);
    const wrong = good.with(1, { id: 1, label: { name: { 王: [[0, 1]] } } as never }).with(2, {
      id: 2,
      label: { person: {} } as never,
    });
    assertEquals(await faults(wrong), [
      'line 2: name "王" does not stand at [0,1] of the text',
      'line 3: "label" has the type "person", it must be one of address, book, company, game, government, movie, name, organization, position, scene',
    ]);
  });
});

Deno.test("documents are split by passage or text into documents again", async () => {
  const all = {
    ...cmrc(),
    data: Array.from({ length: 60 }, (_, i) => {
      const [article] = cmrc({}, `D${i}`).data, [paragraph] = article!.paragraphs;
      return { ...article, paragraphs: [{ ...paragraph!, context: `${paragraph!.context}${i}` }] };
    }),
  };
  const many = Array.from({ length: 60 }, (_, i) => [[`天${i}`], dialogues[0]![1], String(i)]);
  for (const [name, file] of [["cmrc2018", all], ["c3", many]] as const) {
    await withFiles({ "all.json": file }, async (folder) => {
      const parts = await tasks[name]!.split(join(folder, "all.json"));
      const counts = [];
      for (const split of ["train", "dev", "test"] as const) {
        const found = await loaded(name, split, {
          [`${split}.json`]: tasks[name]!.fileOf(parts[split]),
        });
        assertEquals(found.labelled, true);
        counts.push(found.count);
      }
      assertEquals(counts.reduce((a, b) => a + b), name === "c3" ? 120 : 180);
      assert(counts[0]! > counts[1]! + counts[2]! && Math.min(...counts) > 0);
    });
  }
});
