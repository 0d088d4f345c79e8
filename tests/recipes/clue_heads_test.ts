/** Heads learn what they are for, and weigh nothing that is padding. */
import { assert, assertAlmostEquals, assertEquals, assertGreater } from "@std/assert";
import { type AnyTensor, fromArray, read, type Tensor } from "../../core/mod.ts";
import { openDevice } from "../../core/device/open.ts";
import { init } from "../../nn/mod.ts";
import { answerer } from "../../recipes/clue/answer.ts";
import { fineTune, type FineTuneConfig } from "../../recipes/clue/fine_tune.ts";
import { choice } from "../../recipes/clue/heads/choice.ts";
import { classes } from "../../recipes/clue/heads/classes.ts";
import { crf } from "../../recipes/clue/heads/crf.ts";
import type { Head } from "../../recipes/clue/heads/head.ts";
import { ngrams } from "../../recipes/clue/heads/ngrams.ts";
import { span } from "../../recipes/clue/heads/span.ts";
import { tags } from "../../recipes/clue/heads/tags.ts";
import { answerOf } from "../../recipes/clue/metrics/class_biases.ts";
import type { TaskModel } from "../../recipes/clue/task_model.ts";
import type { Unit } from "../../recipes/clue/unit.ts";
import { encoderOptions, modelSpec } from "../../recipes/pretrain/model.ts";
import { tinyRun } from "./tiny_run.ts";

const VOCABULARY = 40, PAD = 0, COUNT = 32;
const device = await openDevice("cpu");
const model = { ...tinyRun.model, width: 32, hidden: 64 }, options = encoderOptions(model);

/** Random tokens after [CLS]; 4 to 6 mean something, 10 to 39 nothing. */
const idsOf = (i: number): readonly number[] =>
  Array.from({ length: 6 + (i * 7) % 15 }, (_, t) => t === 0 ? 1 : 10 + (i * 13 + t * t * 7) % 30);
const rowOf = (ids: readonly number[]) => ({ ids, segments: ids.map(() => 0) });

/** Of two to four texts, the one that holds token 4. */
const choices: readonly Unit[] = Array.from({ length: COUNT }, (_, i) => {
  const count = 2 + i % 3, right = (i * 5) % count;
  const rows = Array.from({ length: count }, (_, n) => {
    const ids = idsOf(i + 9 * n);
    return rowOf(n === right ? ids.with(1 + i % (ids.length - 1), 4) : ids);
  });
  return { rows: [...rows, ...Array(4 - count).fill(rowOf([1]))], target: [right] };
});
/** Both hold tokens 4 and 5; does 5 follow 4? */
const neighbours: readonly Unit[] = Array.from({ length: COUNT }, (_, i) => {
  const ids = idsOf(i), at = 1 + i % (ids.length - 3), follows = i % 3 === 0;
  return { rows: [rowOf(ids.with(at, 4).with(at + (follows ? 1 : 2), 5))], target: [+follows] };
});
/** From token 4 to token 5. */
const spans: readonly Unit[] = Array.from({ length: COUNT }, (_, i) => {
  const ids = idsOf(i), start = 1 + (i * 3) % (ids.length - 3), end = start + 1 + i % 2;
  return { rows: [rowOf(ids.with(start, 4).with(end, 5))], target: [start, end] };
});
/** Token 4 is tagged 1, what follows it 2, the rest 0. */
const tagged: readonly Unit[] = Array.from({ length: COUNT }, (_, i) => {
  const ids = idsOf(i), at = 1 + (i * 5) % (ids.length - 2);
  return {
    rows: [rowOf(ids.with(at, 4))],
    target: ids.map((_, t) => t === at ? 1 : t === at + 1 ? 2 : 0),
  };
});

function begin(head: Head, seed = 5): TaskModel {
  const { encoder } = init(seed, modelSpec(model, VOCABULARY, false), device);
  return { encoder, head: init(seed, head.spec(model.width), device) };
}
const config: FineTuneConfig = {
  ...{ epochs: 60, batch: 16, rate: 6e-3, warmup: 0.1, decay: 0.01, dropout: 0, seed: 5 },
};
const quiet = { progress: () => {}, epoch: () => Promise.resolve(), stop: () => false };

/** The answer in what a head gives for a unit. */
const answers: Readonly<Record<string, (out: Float32Array, unit: Unit) => readonly number[]>> = {
  choice: (out) => [answerOf(out)],
  span: (out) =>
    [out.subarray(0, out.length / 2), out.subarray(out.length / 2)].map((own) => answerOf(own)),
  tags: (out, { target }) => [...out.subarray(0, target.length)],
};

