/** R-Drop and adversarial training, against what is counted by hand. */
import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import {
  type AnyTensor,
  type Device,
  dispose,
  fromArray,
  jit,
  leaves,
  mul,
  read,
  reference,
  sum,
  type Tensor,
  tensor,
} from "../../core/mod.ts";
import { openDevice } from "../../core/device/open.ts";
import { init } from "../../nn/mod.ts";
import { fineTune, type FineTuneConfig } from "../../recipes/clue/fine_tune.ts";
import { choice } from "../../recipes/clue/heads/choice.ts";
import { classes } from "../../recipes/clue/heads/classes.ts";
import { crf } from "../../recipes/clue/heads/crf.ts";
import type { Head } from "../../recipes/clue/heads/head.ts";
import { ngrams } from "../../recipes/clue/heads/ngrams.ts";
import { span } from "../../recipes/clue/heads/span.ts";
import { tags } from "../../recipes/clue/heads/tags.ts";
import {
  adversarial,
  type Adversary,
  type Embedded,
} from "../../recipes/clue/learning/adversary.ts";
import { type StepInputs, stepLoss } from "../../recipes/clue/learning/loss.ts";
import { disagreement, twice } from "../../recipes/clue/learning/r_drop.ts";
import type { TaskModel } from "../../recipes/clue/task_model.ts";
import type { Unit } from "../../recipes/clue/unit.ts";
import { rowInputs, targetInputs } from "../../recipes/clue/unit_batches.ts";
import { encoderOptions, modelSpec } from "../../recipes/pretrain/model.ts";
import { gpuFor } from "./any_gpu.ts";
import { tinyRun } from "./tiny_run.ts";

const device = await openDevice("cpu");
const { model } = tinyRun, options = encoderOptions(model);

/** A model of a table E [3, 2] and weights w [3], and L = Σ_i w_i x_i (Σ_j E_ij³ / 3), whose gradients are known. */
interface Toy extends Embedded {
  readonly w: Tensor<[3]>;
}
const E = [[0.4, -0.3], [0.2, 0.9], [-0.5, 0.1]], W = [0.7, -1.2, 2], X = [1, 0.5, -1.5];
const toyOf = (table: readonly (readonly number[])[]): Toy => ({
  encoder: { embeddings: { tokens: tensor(table as [[number, number]]) } },
  w: tensor([...W]) as never,
});
const toyLoss = ({ encoder, w }: Toy, x: Tensor<[3]>): Tensor<[]> => {
  const e = encoder.embeddings.tokens as AnyTensor, cubes: AnyTensor = mul(mul(e, e), e);
  return sum(mul(mul(w as AnyTensor, x as AnyTensor), sum(cubes, 1))) as AnyTensor;
};
type Table = readonly (readonly number[])[];
const each = (a: Table, f: (x: number, i: number, j: number) => number): Table =>
  a.map((row, i) => row.map((x, j) => f(x, i, j)));
const byTable = (e: Table): Table => each(e, (x, i) => 3 * W[i]! * X[i]! * x * x);
const byWeights = (e: Table): readonly number[] =>
  e.map((row, i) => X[i]! * row.reduce((s, x) => s + x ** 3, 0));
const normOf = (a: Table): number => Math.sqrt(a.flat().reduce((s, x) => s + x * x, 0));

/** What it must be: gradients at E and at E + r. */
async function checkToy(adversary: Adversary, r: Table): Promise<void> {
  const moved = each(E, (x, i, j) => x + r[i]![j]!);
  const { value, grads } = adversarial(toyLoss, adversary)(toyOf(E), tensor([...X]) as never);
  const [table, weights] = [
    await read(grads.encoder.embeddings.tokens as Tensor),
    await read(grads.w),
  ];
  const wanted = each(byTable(E), (g, i, j) => g + byTable(moved)[i]![j]!).flat();
  wanted.forEach((g, i) => assertAlmostEquals(table[i]!, g, 1e-5));
  byWeights(E).forEach((g, i) => assertAlmostEquals(weights[i]!, g + byWeights(moved)[i]!, 1e-5));
  const plain = byWeights(E).reduce((s, g, i) => s + g * W[i]!, 0);
  assertAlmostEquals((await read(value))[0]!, plain, 1e-5);
}

Deno.test("fgm adds the gradient at E + ε g / ‖g‖, the norm over the whole table", async () => {
  const g = byTable(E), epsilon = 0.6;
  await checkToy({ kind: "fgm", epsilon }, each(g, (x) => epsilon * x / normOf(g)));
});

Deno.test("pgd takes K steps of 2.5 ε / K, never further than ε from E", async () => {
  for (const [epsilon, steps] of [[0.5, 1], [0.5, 3], [0.05, 4]] as const) {
    let r = each(E, () => 0), outside = 0;
    for (let step = 0; step < steps; step++) {
      const g = byTable(each(E, (x, i, j) => x + r[i]![j]!)), size = 2.5 * epsilon / steps;
      const next = each(r, (x, i, j) => x + size * g[i]![j]! / normOf(g));
      if (normOf(next) > epsilon) outside++;
      r = each(next, (x) => x / Math.max(1, normOf(next) / epsilon));
    }
    assert(outside > 0);
    await checkToy({ kind: "pgd", epsilon, steps }, r);
  }
});

