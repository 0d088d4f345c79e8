/** Loops that carry a state: values, gradients, trees, batches; a conditional random field as the one that matters. */
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  add,
  type AnyTensor,
  checkpoint,
  expandDims,
  flip,
  fromArray,
  grad,
  jit,
  jvp,
  logSumExp,
  mul,
  read,
  readNumber,
  scan,
  sum,
  tanh,
  type Tensor,
  tensor,
  vmap,
  zeros,
} from "../../core/mod.ts";

const values = async (x: AnyTensor): Promise<number[]> => [...await read(x)];

Deno.test("scan: carry and stacked results, trees of them", async () => {
  const [carry, ys] = scan(
    (c, x) => {
      const total = add(c.total, x.v);
      return [{ total, count: add(c.count, 1) }, { total, twice: [mul(x.v, 2)] as const }] as const;
    },
    { total: tensor([0, 100]), count: tensor(0) },
    { v: tensor([[1, 2], [3, 4], [5, 6]]) },
  );
  assertEquals(await values(carry.total), [9, 112]);
  assertEquals(await readNumber(carry.count), 3);
  const total: Tensor<[3, 2]> = ys.total;
  assertEquals(await values(total), [1, 102, 4, 106, 9, 112]);
  assertEquals([...ys.twice[0].shape], [3, 2]);
  assertEquals(await values(ys.twice[0]), [2, 4, 6, 8, 10, 12]);
});

Deno.test("scan: without steps the carry stays and the results are empty", async () => {
  const [carry, ys] = scan(
    (c: Tensor<[2]>, x: Tensor<[2]>) => [add(c, x), mul(c, x)] as const,
    tensor([1, 2]),
    zeros([0, 2]),
  );
  assertEquals(await values(carry), [1, 2]);
  assertEquals([...ys.shape], [0, 2]);
  assertEquals(await values(ys), []);
});

/** h ← tanh(w h + x), summed: by scan, and by a plain loop. */
const cell = (h: Tensor<[2]>, x: Tensor<[2]>, w: Tensor<[2]>): Tensor<[2]> =>
  tanh(add(mul(h, w), x));
const xs = tensor([[0.1, -0.2], [0.5, 0.3], [-0.7, 0.9], [0.2, 0.2]]), h0 = tensor([0.1, 0.2]);
const byScan = (wrap: typeof checkpoint) => (w: Tensor<[2]>): Tensor<[]> => {
  const body = wrap((h: Tensor<[2]>, x: Tensor<[2]>) => cell(h, x, w));
  const [last, all] = scan(
    (h, x) => {
      const next = body(h, x);
      return [next, next] as const;
    },
    h0,
    xs,
  );
  return add(sum(last), sum(all));
};
const plain: typeof checkpoint = (f) => f;
const steps = [[0.1, -0.2], [0.5, 0.3], [-0.7, 0.9], [0.2, 0.2]] as const;
const byLoop = (w: Tensor<[2]>): Tensor<[]> => {
  let h: Tensor<[2]> = h0, total = tensor(0) as Tensor<[]>;
  for (const x of steps) {
    h = cell(h, tensor(x), w);
    total = add(total, sum(h));
  }
  return add(sum(h), total);
};

Deno.test("scan: gradients backward, forward, twice, through checkpoints, compiled and in batches", async () => {
  const w = tensor([0.5, -1.5]), want = await values(grad(byLoop)(w));
  const close = (got: readonly number[], like: readonly number[]): void => {
    assertEquals(got.length, like.length);
    got.forEach((v, i) => assertAlmostEquals(v, like[i]!, 1e-5));
  };
  for (const wrap of [plain, checkpoint]) {
    close(await values(grad(byScan(wrap))(w)), want);
    close(await values(jit(grad(byScan(wrap)))(w)), want);
  }
  const direction = tensor([1, 2]);
  const [, slope] = jvp(byScan(plain), [w], [direction]);
  assertAlmostEquals(await readNumber(slope), want[0]! + 2 * want[1]!, 1e-5);
  const twice = (f: typeof byLoop) => grad((v: Tensor<[2]>) => sum(grad(f)(v)));
  close(await values(twice(byScan(plain))(w)), await values(twice(byLoop)(w)));
  const batch = tensor([[0.5, -1.5], [1, 1]]);
  close(
    await values(vmap(grad(byScan(plain)))(batch)),
    [...want, ...await values(grad(byLoop)(tensor([1, 1])))],
  );
});

