/** Elements of two bytes on WebGPU: f16 where the adapter has it, bf16 everywhere. */
import fc from "npm:fast-check@4.10.2";
import { assert, assertEquals } from "@std/assert";
import { type DType, fromF16, fromHost, toF16, toHost } from "../../core/dtype.ts";
import type { Graph } from "../../core/device/device.ts";
import * as X from "../../core/expr/expr.ts";
import * as build from "../../core/graph/build.ts";
import { makeNode, type Node, sizeOf } from "../../core/graph/node.ts";
import type { MatmulKernel } from "../../core/plan/kernels.ts";
import { makePlan } from "../../core/plan/make_plan.ts";
import {
  cast,
  type Device,
  fromArray,
  jit,
  matmul,
  mean,
  mul,
  read,
  readNumber,
  reference,
  sub,
  tanh,
  type Tensor,
  valueAndGrad,
} from "../../core/mod.ts";
import { evaluate } from "../../core/backends/reference/mod.ts";
import { Choices, classOf } from "../../core/backends/webgpu/choices.ts";
import { WebGpuDevice } from "../../core/backends/webgpu/device.ts";
import { webgpu } from "../../core/backends/webgpu/mod.ts";
import type { Target } from "../../core/backends/webgpu/shader.ts";
import { gpu, halves, runPlan, webgpuTest, webgpuTestOnce } from "./webgpu_device.ts";

const suite = "halves", short = ["f16", "bf16"] as const;
const hasF16 = halves?.halves?.has("f16") ?? false;
const everyBits = Uint16Array.from({ length: 65536 }, (_, i) => i);

const input = (dtype: DType, ...shape: number[]): Node =>
  makeNode({ kind: "input", shape, dtype, inputs: [] });
const graphOf = (inputs: readonly Node[], outputs: readonly Node[]): Graph => ({
  inputs,
  outputs,
  donations: new Map(),
});

/** The device with some other abilities. */
function deviceWith(abilities: Partial<Target>): WebGpuDevice {
  return new WebGpuDevice(gpu!, "this adapter", {
    software: true,
    bindings: 8,
    scoreBytes: 0,
    bindingBytes: 2 ** 27,
    ...abilities,
  });
}

webgpuTestOnce(suite, "an adapter with shader-f16 has f16 that rounds as the host does", () => {
  if (gpu!.features.has("shader-f16")) {
    assert(hasF16, "the probe refuses the f16 of this adapter");
    assert(halves!.roundsF16, "the f16 of this adapter keeps numbers and rounds them otherwise");
  }
  assert(halves!.halves!.has("bf16"));
  return Promise.resolve();
});

webgpuTestOnce(
  suite,
  "what webgpu opens takes two bytes an element, in all its figures",
  async () => {
    const device = await webgpu({ software: true });
    for (const dtype of hasF16 ? short : ["bf16"] as const) {
      const before = device.usage().bytes, s = device.allocate(4096, dtype);
      assertEquals([s.bytes, device.usage().bytes - before], [8192, 8192], dtype);
      device.free(s);

      const x = input(dtype, 64, 64);
      const h = build.compute(X.tanh, [build.matmul(x, x)], dtype);
      const { scratchBytes, liveBytes, peakBytes } = explained(device, [build.matmul(h, x)], x);
      const inWords = explained(deviceWith({}), [build.matmul(h, x)], x);
      // A product is f32 until it is rounded: 16 KiB, beside 8 KiB of the map.
      assertEquals([scratchBytes, peakBytes], [24576, 24576], dtype);
      assertEquals([inWords.scratchBytes, inWords.peakBytes], [32768, 32768], dtype);
      assert(liveBytes.includes(16384) && liveBytes.includes(24576), dtype);
    }
    device.destroy();
  },
);

function explained(device: Pick<WebGpuDevice, "compile">, outputs: readonly Node[], x: Node) {
  const program = device.compile(graphOf([x], outputs)), figures = program.explain();
  program.destroy();
  return figures;
}

webgpuTestOnce(suite, "all bit patterns come back, of any length and alignment", async (device) => {
  const back = async (data: Uint16Array, dtype: DType) => {
    const s = device.allocate(data.length, dtype);
    device.write(s, data, dtype);
    const got = await device.read(s, data.length, dtype);
    device.free(s);
    return got;
  };
  const kept = hasF16 ? short : ["bf16"] as const;
  for (const dtype of kept) assertEquals(await back(everyBits, dtype), everyBits, dtype);
  const shared = new Uint16Array(new SharedArrayBuffer(14));
  shared.set([1, 2, 3, 0xfe01, 5, 6, 7]);
  assertEquals(await back(shared, "bf16"), Uint16Array.from(shared), "shared memory");
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...kept),
      fc.uint16Array({ maxLength: 70 }),
      fc.nat(3),
      async (dtype, data, from) => {
        const view = data.subarray(Math.min(from, data.length));
        assertEquals(
          await back(view, dtype),
          view.slice(),
          `${dtype}, ${view.length} from ${from}`,
        );
      },
    ),
    { numRuns: 60, seed: 3 },
  );
});

