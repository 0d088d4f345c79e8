/**
 * The shaders of a kernel, and a line about it for people.
 *
 * @module
 */
import { sizeOf } from "../../graph/node.ts";
import {
  type HandKernel,
  type Kernel,
  type MatmulKernel,
  readsOf,
  writesOf,
} from "../../plan/kernels.ts";
import type { SlotOf } from "./bindings.ts";
import { columnShader } from "./column.ts";
import { gatherShader, scatterShader } from "./gather_scatter.ts";
import { type MatmulChoice, matmulShaders } from "./matmul.ts";
import { placeShaders } from "./place.ts";
import { rowShader } from "./row.ts";
import type { Shader, Target } from "./shader.ts";

/** What the shaders of kernels are made for. */
export interface Making {
  readonly target: Target;
  readonly slotOf: SlotOf;
  /** The slot of memory that a kernel's own dispatches hand each other. */
  readonly temporary: number;
  readonly choiceOf: (k: MatmulKernel) => MatmulChoice;
}

/** One dispatch each, in order. */
export function shadersOf(k: Kernel, { target, slotOf, temporary, choiceOf }: Making): Shader[] {
  switch (k.kind) {
    case "row":
      return [rowShader(k, slotOf, target)];
    case "column":
      return [columnShader(k, slotOf, target)];
    case "matmul":
      return matmulShaders(k, slotOf, choiceOf(k), target, temporary);
    case "gather":
      return [gatherShader(k, slotOf)];
    case "scatter":
      return [scatterShader(k, slotOf, target)];
    case "place":
      return placeShaders(k, slotOf, target);
    case "hand":
      throw unknownKernel(k);
  }
}

/** The planner hands out only what the device said it has. */
function unknownKernel({ does }: HandKernel): TypeError {
  return new TypeError(`Cannot run ${does.op}: webgpu has no such kernel`);
}

function sizesText(k: Kernel): string {
  const list = (sizes: readonly number[]): string => `[${sizes.join(", ")}]`;
  switch (k.kind) {
    case "row": {
      const combined = k.reductions.map((r) => ` ${r.combine}`).join("");
      return `${list([...k.outer, k.inner])}${combined}`;
    }
    case "column":
      return `${list([...k.rows, k.columns])} ${k.combine}`;
    case "matmul":
      return `${list(k.batch)} ${k.m}x${k.k} by ${k.k}x${k.n}`;
    case "gather":
    case "scatter":
      return `${list([...k.groups, ...k.count])} of ${k.size} rows ${list(k.row)}`;
    case "place":
      return `${k.parts.length} into ${list(k.shape)}`;
    case "hand":
      throw unknownKernel(k);
  }
}

/** "row [512, 128] max sum: reads 2 (256 KiB), writes 1 (256 KiB)" */
export function kernelLine(k: Kernel): string {
  const reads = [...new Set(readsOf(k))], writes = writesOf(k);
  const bytes = (nodes: typeof writes): string => {
    const total = nodes.reduce((a, n) => a + 4 * sizeOf(n.shape), 0);
    return `${nodes.length} (${Math.ceil(total / 1024)} KiB)`;
  };
  return `${k.kind} ${sizesText(k)}: reads ${bytes(reads)}, writes ${bytes(writes)}`;
}
