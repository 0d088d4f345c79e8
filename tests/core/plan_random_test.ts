/** Plans of random graphs compute what the reference computes, fused or not, in any order of a kernel's elements. */
import fc from "npm:fast-check@4.10.2";
import { evaluate } from "../../core/backends/reference/mod.ts";
import type { Graph } from "../../core/device/device.ts";
import { sizeOf } from "../../core/graph/node.ts";
import { makePlan } from "../../core/plan/make_plan.ts";
import { interpret } from "./plan_interpreter.ts";
import { randomGraph } from "./random_graph.ts";

function values(size: number, seed: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => Math.sin(1 + 7.3 * i + seed) * 2);
}

function assertClose(got: ArrayLike<number>, want: ArrayLike<number>, what: string): void {
  Array.from(want).forEach((w, i) => {
    const g = got[i]!;
    if (Object.is(g, w) || Math.abs(g - w) <= 2e-4 * Math.max(1, Math.abs(w))) return;
    throw new RangeError(`${what}: element ${i} is ${g}, not ${w}`);
  });
}

function check(graph: Graph, fuse: boolean, bindings: number): void {
  const inputs = graph.inputs.map((n, i) => values(sizeOf(n.shape), i));
  const want = evaluate(graph, inputs);
  const plan = makePlan(graph, { fuse, bindings });
  for (const backwards of [false, true]) {
    const got = interpret(graph, plan, inputs, backwards);
    got.forEach((g, i) => assertClose(g, want[i]!, `output ${i}`));
  }
}

for (const [fuse, bindings] of [[false, 8], [true, 8], [true, 4]] as const) {
  Deno.test(`random graphs, fuse ${fuse}, ${bindings} bindings`, () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1 << 16), { minLength: 20, maxLength: 240 }), (numbers) => {
        let at = 0;
        const draw = (n: number): number => numbers[at++ % numbers.length]! % n;
        check(randomGraph(draw, Math.ceil(numbers.length / 6)), fuse, bindings);
      }),
      { numRuns: 300, seed: 7 },
    );
  });
}