const cases: readonly (readonly [string, Head, readonly Unit[], keyof typeof answers])[] = [
  ["ngrams", classes(2, ngrams), neighbours, "choice"],
  ["choice", choice(4), choices, "choice"],
  ["span", span, spans, "span"],
  ["tags", tags(3), tagged, "tags"],
  ["crf", crf(3), tagged, "tags"],
];
for (const [name, head, units, answer] of cases) {
  Deno.test(`the ${name} head learns 32 examples`, async () => {
    const learning = { head, options, units, pad: PAD, device };
    const learnt = await fineTune(begin(head), learning, config, quiet);
    const outputs = await answerer(head, options, 16, PAD, device)(learnt, units);
    const right = units.filter((unit, i) => {
      const said = answers[answer]!(outputs[i]!, unit);
      return unit.target.every((want, k) => said[k] === want);
    }).length;
    assertGreater(right / COUNT, 0.9);
  });

  Deno.test(`the ${name} head answers alike in any batch, and learns alike in one that is not full`, async () => {
    const start = begin(head, 7), few = units.slice(0, 5);
    const [alone, together] = [
      await answerer(head, options, 1, PAD, device)(start, few),
      await answerer(head, options, 8, PAD, device)(start, few),
    ];
    few.forEach((unit, i) => {
      const [a, b] = [answers[answer]!(alone[i]!, unit), answers[answer]!(together[i]!, unit)];
      assertEquals(a, b);
    });
    const once = { ...config, epochs: 1, warmup: 0 };
    const values = async (batch: number): Promise<readonly number[]> => {
      const learning = { head, options, units: few, pad: PAD, device };
      const { encoder } = await fineTune(begin(head), learning, { ...once, batch }, quiet);
      return [...await read(encoder.layers[0]!.attention.wq as AnyTensor as Tensor)];
    };
    const [full, part] = [await values(5), await values(8)];
    assert(full.some((x) => x !== 0));
    full.forEach((x, i) => assertAlmostEquals(part[i]!, x, 2e-5));
  });
}

Deno.test("what is no choice is never chosen, and weighs nothing in the loss", async () => {
  const head = choice(4),
    hidden = fromArray(Float32Array.from({ length: 4 * 3 * 8 }, (_, i) => Math.sin(i)), [4, 3, 8]);
  const params = init(3, head.spec(8));
  const keep = (rows: readonly number[]) =>
    fromArray(rows.flatMap((n) => [0, 1, 2].map((t) => Number(t < n))), [4, 3]) as AnyTensor;
  const targets = {
    targets: fromArray([1], [1, 1], "i32") as AnyTensor,
    weights: fromArray([1], [1]) as AnyTensor,
  };
  const at = async (rows: readonly number[]) => {
    const inputs = { hidden: hidden as AnyTensor, keep: keep(rows) };
    const outputs = head.outputs(params, inputs);
    const { sum } = head.loss(params, outputs, inputs, targets);
    return { scores: await read(outputs as Tensor), loss: (await read(sum))[0]! };
  };
  const { scores: [a, b] } = await at([3, 3, 3, 3]), two = await at([3, 2, 1, 1]);
  assertAlmostEquals(two.loss, Math.log(Math.exp(a!) + Math.exp(b!)) - b!, 1e-5);
  assert(answerOf(two.scores) < 2);
});

Deno.test("the losses of spans and tags are means of cross-entropies, counted by hand", async () => {
  const params = {
    out: { w: fromArray([1, 0, 0, 1], [2, 2]), b: fromArray([0, 0], [2]) },
  } as never;
  const hidden = fromArray([1, 2, 3, 4, 5, 6], [1, 3, 2]) as AnyTensor;
  const inputs = { hidden, keep: fromArray([1, 1, 0], [1, 3]) as AnyTensor };
  const nll = (scores: readonly number[], k: number) =>
    Math.log(scores.reduce((sum, x) => sum + Math.exp(x), 0)) - scores[k]!;
  const loss = async (head: Head, wanted: readonly number[]) => {
    const targets = fromArray([...wanted], [1, wanted.length], "i32") as AnyTensor;
    const all = { targets, weights: fromArray([1], [1]) as AnyTensor };
    return (await read(head.loss(params, head.outputs(params, inputs), inputs, all).sum))[0]!;
  };
  assertAlmostEquals(await loss(span, [0, 1]), (nll([1, 3], 0) + nll([2, 4], 1)) / 2, 1e-5);
  assertAlmostEquals(await loss(tags(2), [1, 0, -1]), (nll([1, 2], 1) + nll([3, 4], 0)) / 2, 1e-5);
});
