/** The losses of distillation against plain loops in double precision, and their gradients against differences of those loops. */
import { assertAlmostEquals, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { type AnyTensor, fromArray, grad, mul, read, sum, type Tensor } from "../../core/mod.ts";
import { classes } from "../../recipes/clue/heads/classes.ts";
import { distilledHead } from "../../recipes/distill/distilled_head.ts";
import { layerLoss, type Layers } from "../../recipes/distill/losses/layers.ts";
import { type Projections, relationLoss } from "../../recipes/distill/losses/relations.ts";
import { softLabelLoss } from "../../recipes/distill/losses/soft_labels.ts";

type Values = readonly number[];

function numbers(count: number, seed: number): Values {
  let s = seed >>> 0;
  return Array.from({ length: count }, () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 31 - 1;
  });
}

const tensorOf = (values: Values, shape: readonly number[]): AnyTensor =>
  fromArray(Float32Array.from(values), [...shape]) as AnyTensor;

/** KL( softmax(a) ‖ softmax(b) ). */
function divergence(a: Values, b: Values): number {
  const logs = (x: Values): Values => {
    const total = Math.log(x.reduce((sum, v) => sum + Math.exp(v), 0));
    return x.map((v) => v - total);
  };
  const la = logs(a), lb = logs(b);
  return la.reduce((sum, v, i) => sum + Math.exp(v) * (v - lb[i]!), 0);
}

/** Slope of a function of some numbers, by differences. */
function slopeOf(f: (x: Values) => number, x: Values): Values {
  const h = 1e-4;
  return x.map((v, i) => (f(x.with(i, v + h)) - f(x.with(i, v - h))) / (2 * h));
}

const B = 2, T = 5, A = 4;
/** Five tokens, and three with two of padding. */
const keep = [1, 1, 1, 1, 1, 1, 1, 1, 0, 0];
/** Heads and their widths: unlike in number and width, and neither is the number of relation heads. */
const teacher = { H: 2, K: 8 }, student = { H: 4, K: 2 };
type Sizes = typeof teacher;

/** Number c of the heads side by side at token t. */
const at = (x: Values, { H, K }: Sizes, b: number, t: number, c: number): number =>
  x[((b * H + Math.floor(c / K)) * T + t) * K + c % K]!;

/** Scores of token t by every kept token, in relation head a. */
function scores(x: Values, sizes: Sizes, b: number, a: number, t: number): Values {
  const d = sizes.H * sizes.K / A;
  return Array.from({ length: T }, (_, s) => s).filter((s) => keep[b * T + s] === 1).map((s) =>
    Array.from(
      { length: d },
      (_, i) => at(x, sizes, b, t, a * d + i) * at(x, sizes, b, s, a * d + i),
    )
      .reduce((sum, v) => sum + v, 0) / Math.sqrt(d)
  );
}

/** The relation loss of each sequence, loop by loop. */
function plain(s: Record<keyof Projections, Values>, t: typeof s): Values {
  return Array.from({ length: B }, (_, b) => {
    let sum = 0, tokens = 0;
    for (let i = 0; i < T; i++) {
      if (keep[b * T + i] === 0) continue;
      tokens++;
      for (const name of ["q", "k", "v"] as const) {
        for (let a = 0; a < A; a++) {
          sum += divergence(scores(t[name], teacher, b, a, i), scores(s[name], student, b, a, i));
        }
      }
    }
    return sum / (3 * A * tokens);
  });
}

const drawn = ({ H, K }: Sizes, seed: number): Record<keyof Projections, Values> => {
  const draw = (n: number): Values => numbers(B * H * T * K, seed + n);
  return { q: draw(1), k: draw(2), v: draw(3) };
};
const projections = (x: Record<keyof Projections, Values>, { H, K }: Sizes): Projections => ({
  q: tensorOf(x.q, [B, H, T, K]),
  k: tensorOf(x.k, [B, H, T, K]),
  v: tensorOf(x.v, [B, H, T, K]),
});

Deno.test("relationLoss is the plain loop over heads, tokens and pairs, padding left out", async () => {
  const s = drawn(student, 10), t = drawn(teacher, 20), kept = tensorOf(keep, [B, T]);
  const loss = relationLoss(projections(s, student), projections(t, teacher), kept, A);
  const found = await read(loss as Tensor), wanted = plain(s, t);
  assertEquals(found.length, B);
  wanted.forEach((value, b) => assertAlmostEquals(found[b]!, value, 1e-6));
  assertGreater(Math.min(...wanted), 1e-3);
  const same = projections(t, teacher);
  for (const value of await read(relationLoss(same, same, kept, A) as Tensor)) {
    assertAlmostEquals(value, 0, 1e-6);
  }
  assertThrows(
    () => relationLoss(projections(s, student), same, kept, 16),
    RangeError,
    "Cannot cut a width of 8 into 16 relation heads: it must divide it",
  );
});

