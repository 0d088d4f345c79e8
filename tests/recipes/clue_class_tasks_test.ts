/** Tasks of classes read their files in every layout, show the model what they should, and answer as they are asked to. */
import { assert, assertEquals } from "@std/assert";
import { basename } from "@std/path";
import { markSpans } from "../../recipes/clue/mark_spans.ts";
import type { Prepared, SplitName, Task } from "../../recipes/clue/task.ts";
import { tasks } from "../../recipes/clue/tasks.ts";
import type { Unit } from "../../recipes/clue/unit.ts";
import { fixtures, linesText, sureOf, taskOf, tokens, withFiles } from "./clue_fixtures.ts";
import { fc } from "../property.ts";

const LENGTH = 64;

/** Texts in a unit's row, between its special tokens. */
function textsOf({ rows: [row] }: Unit): readonly string[] {
  const { cls, sep } = tokens.vocabulary, [first, ...rest] = row!.ids;
  assertEquals([first, rest.at(-1)], [cls, sep]);
  const texts: number[][] = [[]];
  for (const id of rest.slice(0, -1)) id === sep ? texts.push([]) : texts.at(-1)!.push(id);
  return texts.map((ids) => tokens.decode(ids));
}

async function loaded(task: Task, folder: string, split: SplitName): Promise<Prepared> {
  const found = await task.load(folder, split, tokens, LENGTH);
  assert(found, `no ${split} in ${folder}`);
  return found;
}

/** The labels that a split's targets stand for, in a submission's words. */
function labelsOf({ lines, units }: Prepared): readonly string[] {
  return lines(sureOf(units.map(({ target }) => target[0]!))).map((line) => JSON.parse(line).label);
}