webgpuTestOnce(suite, "all bit patterns survive a kernel, alone and by four", async (device) => {
  for (const dtype of short) {
    for (const size of [65536, 65535]) {
      const x = input(dtype, size),
        y = build.compute((e) => X.select(X.eq(e, 0.5), e, e), [x], dtype);
      const numbers = fromHost(everyBits.subarray(0, size), dtype);
      const flipped = build.flip(x, 0), graph = graphOf([x], [y, flipped]);
      const program = device.compile(graph);
      const from = device.allocate(size, dtype);
      const to = [0, 1].map(() => device.allocate(size, dtype));
      device.write(from, everyBits.slice(0, size), dtype);
      program.run([from], to);
      const [same, turned] = await Promise.all(to.map((s) => device.read(s, size, dtype)));
      const wrong = (got: ArrayLike<number>, want: (i: number) => number): number[] =>
        Array.from(fromHost(Uint16Array.from(got), dtype)).flatMap((g, i) =>
          Object.is(g, want(i)) ? [] : [i]
        );
      assertEquals(wrong(same!, (i) => numbers[i]!), [], `${dtype} of ${size}`);
      assertEquals(wrong(turned!, (i) => numbers[size - 1 - i]!), [], `${dtype} of ${size} turned`);
      program.destroy();
      [from, ...to].forEach((s) => device.free(s));
    }
  }
});

/** Every f16, the middles between them and their neighbours; what overflows, what vanishes. */
function hardToRound(): Float32Array {
  const word = new Float32Array(1), bits = new Uint32Array(word.buffer), out: number[] = [];
  for (let h = 0; h < 0x7c00; h++) {
    const x = fromF16(h), middle = h === 0x7bff ? 65520 : (x + fromF16(h + 1)) / 2;
    for (const step of [-1, 0, 1]) {
      word[0] = middle;
      bits[0]! += step;
      out.push(word[0]!, -word[0]!);
    }
    out.push(x, -x);
  }
  out.push(NaN, Infinity, -Infinity, 1e5, -1e5, 3e38, 1e-30, 2 ** -25, 2 ** -26);
  return Float32Array.from(out);
}

webgpuTestOnce(
  suite,
  "f16 of the device or by integers, every number is rounded right",
  async () => {
    const values = hardToRound(), x = input("f32", values.length);
    const rounded = build.cast(x, "f16"),
      graph = graphOf([x], [rounded, build.cast(rounded, "f32")]);
    const want = Array.from(values, (v) => fromF16(toF16(v)));
    for (const d of [{ ...halves }, { ...halves, roundsF16: false }, {}].map(deviceWith)) {
      const program = d.compile(graph), from = d.allocate(values.length, "f32");
      const to = [d.allocate(values.length, "f16"), d.allocate(values.length, "f32")];
      d.write(from, values, "f32");
      program.run([from], to);
      const half = fromHost(await d.read(to[0]!, values.length, "f16"), "f16");
      const full = await d.read(to[1]!, values.length, "f32");
      for (const got of [half, full]) {
        const wrong = want.findIndex((w, i) => !Object.is(w, got[i]));
        assertEquals(wrong, -1, `${values[wrong]} becomes ${got[wrong]}, not ${want[wrong]}`);
      }
      program.destroy();
      [from, ...to].forEach((s) => d.free(s));
    }
  },
);

