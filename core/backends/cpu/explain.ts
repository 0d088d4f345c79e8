/**
 * Figures and one line a kernel, for people.
 *
 * @module
 */
import type { Explanation } from "../../device/device.ts";
import { type Node, show, type Sizes } from "../../graph/node.ts";
import { type Kernel, operandsOf, writesOf } from "../../plan/kernels.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Assembled } from "./program.ts";

const many = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;
const space = (sizes: Sizes, ...last: number[]): string => show([...sizes, ...last]);

function workOf(k: Kernel): string {
  switch (k.kind) {
    case "row":
      return `row ${space(k.outer, k.inner)}, ${many(k.reductions.length, "reduction")}`;
    case "column":
      return `column ${k.combine} ${space(k.rows, k.columns)}`;
    case "matmul":
      return `matmul ${space(k.batch, k.m, k.k)} by ${space(k.batch, k.k, k.n)}`;
    case "gather":
      return `gather ${space(k.groups, ...k.count)} of ${k.size} rows ${show(k.row)}`;
    case "scatter":
      return `scatter ${space(k.groups, ...k.count)} into ${k.size} rows ${show(k.row)}`;
    case "place":
      return `place ${many(k.parts.length, "part")} in ${show(k.shape)}`;
    case "hand":
      return `${k.does.op} ${show([k.does.B, k.does.H, k.does.T, k.does.K])}`;
  }
}

export function explain(
  plan: Plan,
  code: Assembled,
  planMs: number,
  codegenMs: number,
): Explanation {
  const name = (n: Node): string => {
    if (n.kind === "iota") return "counter";
    const { role, index } = plan.slots[plan.slotOf.get(n)!]!;
    return `${role} ${index}`;
  };
  const lines = plan.kernels.map((k) => {
    const reads = [...new Set(operandsOf(k).map((o) => name(o.base)))];
    return `${workOf(k)}: ${reads.join(", ") || "nothing"} -> ${writesOf(k).map(name).join(", ")}`;
  });
  return {
    kernels: plan.kernels.length,
    scratchBytes: code.scratchBytes,
    planMs,
    codegenMs,
    lines,
  };
}