Deno.test("relationLoss has the slope of the plain loop", async () => {
  const s = drawn(student, 30), t = drawn(teacher, 40), kept = tensorOf(keep, [B, T]);
  const known = projections(t, teacher), weights = tensorOf([1, 0.5], [B]);
  const slopes = grad((own: Projections) => {
    const loss: AnyTensor = sum(mul(relationLoss(own, known, kept, A), weights));
    return loss as Tensor<[]>;
  })(projections(s, student));
  for (const name of ["q", "k", "v"] as const) {
    const f = (x: Values): number => {
      const [a, b] = plain({ ...s, [name]: x }, t);
      return a! + 0.5 * b!;
    };
    const found = await read(slopes[name] as Tensor), wanted = slopeOf(f, s[name]);
    wanted.forEach((value, i) => assertAlmostEquals(found[i]!, value, 1e-5));
    assertGreater(Math.max(...wanted), 1e-3);
  }
});

Deno.test("softLabelLoss and its slope are those of the formula, at every temperature", async () => {
  const N = 3,
    L = 4,
    s = numbers(N * L, 5).map((x) => 3 * x),
    t = numbers(N * L, 6).map((x) => 3 * x);
  for (const temperature of [1, 2.5]) {
    const of = (x: Values, n: number): Values =>
      x.slice(n * L, (n + 1) * L).map((v) => v / temperature);
    const rows = (x: Values): Values =>
      Array.from({ length: N }, (_, n) => temperature ** 2 * divergence(of(t, n), of(x, n)));
    const known = tensorOf(t, [N, L]);
    const found = await read(softLabelLoss(tensorOf(s, [N, L]), known, temperature) as Tensor);
    rows(s).forEach((value, n) => assertAlmostEquals(found[n]!, value, 1e-5));
    const slope = grad((x: AnyTensor) => {
      const loss: AnyTensor = sum(softLabelLoss(x, known, temperature));
      return loss as Tensor<[]>;
    })(tensorOf(s, [N, L]));
    const wanted = slopeOf((x) => rows(x).reduce((a, b) => a + b, 0), s);
    const slopes = await read(slope as Tensor);
    wanted.forEach((value, i) => assertAlmostEquals(slopes[i]!, value, 1e-5));
  }
  assertThrows(
    () => softLabelLoss(tensorOf(s, [N, L]), tensorOf(s.slice(L), [N - 1, L]), 1),
    TypeError,
    "Cannot learn from logits [2,4]: the student's are [3,4]",
  );
});

Deno.test("distilledHead mixes the teacher's answers and the right ones by alpha, and passes over units of no weight", async () => {
  const L = 3, outputs = numbers(2 * L, 7), soft = numbers(2 * L, 8), right = [2, 1];
  const head = classes(L),
    targets = {
      targets: fromArray(Int32Array.from(right), [2, 1], "i32") as AnyTensor,
      weights: tensorOf([1, 0], [2]),
      soft: tensorOf(soft, [2, L]),
    };
  const row = outputs.slice(0, L), temperature = 2;
  const wrong = Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - row[2]!;
  const half = (x: Values): Values => x.slice(0, L).map((v) => v / temperature);
  const taught = temperature ** 2 * divergence(half(soft), half(outputs));
  for (const alpha of [0, 0.3, 1]) {
    const { loss } = distilledHead(head, { alpha, temperature });
    const found = loss({} as never, tensorOf(outputs, [2, L]), {} as never, targets);
    const [value] = await read(found.sum);
    assertAlmostEquals(value!, alpha * taught + (1 - alpha) * wrong, 1e-6);
  }
});

/** A student of two layers, one head and width 3, a teacher of four layers, one head and width 4. */
const widths = { student: 3, teacher: 4 }, layers = { student: 2, teacher: 4 };

/** States of all layers, then their scores, in one line. */
const lineOf = (whose: keyof typeof layers, seed: number): Values =>
  numbers((layers[whose] + 1) * B * T * widths[whose] + layers[whose] * B * T * T, seed);

/** Number i of state m, and of the scores of layer m from 0. */
function places(whose: keyof typeof layers) {
  const C = widths[whose], size = B * T * C;
  return {
    state: (m: number, b: number, t: number): number => m * size + (b * T + t) * C,
    score: (m: number, b: number, i: number, j: number): number =>
      (layers[whose] + 1) * size + ((m * B + b) * T + i) * T + j,
  };
}

