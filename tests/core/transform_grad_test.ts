/** Transforms of transforms: what composes must compose. */
import { assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  add,
  type AnyTensor,
  cond,
  customVjp,
  exp,
  grad,
  greater,
  jit,
  jvp,
  matmul,
  mul,
  neg,
  read,
  readNumber,
  sin,
  stopGradient,
  sum,
  tanh,
  type Tensor,
  tensor,
  valueAndGrad,
  valueGradAux,
  vjp,
  vmap,
} from "../../core/mod.ts";

type Scalar = Tensor<[]>;
const cube = (x: Scalar): Scalar => mul(mul(x, x), x);
const values = async (x: Tensor<[2]> | Tensor<[3]> | AnyTensor): Promise<number[]> => [
  ...await read(x as AnyTensor),
];

Deno.test("transforms: grad of grad of grad", async () => {
  assertEquals(await readNumber(grad(cube)(tensor(2))), 12);
  assertEquals(await readNumber(grad(grad(cube))(tensor(2))), 12);
  assertEquals(await readNumber(grad(grad(grad(cube)))(tensor(2))), 6);
});

Deno.test("transforms: jvp of vjp is the Hessian by a vector", async () => {
  const f = (x: Tensor<[2]>): Scalar => sum(mul(mul(x, x), x));
  const [g, hv] = jvp((x) => grad(f)(x), [tensor([1, 2])], [tensor([10, 100])]);
  assertEquals(await values(g), [3, 12]);
  assertEquals(await values(hv), [60, 1200]);
});

Deno.test("transforms: vjp of jvp and jvp of jvp agree with it", async () => {
  const slope = (x: Scalar): Scalar => jvp(cube, [x], [tensor(1)])[1];
  assertEquals(await readNumber(grad(slope)(tensor(2))), 12);
  assertEquals(await readNumber(jvp(slope, [tensor(2)], [tensor(1)])[1]), 12);
});

Deno.test("transforms: vmap of grad gives a gradient an example, grad of vmap their sum", async () => {
  const f = (w: Scalar, x: Scalar): Scalar => mul(mul(w, w), x);
  const each = vmap(grad(f), { in: [null, 0] })(tensor(3), tensor([1, 10, 100]));
  assertEquals(await values(each), [6, 60, 600]);
  const all = grad((w: Scalar) => sum(vmap(f, { in: [null, 0] })(w, tensor([1, 10, 100]))));
  assertEquals(await readNumber(all(tensor(3))), 666);
});

Deno.test("transforms: jit of grad of vmap, eager and compiled alike to the bit", async () => {
  const loss = (w: Tensor<[2]>): Scalar =>
    sum(vmap((x: Scalar): Scalar => tanh(mul(x, sum(mul(w, w)))))(tensor([0.1, 0.2, 0.3])));
  const w = tensor([0.3, -0.5]);
  assertEquals(await values(jit(grad(loss))(w)), await values(grad(loss)(w)));
});

Deno.test("transforms: a function may close over the tensor that it is differentiated by", async () => {
  const x = tensor(3);
  assertEquals(await readNumber(grad((y: Scalar) => mul(x, y))(x)), 3);
  assertEquals(await readNumber(jvp((y: Scalar) => mul(x, y), [x], [tensor(1)])[1]), 3);
});

Deno.test("transforms: perturbations of two levels are told apart", async () => {
  // d/dx [x d/dy (x + y)] is 1; mixing the levels gives 2.
  const f = (x: Scalar): Scalar => mul(x, grad((y: Scalar) => add(x, y))(tensor(1)));
  assertEquals(await readNumber(grad(f)(tensor(1))), 1);
  const g = (x: Scalar): Scalar =>
    mul(x, jvp((y: Scalar) => add(x, y), [tensor(1)], [tensor(1)])[1]);
  assertEquals(await readNumber(jvp(g, [tensor(1)], [tensor(1)])[1]), 1);
});

Deno.test("transforms: an inner gradient at a constant depends on what it closes over", async () => {
  const at = tensor(3);
  const f = (w: Scalar): Scalar => grad((x: Scalar) => mul(mul(x, x), w))(at);
  assertEquals(await readNumber(grad(f)(tensor(5))), 6);
  assertEquals(
    await readNumber(grad((w: Scalar) => vjp((x: Scalar) => mul(x, w), at)[0])(tensor(5))),
    3,
  );
  assertEquals(
    await values(grad((w: Tensor<[2]>) => sum(jit((x: Scalar) => mul(w, x))(at)))(tensor([1, 2]))),
    [3, 3],
  );
});

Deno.test("transforms: aux passes without a gradient, stopGradient cuts it", async () => {
  const f = valueGradAux((x: Scalar) => [mul(x, stopGradient(x)), { square: mul(x, x) }] as const);
  const { value, grads, aux } = f(tensor(3));
  assertEquals(
    await Promise.all([value, grads, aux.square].map(readNumber)),
    [9, 3, 9],
  );
});

