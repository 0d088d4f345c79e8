/**
 * A part of what a task has to learn from.
 *
 * @module
 */
import { draws, permutation, USES } from "../masking/counter_random.ts";
import type { TaskData } from "./run_task.ts";

/** The same data with so many units to learn from at most, drawn without regard to any seed: all seeds learn from the same ones. */
export function someUnits(data: TaskData, most = Infinity): TaskData {
  const { train } = data, { length } = train.units;
  if (length <= most) return data;
  const chosen = Array.from(permutation(length, draws(0, USES.units, 0, 0))).slice(0, most);
  const units = chosen.sort((a, b) => a - b).map((at) => train.units[at]!);
  return { ...data, train: { ...train, units, count: most } };
}
