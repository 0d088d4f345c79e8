/**
 * What every stage of the corpus is given.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Interrupt } from "../cli/main.ts";
import type { ProgressView } from "../cli/progress.ts";

/** How a stage is run. None of it changes its result. */
export interface StageOptions {
  readonly out: string;
  readonly workers: number;
  readonly view: ProgressView;
  readonly interrupt: Interrupt;
}

/** A hash of all that a stage's result hangs on. */
export function stageKey(...parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
