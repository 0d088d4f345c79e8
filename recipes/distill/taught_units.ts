/**
 * Units that have what a teacher answers beside what is right.
 *
 * @module
 */
import type { Unit } from "../clue/unit.ts";

/** The same units with a teacher's outputs. Rows are made when asked for, as they were: all of them at once may be gigabytes. */
export function taughtUnits(
  units: readonly Unit[],
  outputs: readonly Float32Array[],
): readonly Unit[] {
  return units.map((unit, n): Unit => ({
    get rows() {
      return unit.rows;
    },
    target: unit.target,
    soft: outputs[n]!,
  }));
}
