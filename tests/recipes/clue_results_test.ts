/** Results over tasks and seeds: the table, the boards, the page, and what others have published. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path";
import { aligned } from "../../recipes/cli/aligned.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { boardAverages, boardRows, boards } from "../../recipes/clue/results/boards.ts";
import { published } from "../../recipes/clue/results/published.ts";
import { readResults } from "../../recipes/clue/results/read_results.ts";
import { groupsOf, type ResultRow, rowsOf } from "../../recipes/clue/results/result_row.ts";
import { refuseToLose } from "../../recipes/clue/results/refuse_to_lose.ts";
import { resultsHtml } from "../../recipes/clue/results/results_page.ts";
import { resultLines } from "../../recipes/clue/results/results_table.ts";
import { tasks } from "../../recipes/clue/tasks.ts";
import { bestOf, type SeedAnswers } from "../../recipes/clue/write_submissions.ts";
import { inFolder } from "../in_folder.ts";
import { assertPage } from "./assert_page.ts";
import { runRecipe } from "./recipe_command.ts";
import { fc } from "../property.ts";

const row = (task: string, metric: string, seed: number, value: number): ResultRow => ({
  ...{ task, split: "dev", metric, value, n: 1234, seed },
});

/** Every task of the total board with two seeds; the second is worth 2 more. */
const ten: readonly ResultRow[] = boards[0]!.tasks.flatMap(([task, metric], i) => [
  row(task, metric, 1, 50 + i),
  row(task, metric, 2, 52 + i),
]);

Deno.test("rows have the form that is promised", () => {
  const result = { task: "tnews", split: "test", seed: 3, n: 7, epoch: 2 } as const;
  assertEquals(
    JSON.stringify(rowsOf({ ...result, scores: { accuracy: 50, macro_f1: 40 } })[1]),
    '{"task":"tnews","split":"test","metric":"macro_f1","value":40,"n":7,"seed":3}',
  );
  assertEquals(groupsOf([]), []);
  const [group] = groupsOf([row("a", "m", 1, 5), row("a", "m", 1, 7)]);
  assertEquals([group!.summary.values, group!.summary.spread], [[7], undefined]);
});

Deno.test("the boards are CLUE's: ten tasks, seven and three, and names apart", () => {
  const names = Object.fromEntries(boards.map(({ name, tasks }) => [name, tasks.map(([t]) => t)]));
  assertEquals(names.total, [...names.classification!, ...names.reading!]);
  assertEquals([names.total!.length, names.classification!.length], [10, 7]);
  assertEquals([names.nli, names.ner], [["cmnli", "ocnli"], ["cluener"]]);
  for (const name of boards.flatMap(({ tasks }) => tasks.map(([task]) => task))) {
    assert(Object.hasOwn(tasks, name) && !Object.hasOwn(names, name));
  }
});

Deno.test("averages are means over tasks of the seeds that all have", () => {
  const [total, ...rest] = boardAverages([...ten, row("afqmc", "accuracy", 3, 99)]);
  assertEquals(total!.seeds, [1, 2]);
  assertAlmostEquals(total!.summary!.mean, 55.5, 1e-9);
  assertAlmostEquals(total!.summary!.spread!, Math.SQRT2, 1e-9);
  assertEquals(rest.map(({ board }) => board.name), ["classification", "reading", "nli"]);
  assertEquals(boardRows(ten).slice(0, 2), [
    { task: "total", split: "dev", metric: "average", value: 54.5, n: 10, seed: 1 },
    { task: "total", split: "dev", metric: "average", value: 56.5, n: 10, seed: 2 },
  ]);
});

Deno.test("a missing task leaves its averages out, says so, and touches no other", () => {
  const without = ten.filter(({ task }) => task !== "chid");
  const lines = resultLines(without);
  assertEquals(lines.slice(-4), [
    "total           dev    average   left out: no chid",
    "classification  dev    average    54.00 ± 1.41  7 tasks      2",
    "reading         dev    average   left out: no chid",
    "nli             dev    average    54.50 ± 1.41  2 tasks      2",
  ]);
  assertEquals(lines.slice(0, 2), [
    "task            split  metric    mean ± spread        n  seeds",
    "afqmc           dev    accuracy   51.00 ± 1.41    1,234      2",
  ]);
  // F1 of CMRC 2018 is no metric of the board.
  const f1 = boardAverages([row("cmrc2018", "f1", 1, 60)]);
  assertEquals(f1, []);
  const apart = [row("cmnli", "accuracy", 1, 60), row("ocnli", "accuracy", 2, 60)];
  assertStringIncludes(resultLines(apart).at(-1)!, "left out: no seed has all its tasks");
  assertEquals(boardRows(apart), []);
});

