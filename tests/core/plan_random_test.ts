/** Plans of random graphs compute what the reference computes, fused or not, in any order of a kernel's elements. */
import fc from "npm:fast-check@4.10.2";
import { makePlan } from "../../core/plan/make_plan.ts";
import { checkPlan } from "./plan_check.ts";
import { randomGraph } from "./random_graph.ts";

const settings = [[false, 8], [true, 8], [true, 4]] as const;
for (const [fuse, bindings] of settings) {
  Deno.test(`random graphs, fuse ${fuse}, ${bindings} bindings`, () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1 << 16), { minLength: 20, maxLength: 240 }), (numbers) => {
        let at = 0;
        const draw = (n: number): number => numbers[at++ % numbers.length]! % n;
        const graph = randomGraph(draw, Math.ceil(numbers.length / 6));
        checkPlan(graph, makePlan(graph, { fuse, bindings }));
      }),
      { numRuns: 300, seed: 7 },
    );
  });
}