Deno.test("scan: backwards is over flipped tensors", async () => {
  const [, ys] = scan(
    (c, x) => {
      const next = add(mul(c, 10), x);
      return [next, next] as const;
    },
    tensor(0),
    flip(tensor([1, 2, 3]), 0),
  );
  assertEquals(await values(flip(ys, 0)), [321, 32, 3]);
});

Deno.test("scan: a carry that changes, and axes that differ, are refused in words", () => {
  const x = tensor([1, 2, 3]) as AnyTensor;
  const refused: readonly (readonly [() => unknown, string])[] = [
    [
      () =>
        scan(
          (_: AnyTensor, y: AnyTensor) => [expandDims(y, 0), y] as const,
          tensor(0) as AnyTensor,
          x,
        ),
      "Cannot scan with a carry f32 [] that becomes f32 [1]: it must stay the same",
    ],
    [
      () =>
        scan(
          (c: { readonly a: AnyTensor }) => [{ a: c.a, b: c.a }, null] as const,
          { a: x },
          x,
        ),
      "it must stay the same",
    ],
    [
      () => scan((c: AnyTensor) => [c, null] as const, x, [x, tensor([1])]),
      "first axes must be equal",
    ],
    [() => scan((c: AnyTensor) => [c, null] as const, x, {}), "Cannot scan over nothing"],
    [() => scan((c: AnyTensor) => [c, null] as const, x, tensor(1)), "first axes must be equal"],
  ];
  for (const [call, message] of refused) assertThrows(call, TypeError, message);
});

Deno.test("scan: the log-partition of a linear-chain CRF, and its gradient, against all paths", async () => {
  const [T, K] = [5, 3];
  const score = (seed: number, n: number): Float32Array =>
    Float32Array.from({ length: n }, (_, i) => Math.sin(seed + i * 1.7));
  const emit = score(1, T * K), trans = score(9, K * K);
  const partition = (e: Tensor<[5, 3]>, t: Tensor<[3, 3]>): Tensor<[]> => {
    const [last] = scan(
      (alpha: Tensor<[3]>, x: Tensor<[3]>) =>
        [add(logSumExp(add(expandDims(alpha, 1), t), 0), x), null] as const,
      zeros([3]),
      e,
    );
    return logSumExp(last, 0);
  };
  // The first step has a uniform start: a sum over all states before it, along every transition.
  let total = 0;
  const expected = new Float64Array(K * K);
  for (let path = 0; path < K ** (T + 1); path++) {
    const at = Array.from({ length: T + 1 }, (_, i) => Math.floor(path / K ** i) % K);
    let s = 0;
    for (let i = 1; i <= T; i++) s += emit[(i - 1) * K + at[i]!]! + trans[at[i - 1]! * K + at[i]!]!;
    const weight = Math.exp(s);
    total += weight;
    for (let i = 1; i <= T; i++) expected[at[i - 1]! * K + at[i]!]! += weight;
  }
  const e = fromArray(emit, [5, 3]), t = fromArray(trans, [3, 3]);
  assertAlmostEquals(await readNumber(partition(e, t)), Math.log(total), 1e-5);
  const g = await read(grad((u: Tensor<[3, 3]>) => partition(e, u))(t));
  g.forEach((v, i) => assertAlmostEquals(v, expected[i]! / total, 1e-5));
});