Deno.test("aligned puts cells under each other, whatever is in them", () => {
  const cell = fc.string({ maxLength: 6, unit: "grapheme-ascii" }).map((s) => s.trim() || "x");
  fc.assert(fc.property(fc.array(fc.tuple(cell, cell, cell), { minLength: 1 }), (rows) => {
    const lines = aligned(rows, ["left"]);
    const ends = lines.map((line, i) => line.length - rows[i]![2].length);
    assert(lines.every((line, i) => line.startsWith(rows[i]![0]) && line.endsWith(rows[i]![2])));
    assert(new Set(lines.map(({ length }) => length)).size === 1 || ends.length === 0);
  }));
});

Deno.test("published figures have a source, a task, and nothing twice", () => {
  const seen = new Set<string>();
  for (const { system, task, split, metric, value, source } of published) {
    assert(Object.hasOwn(tasks, task), task);
    assert(value > 0 && value < 100 && source.about.length > 20);
    const name = [system, task, split, metric, source.name].join();
    assert(!seen.has(name), name);
    seen.add(name);
  }
  // What the sources say of their own averages.
  const mean = (system: string, split: string, source: string, of: readonly string[]) => {
    const own = published.filter((one) =>
      one.system === system && one.split === split && one.source.name === source &&
      of.includes(one.task) && one.metric !== "f1"
    );
    assertEquals(own.length, of.length);
    return own.reduce((sum, { value }) => sum + value, 0) / own.length;
  };
  const all = boards[0]!.tasks.map(([task]) => task), reading = all.slice(-3);
  assertAlmostEquals(mean("RoBERTa-wwm-large", "dev", "PaddleNLP", all), 76.61, 0.02);
  assertAlmostEquals(mean("BERT-base", "dev", "PaddleNLP", all), 72.57, 0.02);
  assertAlmostEquals(mean("people", "test", "CLUE's board", all), 85.61, 0.005);
  assertAlmostEquals(mean("RoBERTa-wwm-large", "test", "CLUE's README", reading), 79.05, 0.005);
  const six = ["afqmc", "tnews", "iflytek", "cmnli", "cluewsc", "csl"];
  assertAlmostEquals(mean("BERT-base", "test", "CLUE's README", six), 68.77, 0.005);
  assertAlmostEquals(mean("RoBERTa-wwm-large", "test", "CLUE's README", six), 72.83, 0.005);
});

Deno.test("the page shows ours, and apart from it others with their sources", () => {
  const epochs = [1, 2].flatMap((seed) =>
    [1, 2, 3].map((epoch) => ({ ...row("tnews", "accuracy", seed, 30 + 5 * epoch), epoch }))
  );
  const report = { subtitle: "runs/<mine>, on cpu", rows: ten, epochs, faults: ["no <x>"] };
  const page = resultsHtml(report);
  assertPage(page);
  for (const text of ["runs/&#60;mine&#62;", "no &#60;x&#62;", "total, dev", "55.50 ± 1.41"]) {
    assertStringIncludes(page, text);
  }
  const [own = "", others = ""] = page.split("Published by others</h2>");
  assert(!own.replace(/<svg.*?<\/svg>/gs, "").includes("85.72"), "ours is free of theirs");
  for (const text of ["85.72", "87.10", "PaddleNLP", "people, test"]) {
    assertStringIncludes(others, text);
  }
  // One curve of the mean and two of seeds; a task of one epoch has none.
  assertEquals(page.match(/<polyline/g)?.length, 3);
  assertEquals(page.match(/<figure/g)?.length, 2);

  const little = resultsHtml({
    subtitle: "",
    rows: [row("bustm", "accuracy", 1, 50)],
    epochs: [],
    faults: [],
  });
  assertPage(little);
  assert(!little.includes("Published by others</h2>") && !little.includes('class="tiles"'));
  assertPage(resultsHtml({ subtitle: "", rows: [], epochs: [], faults: [] }));
});

Deno.test("the best seed on dev hands in, of equals the first", () => {
  const of = (seed: number, dev: number): SeedAnswers => ({ seed, dev, answers: {} });
  assertEquals(bestOf([of(1, 50), of(2, 52), of(3, 52)])?.seed, 2);
  assertEquals(bestOf([]), undefined);
});