Deno.test("where the loss does not depend on the embeddings, an adversary moves nothing", async () => {
  const none = each(E, () => 0);
  for (const adversary of [{ kind: "fgm", epsilon: 1 }, { kind: "pgd", epsilon: 1, steps: 2 }]) {
    const { grads } = adversarial(toyLoss, adversary as Adversary)(
      toyOf(none),
      tensor([...X]) as never,
    );
    const table = await read(grads.encoder.embeddings.tokens as Tensor);
    assertEquals([...table].map(Math.abs), Array(6).fill(0));
  }
});

const wave = (n: number, by: number): readonly number[] =>
  Array.from({ length: n }, (_, i) => 1.5 * Math.sin(by * (i + 1)));
const softmaxOf = (z: readonly number[]): readonly number[] => {
  const e = z.map(Math.exp), total = e.reduce((a, b) => a + b);
  return e.map((x) => x / total);
};
/** (KL(p ‖ q) + KL(q ‖ p)) / 2, term by term. */
const apart = (p: readonly number[], q: readonly number[]): number =>
  p.reduce((s, x, i) => s + (x * Math.log(x / q[i]!) + q[i]! * Math.log(q[i]! / x)) / 2, 0);
const rowsOf = (z: readonly number[], L: number): readonly (readonly number[])[] =>
  Array.from({ length: z.length / L }, (_, i) => z.slice(i * L, (i + 1) * L));

/** What `disagreement` says of two outputs. */
async function measured(
  head: Head,
  shape: readonly number[],
  [a, b]: readonly [readonly number[], readonly number[]],
  { targets, keep, weights, params = {} }: {
    readonly targets: readonly (readonly number[])[];
    readonly keep: readonly (readonly number[])[];
    readonly weights: readonly number[];
    readonly params?: unknown;
  },
): Promise<number> {
  const table = (rows: readonly (readonly number[])[], dtype: "f32" | "i32"): AnyTensor =>
    fromArray(rows.flat(), [rows.length, rows[0]!.length], dtype) as AnyTensor;
  const inputs = {
    targets: table(targets, "i32"),
    keep: table(keep, "f32"),
    weights: tensor([...weights]) as AnyTensor,
  };
  const outputs = [a, b].map((z) => fromArray([...z], [...shape]) as AnyTensor);
  return (await read(disagreement(head, params as never, outputs as never, inputs)))[0]!;
}

Deno.test("disagreement is the symmetric divergence of classes, choices and spans", async () => {
  const a = wave(6, 1), b = wave(6, 2.3), keep = [[1, 1, 1], [1, 1, 1]], weights = [1, 0.5];
  const [p, q] = [rowsOf(a, 3).map(softmaxOf), rowsOf(b, 3).map(softmaxOf)];
  const wanted = apart(p[0]!, q[0]!) + 0.5 * apart(p[1]!, q[1]!);
  for (const head of [classes(3), choice(3)]) {
    const found = await measured(head, [2, 3], [a, b], { targets: [[0], [1]], keep, weights });
    assertAlmostEquals(found, wanted, 1e-5);
  }
  // A span is two choices, and one unit of weight 1; what is padding has the same score everywhere.
  const padded = (z: readonly number[]): readonly number[] =>
    rowsOf(z, 3).flatMap((row) => [...row, -1e9]);
  const found = await measured(span, [1, 2, 4], [padded(a), padded(b)], {
    ...{ targets: [[0, 1]], keep: [[1, 1, 1, 0]], weights: [1] },
  });
  assertAlmostEquals(found, (apart(p[0]!, q[0]!) + apart(p[1]!, q[1]!)) / 2, 1e-5);
});

Deno.test("disagreement is a mean over the tokens of a unit; of a random field it is that of whole sequences", async () => {
  const L = 2, a = wave(8, 1), b = wave(8, 2.3);
  const unit = { targets: [[0, 1, 1, -1]], keep: [[1, 1, 1, 0]], weights: [1] };
  const [p, q] = [rowsOf(a, L).map(softmaxOf), rowsOf(b, L).map(softmaxOf)];
  const tokens = [0, 1, 2].reduce((s, t) => s + apart(p[t]!, q[t]!), 0);
  assertAlmostEquals(await measured(tags(L), [1, 4, L], [a, b], unit), tokens / 3, 1e-5);

  const start = [0.3, -0.2], end = [0.1, 0.4], between = [[0.5, -1], [0.2, 0.7]];
  const sequences = Array.from({ length: 8 }, (_, n) => [n & 1, n >> 1 & 1, n >> 2]);
  const scores = (z: readonly number[]): readonly number[] =>
    softmaxOf(
      sequences.map((y) =>
        start[y[0]!]! + end[y[2]!]! + between[y[0]!]![y[1]!]! + between[y[1]!]![y[2]!]! +
        y.reduce((s, k, t) => s + z[t * L + k]!, 0)
      ),
    );
  const params = {
    crf: { start: tensor(start), end: tensor(end), between: tensor(between as [[number, number]]) },
  };
  const found = await measured(crf(L), [1, 4, L], [a, b], { ...unit, params });
  assertAlmostEquals(found, apart(scores(a), scores(b)) / 3, 1e-5);
});

