/**
 * What the files of a run lack, though its step is taken: who led was ended before it had written it, and another process goes on from
 * there.
 *
 * @module
 */
import { bestOf } from "../run/kept_checkpoints.ts";
import type { Row } from "../run/rows.ts";
import { isDue } from "./is_due.ts";
import type { Kept } from "./kept.ts";
import type { Stage } from "./stages.ts";

/** The newest row of a process that followed, where it is not among the written ones, which end at step `reached`. */
export function owedRow(
  { row }: Pick<Kept, "row">,
  written: readonly Row[],
  reached: number,
): Row | undefined {
  const last = written.at(-1)?.step ?? 0;
  return row && row.step > last && row.step <= reached ? row : undefined;
}

/** What is there of a run. */
export interface Found {
  readonly evaluations: readonly Row[];
  /** Steps of its checkpoints. */
  readonly saved: ReadonlySet<number>;
}

/** The stage of a run's newest step, where an evaluation or a checkpoint that was due after it is not there. */
export function owingStage(
  stages: readonly Stage[],
  step: number,
  { evaluations, saved }: Found,
): Stage | undefined {
  const stage = stages.findLast(({ offset }) => offset < step);
  if (!stage) return undefined;
  const { evalEvery, checkpointEvery, steps } = stage.config, taken = step - stage.offset;
  const isWanted = (every: number): boolean => isDue(taken, every) || every > 0 && taken === steps;
  const isEvaluated = !isWanted(evalEvery) || evaluations.some((row) => row.step === step);
  const isBest = checkpointEvery > 0 && bestOf(evaluations, [...saved, step])?.step === step;
  const isSaved = !isWanted(checkpointEvery) && !isBest || saved.has(step);
  return isEvaluated && isSaved ? undefined : stage;
}
