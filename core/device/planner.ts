/**
 * What a device says before it does anything: how much memory programs and values would take there.
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import type { Graph, PlanFigures } from "./device.ts";

/** A program that is planned, not compiled. */
export interface PlannedProgram extends PlanFigures {
  /**
   * Bytes of every buffer beside inputs and results that a run needs: intermediate results, after reuse, and what kernels need
   * for themselves.
   */
  readonly workspace: readonly number[];
}

/** Allocates nothing on the device and generates no code. */
export interface Planner {
  /** Bytes that the device can hold, where it knows. */
  readonly capacity?: number;
  /**
   * Bytes of a storage of `size` elements.
   *
   * @throws {DeviceError} if no storage can be so large, whatever else is on the device.
   */
  storageBytes(size: number, dtype: DType): number;
  /** What a graph's program would be. */
  plan(graph: Graph): PlannedProgram;
  /** The most bytes that the workspaces of these programs take together, run in this order and then again and again. */
  workspaceBytes(programs: readonly PlannedProgram[]): number;
}
