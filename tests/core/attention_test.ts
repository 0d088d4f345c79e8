/** Attention in one kernel against its composite, where a thread's space holds only some of the queries at once, and what it takes. */
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import {
  add,
  type AnyTensor,
  checkpoint,
  cpu,
  fromArray,
  grad,
  jit,
  read,
  relativeAttention,
  tensor,
  valueAndGrad,
  zeros,
} from "../../core/mod.ts";
import { gradients, loss, type Operands, operands } from "./attention_case.ts";

/** The kernel's gradients must be the composite's. */
async function agree(o: Operands, rate: number, blas: string): Promise<void> {
  const device = cpu({ blas });
  const [kernel, composite] = await Promise.all(
    [false, true].map((c) => gradients(loss(o, rate, c), o, device)),
  );
  kernel!.forEach((g, n) => {
    const most = Math.max(...composite![n]!.map(Math.abs));
    assert(most > 0);
    g.forEach((x, i) => assertLess(Math.abs(x - composite![n]![i]!), 2e-5 * most, `${n}`));
  });
  device.destroy();
}

// Products are the system's BLAS's if there is one, or our own.
for (const blas of ["auto", "off"]) {
  for (const [name, T] of [["one block", 64], ["blocks and parts", 700]] as const) {
    for (const rate of [0, 0.2]) {
      Deno.test(`attention in one kernel is its composite, gradients too: ${name}, dropout ${rate}, BLAS ${blas}`, async () => {
        await agree(operands({ T }), rate, blas);
      });
    }
  }
  for (const T of [3, 30, 519]) {
    Deno.test(`attention in one kernel is its composite where keys are padding: ${T} of them, BLAS ${blas}`, async () => {
      await agree(operands({ T, kept: [0, 1, Math.ceil(T / 3), T - 1, T] }), 0.1, blas);
    });
  }
}

Deno.test("attention passes padding over: what stands there does not matter", async () => {
  const T = 300, kept = 100, device = cpu();
  const outs = await Promise.all([0, 1].map(async (change) => {
    const o = operands({ T, kept: [kept] }), { q, k, v } = o.smooth;
    const added = fromArray(
      Float32Array.from({ length: T * 8 }, (_, i) => i < kept * 8 ? 0 : 50 * change),
      [T, 8],
    ) as AnyTensor;
    const f = jit(
      (p: AnyTensor) =>
        relativeAttention(
          q!,
          add(k!, p),
          add(v!, p),
          o.options.keep ? { keep: o.options.keep } : {},
        ).out,
      {
        device,
      },
    );
    return await read(f(added));
  }));
  assertEquals(outs[0], outs[1]);
  device.destroy();
});

Deno.test("attention in a checkpoint is computed twice, with the same gradients", async () => {
  const device = cpu(), o = operands({ T: 40 }), plain = loss(o, 0.2, false);
  const again = checkpoint(plain);
  assertEquals(await gradients(again, o, device), await gradients(plain, o, device));
  const forwards = (f: typeof plain): number =>
    jit(valueAndGrad(f), { device }).explain(o.smooth).lines
      .filter((line) => line.startsWith("attention ")).length;
  assertEquals([forwards(plain), forwards(again)], [1, 2]);
  device.destroy();
});

Deno.test("attention's memory grows with the length, not with its square", () => {
  const device = cpu(),
    bytes = (T: number, composite: boolean): number => {
      const o = operands({ T });
      const { scratchBytes, threadBytes } = jit(grad(loss(o, 0, composite)), { device })
        .explain(o.smooth);
      assert(threadBytes! > 0);
      return scratchBytes + threadBytes!;
    };
  assertLess(bytes(1024, false), 4.2 * bytes(256, false));
  assert(bytes(1024, true) > 8 * bytes(256, true));
  device.destroy();
});

Deno.test("attention refuses operands that do not fit", () => {
  const q = zeros([1, 1, 2, 3]) as AnyTensor;
  assertThrows(
    () => relativeAttention(q, zeros([1, 1, 3, 3]) as AnyTensor, q),
    TypeError,
    "Cannot attend with k f32 [1, 1, 3, 3]: it must be f32 [1, 1, 2, 3]",
  );
  assertThrows(() => relativeAttention(q, q, q, { bias: tensor([[1]]) as AnyTensor }), TypeError);
  const keys = fromArray([1, 2], [1, 2], "u32") as AnyTensor;
  assertThrows(() => relativeAttention(q, q, q, { dropout: { keys, rate: 1 } }), RangeError);
});