for (const [name, fixture] of Object.entries(fixtures)) {
  const task = taskOf(name), { train, test, labels, reads, submission, few } = fixture;
  const files = { "train.json": linesText(train), "dev.json": linesText(train) };

  Deno.test(`${name}: files of CLUE are read, judged and answered`, () =>
    withFiles({ ...files, "test.json": linesText(test) }, async (folder) => {
      const own = await loaded(task, folder, "train"), left = train.length - labels.length;
      assertEquals([own.count, own.labelled], [labels.length, true]);
      assertEquals(labelsOf(own), labels);
      assertEquals(textsOf(own.units[0]!), reads);
      const notes = own.notes.filter((note) => note.includes("did not agree"));
      assertEquals(notes.length, left > 0 ? 1 : 0);
      if (left > 0) assert(notes[0]!.includes(`train.json: ${left} of ${train.length} `), notes[0]);

      const right = own.units.map(({ target }) => target[0]!);
      assertEquals(own.judge(sureOf(right)), {
        [Object.keys(own.judge(sureOf(right)))[0]!]: 100,
        accuracy: 100,
        macro_f1: 100,
      });
      const half = sureOf([right[0]!, right[0]!]);
      assertEquals(own.judge(half).accuracy, 50);

      const hidden = await loaded(task, folder, "test");
      assertEquals([hidden.count, hidden.labelled], [test.length, false]);
      assertEquals(hidden.submission, submission);
      const answers = hidden.lines(sureOf(test.map(() => 1)));
      assertEquals(answers.map((line) => JSON.parse(line).id), test.map((_, i) => i + first(test)));
      assert(answers.every((line) => /^\{"id":\d+,"label":"[^"]+"\}$/.test(line)), answers[0]);
      const [asked] = await task.asked(folder);
      assertEquals(basename(asked!.path), "test.json");
      assertEquals(await task.faults(asked!.path, answers.join("\n") + "\n"), []);
    }));

  if (few === undefined) continue;
  Deno.test(`${name}: files of FewCLUE are read and answered; its public test is judged alone`, () => {
    const labelled = linesText(train), hidden = linesText(test);
    const names = ["train_0", "dev_0", "test_public"].map((one) => [`${one}.json`, labelled]);
    return withFiles({ ...Object.fromEntries(names), "test.json": hidden }, async (folder) => {
      assertEquals((await loaded(task, folder, "train")).count, labels.length);
      assertEquals((await loaded(task, folder, "dev")).count, labels.length);
      const tests = await task.tests(folder, tokens, LENGTH);
      assertEquals(tests.map(({ labelled }) => labelled), [true, false]);
      assertEquals(tests.map(({ submission }) => submission), [undefined, few]);
      assertEquals((await task.asked(folder)).map(({ submission }) => submission), [few]);
    });
  });
}

/** The first id of a test. */
function first(test: readonly Readonly<Record<string, unknown>>[]): number {
  return Number(test[0]!.id);
}

Deno.test("every task of classes has a fixture", () => {
  const ofClasses = Object.values(tasks).filter(({ head }) =>
    head.targets === 1 && head.rows === 1
  );
  assert(ofClasses.every(({ name }) => fixtures[name]));
});

Deno.test("train_few_all.json comes before the parts that it unites", () => {
  const [one, two] = fixtures.bustm!.train;
  const files = {
    "train_0.json": linesText([one!]),
    "train_few_all.json": linesText([one!, two!]),
  };
  return withFiles(files, async (folder) => {
    assertEquals((await loaded(taskOf("bustm"), folder, "train")).count, 2);
  });
});

for (const [name, id] of [["tnews", "tnews"], ["cluewsc", "cluewsc"]] as const) {
  const test = linesText(fixtures[name]!.test);
  Deno.test(`${name}: tests of CLUE 1.0 and 1.1 are answered under names of their own`, async () => {
    const answersTo = (...names: readonly string[]): Promise<void> =>
      withFiles(Object.fromEntries(names.map((own) => [own, test])), async (folder) => {
        const tests = await taskOf(name).tests(folder, tokens, LENGTH);
        assertEquals(
          tests.map(({ submission }) => submission),
          [`${id}11_predict.json`, `${id}10_predict.json`],
          names.join(),
        );
        const lines = tests.map(({ lines, count }) => lines(sureOf(Array(count).fill(0)))[0]!);
        const described = name === "tnews" ? [undefined, "news_story"] : [undefined, undefined];
        assertEquals(lines.map((line) => JSON.parse(line).label_desc), described);
      });
    await answersTo("test.json", "test1.0.json");
    await answersTo("test1.1.json", "test1.0.json");
    await answersTo("test1.1.json", "test.json", "test1.0.json");
  });
}

Deno.test("keywords and descriptions of TNEWS and IFLYTEK are not shown to the model", () =>
  withFiles({
    "tnews/train.json": linesText(fixtures.tnews!.train),
    "iflytek/train.json": linesText(fixtures.iflytek!.train),
  }, async (folder) => {
    for (const name of ["tnews", "iflytek"]) {
      const { units } = await loaded(taskOf(name), `${folder}/${name}`, "train");
      assertEquals(units.flatMap(textsOf).length, 2);
    }
  }));

Deno.test("tab-separated files are read by their header, or by the number of their columns", async () => {
  const cases: readonly (readonly [string, string, readonly string[], readonly string[]])[] = [
    ["afqmc", "怎么还款\t还款怎么还\t1\r\n额度多少\t怎么还款\t0\r\n", ["怎么还款", "还款怎么还"], [
      "1",
      "0",
    ]],
    ["lcqmc", "text_a\ttext_b\tlabel\n天多高\t天有多高\t1\n", ["天多高", "天有多高"], ["1"]],
    ["lcqmc", "\uFEFFlabel\ttext_b\ttext_a\n0\t天多高\t天有多高\n", ["天有多高", "天多高"], ["0"]],
    ["bustm", "唱个歌\t唱首歌\t1", ["唱个歌", "唱首歌"], ["1"]],
    ["chnsenticorp", "label\ttext_a\n0\t服务太差\n", ["服务太差"], ["0"]],
    ["chnsenticorp", "qid\tlabel\ttext_a\n5\t1\t房间很好\n", ["房间很好"], ["1"]],
    ["chnsenticorp", "1\t房间很好\n", ["房间很好"], ["1"]],
  ];
  for (const [name, text, reads, labels] of cases) {
    await withFiles({ "train.tsv": text }, async (folder) => {
      const own = await loaded(taskOf(name), folder, "train");
      assertEquals([textsOf(own.units[0]!), labelsOf(own)], [reads, labels]);
    });
  }
  await withFiles({ "test.tsv": "山多高\t山有多高\n天多高\t山多高\n" }, async (folder) => {
    const { lines, submission } = await loaded(taskOf("afqmc"), folder, "test");
    assertEquals(lines(sureOf([1, 0])), ['{"id":0,"label":"1"}', '{"id":1,"label":"0"}']);
    assertEquals(submission, "afqmc_predict.json");
  });
});

Deno.test("the parts of several files share no group; what stands in two of them is taken once", async () => {
  const line = (i: number) => ({
    id: i,
    sentence1: `问${i % 40}`,
    sentence2: `答${i}`,
    label: "1",
  });
  const lines = Array.from({ length: 400 }, (_, i) => line(i));
  const tsv = lines.slice(390).map((l) => `${l.sentence1}\t${l.sentence2}\t1`).join("\n");
  await withFiles(
    { "a.json": linesText(lines), "b.tsv": tsv + "\n问x\t答\t0\n" },
    async (folder) => {
      const { notes, ...parts } = await taskOf("afqmc").split(
        `${folder}/a.json`,
        `${folder}/b.tsv`,
      );
      assertEquals(notes, ["10 examples are left out, as they stand there already"]);
      const all = Object.values(parts).map((own) => own.map((text) => JSON.parse(text)));
      assertEquals(new Set(all.flat().map(({ id }) => id)).size, 401);
      const groups = all.map((own) => new Set(own.map(({ sentence1 }) => sentence1)));
      assertEquals(groups.reduce((sum, { size }) => sum + size, 0), 41);
      const alone = await taskOf("afqmc").split(`${folder}/a.json`);
      assertEquals(
        [...alone.train, ...alone.dev, ...alone.test].sort(),
        lines.map((one) => JSON.stringify(one)).sort(),
      );
    },
  );
});

/** CLUE's baseline: four insertions one after the other, each place counted with the marks before it. */
function insertedMarks(text: string, p: number, noun: number, q: number, pronoun: number): string {
  const list = [...text];
  const insert = (at: number, mark: string): void => void list.splice(at, 0, mark);
  if (q > p) {
    insert(p, "_");
    insert(p + noun + 1, "_");
    insert(q + 2, "[");
    insert(q + 2 + pronoun + 1, "]");
  } else {
    insert(q, "[");
    insert(q + pronoun + 1, "]");
    insert(p + 2, "_");
    insert(p + 2 + noun + 1, "_");
  }
  return list.join("");
}

Deno.test("marks of two spans stand where CLUE's baseline puts them, characters beyond the basic plane included", () =>
  fc.assert(fc.property(
    fc.array(fc.nat(5), { minLength: 5, maxLength: 5 }),
    fc.boolean(),
    fc.array(fc.constantFrom(..."天地𠮷人😀a"), { minLength: 40, maxLength: 40 }),
    ([before, one, between, two, after], nounFirst, all) => {
      const lengths = [before!, one! + 1, between!, two! + 1, after!];
      const text = all.slice(0, lengths.reduce((sum, n) => sum + n)).join("");
      const early = { start: before!, end: before! + lengths[1]! };
      const late = { start: early.end + between!, end: early.end + between! + lengths[3]! };
      const [noun, pronoun] = nounFirst ? [early, late] : [late, early];
      const marked = markSpans(text, [
        { ...noun, open: "_", close: "_" },
        { ...pronoun, open: "[", close: "]" },
      ]);
      const sizeOf = ({ start, end }: typeof noun): number => end - start;
      const want = insertedMarks(text, noun.start, sizeOf(noun), pronoun.start, sizeOf(pronoun));
      assertEquals(marked, want);
    },
  )));

Deno.test("marks of a span within another stand within the other's", () => {
  const outer = { start: 1, end: 4, open: "_", close: "_" };
  const marks = (start: number, end: number): string =>
    markSpans("甲乙丙丁戊", [outer, { start, end, open: "[", close: "]" }]);
  assertEquals(marks(2, 3), "甲_乙[丙]丁_戊");
  assertEquals(marks(1, 2), "甲_[乙]丙丁_戊");
  assertEquals(marks(3, 4), "甲_乙丙[丁]_戊");
  assertEquals(marks(0, 1), "[甲]_乙丙丁_戊");
  assertEquals(marks(4, 5), "甲_乙丙丁_[戊]");
});
