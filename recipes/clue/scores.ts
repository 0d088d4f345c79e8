/**
 * Values of metrics.
 *
 * @module
 */
import type { Scores } from "./task.ts";

/** The first of a task's metrics, which decides. */
export const mainScore = (scores: Scores): number => Object.values(scores)[0]!;

/** Values in words. */
export function scoreText(scores: Scores): string {
  return Object.entries(scores).map(([name, value]) => `${name} ${value.toFixed(2)}`).join(", ");
}
