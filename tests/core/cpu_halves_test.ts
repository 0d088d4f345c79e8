/** Values of f16 and bf16 on cpu: two bytes each between kernels, and widened again rather than kept as four. */
import { assertAlmostEquals, assertStrictEquals } from "@std/assert";
import {
  type AnyTensor,
  cast,
  cpu,
  grad,
  jit,
  matmul,
  sum,
  tanh,
  type Tensor,
  zeros,
} from "../../core/mod.ts";
import { nodeOf } from "../../core/tensor.ts";

const A = 128, LAYERS = 24;

/** Scratch of layers whose results are all kept for the gradient, in matrices of f32. */
function scratchOf(dtype: "f32" | "f16" | "bf16"): number {
  const f = jit((x: AnyTensor, w: AnyTensor) => {
    const last = (start: AnyTensor): Tensor<[]> => {
      let y: AnyTensor = cast(start, dtype);
      for (let i = 0; i < LAYERS; i++) y = tanh(matmul(y as never, cast(w, dtype) as never));
      return sum(cast(y, "f32")) as AnyTensor;
    };
    return grad(last)(x);
  }, { device: cpu() });
  const x = zeros([A, A]) as AnyTensor;
  return f.explain(x, x).scratchBytes / (4 * A * A);
}

Deno.test("cpu: what is kept for a gradient in f16 or bf16 takes two bytes an element", () => {
  assertAlmostEquals(scratchOf("f32"), LAYERS, 4);
  for (const dtype of ["f16", "bf16"] as const) assertAlmostEquals(scratchOf(dtype), LAYERS / 2, 4);
});

Deno.test("a value of two bytes that is widened and made narrow again is the same value", () => {
  jit((x: Tensor<[3], "f16">) => {
    assertStrictEquals(nodeOf(cast(cast(x, "f32"), "f16") as AnyTensor), nodeOf(x as AnyTensor));
    return x;
  }, { device: cpu() })(zeros([3], "f16"));
});
