/**
 * What programs and values would take on a GPU.
 *
 * @module
 */
import type { Graph } from "../../device/device.ts";
import type { Planner } from "../../device/planner.ts";
import { explainPlan } from "../../plan/explain.ts";
import type { Plan } from "../../plan/plan.ts";
import { shared } from "./buffers.ts";
import type { Host } from "./program.ts";
import { linesOf, scratchSizes } from "./steps.ts";

/** The planner of a GPU. It has no capacity: WebGPU tells how large a buffer may be, not how many there may be. */
export function plannerOf(
  host: Pick<Host, "choices" | "memory" | "target">,
  planOf: (graph: Graph) => Plan,
): Planner {
  const { memory, target: { halves } } = host;
  return {
    storageBytes: (size, dtype) => memory.bytesFor(size, halves?.has(dtype) ? 2 : 4),
    plan(graph) {
      const plan = planOf(graph), sizes = scratchSizes(host, plan);
      return {
        ...explainPlan(plan, halves),
        lines: linesOf(host, plan),
        scratchBytes: sizes.reduce((sum, n) => sum + 4 * n, 0),
        workspace: sizes.map((n) => memory.bytesFor(n)),
      };
    },
    workspaceBytes(programs) {
      const blocks: number[] = [];
      for (const { workspace } of programs) {
        const taken = shared(workspace, blocks);
        blocks.push(...workspace.filter((_, slot) => taken[slot] === -1));
      }
      return blocks.reduce((sum, bytes) => sum + bytes, 0);
    },
  };
}
