/** Compilation: traced once a signature, constants, donation, captured tensors. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { cpu } from "../../core/backends/cpu/mod.ts";
import { DeviceError } from "../../core/device/error.ts";
import {
  add,
  type AnyTensor,
  dispose,
  fromArray,
  grad,
  jit,
  matmul,
  mul,
  read,
  readNumber,
  reference,
  relativeAttention,
  scope,
  slice,
  sum,
  type Tensor,
  tensor,
  toDevice,
  transpose,
  zeros,
} from "../../core/mod.ts";

const values = async (x: AnyTensor): Promise<number[]> => [...await read(x)];

Deno.test("jit: traced once for every signature of shapes, dtypes and structure", async () => {
  let traces = 0;
  const f = jit((x: AnyTensor, y: unknown) => {
    traces++;
    return [add(x, x) as AnyTensor, y] as const;
  });
  const calls: readonly (readonly [AnyTensor, unknown, number])[] = [
    [tensor([1, 2]), 1, 1],
    [tensor([5, 6]), 1, 1],
    [tensor([1, 2, 3]), 1, 2],
    [tensor([1, 2], "i32"), 1, 3],
    [tensor([1, 2]), 2, 4],
    [tensor([1, 2]), "2", 5],
    [tensor([1, 2]), { a: "2" }, 6],
    [tensor([1, 2]), { a: "2" }, 6],
    [tensor([1, 2]), { b: "2" }, 7],
    [tensor([1, 2]), 0, 8],
    [tensor([1, 2]), -0, 9],
    [tensor([1, 2]), NaN, 10],
    [tensor([1, 2]), NaN, 10],
    [tensor([1, 2]), "a\n1=b", 11],
    [tensor([1, 2]), null, 12],
    [tensor([1, 2]), undefined, 13],
    [tensor([7, 8]), 1, 13],
  ];
  for (const [x, y, want] of calls) {
    const [sums, same] = f(x, y);
    assertEquals(same, y);
    assertEquals(await values(sums), (await values(x)).map((v) => 2 * v));
    assertEquals(traces, want, `${y}`);
  }
});

Deno.test("jit: leaves that are no tensors are constants of the program", async () => {
  const scale = jit((x: Tensor<[2]>, by: number, f: (t: Tensor<[2]>) => Tensor<[2]>) =>
    mul(f(x), by)
  );
  const twice = (t: Tensor<[2]>): Tensor<[2]> => add(t, t), same = (t: Tensor<[2]>) => t;
  assertEquals(await values(scale(tensor([1, 2]), 3, twice)), [6, 12]);
  assertEquals(await values(scale(tensor([1, 2]), 3, same)), [3, 6]);
  assertEquals(await values(scale(tensor([1, 2]), 5, same)), [5, 10]);
});

for (const device of [cpu(), reference()]) {
  Deno.test(`jit: a donated state is replaced, its memory with it, on ${device.kind}`, async () => {
    type State = { readonly m: Tensor<[4]>; readonly v: Tensor<[4]>; readonly step: Tensor<[]> };
    const step = jit((s: State, g: Tensor<[4]>): State => ({
      m: add(s.m, g),
      v: add(mul(s.v, 2), g),
      step: add(s.step, 1),
    }), { donate: [0], device });
    const start = await toDevice(
      { m: tensor([0, 0, 0, 0]), v: tensor([1, 1, 1, 1]), step: tensor(0) },
      device,
    );
    const g = await toDevice(tensor([1, 2, 3, 4]), device);
    let state: State = start, before: ReturnType<typeof device.usage> | undefined;
    for (let i = 0; i < 3; i++) {
      state = step(state, g);
      before ??= device.usage();
      assertEquals(device.usage(), before);
    }
    assertEquals(await values(state.m), [3, 6, 9, 12]);
    assertEquals(await values(state.v), [15, 22, 29, 36]);
    assertEquals(await readNumber(state.step), 3);
    assertEquals(await values(g), [1, 2, 3, 4]);
    const message = "Cannot use this tensor: it was donated to a program that replaced it";
    await assertRejects(() => read(start.m), TypeError, message);
    assertThrows(() => add(start.v, 1), TypeError, message);
    assertThrows(() => step(start, g), TypeError, message);
  });
}

Deno.test("jit: the same tensor is not donated twice, nor lost when a call is refused", async () => {
  const f = jit((a: Tensor<[2]>, b: Tensor<[2]>) => add(a, b), { donate: [0] });
  const x = tensor([1, 2]), gone = tensor([3, 4]);
  assertThrows(
    () => f(x, x),
    TypeError,
    "Cannot donate argument 0: the same tensor is given twice",
  );
  dispose(gone);
  assertThrows(() => f(x, gone), TypeError, "Cannot use this tensor: it was disposed");
  assertEquals(await values(f(x, tensor([10, 20]))), [11, 22]);
});

Deno.test("jit: a donated view gives up its own copy, not what it looks at", async () => {
  const f = jit((a: Tensor<[2]>) => add(a, 1), { donate: [0] });
  const x = tensor([1, 2, 3]), view = slice(x, 0, 1, 3);
  assertEquals(await values(f(view)), [3, 4]);
  assertEquals(await values(x), [1, 2, 3]);
  assertEquals(await values(view), [2, 3]);
});

Deno.test("jit: captured tensors are read at every call, disposed ones refused", async () => {
  const w = tensor([10, 20]), f = jit((x: Tensor<[2]>) => mul(x, w));
  assertEquals(await values(f(tensor([1, 2]))), [10, 40]);
  assertEquals(await values(f(tensor([3, 4]))), [30, 80]);
  dispose(w);
  assertThrows(() => f(tensor([1, 2])), TypeError, "disposed");
});

Deno.test("jit: constants made inside outlive the scope of the first call", async () => {
  const f = jit((x: Tensor<[2]>) => add(x, tensor([1, 2])));
  {
    using _ = scope();
    f(tensor([0, 0]));
  }
  assertEquals(await values(f(tensor([10, 20]))), [11, 22]);
});

Deno.test("jit: inside another trace it is the function itself", async () => {
  let traces = 0;
  const square = jit((x: Tensor<[]>) => (traces++, mul(x, x)));
  assertEquals(await readNumber(grad(square)(tensor(3))), 6);
  const outer = jit((x: Tensor<[]>) => add(square(x), square(x)));
  assertEquals(await readNumber(outer(tensor(3))), 18);
  assertEquals(await readNumber(outer(tensor(4))), 32);
  assertEquals(traces, 3);
});

Deno.test("jit: results that are inputs, constants, or one node twice", async () => {
  const f = jit((x: Tensor<[2]>) => ({ x, two: tensor([2]), sums: [sum(x), sum(x)], n: 5 }));
  const given = tensor([1, 2]), { x, two, sums, n } = f(given);
  assertEquals([await values(x), await values(two), n], [[1, 2], [2], 5]);
  assertEquals(await Promise.all(sums.map(readNumber)), [3, 3]);
  dispose(given);
  assertEquals(await values(x), [1, 2]);
});

Deno.test("jit: explain says what the program is", () => {
  const f = jit((x: AnyTensor) => sum(mul(x, x) as AnyTensor));
  const { kernels, lines, traceMs, planMs, codegenMs } = f.explain(
    fromArray(new Float32Array(1000), [10, 100]),
  );
  assert(kernels >= 1);
  assertEquals(lines.length >= kernels, true);
  for (const ms of [traceMs, planMs, codegenMs]) assert(ms > 0);
});

Deno.test("jit: explain counts the work of products and attention", () => {
  const device = cpu(), q = zeros([2, 3, 16, 8]) as AnyTensor;
  const product = jit((x: AnyTensor) => matmul(x, transpose(x) as AnyTensor) as AnyTensor, {
    device,
  });
  assertEquals(product.explain(q).flops, 2 * 2 * 3 * 16 * 16 * 8);
  const attend = jit((x: AnyTensor) => relativeAttention(x, x, x).out as AnyTensor, { device });
  assertEquals(attend.explain(q).flops, 4 * 2 * 3 * 16 * 16 * 8);
  const slope = jit(
    grad((x: AnyTensor) => sum(relativeAttention(x, x, x).out as Tensor<[2, 3, 16, 8]>)),
    {
      device,
    },
  );
  assertEquals(slope.explain(q).flops, (4 + 10) * 2 * 3 * 16 * 16 * 8);
  device.destroy();
});

Deno.test("jit: profile gives results and times, and gives up what is donated", async () => {
  const device = cpu(), f = jit((x: Tensor<[2]>) => mul(x, x), { device, donate: [0] });
  const given = await toDevice(tensor([2, 3]), device);
  const { result, times } = await f.profile(given);
  assertEquals(await values(result), [4, 9]);
  assertEquals(times.map((t) => t.kernel), [0]);
  assert(times[0]!.endUs > 0);
  await assertRejects(() => read(given), TypeError, "donated to a program that replaced it");
  device.destroy();
});

Deno.test("jit: profile is refused without a clock, with nothing given up, and in a trace", async () => {
  const device = reference(), f = jit((x: Tensor<[2]>) => add(x, 1), { device, donate: [0] });
  const given = await toDevice(tensor([1, 2]), device);
  await assertRejects(() => f.profile(given), DeviceError, "it has no clock for kernels");
  assertEquals(await values(given), [1, 2]);
  let refused: Promise<unknown> | undefined;
  jit((x: Tensor<[2]>) => {
    refused = f.profile(x);
    refused.catch(() => {});
    return x;
  })(tensor([1, 2]));
  await assertRejects(() => refused!, TypeError, "Cannot profile inside a trace");
});

Deno.test("jit: a tensor of another device is refused in words", async () => {
  const other = cpu({ threads: 1 });
  const here = jit((x: Tensor<[2]>) => add(x, 1), { device: other });
  // Made by the reference: unlike values that came from the host, it stands there alone.
  const there = add(await toDevice(tensor([1, 2]), reference()), 0);
  assertThrows(
    () => here(there),
    TypeError,
    "Cannot use a tensor of reference on cpu: move it with toDevice",
  );
  assertEquals(await values(here(await toDevice(there, other))), [2, 3]);
});
