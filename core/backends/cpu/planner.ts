/**
 * What programs and values would take on a cpu device.
 *
 * @module
 */
import type { Graph } from "../../device/device.ts";
import { DeviceError } from "../../device/error.ts";
import type { Planner } from "../../device/planner.ts";
import { explainPlan } from "../../plan/explain.ts";
import type { Plan } from "../../plan/plan.ts";
import { HALVES, widthOf } from "./access.ts";
import { ALIGN, type Heap, PAGE } from "./memory.ts";
import { type AssembleOptions, workspaceOf } from "./program.ts";

/** Whole blocks of the heap. */
const rounded = (bytes: number): number => Math.max(ALIGN, Math.ceil(bytes / ALIGN) * ALIGN);

/** The planner of a device with this heap, whose programs are assembled like this. */
export function plannerOf(
  { maximum }: Pick<Heap, "maximum">,
  options: AssembleOptions,
  planOf: (graph: Graph) => Plan,
): Planner {
  const capacity = maximum * PAGE;
  return {
    capacity,
    storageBytes(size, dtype) {
      const bytes = rounded(size * widthOf(dtype));
      if (bytes < capacity) return bytes;
      throw new DeviceError(
        `Cannot put a tensor of ${size} elements on the cpu device: it holds at most ${capacity} bytes`,
        "limit",
      );
    },
    plan(graph) {
      const plan = planOf(graph), { scratchBytes, threadBytes } = workspaceOf(plan, options);
      return {
        ...explainPlan(plan, HALVES),
        scratchBytes,
        workspace: [scratchBytes, options.threads * threadBytes],
      };
    },
    workspaceBytes(programs) {
      // Each part is shared by all, and given up for a larger one only when the program that uses it has run.
      const held: number[] = [];
      let peak = 0;
      for (const { workspace } of programs) {
        workspace.forEach((bytes, part) => {
          const before = held[part] ?? 0;
          if (bytes <= before) return;
          held[part] = rounded(bytes);
          peak = Math.max(peak, before + held.reduce((sum, n) => sum + n, 0));
        });
      }
      return peak;
    },
  };
}