/** The layer loss of each sequence, loop by loop; w holds both maps, that of the embeddings first. */
function plainLayers(s: Values, t: Values, w: Values): Values {
  const C = widths.student, D = widths.teacher, own = places("student"), other = places("teacher");
  const normed = (x: Values, from: number, n: number): Values => {
    const row = x.slice(from, from + n), mean = row.reduce((a, v) => a + v, 0) / n;
    const variance = row.reduce((a, v) => a + (v - mean) ** 2, 0) / n;
    return row.map((v) => (v - mean) / Math.sqrt(variance + 1e-5));
  };
  return Array.from({ length: B }, (_, b) => {
    const kept = Array.from({ length: T }, (_, i) => i).filter((i) => keep[b * T + i] === 1);
    let sum = 0;
    for (let m = 0; m <= layers.student; m++) {
      for (const i of kept) {
        const x = normed(s, own.state(m, b, i), C), y = normed(t, other.state(2 * m, b, i), D);
        for (let d = 0; d < D; d++) {
          const led = x.reduce((a, v, c) => a + v * w[(m === 0 ? 0 : C * D) + c * D + d]!, 0);
          sum += (led - y[d]!) ** 2 / (D * kept.length);
        }
        if (m === 0) continue;
        for (const j of kept) {
          const difference = s[own.score(m - 1, b, i, j)]! - t[other.score(2 * m - 1, b, i, j)]!;
          sum += difference ** 2 / kept.length ** 2;
        }
      }
    }
    return sum;
  });
}

/** The same numbers as tensors. */
function layersIn(x: Values, whose: keyof typeof layers): Layers {
  const C = widths[whose], size = B * T * C, states = layers[whose] + 1;
  const from = (m: number): number => states * size + m * B * T * T;
  return {
    states: Array.from(
      { length: states },
      (_, m) => tensorOf(x.slice(m * size, (m + 1) * size), [B, T, C]),
    ),
    scores: Array.from(
      { length: layers[whose] },
      (_, m) => tensorOf(x.slice(from(m), from(m + 1)), [B, 1, T, T]),
    ),
  };
}

Deno.test("layerLoss and its slope are those of the plain loop, layer m against layer m N / M", async () => {
  const s = lineOf("student", 50), t = lineOf("teacher", 60), maps = numbers(2 * 3 * 4, 70);
  const kept = tensorOf(keep, [B, T]), known = layersIn(t, "teacher"), weights = [1, 0.5];
  const learnt = {
    layers: layersIn(s, "student"),
    bridge: {
      embeddings: tensorOf(maps.slice(0, 12), [3, 4]),
      layers: tensorOf(maps.slice(12), [3, 4]),
    },
  };
  const loss = (p: typeof learnt): AnyTensor => layerLoss(p.layers, known, p.bridge as never, kept);
  const found = await read(loss(learnt) as Tensor);
  plainLayers(s, t, maps).forEach((value, b) => assertAlmostEquals(found[b]!, value, 1e-5));
  const slopes = grad((p: typeof learnt) => {
    const total: AnyTensor = sum(mul(loss(p), tensorOf(weights, [B])));
    return total as Tensor<[]>;
  })(learnt);
  const weighed = (s: Values, w: Values): number =>
    plainLayers(s, t, w).reduce((sum, value, b) => sum + weights[b]! * value, 0);
  const flat = async (list: readonly AnyTensor[]): Promise<Values> =>
    (await Promise.all(list.map((x) => read(x as Tensor)))).flatMap((x) => [...x]);
  const { states, scores } = slopes.layers;
  const wanted = slopeOf((x) => weighed(x, maps), s);
  (await flat([...states, ...scores])).forEach((value, i) =>
    assertAlmostEquals(value, wanted[i]!, 1e-4 * Math.max(1, Math.abs(wanted[i]!)))
  );
  const wantedMaps = slopeOf((w) => weighed(s, w), maps);
  (await flat([slopes.bridge.embeddings, slopes.bridge.layers])).forEach((value, i) =>
    assertAlmostEquals(value, wantedMaps[i]!, 1e-4)
  );
  assertThrows(
    () =>
      layerLoss(
        layersIn(lineOf("teacher", 1), "teacher"),
        { ...known, scores: known.scores.slice(1) },
        learnt.bridge as never,
        kept,
      ),
    RangeError,
    "Cannot map 4 layers onto 3: they must divide them",
  );
});
