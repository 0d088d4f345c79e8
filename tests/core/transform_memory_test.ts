/** Memory of eager tensors: freed by a scope, by dispose, or at last by the garbage collector. */
import { assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { cpu } from "../../core/backends/cpu/mod.ts";
import type { Device } from "../../core/mod.ts";
import {
  add,
  type AnyTensor,
  dispose,
  fromArray,
  grad,
  jit,
  mul,
  read,
  reference,
  reshape,
  scope,
  sum,
  type Tensor,
  tensor,
  toDevice,
  transpose,
} from "../../core/mod.ts";

import { collectGarbage } from "../collect_garbage.ts";

const devices: readonly Device[] = [cpu({ threads: 1 }), reference()];
const data = (): Float32Array => Float32Array.from({ length: 1000 }, (_, i) => i);

for (const device of devices) {
  Deno.test(`memory on ${device.kind}: a scope frees what was made in it, but for what it keeps`, async () => {
    const x = await toDevice(fromArray(data(), [1000]), device), before = device.usage();
    let kept: AnyTensor;
    {
      using s = scope();
      const y = add(x, 1), z = mul(y, y);
      kept = s.keep({ sum: add(z, y) }).sum;
      assertEquals(device.usage().storages, before.storages + 3);
    }
    assertEquals(device.usage().storages, before.storages + 1);
    assertEquals((await read(kept))[2], 12);
    dispose(kept);
    assertEquals(device.usage(), before);
    dispose(x);
  });

  Deno.test(`memory on ${device.kind}: scopes nest, and a view keeps what it looks at`, async () => {
    const x = await toDevice(fromArray(data(), [1000]), device), before = device.usage();
    let view: AnyTensor;
    {
      using outer = scope();
      {
        using inner = scope();
        view = inner.keep(transpose(reshape(add(x, 1), [10, 100])));
        add(x, 2);
      }
      assertEquals(device.usage().storages, before.storages + 1);
      view = outer.keep(view);
    }
    assertEquals((await read(view))[1], 101);
    assertEquals(device.usage().storages, before.storages + 1);
    using _ = scope();
    dispose(x);
  });

  Deno.test(`memory on ${device.kind}: a scope frees gradients, compiled results and what an error left`, async () => {
    const x = await toDevice(fromArray(data(), [1000]), device), before = device.usage();
    const f = jit((y: AnyTensor) => add(y, y) as AnyTensor, { device });
    assertThrows(() => {
      using _ = scope();
      grad((y: AnyTensor) => sum(mul(y, y) as AnyTensor) as AnyTensor as Tensor<[]>)(x);
      f(f(x));
      throw new RangeError("Stop");
    }, RangeError);
    assertEquals(device.usage(), before);
    dispose(x);
  });

  Deno.test(`memory on ${device.kind}: a tensor that was disposed is refused in words`, async () => {
    const x = add(await toDevice(tensor([1, 2]), device), 1);
    dispose({ layers: [x] });
    dispose(x);
    assertThrows(() => add(x, 1), TypeError, "Cannot use this tensor: it was disposed");
    await assertRejects(() => read(x), TypeError, "Cannot use this tensor: it was disposed");
  });

  Deno.test(`memory on ${device.kind}: the garbage collector frees what was forgotten`, async () => {
    const x = await toDevice(fromArray(data(), [1000]), device), before = device.usage().storages;
    (() => {
      for (let i = 0; i < 200; i++) add(x, 1);
    })();
    assertEquals(device.usage().storages, before + 200);
    for (let i = 0; i < 500 && device.usage().storages > before; i++) {
      collectGarbage();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assertLess(device.usage().storages, before + 3);
    assertEquals((await read(x))[1], 1);
    dispose(x);
  });
}

Deno.test("memory: zeros, counts and views take none", async () => {
  // Of its own, on which nothing that was forgotten can be freed meanwhile.
  const device = cpu({ threads: 1 }), x = await toDevice(fromArray(data(), [10, 100]), device);
  const before = device.usage();
  const view = transpose(reshape(x, [100, 10]));
  assertEquals(device.usage(), before);
  assertEquals((await read(view)).length, 1000);
  assertEquals(device.usage(), before);
  dispose(x);
  await assertRejects(() => read(view), TypeError, "disposed");
});
