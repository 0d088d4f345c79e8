/** Folds and grids: what is learnt from what, and what is chosen. */
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { openDevice } from "../../core/device/open.ts";
import { init } from "../../nn/mod.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { answerer } from "../../recipes/clue/answer.ts";
import { choice } from "../../recipes/clue/heads/choice.ts";
import { classes } from "../../recipes/clue/heads/classes.ts";
import { crf } from "../../recipes/clue/heads/crf.ts";
import type { Head } from "../../recipes/clue/heads/head.ts";
import { span } from "../../recipes/clue/heads/span.ts";
import { tags } from "../../recipes/clue/heads/tags.ts";
import { bestEpoch, type LearnOptions } from "../../recipes/clue/learning/best_epoch.ts";
import { foldData, learnFolds } from "../../recipes/clue/learning/folds.ts";
import { bestCell, type TriedCell } from "../../recipes/clue/learning/grid.ts";
import type { TaskConfig } from "../../recipes/clue/learning/settings.ts";
import { answerOf } from "../../recipes/clue/metrics/class_biases.ts";
import { foldOf, splitOf } from "../../recipes/clue/split.ts";
import type { Prepared } from "../../recipes/clue/task.ts";
import type { TaskModel } from "../../recipes/clue/task_model.ts";
import type { Unit } from "../../recipes/clue/unit.ts";
import { encoderOptions, modelSpec } from "../../recipes/pretrain/model.ts";
import { tokenizer } from "../../recipes/text/tokenize.ts";
import { SPECIAL_TOKENS, vocabularyOf } from "../../recipes/text/vocabulary.ts";
import { inFolder } from "../in_folder.ts";
import { taskOf } from "./clue_fixtures.ts";
import { tinyRun } from "./tiny_run.ts";

const device = await openDevice("cpu");
const { model } = tinyRun, options = encoderOptions(model);
const characters = [..."春夏秋冬雨晚早园山海天家学"];
const vocabulary = vocabularyOf([...SPECIAL_TOKENS, ...characters]);
const begin = (head: Head, seed: number): TaskModel => ({
  encoder: init(seed, modelSpec(model, vocabulary.tokens.length), device).encoder,
  head: init(seed, head.spec(model.width), device),
});
const config: TaskConfig = {
  ...{ epochs: 2, batch: 8, rate: 1e-2, warmup: 0, decay: 0, dropout: 0, seed: 3 },
};
const learner = (name: string, head: Head, notes: string[] = []): LearnOptions => ({
  task: { name, head },
  start: {
    ...{ options, vocabulary },
    begin: (own: Head, seed: number) => Promise.resolve(begin(own, seed)),
  } as never,
  ...{ device, config, interrupt: { requested: false } },
  view: { show: () => {}, note: (line) => notes.push(line), [Symbol.dispose]: () => {} },
});

Deno.test("folds are about even, depend on the group alone, and cut across splits", () => {
  const groups = Array.from({ length: 2000 }, (_, i) => `第${i}组`);
  const counts = Array(10).fill(0) as number[];
  for (const group of groups) {
    if (splitOf(group) !== "train") continue;
    counts[2 * foldOf(group, 5)]!++;
    counts[2 * foldOf(` ${group}`, 5) + 1]!++;
  }
  // About 320 each: 5 standard deviations of a binomial count are 80.
  assert(counts.every((n) => n > 240 && n < 400), `${counts}`);
  assertEquals(counts.filter((_, i) => i % 2 === 0), counts.filter((_, i) => i % 2 === 1));
});

const unitOf = (i: number, rows: number, target: readonly number[]): Unit => ({
  rows: Array.from({ length: rows }, (_, n) => {
    const ids = Array.from(
      { length: 8 },
      (_, t) => t === 0 ? 2 : 5 + (i * 13 + n * 5 + t * 7) % 13,
    );
    return { ids, segments: ids.map(() => 0) };
  }),
  target,
});

Deno.test("what is read from a model's probabilities is what the model answers", async () => {
  const best = (out: Float32Array): readonly number[] => [answerOf(out)];
  const heads: readonly (readonly [Head, number, (out: Float32Array) => readonly number[]])[] = [
    [classes(3), 1, best],
    [choice(2), 2, best],
    [span, 1, (out) => [0, 16].map((from) => answerOf(out.subarray(from, from + 16)))],
    [tags(3), 1, (out) => [...out.subarray(0, 8)]],
    // The most probable sequence need not have the most probable tags; without links it has.
    [crf(3), 1, (out) => [...out.subarray(0, 8)]],
  ];
  for (const [head, rows, of] of heads) {
    const units = Array.from({ length: 6 }, (_, i) => unitOf(i, rows, [])), start = begin(head, 4);
    const answers = await answerer(head, options, 4, 0, device)(start, units);
    const shares = await answerer(head, options, 4, 0, device, "probabilities")(start, units);
    units.forEach((_, i) => assertEquals(of(head.decide(shares[i]!)), of(answers[i]!)));
    const [first] = shares, total = first!.reduce((a, b) => a + b);
    assertAlmostEquals(total, Math.round(total), 1e-4);
    assert(first!.every((p) => p >= 0 && p <= 1 + 1e-6) && Math.round(total) > 0);
  }
});

