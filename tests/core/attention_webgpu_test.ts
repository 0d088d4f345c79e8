/** Attention's kernels in WGSL against its composite, over odd shapes and sets of terms; where they are taken, and what memory they take. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { attentionRefusal } from "../../core/backends/webgpu/attention.ts";
import { grad, jit, read, valueAndGrad } from "../../core/mod.ts";
import { relativeAttentionLaw } from "../../core/ops/attention.ts";
import {
  type AttentionCase,
  everyTerm,
  gradients,
  loss,
  type Operands,
  operands,
} from "./attention_case.ts";
import { hold } from "./laws/hold.ts";
import { webgpuTest, webgpuTestOnce } from "./webgpu_device.ts";
import type { WebGpuDevice } from "../../core/backends/webgpu/device.ts";

const cases: readonly (AttentionCase & { readonly rate?: number })[] = [
  { T: 1, H: 1, K: 8, rate: 0.2 },
  { T: 17, H: 3, K: 33, terms: [] },
  { T: 17, H: 2, K: 64, rate: 0.2 },
  { T: 65, H: 2, K: 8, rate: 0.2 },
  { T: 65, H: 1, K: 33, terms: ["bias", "keep"] },
  { T: 65, H: 3, K: 64, terms: ["keep"] },
  { T: 65, H: 2, K: 8, terms: ["bias", "keyTerm"], rate: 0.2 },
  { T: 64, H: 2, K: 8 },
  { T: 17, H: 1, K: 128, terms: ["queryTerm", "sums"] },
];

async function isComposite(device: WebGpuDevice, o: Operands, rate: number): Promise<void> {
  const { composed, lines } = jit(grad(loss(o, rate, false)), { device }).explain(o.smooth);
  assertEquals(composed, []);
  assertEquals(lines.filter((l) => l.startsWith("attention")).length, 2);
  const kernel = await gradients(loss(o, rate, false), o, device);
  const composite = await gradients(loss(o, rate, true), o, device);
  const largest = (gs: readonly number[]): number =>
    gs.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  // What the kernels subtract from a weight's gradient, its mean over the row, comes to 4 losses over all rows (Euler's theorem: the
  // loss is of degree 2 in out and in sums). One position alone has nothing else, and so gradients that are the rounding of that.
  const value = await read(jit(loss(o, rate, true), { device })(o.smooth));
  const [B, H, T] = o.smooth["q"]!.shape as unknown as [number, number, number];
  const rounding = 2 ** -23 * 4 * Number(value) / (B * H * T);
  kernel.forEach((g, n) => {
    const limit = 2e-5 * largest(composite[n]!) + rounding;
    g.forEach((x, i) => assertLess(Math.abs(x - composite[n]![i]!), limit, `gradient ${n}`));
  });
}

for (const { rate = 0, ...c } of cases) {
  const { T, H, K, terms = everyTerm } = c;
  const name = `T ${T}, H ${H}, K ${K}, ${terms.join(" ") || "bare"}, dropout ${rate}`;
  webgpuTest(
    "attention",
    `kernels are the composite: ${name}`,
    (device) => isComposite(device, operands(c), rate),
  );
}

webgpuTestOnce(
  "attention",
  "kernels are the composite where there is much work",
  (device) =>
    isComposite(device, operands({ T: 2049, B: 1, H: 1, K: 64, terms: ["keep", "bias"] }), 0),
);

webgpuTest(
  "attention",
  "its law holds for the kernels",
  (device) => hold(relativeAttentionLaw, 4, device),
);

webgpuTestOnce("attention", "memory grows with the length, not with its square", (device) => {
  const bytes = (T: number, composite: boolean): number => {
    const o = operands({ T });
    return jit(valueAndGrad(loss(o, 0.2, composite)), { device }).explain(o.smooth).scratchBytes;
  };
  assertLess(bytes(512, false), 4.2 * bytes(128, false));
  assert(bytes(512, true) > 8 * bytes(128, true));
  return Promise.resolve();
});

webgpuTestOnce("attention", "explain tells which attention is the composite, and why", (device) => {
  const o = operands({ T: 4, K: 129, terms: [] });
  const { composed, lines } = jit(loss(o, 0, false), { device }).explain(o.smooth);
  assertEquals(composed, [
    "attention [2, 2, 4, 129], 0 rows by its composite: vectors of 129 are longer than 128",
  ]);
  assertEquals(lines.filter((l) => l.startsWith("attention")), []);
  return Promise.resolve();
});

Deno.test("webgpu attention: kernels are taken from some size of the scores on, for vectors that fit registers", () => {
  const kernel = {
    op: "attention",
    B: 1,
    H: 4,
    T: 1024,
    K: 64,
    R: 0,
    scale: 1,
    ownCls: false,
    keep: false,
    bias: false,
    keyTerm: false,
    queryTerm: false,
    sums: false,
    dropout: 0,
  } as const;
  const target = { software: true, bindings: 8, scoreBytes: 16 * 2 ** 20, bindingBytes: 2 ** 27 };
  assertEquals(attentionRefusal(kernel, target), undefined);
  assertEquals(
    attentionRefusal({ ...kernel, T: 512 }, target),
    "scores of 4.0 MiB are less than 16.0 MiB",
  );
  assertEquals(attentionRefusal({ ...kernel, K: 128 }, target), undefined);
  assertEquals(
    attentionRefusal({ ...kernel, K: 132 }, target),
    "vectors of 132 are longer than 128",
  );
  // Three cotangents in one buffer: B H T K = 2^22 elements each.
  const backward = { ...kernel, op: "attentionGrad", B: 16 } as const;
  assertEquals(attentionRefusal(backward, target), undefined);
  assertEquals(
    attentionRefusal({ ...backward, B: 48 }, target),
    "a buffer of 144 MiB would be larger than 128 MiB",
  );
  assertEquals(
    attentionRefusal(kernel, { ...target, bindings: 7 }),
    "a shader may touch 7 buffers, not 8",
  );
});
