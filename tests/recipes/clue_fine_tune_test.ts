/** A small encoder learns a task of classes. */
import { assert, assertAlmostEquals, assertEquals, assertGreater } from "@std/assert";
import { leaves, read, type Tensor } from "../../core/mod.ts";
import { openDevice } from "../../core/device/open.ts";
import { init } from "../../nn/mod.ts";
import { answerer } from "../../recipes/clue/answer.ts";
import { fineTune, type FineTuneConfig } from "../../recipes/clue/fine_tune.ts";
import { classes } from "../../recipes/clue/heads/classes.ts";
import { answerOf, chooseBiases } from "../../recipes/clue/metrics/class_biases.ts";
import { macroF1 } from "../../recipes/clue/metrics/macro_f1.ts";
import type { TaskModel } from "../../recipes/clue/task_model.ts";
import type { Unit } from "../../recipes/clue/unit.ts";
import { encoderOptions, modelSpec } from "../../recipes/pretrain/model.ts";
import { tinyRun } from "./tiny_run.ts";

const VOCABULARY = 40, PAD = 0, CLASSES = 3;
const device = await openDevice("cpu");
const { model } = tinyRun, options = encoderOptions(model), head = classes(CLASSES);

/** Texts of 4 to 20 tokens; which of three tokens is in one is its class. */
const units: readonly Unit[] = Array.from({ length: 96 }, (_, i) => {
  const length = 4 + (i * 7) % 17, target = i % CLASSES, place = 1 + (i * 5) % (length - 2);
  const ids = Array.from({ length }, (_, t) => t === 0 ? 1 : 10 + (i * 13 + t * t * 7) % 30);
  return {
    rows: [{ ids: ids.with(place, 4 + target), segments: ids.map(() => 0) }],
    target: [target],
  };
});

function begin(seed: number): TaskModel {
  const { encoder } = init(seed, modelSpec(model, VOCABULARY, false), device);
  return { encoder, head: init(seed, head.spec(model.width), device) };
}

const config: FineTuneConfig = {
  epochs: 14,
  batch: 16,
  rate: 6e-3,
  warmup: 0.1,
  decay: 0.01,
  dropout: 0.1,
  seed: 5,
};
const learning = { head, options, units, pad: PAD, device };
const quiet = { progress: () => {}, epoch: () => Promise.resolve(), stop: () => false };
const valuesOf = async (tree: TaskModel): Promise<readonly (readonly number[])[]> =>
  await Promise.all(leaves(tree).map(async (leaf) => [...await read(leaf as unknown as Tensor)]));

Deno.test("fineTune learns which of three tokens a text holds", async () => {
  const losses: number[] = [], epochs: number[] = [];
  const learnt = await fineTune(begin(5), learning, config, {
    ...quiet,
    progress: (_, __, loss) => losses.push(loss),
    epoch: (number) => Promise.resolve(void epochs.push(number)),
  });
  const outputs = await answerer(head, options, 32, PAD, device)(learnt, units);
  const right = units.filter(({ target: [k] }, i) => answerOf(outputs[i]!) === k).length;
  assertGreater(right / units.length, 0.95);
  assertEquals(losses.length, 14 * 6);
  assertEquals(epochs, Array.from({ length: 14 }, (_, i) => i + 1));
});

Deno.test("the same seed gives the same bits, another seed others", async () => {
  const two = { ...config, epochs: 2 };
  const [a, b, c] = [
    await valuesOf(await fineTune(begin(5), learning, two, quiet)),
    await valuesOf(await fineTune(begin(5), learning, two, quiet)),
    await valuesOf(await fineTune(begin(5), learning, { ...two, seed: 6 }, quiet)),
  ];
  assertEquals(a, b);
  assert(a.some((leaf, i) => leaf.some((x, j) => x !== c[i]![j])));
});

Deno.test("a batch that is not full weighs its units as a full one does", async () => {
  const few = { ...learning, units: units.slice(0, 5) };
  const once = { ...config, epochs: 1, dropout: 0, warmup: 0 };
  const full = await valuesOf(await fineTune(begin(5), few, { ...once, batch: 5 }, quiet));
  const part = await valuesOf(await fineTune(begin(5), few, { ...once, batch: 8 }, quiet));
  full.forEach((leaf, i) => leaf.forEach((x, j) => assertAlmostEquals(part[i]![j]!, x, 2e-5)));
});

Deno.test("answers do not depend on the batch that a unit stands in", async () => {
  const start = begin(7);
  const [alone, together] = [
    await answerer(head, options, 1, PAD, device)(start, units.slice(0, 9)),
    await answerer(head, options, 9, PAD, device)(start, units.slice(0, 9)),
  ];
  alone.forEach((own, i) => own.forEach((x, k) => assertAlmostEquals(together[i]![k]!, x, 1e-5)));
});

Deno.test("biases of classes never cost macro-F1 on the split that they are chosen on, and find rare classes", () => {
  // Class 2 is right where its score is near the best, which an argmax never says.
  const labels = Array.from({ length: 60 }, (_, i) => i % 10 === 0 ? 2 : i % 2);
  const scores = labels.map((k, i) =>
    Float32Array.from([k === 0 ? 1 : 0, k === 1 ? 1 : 0.2 * (i % 3), k === 2 ? 0.9 : 0])
  );
  const plain = macroF1(scores.map((own) => answerOf(own)), labels, 3);
  const biases = chooseBiases(scores, labels);
  const tuned = macroF1(scores.map((own) => answerOf(own, biases)), labels, 3);
  assertEquals(biases[0], 0);
  assertGreater(tuned, plain - 1e-9);
  assertEquals(Math.round(tuned), 100);
});