/** Lines of QBQTC whose title gives the class away. */
const pairs = (from: number, count: number): string =>
  Array.from({ length: count }, (_, n) => {
    const i = from + n, draw = (k: number): string => characters[(i * k + k * k) % 10]!;
    const label = (i * 7 + (i >> 3)) % 3, query = `${draw(3)}${draw(7)}${draw(2 + i % 9)}`;
    return JSON.stringify({ id: n, query, title: `${characters[10 + label]}`, label: `${label}` });
  }).join("\n") + "\n";
const files = { "train.json": pairs(0, 24), "dev.json": pairs(24, 12), "test.json": pairs(36, 6) };

Deno.test("every labelled example is answered by the model of its fold, every test by the mean of all", () =>
  inFolder(async (folder) => {
    const task = taskOf("qbqtc"), tokens = tokenizer(vocabulary), { head } = task;
    const all = await task.labelled(folder, tokens, 16),
      tests = await task.tests(folder, tokens, 16);
    assertEquals(all.count, 36);
    const data = foldData("qbqtc", all, 3);
    assertEquals(data.folds.map(({ train, dev }) => train.count + dev.count), [36, 36, 36]);
    const met = data.folds.flatMap(({ dev }) => dev.units);
    assertEquals(new Set(met), new Set(all.units));
    assertEquals(met.length, 36);
    const found = (await learnFolds(learner("qbqtc", head), data, tests))!;

    const outputs: Float32Array[] = Array(36),
      sums = tests[0]!.units.map(() => new Float64Array(3));
    for (const { train, dev } of data.folds) {
      const best = (await bestEpoch(
        { ...learner("qbqtc", head), wanted: "probabilities" },
        { train, dev, tests },
      ))!;
      dev.units.forEach((unit, i) => outputs[all.units.indexOf(unit)] = best.outputs[i]!);
      best.tests[0]!.forEach((own, i) => own.forEach((p, k) => sums[i]![k]! += p));
    }
    const logs = outputs.map((own) => own.map(Math.log));
    assertEquals(found.tuned, all.tune(logs));
    assertEquals(found.scores, all.judge(logs, found.tuned));
    found.tests[0]!.forEach((own, i) =>
      own.forEach((x, k) => assertAlmostEquals(x, Math.log(sums[i]![k]! / 3), 1e-5))
    );
    assertThrows(
      () => foldData("qbqtc", data.folds[0]!.dev, 50),
      InputError,
      "Cannot learn qbqtc with --folds 50: fold ",
    );
  }, files));

/** A split that is judged with these scores, one after another. */
function splitOf3(scores: readonly number[]): Prepared {
  let judged = 0;
  const split: Prepared = {
    ...{ count: 3, labelled: true, notes: [], units: [0, 1, 2].map((i) => unitOf(i, 1, [i])) },
    ...{ part: () => split, tune: () => undefined, lines: () => [] },
    judge() {
      const accuracy = scores[judged++];
      if (accuracy === undefined) throw new RangeError("Cannot judge once more");
      return { accuracy };
    },
  };
  return split;
}

Deno.test("a grid takes the first of the best cells, and does not learn one twice", () =>
  inFolder(async (folder) => {
    const cells = [1e-3, 1e-2].flatMap((rate) => [4, 8].map((batch) => ({ rate, batch })));
    const path = join(folder, "grid");
    const choose = async (scores: readonly number[], about: readonly unknown[] = ["data"]) => {
      const told: TriedCell[] = [], train = splitOf3([]), dev = splitOf3(scores);
      const { view, ...learning } = learner("fake", classes(3)), views = cells.map(() => view);
      const best = await bestCell(
        learning,
        { train, dev, tests: [] },
        cells,
        { views, folder: { path, about }, tell: (cell) => void told.push(cell) },
      );
      return { best, told };
    };
    // Two epochs each.
    const first = await choose([50, 51, 60, 40, 60, 59, 30, 20]);
    assertEquals(first.best, { rate: 1e-3, batch: 8 });
    assertEquals(
      first.told.map(({ rate, batch, epoch, scores }) => [rate, batch, epoch, scores.accuracy]),
      [[1e-3, 4, 2, 51], [1e-3, 8, 1, 60], [1e-2, 4, 1, 60], [1e-2, 8, 1, 30]],
    );
    assertEquals(await choose([]), first);
    // Other data are other cells; a cell that is gone is learnt again.
    assertEquals((await choose([0, 0, 0, 0, 0, 0, 0, 7], ["other"])).best, {
      rate: 1e-2,
      batch: 8,
    });
    const names = [...Deno.readDirSync(path)].map(({ name }) => name);
    assertEquals(names.length, 8);
    await Promise.all(names.map((name) => Deno.writeTextFile(join(path, name), "{}")));
    await assertRejects(() => choose([]), InputError, "it holds no result of a grid; delete it");
  }));
