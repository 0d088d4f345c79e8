/** Sums down the rows that a row kernel adds up beside its other work, on backends whose limits allow it. */
import { assertEquals } from "@std/assert";
import {
  add,
  type AnyTensor,
  div,
  fromArray,
  jit,
  layerNorm,
  mean,
  mul,
  read,
  reference,
  sqrt,
  sub,
  sum,
  tensor,
  toDevice,
  vjp,
} from "../../core/mod.ts";
import { createDevice } from "../../core/backends/cpu/device.ts";
import * as X from "../../core/expr/expr.ts";
import * as build from "../../core/graph/build.ts";
import type { Node } from "../../core/graph/node.ts";
import { makePlan } from "../../core/plan/make_plan.ts";
import { pullback } from "../../core/transform/pullback.ts";
import { checkPlan, graphOf } from "./plan_check.ts";
import { gelu, input, layerNorm as layerNormNode } from "./plan_models.ts";

/** The kernels of a plan with sums, which is also checked. */
function kernelsOf(outputs: readonly Node[], inputs: readonly Node[]) {
  const graph = graphOf(outputs, inputs);
  const plan = makePlan(graph, { fuse: true, bindings: 8, sums: true });
  checkPlan(graph, plan, 1e-3);
  return plan.kernels;
}

Deno.test("row sums: a sum down the rows joins the kernel that makes or reads them", () => {
  const x = input(300, 72), y = input(300, 72), z = build.mul(gelu(x), y);
  const down = (n: Node): Node => build.reduce("sum", n, [0]);
  const kinds = (...outputs: Node[]) => kernelsOf(outputs, [x, y]).map((k) => k.kind);
  assertEquals(kinds(z, down(z)), ["row", "column"]);
  assertEquals(kinds(down(z), down(y)), ["row", "column", "column"]);
  assertEquals(kinds(down(x)), ["row", "column"]);
  assertEquals(kinds(build.reduce("max", z, [0])), ["column"], "sums alone");
  const few = input(255, 72), narrow = input(300, 60);
  assertEquals(kernelsOf([down(few)], [few]).map((k) => k.kind), ["column"]);
  assertEquals(kernelsOf([down(narrow)], [narrow]).map((k) => k.kind), ["column"]);
});

Deno.test("row sums: several axes of rows, turned or repeated", () => {
  const x = input(5, 67, 64), row = input(64), rows = input(5, 67, 1), turned = input(67, 5, 64);
  const z = build.mul(build.mul(x, row), build.mul(rows, build.permute(turned, [1, 0, 2])));
  const kernels = kernelsOf([z, build.reduce("sum", z, [0, 1])], [x, row, rows, turned]);
  assertEquals(kernels.map((k) => k.kind), ["row", "column"]);
});

Deno.test("row sums: reductions wait for the phase that reads what they read", () => {
  const x = input(256, 64), g = input(64), b = input(64), ct = input(256, 64);
  const found = pullback([layerNormNode(x, g, b)], [ct], [x, g, b]).map((n) => n!);
  assertEquals(kernelsOf(found, [x, g, b, ct]).map((k) => k.kind), ["row", "column", "column"]);
  const last = (n: Node): Node => build.reduce("sum", n, [1]);
  const c = build.compute(X.sub, [x, last(x)]), other = last(ct);
  const y = build.compute((c, s, t) => X.mul(c, X.add(s, t)), [c, last(build.mul(c, ct)), other]);
  const kernel = kernelsOf([y], [x, ct])[0]!;
  assertEquals(kernel.kind === "row" && kernel.reductions.map((r) => r.phase), [0, 1, 1]);
});

const values = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => ((i * 7919 + seed * 31) % 1013) / 200 - 2.5);
const thresholds = { pool: 0, serial: 0 };
const devices = [createDevice(1), createDevice(3, { thresholds })];
type Program = (...inputs: AnyTensor[]) => AnyTensor[];

async function on(
  device: Parameters<typeof toDevice>[1],
  f: Program,
  inputs: readonly AnyTensor[],
  donate: number[] = [],
): Promise<number[][]> {
  const results = jit(f, { device, donate })(...await toDevice([...inputs], device));
  return await Promise.all(results.map(async (r) => [...await read(r) as Float32Array]));
}

Deno.test("row sums: the same bits alone, beside other work, over an input, on any number of threads", async () => {
  for (const [rows, width] of [[256, 64], [300, 67], [1000, 130]] as const) {
    const inputs = () =>
      [1, 2].map((s) => fromArray(values(rows * width, s), [rows, width]) as AnyTensor);
    const alone: Program = (x, y) => [sum(mul(x!, y!), 0)];
    const beside: Program = (x, y) => {
      const z = mul(x!, y!);
      return [sub(z, mean(z, 1, { keepdims: true })), sum(z, 0)];
    };
    const [want] = await on(devices[0]!, alone, inputs());
    const [x, y] = [values(rows * width, 1), values(rows * width, 2)];
    want!.forEach((w, j) => {
      let exact = 0;
      for (let i = j; i < rows * width; i += width) exact += x[i]! * y[i]!;
      if (Math.abs(w - exact) > 1e-5 * rows) {
        throw new RangeError(`Column ${j}: ${w}, not ${exact}`);
      }
    });
    for (const device of devices) {
      assertEquals(await on(device, alone, inputs()), [want]);
      for (const donate of [[], [0]]) {
        assertEquals((await on(device, beside, inputs(), donate))[1], want);
      }
    }
  }
});

/** What `layerNorm` does, by ops that have their own rules. */
const composed = (x: AnyTensor, g: AnyTensor, b: AnyTensor): AnyTensor => {
  const c = sub(x, mean(x, 1, { keepdims: true }));
  const spread = mean(mul(c, c), 1, { keepdims: true });
  return add(mul(div(c, sqrt(add(spread, 1e-5))), g), b);
};

Deno.test("layerNorm's cotangents are those of its composite, of the second order too", async () => {
  const [rows, width] = [300, 66];
  const inputs = () => [
    ...[1, 2].map((s) => fromArray(values(rows * width, s), [rows, width]) as AnyTensor),
    ...[3, 4].map((s) => fromArray(values(width, s), [width]) as AnyTensor),
  ];
  const own = (x: AnyTensor, g: AnyTensor, b: AnyTensor): AnyTensor => layerNorm(x, g, b);
  for (const order of [1, 2]) {
    const program = (f: typeof own): Program => (x, ct, g, b) => {
      const first = (x: AnyTensor, g: AnyTensor, b: AnyTensor) => vjp(f, x, g, b)[1](ct!);
      if (order === 1) return [...first(x!, g!, b!)];
      const size = (x: AnyTensor): AnyTensor => {
        const [dx, dg, db] = first(x, g!, b!);
        return add(add(sum(mul(dx, dx)), sum(mul(dg, dg))), sum(mul(db, db)));
      };
      return [...vjp(size, x!)[1](tensor(1))];
    };
    const want = await on(reference(), program(composed), inputs());
    const most = want.map((part) => Math.max(...part.map(Math.abs)));
    for (const device of [reference(), ...devices]) {
      (await on(device, program(own), inputs())).forEach((part, k) =>
        part.forEach((v, i) => {
          const w = want[k]![i]!;
          if (Math.abs(v - w) <= 1e-5 * most[k]!) return;
          throw new RangeError(`Order ${order}, result ${k}, element ${i}: ${v}, not ${w}`);
        })
      );
    }
  }
});
