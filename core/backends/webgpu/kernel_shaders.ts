/**
 * The shaders of a kernel, or of a part of one.
 *
 * @module
 */
import { attentionShaders } from "./attention.ts";
import type { SlotOf } from "./bindings.ts";
import { columnShader } from "./column.ts";
import { gatherShader, scatterShaders } from "./gather_scatter.ts";
import { type MatmulChoice, matmulShaders } from "./matmul.ts";
import type { MatmulPart, Part } from "./part.ts";
import { placeShaders } from "./place.ts";
import { rowShader } from "./row.ts";
import type { Shader, Target } from "./shader.ts";

/** What the shaders of kernels are made for. */
export interface Making {
  readonly target: Target;
  readonly slotOf: SlotOf;
  /** The slot of memory that a kernel's own dispatches hand each other. */
  readonly temporary: number;
  readonly choiceOf: (k: MatmulPart) => MatmulChoice;
}

/** One dispatch each, in order. */
export function shadersOf(k: Part, { target, slotOf, temporary, choiceOf }: Making): Shader[] {
  switch (k.kind) {
    case "row":
      return [rowShader(k, slotOf, target)];
    case "column":
      return [columnShader(k, slotOf, target)];
    case "matmul":
      return matmulShaders(k, slotOf, choiceOf(k), target, temporary);
    case "gather":
      return [gatherShader(k, slotOf, target)];
    case "scatter":
      return scatterShaders(k, slotOf, target);
    case "place":
      return placeShaders(k, slotOf, target);
    case "hand":
      return attentionShaders(k, slotOf, target, temporary);
  }
}
