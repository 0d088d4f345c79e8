/** Attention in one kernel against its composite, where a thread's space holds only some of the queries at once, and what it takes. */
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import {
  type AnyTensor,
  checkpoint,
  cpu,
  fromArray,
  grad,
  jit,
  relativeAttention,
  tensor,
  valueAndGrad,
  zeros,
} from "../../core/mod.ts";
import { gradients, loss, operands } from "./attention_case.ts";

for (const [name, T] of [["one block", 64], ["two blocks and a part", 700]] as const) {
  for (const rate of [0, 0.2]) {
    Deno.test(`attention in one kernel is its composite, gradients too: ${name}, dropout ${rate}`, async () => {
      const device = cpu(), o = operands({ T });
      const [kernel, composite] = await Promise.all(
        [false, true].map((c) => gradients(loss(o, rate, c), o, device)),
      );
      kernel!.forEach((g, n) => {
        const most = Math.max(...composite![n]!.map(Math.abs));
        assert(most > 0);
        g.forEach((x, i) => assertLess(Math.abs(x - composite![n]![i]!), 2e-5 * most, `${n}`));
      });
      device.destroy();
    });
  }
}

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
      return jit(grad(loss(o, 0, composite)), { device }).explain(o.smooth).scratchBytes;
    };
  assertLess(bytes(512, false), 4.2 * bytes(128, false));
  assert(bytes(512, true) > 8 * bytes(128, true));
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
