/** The conditional random field against all sequences of labels, one by one, and against finite differences. */
import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import {
  type AnyTensor,
  fromArray,
  grad,
  jit,
  read,
  reference,
  size,
  sum,
  type Tensor,
  zeros,
} from "../../core/mod.ts";
import {
  type Crf,
  crfLogLikelihood,
  crfLogPartition,
  crfMarginals,
  crfScore,
  crfSpec,
  describe,
  viterbi,
} from "../../nn/mod.ts";

const B = 5, T = 5, L = 3;
/** Whole rows, padding after, before and inside, and nothing at all. */
const KEEP = [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 0, 1, 1, 0], [1, 0, 1, 0, 1], [0, 0, 0, 0, 0]];

interface Case {
  readonly e: Float64Array;
  readonly start: Float64Array;
  readonly between: Float64Array;
  readonly end: Float64Array;
}

function drawn(seed: number, spread = 2): Case {
  let s = seed >>> 0;
  const next = (): number => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return spread * (s / 2 ** 31 - 1);
  };
  const list = (n: number): Float64Array =>
    Float64Array.from({ length: n }, () => Math.fround(next()));
  return { e: list(B * T * L), start: list(L), between: list(L * L), end: list(L) };
}

/** Every sequence of labels over the kept tokens of a row, with its score. */
function sequences(
  c: Case,
  b: number,
): readonly { readonly y: readonly number[]; readonly s: number }[] {
  const kept = KEEP[b]!.flatMap((on, t) => on ? [t] : []), found = [];
  for (let code = 0; code < L ** kept.length; code++) {
    const y = kept.map((_, i) => Math.floor(code / L ** i) % L);
    const emitted = kept.reduce((all, t, i) => all + c.e[(b * T + t) * L + y[i]!]!, 0);
    const steps = y.reduce(
      (all, k, i) => all + (i ? c.between[y[i - 1]! * L + k]! : c.start[k]!),
      0,
    );
    found.push({ y, s: kept.length ? emitted + steps + c.end[y.at(-1)!]! : 0 });
  }
  return found;
}
const logZ = (c: Case, b: number): number =>
  Math.log(sequences(c, b).reduce((all, { s }) => all + Math.exp(s), 0));

const params = (c: Case): Crf<3> => ({
  start: fromArray(c.start, [L]) as AnyTensor,
  between: fromArray(c.between, [L, L]) as AnyTensor,
  end: fromArray(c.end, [L]) as AnyTensor,
});
const emissions = (c: Case): Tensor<[5, 5, 3]> => fromArray(c.e, [B, T, L]) as AnyTensor;
const keep: Tensor<[5, 5]> = fromArray(KEEP.flat(), [B, T]) as AnyTensor;

/** Labels by row: the n-th of its sequences; where a token is not kept, a number that is no label. */
function chosen(
  c: Case,
  n: number,
): readonly { readonly row: readonly number[]; readonly s: number }[] {
  return KEEP.map((on, b) => {
    const all = sequences(c, b), { y, s } = all[n % all.length]!, left = [...y];
    return { row: on.map((k) => k ? left.shift()! : -1), s };
  });
}
const ids = (rows: readonly (readonly number[])[]): Tensor<[5, 5], "i32"> =>
  fromArray(rows.flat(), [B, T], "i32") as AnyTensor;

Deno.test("crfSpec() describes start, steps and end", () => {
  assertEquals(
    describe(crfSpec(size("L", 7))).map(({ path, shape }) => [path, ...shape]),
    [["between", 7, 7], ["end", 7], ["start", 7]],
  );
});

Deno.test("crfScore() and crfLogPartition() are what all sequences say, with gaps in the rows", async () => {
  for (let n = 0; n < 12; n++) {
    const c = drawn(n), want = chosen(c, 31 * n);
    const labels = ids(want.map(({ row }) => row));
    const scores = await read(crfScore(params(c), emissions(c), labels, keep));
    const totals = await read(crfLogPartition(params(c), emissions(c), keep));
    const likelihoods = await read(crfLogLikelihood(params(c), emissions(c), labels, keep));
    want.forEach(({ s }, b) => {
      const nothing = KEEP[b]!.every((on) => !on);
      assertAlmostEquals(scores[b]!, s, 1e-5);
      assertAlmostEquals(totals[b]!, nothing ? 0 : logZ(c, b), 1e-5);
      assertAlmostEquals(likelihoods[b]!, nothing ? 0 : s - logZ(c, b), 1e-5);
    });
  }
});

Deno.test("crfMarginals() are sums over sequences, and the gradient of crfLogPartition()", async () => {
  const c = drawn(3), p = params(c);
  const found = await read(crfMarginals(p, emissions(c), keep));
  const slope = await read(
    grad((e: Tensor<[5, 5, 3]>) =>
      sum(crfLogPartition(p, e, keep) as AnyTensor) as AnyTensor as Tensor<[]>
    )(
      emissions(c),
    ),
  );
  KEEP.forEach((on, b) => {
    const all = sequences(c, b), total = logZ(c, b), kept = on.flatMap((k, t) => k ? [t] : []);
    for (let t = 0; t < T; t++) {
      for (let k = 0; k < L; k++) {
        const i = kept.indexOf(t), at = (b * T + t) * L + k;
        const want = i < 0
          ? 0
          : all.filter(({ y }) => y[i] === k).reduce((sum, { s }) => sum + Math.exp(s - total), 0);
        assertAlmostEquals(found[at]!, want, 1e-5);
        assertAlmostEquals(slope[at]!, want, 1e-5);
      }
    }
  });
});

