/**
 * What a run does that has diverged: it goes back to its newest sound checkpoint, and on from there more slowly and another way.
 *
 * `rollbacks.jsonl` in the run's folder keeps what happened: the rows of the steps that were thrown away are dropped.
 *
 * @module
 */
import { join } from "@std/path";
import { checkpointPath, dropAfter } from "../run/checkpoint.ts";
import { readRows, type Row } from "../run/rows.ts";
import type { PretrainConfig } from "./config.ts";
import { DivergedError } from "../cli/diverged_error.ts";
import { afterRollbacks, type Health, ROLLBACKS } from "./guard.ts";

/** A run that has diverged. */
export interface Diverged {
  /** The run's folder. */
  readonly out: string;
  readonly health: Health;
  /** The configuration of its stage, before any rollback. */
  readonly config: PretrainConfig;
  /** Rollbacks so far. */
  readonly rollbacks: number;
}

/** What a rollback leaves. */
export interface RolledBack {
  /** The step of the checkpoint to go on from; undefined where the run begins again. */
  readonly step: number | undefined;
  /** What happened, in a line. */
  readonly line: string;
  /** The same as a row. */
  readonly row: Row;
}

const FILE = "rollbacks.jsonl";

/** The rollbacks of a run. */
export const rollbacksOf = (out: string): Promise<readonly Row[]> => readRows(join(out, FILE));

/**
 * Removes the checkpoints that are not sound, and says where to go on.
 *
 * @throws DivergedError after the last rollback.
 */
export async function rollBack(
  { out, health, config, rollbacks }: Diverged,
): Promise<RolledBack> {
  const { step: at, good, diverged = "it is not sound" } = health;
  const isLast = rollbacks === ROLLBACKS, number = isLast ? rollbacks : rollbacks + 1;
  const step = await dropAfter(out, good, number);
  const rate = (n: number): number => afterRollbacks(config, n).optimizer.rate;
  if (isLast) {
    const left = step === undefined ? "it has no sound checkpoint" : checkpointPath(out, step);
    throw new DivergedError(
      `Cannot go on with ${config.name}: at step ${at} ${diverged}, after ${ROLLBACKS} rollbacks and with a rate of ${
        rate(number)
      } (${
        rate(0)
      } at first); lower optimizer.rate, raise optimizer.warmup or look for broken text; ` +
        `last sound checkpoint: ${left}`,
    );
  }
  const back = step === undefined ? "the beginning" : `step ${step}`;
  const line = `step ${at}: ${diverged}; back to ${back} with a rate of ${
    rate(number)
  } and another order of the data (rollback ${number} of ${ROLLBACKS})`;
  const row = { step: at, rollback: number, to: step ?? 0, rate: rate(number), why: diverged };
  await Deno.writeTextFile(join(out, FILE), JSON.stringify(row) + "\n", { append: true });
  return { step, line, row };
}