webgpuTest(
  suite,
  "f16, bf16 and f32 in one kernel, odd sizes, in place and copied",
  async (device) => {
    for (const [m, n] of [[6, 8], [5, 7], [3, 1]] as const) {
      const a = input("f16", m, n), b = input("bf16", m, n), c = input("f32", m, n);
      const sum = build.compute((x, y, z) => X.add(X.mul(x, y), z), [a, b, c], "f16");
      const graph: Graph = {
        inputs: [a, b, c],
        outputs: [
          build.flip(sum, 1),
          build.compute((x, y) => X.sub(x, y), [b, c], "bf16"),
          build.reduce("sum", sum, [1]),
          build.cast(build.product(build.transpose(a), sum), "bf16"),
          build.reshape(build.transpose(c), [m, n]),
        ],
        // The second may be written in place, the others are copied.
        donations: new Map([[0, 0], [1, 1], [4, 2]]),
      };
      const inputs = graph.inputs.map((x, i) =>
        Float32Array.from(
          fromHost(
            toHost(Array.from({ length: m * n }, (_, j) => Math.sin(3 * j + i)), x.dtype),
            x.dtype,
          ),
        )
      );
      const want = evaluate(graph, inputs);
      const plan = makePlan(graph, { bindings: 8, fuse: true, ...halves });
      const got = await runPlan(device, graph, plan, inputs);
      got.forEach((g, o) => {
        const { dtype, shape } = graph.outputs[o]!, limit = dtype === "f16" ? 2 ** -9.9 : 2 ** -6.9;
        for (let i = 0; i < sizeOf(shape); i++) {
          const w = want[o]![i]!;
          assert(
            Math.abs(g[i]! - w) <= limit * Math.abs(w) + 2e-5,
            `output ${o}: ${g[i]}, not ${w}`,
          );
        }
      });
    }
  },
);

webgpuTestOnce(
  suite,
  "the search times products of short floats as classes of their own",
  async () => {
    const target: Target = {
        software: true,
        bindings: 8,
        scoreBytes: 0,
        bindingBytes: 2 ** 27,
        ...halves,
      },
      lines: string[] = [];
    const keeping = { file: undefined, key: "", report: (line: string) => void lines.push(line) };
    const choices = new Choices(target),
      device = new WebGpuDevice(gpu!, "x", target, choices, keeping);
    const names = new Set<string>();
    for (const dtype of ["f32", ...short] as const) {
      const x = input(dtype, 24, 24), graph = graphOf([x], [build.product(x, x)]);
      const [kernel] = makePlan(graph, { bindings: 8, fuse: true }).kernels;
      names.add(classOf(kernel as MatmulKernel));
      const program = device.compile(graph), before = choices.version;
      const [from, to] = [device.allocate(24 * 24, dtype), device.allocate(24 * 24, "f32")];
      program.run([from], [to]);
      await device.read(to, 24 * 24, "f32");
      assertEquals([choices.version - before, lines], [1, []], dtype);
      program.destroy();
      [from, to].forEach((s) => device.free(s));
    }
    assertEquals(names.size, 3);
    assertEquals(device.usage().storages, 0);
  },
);

interface Weights {
  readonly w: Tensor<[16, 24]>;
  readonly v: Tensor<[24, 4]>;
}

const SCALE = 256;

/** One step of a small network: weights and activations of f16; the scaled loss, sums and master weights of f32. */
function step(
  weights: Weights,
  x: Tensor<[7, 16]>,
  y: Tensor<[7, 4]>,
): readonly [Weights, Tensor<[]>] {
  const loss = ({ w, v }: Weights): Tensor<[]> => {
    const h = tanh(matmul(cast(x, "f16"), cast(w, "f16")));
    const error = sub(cast(matmul(h, cast(v, "f16")), "f32"), y);
    return mul(mean(mul(error, error)), SCALE);
  };
  const { value, grads: { w, v } } = valueAndGrad(loss)(weights), rate = 0.5 / SCALE;
  return [{ w: sub(weights.w, mul(w, rate)), v: sub(weights.v, mul(v, rate)) }, value];
}

webgpuTestOnce(
  suite,
  "training in f16 with weights kept in f32 follows the reference",
  async (device) => {
    const wave = (size: number, by: number, height = 1): Float32Array =>
      Float32Array.from({ length: size }, (_, i) => height * Math.sin(by * i + by));
    const x = fromArray(wave(7 * 16, 1.7), [7, 16]), y = fromArray(wave(7 * 4, 0.6), [7, 4]);
    const start: Weights = {
      w: fromArray(wave(16 * 24, 2.3, 0.3), [16, 24]),
      v: fromArray(wave(24 * 4, 3.1, 0.3), [24, 4]),
    };
    const train = async (on: Device) => {
      const one = jit(step, { device: on }), losses: number[] = [];
      let weights = start;
      for (let i = 0; i < 12; i++) {
        const [next, loss] = one(weights, x, y);
        losses.push(await readNumber(loss) / SCALE);
        weights = next;
      }
      return { losses, w: await read(weights.w), v: await read(weights.v) };
    };
    const got = await train(device), want = await train(reference());
    assert(got.losses.at(-1)! < got.losses[0]! / 2, `losses ${got.losses}`);
    for (const part of ["losses", "w", "v"] as const) {
      got[part].forEach((g, i) => {
        const w = want[part][i]!;
        assert(
          Math.abs(g - w) <= 2e-3 * Math.max(0.1, Math.abs(w)),
          `${part} ${i}: ${g}, not ${w}`,
        );
      });
    }
  },
);