const saved = (rows: readonly object[]): string =>
  rows.map((one) => JSON.stringify(one) + "\n").join("");
const half = ten.length / 2, [early, late] = [ten.slice(0, half), ten.slice(half)];

Deno.test("results of several calls stand together, in the order of the tasks", () =>
  inFolder(async (folder) => {
    const [a, b] = ["a", "b"].map((name) => join(folder, name));
    const { rows, epochs } = await readResults([b!, a!]);
    assertEquals(rows, ten);
    assertEquals(epochs.map(({ task }) => task), ["afqmc"]);

    const found = await runRecipe("clue", folder, [
      ...["--results", "a", "--results", "b", "--out", "all"],
    ]);
    assertEquals([found.code, found.error], [0, ""]);
    assertEquals(found.out, resultLines(ten).join("\n") + "\n");
    assertEquals(await Deno.readTextFile(join(folder, "all", "results.jsonl")), saved(ten));
    assertPage(await Deno.readTextFile(join(folder, "all", "report.html")));
  }, {
    "a/results.jsonl": saved(early),
    "a/epochs.jsonl": saved([{ ...early[0]!, epoch: 1 }]),
    "b/results.jsonl": saved(late),
  }));

const folds: readonly ResultRow[] = ["folds", "test"].map((split) => ({
  ...row("tnews", "accuracy", 1, 60),
  split: split as ResultRow["split"],
}));

Deno.test("results of folds are read beside others, though no epoch is of folds", () =>
  inFolder(async (folder) => {
    const [a, b, c] = ["a", "b", "c"].map((name) => join(folder, name));
    const { rows } = await readResults([a!, b!]);
    assertEquals(rows, [...folds, ...late]);
    const error = await assertRejects(() => readResults([c!]), InputError);
    assertMatch(error.message, /epochs\.jsonl, line 1: "split" is none of "dev", "test"; remove/);
  }, {
    "a/results.jsonl": saved(folds),
    "b/results.jsonl": saved(late),
    "c/results.jsonl": saved(folds),
    "c/epochs.jsonl": saved([{ ...folds[0]!, epoch: 1 }]),
  }));

Deno.test("results that a call will not have again are not written over", () =>
  inFolder(async (folder) => {
    await refuseToLose(join(folder, "new"), []);
    await refuseToLose(folder, late);
    const [kept] = late as [ResultRow];
    for (const coming of [late.filter(({ seed }) => seed === 1), early]) {
      const error = await assertRejects(() => refuseToLose(folder, coming), InputError);
      const seed = coming === early ? 1 : 2;
      assertStringIncludes(error.message, `${folder}: those of ${kept.task}, seed ${seed}, are`);
    }
    const refused = await runRecipe("clue", folder, ["--results", "a", "--out", "."]);
    assertEquals([refused.code, refused.out], [2, ""]);
    assertMatch(
      refused.error,
      /^Cannot leave results in \.: those of .+ would be lost; pass .+\n$/,
    );
    assertEquals(await Deno.readTextFile(join(folder, "results.jsonl")), saved(late));
  }, { "results.jsonl": saved(late), "a/results.jsonl": saved(early) }));

const [one] = early as [ResultRow];
const bad: readonly (readonly [name: string, text: string, why: RegExp])[] = [
  ["no JSON", saved([one]) + "{", /results\.jsonl, line 2: it is no JSON object; remove the line$/],
  ["another task", saved([{ ...one, task: "total" }]), /line 1: "task" is no task/],
  [
    "another split",
    saved([{ ...one, split: "train" }]),
    /"split" is none of "dev", "test", "folds"/,
  ],
  ["no percentage", saved([{ ...one, value: null }]), /line 1: "value" is no percentage/],
  ["no seed", saved([{ ...one, seed: 1.5 }]), /line 1: "n" or "seed" is no whole number/],
  ["a seed twice", saved([one, one]), /line 2: afqmc dev accuracy, seed 1, stands in .*line 1 too/],
  ["two splits", saved([one, { ...one, seed: 9, n: 7 }]), /afqmc dev has 7 examples, and 1234 in/],
];
for (const [name, text, why] of bad) {
  Deno.test(`results are refused by line: ${name}`, () =>
    inFolder(async (folder) => {
      const error = await assertRejects(() => readResults([folder]), InputError);
      assertMatch(error.message, why);
    }, { "results.jsonl": text }));
}