Deno.test("the gradient of crfLogLikelihood() is its finite difference in every parameter", async () => {
  const c = drawn(8, 1), labels = chosen(c, 77).map(({ row }) => row);
  // In double precision, over all sequences.
  const value = (own: Case): number =>
    KEEP.reduce((all, on, b) => {
      const y = labels[b]!.filter((_, t) => on[t]);
      const { s } = sequences(own, b).find((one) => one.y.every((k, i) => k === y[i]))!;
      return all + s - logZ(own, b);
    }, 0);
  type All = { readonly crf: Crf<3>; readonly e: Tensor<[5, 5, 3]> };
  const slopes = grad(({ crf, e }: All) =>
    sum(crfLogLikelihood(crf, e, ids(labels), keep) as AnyTensor) as AnyTensor as Tensor<[]>
  )({ crf: params(c), e: emissions(c) });
  const tensors = { ...slopes.crf, e: slopes.e } as Record<keyof Case, AnyTensor>;
  const H = 1e-5;
  for (const name of ["e", "start", "between", "end"] as const) {
    const got = await read(tensors[name] as Tensor);
    for (let i = 0; i < got.length; i++) {
      const moved = (by: number): Case => ({
        ...c,
        [name]: c[name].map((x, j) => j === i ? x + by : x),
      });
      assertAlmostEquals(got[i]!, (value(moved(H)) - value(moved(-H))) / (2 * H), 2e-5);
    }
  }
});

Deno.test("viterbi() finds the best of all sequences", async () => {
  for (let n = 0; n < 20; n++) {
    const c = drawn(100 + n), { labels, score } = viterbi(params(c), emissions(c), keep);
    const [found, scores] = [await read(labels), await read(score)];
    KEEP.forEach((on, b) => {
      const best = sequences(c, b).reduce((top, one) => one.s > top.s ? one : top),
        left = [...best.y];
      const want = on.map((k) => k ? left.shift()! : -1);
      assertEquals([...found.subarray(b * T, (b + 1) * T)], want);
      assertAlmostEquals(scores[b]!, best.s, 1e-5);
    });
  }
});

Deno.test("a row's labels depend on nothing that is not kept", async () => {
  const c = drawn(5), e = c.e.map((x, i) => KEEP.flat()[Math.floor(i / L)] ? x : 1e4 * x);
  const other = { ...c, e };
  for (const f of [crfMarginals, crfLogPartition] as const) {
    const [a, b] = [
      await read(f(params(c), emissions(c), keep) as AnyTensor as Tensor),
      await read(f(params(c), emissions(other), keep) as AnyTensor as Tensor),
    ];
    assertEquals([...b], [...a]);
  }
  const labels = async (
    own: Case,
  ) => [...await read(viterbi(params(c), emissions(own), keep).labels)];
  assertEquals(await labels(other), await labels(c));
});

Deno.test("scores of hundreds overflow nothing", async () => {
  const c = drawn(9, 300), labels = ids(chosen(c, 4).map(({ row }) => row));
  const slopes = grad((e: Tensor<[5, 5, 3]>) =>
    sum(crfLogLikelihood(params(c), e, labels, keep) as AnyTensor) as AnyTensor as Tensor<[]>
  )(emissions(c));
  assert((await read(slopes)).every(Number.isFinite));
  const best = await read(viterbi(params(c), emissions(c), keep).score);
  const totals = await read(crfLogPartition(params(c), emissions(c), keep));
  totals.forEach((total, b) => assertLess(Math.abs(total - best[b]!), 1));
});

for (const device of [undefined, reference()]) {
  Deno.test(`compiled for ${device?.kind ?? "the default device"}, all give the same`, async () => {
    const c = drawn(21), labels = ids(chosen(c, 5).map(({ row }) => row));
    const all = (
      p: Crf<3>,
      e: Tensor<[5, 5, 3]>,
      y: Tensor<[5, 5], "i32">,
      keep: Tensor<[5, 5]>,
    ) => ({
      likelihood: crfLogLikelihood(p, e, y, keep),
      marginals: crfMarginals(p, e, keep),
      best: viterbi(p, e, keep).labels,
    });
    const eager = all(params(c), emissions(c), labels, keep);
    const compiled = jit(all, device ? { device } : {})(params(c), emissions(c), labels, keep);
    for (const name of ["likelihood", "marginals", "best"] as const) {
      const [want, got] = [
        await read(eager[name] as AnyTensor as Tensor),
        await read(compiled[name] as AnyTensor as Tensor),
      ];
      got.forEach((x, i) => assertAlmostEquals(x, want[i]!, 1e-5));
    }
  });
}

Deno.test("at first all sequences are alike", async () => {
  const p = { start: zeros([L]), between: zeros([L, L]), end: zeros([L]) } as Crf<3>;
  const e = zeros([B, T, L]) as AnyTensor;
  const totals = await read(crfLogPartition(p, e as Tensor<[5, 5, 3]>, keep));
  totals.forEach((total, b) => {
    const n = KEEP[b]!.reduce((a, x) => a + x, 0);
    assertAlmostEquals(total, n * Math.log(L), 1e-5);
  });
});
