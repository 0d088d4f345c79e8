/** 1-bit LAMB: LAMB until its matrices freeze, and what its processes send each other. */
import { assert, assertEquals, assertLess, assertNotEquals } from "@std/assert";
import { type AnyTensor, leaves, read, type Tensor, tensor, type Tree } from "../../core/mod.ts";
import { lamb, oneBitLamb, type OptimizerState } from "../../optim/mod.ts";

const contents = (tree: unknown): Promise<number[][]> =>
  Promise.all(
    leaves(tree as Tree<AnyTensor>).map(async (x) => Array.from(await read(x as Tensor))),
  );

const params = () => ({ bias: tensor([0.5, -1]), w: tensor([[1, 2], [3, -4]]) });
/** Gradients whose norm is below 1, so that nobody's are clipped. */
const grads = (step: number) => ({
  bias: tensor([0.1 * Math.sin(step), 0.1]),
  w: tensor([[0.1, 0.2 * Math.cos(step)], [-0.1, 0.05 * step]]),
});

Deno.test("oneBitLamb is LAMB, to the bit, until it freezes", async () => {
  const own = oneBitLamb({ rate: 0.1, freeze: 3 }), plain = lamb({ rate: 0.1 });
  let a = { params: params(), state: own.init(params()) };
  let b = { params: params(), state: plain.init(params()) };
  for (let step = 1; step <= 4; step++) {
    a = own.step(a.params, grads(step), a.state);
    b = plain.step(b.params, grads(step), b.state);
    const same = [await contents(a.params), await contents(b.params)];
    if (step <= 3) assertEquals(same[0], same[1], `step ${step}`);
    else assertNotEquals(same[0]![1], same[1]![1], "the matrix");
    assertEquals(same[0]![0], same[1]![0], "what is no matrix goes on");
  }
});

Deno.test("oneBitLamb: what processes carry lands as the gradient of the whole, and second moments stay", async () => {
  const own = oneBitLamb({ rate: 0.1, freeze: 2 }), { carry, land } = own.sent!;
  let now = { params: params(), state: own.init(params()) };
  for (let step = 1; step <= 2; step++) now = own.step(now.params, grads(step), now.state);
  const seconds = async (state: OptimizerState): Promise<number[][]> =>
    await contents((state.transforms as unknown as { readonly v: unknown }[])[1]!.v);
  const frozen = await seconds(now.state);
  const [a, b] = [carry(grads(3), now.state, 0.5), carry(grads(4), now.state, 0.5)];
  const [x, y] = [await contents(a), await contents(b)];
  const sum = x.map((leaf, l) => leaf.map((z, i) => z + y[l]![i]!));
  const [[b0, b1], [w0, w1, w2, w3]] = sum as [[number, number], number[]];
  const landed = land({ bias: tensor([b0, b1]), w: tensor([[w0!, w1!], [w2!, w3!]]) }, now.state);
  const half = [await contents(grads(3)), await contents(grads(4))];
  (await contents(landed)).forEach((leaf, l) =>
    leaf.forEach((g, i) => assertLess(Math.abs(g - half[0]![l]![i]! - half[1]![l]![i]!), 1e-5))
  );
  const next = own.step(now.params, landed, now.state), after = await seconds(next.state);
  assertEquals(after[1], frozen[1]);
  assertNotEquals(after[0], frozen[0]);
});

Deno.test("oneBitLamb: each process clips its own part, to its share of the norm", async () => {
  const own = oneBitLamb({ rate: 0.1, freeze: 0, beta1: 0, epsilon: 1, biasCorrection: false });
  const state = own.init(params());
  const large = { bias: tensor([30, 0]), w: tensor([[0, 40], [0, 0]]) };
  const [bias, w] = await contents(own.sent!.carry(large, state, 0.25));
  // 50 is four times 1/4 of 50: clipped to a quarter of 1.
  assert(Math.abs(bias![0]! - 0.25 * 0.6) < 1e-6 && Math.abs(w![1]! - 0.25 * 0.8) < 1e-6);
});