Deno.test("transforms: integers and unused arguments get zeros", async () => {
  const [y, back] = vjp(
    (x: Tensor<[2]>, _ids: Tensor<[2], "i32">, unused: Tensor<[3]>) => (void unused, exp(x)),
    tensor([0, 0]),
    tensor([1, 2], "i32"),
    tensor([1, 2, 3]),
  );
  const [dx, dids, dunused] = back(tensor([2, 3]));
  assertEquals(await values(y), [1, 1]);
  assertEquals(await values(dx), [2, 3]);
  assertEquals(await values(dids as AnyTensor), [0, 0]);
  assertEquals(await values(dunused), [0, 0, 0]);
});

const flipped = customVjp({
  forward: (x: Scalar) => [mul(x, x), x] as const,
  backward: (x, ct) => [neg(mul(x, ct))] as const,
});

Deno.test("customVjp: under grad, jit, vmap, and inside another", async () => {
  assertEquals(await readNumber(flipped(tensor(3))), 9);
  assertEquals(await readNumber(grad((x: Scalar) => flipped(x))(tensor(3))), -3);
  assertEquals(await readNumber(jit(grad((x: Scalar) => flipped(x)))(tensor(3))), -3);
  assertEquals(await values(vmap(flipped)(tensor([1, 2, 3]))), [1, 4, 9]);
  assertEquals(await values(vmap(grad((x: Scalar) => flipped(x)))(tensor([1, 2, 3]))), [
    -1,
    -2,
    -3,
  ]);
  const batch = grad((x: Tensor<[3]>) => sum(vmap(flipped)(x)));
  assertEquals(await values(batch(tensor([1, 2, 3]))), [-1, -2, -3]);
  // The backward pass is itself differentiated: d(-x)/dx.
  assertEquals(await readNumber(grad(grad((x: Scalar) => flipped(x)))(tensor(3))), -1);
  // Forward mode differentiates the forward function.
  assertEquals(await readNumber(jvp(flipped, [tensor(3)], [tensor(1)])[1]), 6);
});

Deno.test("customVjp: a cotangent of a wrong shape is refused", () => {
  const wrong = customVjp({
    forward: (x: Tensor<[2]>) => [sum(x), null] as const,
    backward: (_, ct) => [ct as AnyTensor] as const,
  });
  assertThrows(
    () => grad((x: Tensor<[2]>) => wrong(x))(tensor([1, 2])),
    TypeError,
    "Cannot use cotangent [] of argument 0: it must have the argument's shape [2]",
  );
});

Deno.test("transforms: wrong calls are refused in words", () => {
  const x = tensor([1, 2]);
  assertThrows(() => grad((y: AnyTensor) => y as Scalar)(x), TypeError, "must be an f32 scalar");
  assertThrows(
    () => vjp((y: AnyTensor) => y, x as AnyTensor)[1](tensor(1)),
    TypeError,
    "shapes must be equal",
  );
  assertThrows(() => jvp((y: AnyTensor) => y, [x], [tensor(1)]), TypeError, "shapes must be equal");
  assertThrows(
    () => vmap(add as (a: AnyTensor, b: AnyTensor) => AnyTensor)(x, tensor([1])),
    TypeError,
    "differ",
  );
  assertThrows(
    () => vmap(neg as (a: AnyTensor) => AnyTensor)(tensor(1)),
    TypeError,
    "out of range",
  );
  assertThrows(() => vmap(() => x, { in: null })(), TypeError, "no argument has a batch axis");
});

Deno.test("transforms: reading inside a trace is refused", async () => {
  let inside: Promise<unknown> = Promise.resolve();
  jit((x: Scalar) => {
    inside = read(x);
    inside.catch(() => {});
    return x;
  })(tensor(1));
  await assertRejects(() => inside, TypeError, "Cannot read a traced tensor");
  grad((x: Scalar) => {
    inside = read(mul(x, 2));
    inside.catch(() => {});
    return x;
  })(tensor(1));
  await assertRejects(() => inside, TypeError, "Cannot read a traced tensor");
});

Deno.test("transforms: an error inside a transform leaves the next call eager", async () => {
  assertThrows(() =>
    grad((): Scalar => {
      throw new RangeError("Stop");
    })(tensor(1)), RangeError);
  const y = add(tensor([1]), tensor([2]));
  assertEquals(await values(y), [3]);
});

Deno.test("cond: only the chosen side counts, and its gradient", async () => {
  const f = (x: Scalar): Scalar => cond(greater(x, 0), mul(x, x), sin(x));
  assertEquals(await readNumber(f(tensor(3))), 9);
  assertEquals(await readNumber(grad(f)(tensor(3))), 6);
  assertAlmostEquals(await readNumber(grad(f)(tensor(-1))), Math.cos(1), 1e-6);
});

Deno.test("valueAndGrad: a record of parameters gives a record of gradients", async () => {
  const params = { layer: { w: tensor([[1, 2]]), b: tensor([3]) } };
  const f = valueAndGrad((p: typeof params, x: Tensor<[2, 1]>) =>
    sum(add(matmul(p.layer.w, x), p.layer.b))
  );
  const { value, grads } = f(params, tensor([[10], [100]]));
  assertEquals(await readNumber(value), 213);
  assertEquals(await values(grads.layer.w), [10, 100]);
  assertEquals(await values(grads.layer.b), [1]);
});
