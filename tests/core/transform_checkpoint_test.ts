/** Checkpoints: the same numbers, with work repeated and memory saved. */
import { assert, assertEquals, assertLess } from "@std/assert";
import {
  add,
  type AnyTensor,
  checkpoint,
  customVjp,
  exp,
  fromArray,
  grad,
  jit,
  jvp,
  matmul,
  mul,
  read,
  readNumber,
  reference,
  sin,
  sum,
  tanh,
  type Tensor,
  tensor,
  vmap,
} from "../../core/mod.ts";

type Scalar = Tensor<[]>;
type Square = Tensor<[16, 16]>;
type Layer = (x: Square, w: Square) => Square;
const layer: Layer = (x, w) => tanh(matmul(x, w));

/** The sum after `depth` layers that share a matrix. */
const deep = (f: Layer, depth: number) => (w: Square, x: Square): Scalar => {
  let y = x;
  for (let i = 0; i < depth; i++) y = f(y, w);
  return sum(mul(y, y));
};
const drawn = (seed: number): Square =>
  fromArray(Float32Array.from({ length: 256 }, (_, i) => Math.sin(seed + i * 7)), [16, 16]);
const [w, x] = [drawn(1), drawn(2)];

/** Lines of a kind among the nodes of a function. */
const count = (f: (w: Square, x: Square) => unknown, kind: string): number =>
  jit(f, { device: reference() }).explain(w, x).lines.filter((line) => line.startsWith(kind))
    .length;

Deno.test("checkpoint: gradients are equal to the bit, eager and compiled", async () => {
  const plain = await read(grad(deep(layer, 4))(w, x));
  assertEquals(await read(grad(deep(checkpoint(layer), 4))(w, x)), plain);
  assertEquals(await read(jit(grad(deep(checkpoint(layer), 4)))(w, x)), plain);
  assert(plain.some((v) => v !== 0));
});

Deno.test("checkpoint: every layer's product is computed again in the backward pass, and only there", () => {
  const [plain, again] = [deep(layer, 4), deep(checkpoint(layer), 4)];
  assertEquals(count(plain, "matmul"), 4);
  assertEquals(count(again, "matmul"), 4);
  // The first layer has no cotangent for x, so 7 products go backward.
  assertEquals(count(grad(plain), "matmul"), 4 + 7);
  assertEquals(count(grad(again), "matmul"), 4 + 4 + 7);
});

Deno.test("checkpoint: a deep stack needs less memory", () => {
  const stack = checkpoint((y: Square, m: Square) => layer(layer(layer(layer(y, m), m), m), m));
  const bytes = (f: Layer, depth: number): number =>
    jit(grad(deep(f, depth))).explain(w, x).scratchBytes;
  assertLess(bytes(stack, 6), 0.6 * bytes(layer, 24));
});

Deno.test("checkpoint: tensors that the function closes over get their gradients", async () => {
  const closed = (inner: typeof checkpoint) => (m: Square): Scalar =>
    sum(inner((y: Square) => layer(layer(y, m), m))(x));
  const identity: typeof checkpoint = (f) => f;
  const plain = await read(grad(closed(identity))(w));
  assertEquals(await read(grad(closed(checkpoint))(w)), plain);
  assertEquals(await read(jit(grad(closed(checkpoint)))(w)), plain);
  assert(plain.some((v) => v !== 0));
});

Deno.test("checkpoint: inside another", async () => {
  const inner = checkpoint(layer);
  const outer = checkpoint((y: Square, m: Square) => inner(inner(y, m), m));
  const plain = await read(grad(deep(layer, 4))(w, x));
  assertEquals(await read(grad(deep(outer, 2))(w, x)), plain);
  assertEquals(await read(jit(grad(deep(outer, 2)))(w, x)), plain);
});

Deno.test("checkpoint: cotangents of an argument that is read often add up as without", async () => {
  // Read three times in each of three layers, in an order that is not that of the graph's inputs.
  const often: Layer = (y, m) => {
    const first = mul(sin(m), 3), second = matmul(y, m);
    return tanh(add(add(mul(exp(m), y), second), first));
  };
  const plain = grad(deep(often, 3)), again = grad(deep(checkpoint(often), 3));
  assertEquals(await read(again(w, x)), await read(plain(w, x)));
  const device = reference();
  assertEquals(await read(jit(again, { device })(w, x)), await read(jit(plain, { device })(w, x)));
  assert((await read(plain(w, x))).some((v) => v !== 0));
});

Deno.test("checkpoint: several results", async () => {
  const both = (y: Scalar): { a: Scalar; b: Scalar } => ({ a: sin(y), b: exp(y) });
  const f = (g: typeof both) => (y: Scalar): Scalar => {
    const { a, b } = g(y);
    return mul(a, b);
  };
  const [plain, again] = [grad(f(both))(tensor(0.3)), grad(f(checkpoint(both)))(tensor(0.3))];
  assertEquals(await read(again), await read(plain));
});

Deno.test("checkpoint: second derivatives, forward mode, batches, and a rule of its own inside", async () => {
  const f = (y: Scalar): Scalar => sin(mul(y, y)), c = checkpoint(f), at = tensor(0.7);
  assertEquals(await readNumber(grad(grad(c))(at)), await readNumber(grad(grad(f))(at)));
  assertEquals(
    await readNumber(jvp(grad(c), [at], [tensor(1)])[1]),
    await readNumber(jvp(grad(f), [at], [tensor(1)])[1]),
  );
  const batch = tensor([0.1, 0.2, 0.3]);
  assertEquals(await read(vmap(grad(c))(batch)), await read(vmap(grad(f))(batch)));
  const own = customVjp({
    forward: (y: Scalar) => [sin(y), y] as const,
    backward: (y, ct) => [mul(mul(y, ct), 10)] as const,
  });
  assertEquals(await readNumber(grad(checkpoint((y: Scalar) => own(mul(y, 2))))(tensor(3))), 120);
});

Deno.test("checkpoint: without a gradient nothing is repeated", async () => {
  assertEquals(await read(checkpoint(layer)(x, w)), await read(layer(x, w)));
  assertEquals(count((m, y) => checkpoint(layer)(y, m) as AnyTensor, "matmul"), 1);
});
