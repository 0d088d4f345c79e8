/** Encoders in f16 and bf16, of every scheme and layout: what they give and their gradients are those of f32 but for rounding. */
import { assert, assertEquals, assertLess } from "@std/assert";
import {
  type AnyTensor,
  cast,
  fromArray,
  jit,
  key,
  leaves,
  mapTree,
  mul,
  normal as noise,
  read,
  size,
  sizesOf,
  sum,
  type Tensor,
  type Tree,
  valueGradAux,
} from "../../core/mod.ts";
import { encode, type EncoderOptions, encoderSpec, init, lowered, schemes } from "../../nn/mod.ts";

const B = 2, T = 12, C = 16;
const sizes = {
  vocabulary: size("V", 30),
  width: size("C", C),
  heads: size("H", 2),
  headWidth: size("K", 8),
  hidden: size("F", 24),
  layers: 2,
};
const ids = fromArray(Int32Array.from({ length: B * T }, (_, i) => i * 7 % 30), [B, T], "i32");
const segments = fromArray(
  Int32Array.from({ length: B * T }, (_, i) => i % T < 5 ? 0 : 1),
  [B, T],
  "i32",
);
const keep = fromArray(Float32Array.from({ length: B * T }, (_, i) => i < B * T - 3 ? 1 : 0), [
  B,
  T,
]);
const wanted = noise(key(3), [B, T, C]) as AnyTensor;

interface Found {
  readonly hidden: Float64Array;
  readonly grads: Float64Array;
}

async function numbers(tree: unknown): Promise<Float64Array> {
  const all = await Promise.all(
    leaves(tree as Tree<AnyTensor>).map(async (x) => [...await read(cast(x, "f32") as Tensor)]),
  );
  return Float64Array.from(all.flat());
}

async function found(options: EncoderOptions, dtype: "f32" | "f16" | "bf16"): Promise<Found> {
  // Numbers large enough that no part of the scores is lost in the rest.
  const params = init(5, encoderSpec(sizes, { ...options, std: 0.3 }));
  const gradient = valueGradAux((p: typeof params) => {
    const inputs = { ids, segments, keep } as never;
    const { hidden } = encode(lowered(p, dtype), inputs, options);
    return [sum(mul(cast(hidden as AnyTensor, "f32"), wanted)), hidden] as never;
  });
  const { grads, aux } = jit(
    (p: typeof params) => gradient(p) as { grads: typeof params; aux: AnyTensor },
    {},
  )(params);
  assertEquals(aux.dtype as string, dtype, "the pass is in the narrow type");
  mapTree(grads as unknown as Tree<AnyTensor>, (g) => assertEquals(g.dtype as string, "f32"));
  assertEquals(sizesOf(aux), [B, T, C]);
  return { hidden: await numbers(aux), grads: await numbers(grads) };
}

function apart(a: Float64Array, b: Float64Array): number {
  assertEquals(a.length, b.length);
  return Math.hypot(...a.map((x, i) => x - b[i]!)) / Math.hypot(...b);
}

/** Half a unit in the last place. */
const rounding = { f16: 2 ** -11, bf16: 2 ** -8 } as const;
const layouts: readonly (readonly [name: string, options: EncoderOptions])[] = [
  ...Object.entries(schemes).map(([name, scheme]) => [name, { scheme }] as const),
  ["Post-LN with learnt positions", {
    norm: "post",
    embeddings: { positions: T, segments: 2, norm: true },
  }],
  ["sinusoids beside the tokens", { scheme: schemes.none, embeddings: { positions: "sinusoid" } }],
];

for (const [name, options] of layouts) {
  Deno.test(`an encoder in f16 and bf16 is that of f32 but for rounding: ${name}`, async () => {
    const exact = await found(options, "f32");
    for (const dtype of ["f16", "bf16"] as const) {
      const near = await found(options, dtype), u = rounding[dtype];
      const errors = [apart(near.hidden, exact.hidden), apart(near.grads, exact.grads)];
      for (const error of errors) {
        assert(error > u / 8, `${dtype}: ${error / u} u`);
        assertLess(error / u, 12, dtype);
      }
    }
  });
}
