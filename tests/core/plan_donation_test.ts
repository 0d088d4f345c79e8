/** Steps whose new state reads the old state in every awkward way: donation changes no value, and copies only where it must. */
import { assertEquals, assertThrows } from "@std/assert";
import * as X from "../../core/expr/expr.ts";
import * as build from "../../core/graph/build.ts";
import type { Node } from "../../core/graph/node.ts";
import { makePlan } from "../../core/plan/make_plan.ts";
import { checkPlan, graphOf } from "./plan_check.ts";
import { input, softmax, sumAll, sumLast } from "./plan_models.ts";

const { add, compute, mul, product, transpose } = build;
const total = (x: Node): Node => build.broadcastTo(sumAll(x), x.shape);
const column = (x: Node): Node => build.reduce("sum", x, [0]);
const backwards = (x: Node): Node =>
  build.slice(x, x.shape.map((n) => n - 1), x.shape, x.shape.map(() => -1));

/** New a and b from the old ones, and the copies that the plan may need. */
const awkward: Record<string, readonly [(a: Node, b: Node) => readonly [Node, Node], number]> = {
  "in place": [(a, b) => [compute(X.tanh, [a]), add(b, b)], 0],
  "with each other": [(a, b) => [add(a, b), mul(a, b)], 0],
  "swap": [(a, b) => [b, a], 1],
  "unchanged": [(a, b) => [a, b], 0],
  "one unchanged, one the same": [(a) => [a, a], 0],
  "transposed": [(a, b) => [transpose(a), add(a, b)], 1],
  "backwards": [(a, b) => [backwards(a), backwards(b)], 2],
  "rows of itself": [(a, b) => [add(a, sumLast(a)), mul(b, sumLast(a))], 0],
  "columns of itself": [(a, b) => [add(a, column(a)), mul(b, transpose(a))], 0],
  "all of itself": [(a, b) => [add(a, total(b)), add(b, total(a))], 0],
  "softmax of itself": [(a, b) => [softmax(a), softmax(add(a, b))], 0],
  "product of itself": [(a, b) => [product(a, b), add(product(b, a), a)], 1],
  "constant": [(a, b) => [build.full([4, 4], 3), add(b, mul(a, a))], 0],
  "chain through both": [(a, b) => {
    const c = product(a, b), d = product(c, a);
    return [add(c, d), add(d, b)];
  }, 0],
  "each other's rows": [(a, b) => [add(a, sumLast(b)), add(b, column(a))], 0],
  "gather of itself": [(a, b) => {
    const ids = compute((e) => X.cast(e, "i32"), [build.slice(build.reshape(b, [16]), [0], [4])]);
    return [build.gather(a, ids), add(a, b)];
  }, 1],
};

for (const [name, [f, copies]] of Object.entries(awkward)) {
  Deno.test(`donation: ${name}`, () => {
    const a = input(4, 4), b = input(4, 4), [p, q] = f(a, b);
    const graph = graphOf([p, q, sumAll(p)], [a, b], [[0, 0], [1, 1]]);
    for (const fuse of [true, false]) checkPlan(graph, makePlan(graph, { fuse, bindings: 8 }));
    // Crossed: every result takes the other's memory.
    const crossed = graphOf([p, q], [a, b], [[0, 1], [1, 0]]);
    checkPlan(crossed, makePlan(crossed, { fuse: true, bindings: 8 }));
    for (const bindings of [3, 4]) checkPlan(graph, makePlan(graph, { fuse: true, bindings }));
    assertEquals(makePlan(graph, { fuse: true, bindings: 8 }).copies.length <= copies, true);
  });
}

Deno.test("a row value is not written over what its row reads", () => {
  const x = input(4, 6), rows = input(4, 1), sums = sumLast(mul(x, rows));
  const graph = graphOf([sums, add(x, rows)], [x, rows], [[0, 1], [1, 0]]);
  const plan = makePlan(graph, { fuse: true, bindings: 8 });
  checkPlan(graph, plan);
});

Deno.test("an optimiser's step updates parameters and moments in place, reads and writes counted once", () => {
  const [w, g, m, v] = [input(64, 32), input(64, 32), input(64, 32), input(64, 32)];
  const n = compute((a, b) => X.add(X.mul(a, 0.9), X.mul(b, 0.1)), [m, g]);
  const u = compute((a, b) => X.add(X.mul(a, 0.99), X.mul(X.mul(b, b), 0.01)), [v, g]);
  const p = compute((a, b, c) => X.sub(a, X.div(b, X.add(X.sqrt(c), 1e-6))), [w, n, u]);
  const graph = graphOf([p, n, u], [w, g, m, v], [[0, 0], [1, 2], [2, 3]]);
  const plan = makePlan(graph, { fuse: true, bindings: 4 });
  checkPlan(graph, plan);
  assertEquals([plan.kernels.length, plan.copies.length], [1, 0]);
  assertEquals(plan.slots.every((s) => s.role === "input"), true);
});

Deno.test("results that only share what they read are made together: moments of one gradient", () => {
  const [g, m, v] = [input(64), input(64), input(64)];
  const n = compute((a, b) => X.add(X.mul(a, 0.9), X.mul(b, 0.1)), [m, g]);
  const u = compute((a, b) => X.add(X.mul(a, 0.99), X.mul(X.mul(b, b), 0.01)), [v, g]);
  const graph = graphOf([n, u], [g, m, v], [[0, 1], [1, 2]]);
  const plan = makePlan(graph, { fuse: true, bindings: 3 });
  checkPlan(graph, plan);
  assertEquals([plan.kernels.length, plan.copies.length], [1, 0]);
});

Deno.test("one input cannot be given to two outputs", () => {
  const a = input(2), graph = graphOf([add(a, a), mul(a, a)], [a], [[0, 0], [1, 0]]);
  assertThrows(
    () => makePlan(graph, { fuse: true, bindings: 8 }),
    RangeError,
    "Cannot donate input 0 twice",
  );
});