const unitOf = (i: number, rows: number, target: readonly number[]): Unit => ({
  rows: Array.from({ length: rows }, (_, n) => {
    const ids = Array.from(
      { length: 8 },
      (_, t) => t === 0 ? 1 : 4 + (i * 13 + n * 5 + t * 7) % 30,
    );
    return { ids: ids.with(2, 34 + (i + n) % 3), segments: ids.map(() => 0) };
  }),
  target,
});
const many = (rows: number, target: (i: number) => readonly number[]): readonly Unit[] =>
  Array.from({ length: 6 }, (_, i) => unitOf(i, rows, target(i)));
const every: readonly (readonly [string, Head, readonly Unit[]])[] = [
  ["classes", classes(3), many(1, (i) => [i % 3])],
  ["ngrams", classes(3, ngrams), many(1, (i) => [i % 3])],
  ["choice", choice(2), many(2, (i) => [i % 2])],
  ["span", span, many(1, (i) => [1 + i % 3, 4])],
  ["tags", tags(3), many(1, (i) => [0, 0, i % 3, 1, 0, 0, 0, 0])],
  ["crf", crf(3), many(1, (i) => [0, 0, i % 3, 1, 0, 0, 0, 0])],
];
const begin = (head: Head, on: Device): TaskModel => ({
  encoder: init(3, modelSpec(model, 40), on).encoder,
  head: init(3, head.spec(model.width), on),
});
const inputsOf = (head: Head, units: readonly Unit[]): StepInputs => {
  const batch = { units: units.map((_, n) => n), T: 16 };
  return {
    ...rowInputs(units, batch, units.length, head, 0),
    ...targetInputs(units, batch, units.length, head),
    step: tensor(5, "i32"),
    share: tensor(1 / units.length),
  };
};

Deno.test("the loss of R-Drop is the mean of two passes and α times their disagreement, for every head", async () => {
  for (const [name, head, units] of every) {
    const inputs = inputsOf(head, units), start = begin(head, device);
    const at = async (rDrop: number, dropout: number, own = inputs): Promise<number> => {
      const loss = jit(stepLoss({ head, options, dropout, seed: 1, rDrop }), { device });
      return (await read(loss(start, own)))[0]!;
    };
    if (name === "crf") assertAlmostEquals(await at(3, 0), await at(0, 0), 1e-5);
    // A head that was just drawn hardly disagrees.
    const [one, more] = [await at(1, 0.3), await at(101, 0.3)];
    const both = await at(0, 0.3, { ...twice(inputs), share: tensor(0.5 / units.length) });
    assertLess(one + 1e-4, more, name);
    assertAlmostEquals((101 * one - more) / 100, both, 1e-4, name);
  }
});

Deno.test("every head learns with R-Drop and either adversary", async () => {
  const config: FineTuneConfig = {
    ...{ epochs: 20, batch: 6, rate: 1e-2, warmup: 0, decay: 0, dropout: 0.1, seed: 3 },
    rDrop: 0.5,
  };
  const learners: readonly Adversary[] = [
    { kind: "fgm", epsilon: 0.1 },
    { kind: "pgd", epsilon: 0.1, steps: 2 },
  ];
  for (const [n, [name, head, units]] of every.entries()) {
    const loss = jit(stepLoss({ head, options, dropout: 0, seed: 1, rDrop: 0 }), { device });
    const inputs = inputsOf(head, units);
    const before = (await read(loss(begin(head, device), inputs)))[0]!;
    const learnt = await fineTune(
      begin(head, device),
      { head, options, units, pad: 0, device },
      { ...config, adversary: learners[n % 2]! },
      { progress: () => {}, epoch: () => Promise.resolve(), stop: () => false },
    );
    assertLess((await read(loss(learnt, inputs)))[0]!, 0.6 * before, name);
  }
});

Deno.test("the gradient with R-Drop and pgd is the same on every backend", async () => {
  const head = classes(3), units = every[0]![2], gpu = await gpuFor("adversary");
  const loss = stepLoss({ head, options, dropout: 0.1, seed: 1, rDrop: 2 });
  const f = adversarial(loss, { kind: "pgd", epsilon: 0.5, steps: 2 });
  const gradients = async (on: Device): Promise<readonly number[]> => {
    const start = begin(head, on), program = jit(f, { device: on });
    const { grads } = program(start, inputsOf(head, units)), all: number[] = [];
    for (const leaf of leaves(grads)) all.push(...await read(leaf as unknown as Tensor));
    dispose([start, grads]);
    return all;
  };
  const right = await gradients(reference());
  const most = Math.max(...right.map(Math.abs));
  assert(most > 1e-3);
  for (const on of [device, ...gpu ? [gpu] : []]) {
    (await gradients(on)).forEach((x, i) => assertAlmostEquals(x, right[i]!, 1e-4 * most));
  }
});
