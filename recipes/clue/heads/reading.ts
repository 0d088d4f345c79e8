/**
 * What of a row a decision is made from.
 *
 * @module
 */
import type { Tensor } from "../../../core/mod.ts";
import type { LinearSpec, TensorsOf } from "../../../nn/mod.ts";
import type { HeadInputs } from "./head.ts";

/** The map of what is looked at: D numbers, which depend on the model's width. */
export type ReadingSpec = LinearSpec<"D", "C">;

/** A way to make one vector of a row. */
export interface Reading {
  readonly spec: (width: number) => ReadingSpec;
  /** Shapes: hidden [B, T, C] -> [B, C]. */
  readonly read: (map: TensorsOf<ReadingSpec>, inputs: HeadInputs) => Tensor<["B", "C"]>;
}
