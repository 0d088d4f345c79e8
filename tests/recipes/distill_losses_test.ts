/** The losses of distillation against plain loops in double precision, and their gradients against differences of those loops. */
import { assertAlmostEquals, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { type AnyTensor, fromArray, grad, mul, read, sum, type Tensor } from "../../core/mod.ts";
import { classes } from "../../recipes/clue/heads/classes.ts";
import { distilledHead } from "../../recipes/distill/distilled_head.ts";
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
