/**
 * Which checkpoints of a run stay: the last few, and the best.
 *
 * @module
 */
import { join } from "@std/path";
import { checkpointPath, checkpointSteps, FOLDER } from "./checkpoint.ts";
import type { Row } from "./rows.ts";
import { writeWhole } from "./write_whole.ts";

/** The checkpoint of the lowest held-out perplexity; `checkpoints/best.json` holds it. */
export interface Best {
  readonly step: number;
  readonly mlm_ppl: number;
}

/** What stays. */
export interface Keep {
  /** So many of the newest; 0: all. */
  readonly newest: number;
  /** The run's evaluations so far. */
  readonly evaluations: readonly Row[];
  /** The newest checkpoint up to this step stays: the run may have to go back to it. */
  readonly good: number;
}

const BEST = "best.json";

/**
 * The best of the checkpoints after these steps. Perplexities of stages are of sequences of unlike lengths, so only the newest stage
 * with an evaluated checkpoint counts.
 */
export function bestOf(evaluations: readonly Row[], steps: readonly number[]): Best | undefined {
  const there = new Set(steps);
  const found = evaluations.filter(({ step, mlm_ppl }) =>
    there.has(step) && typeof mlm_ppl === "number" && Number.isFinite(mlm_ppl)
  );
  const stage = found.at(-1)?.stage;
  return found
    .filter((row) => row.stage === stage)
    .map(({ step, mlm_ppl }) => ({ step, mlm_ppl: mlm_ppl as number }))
    .reduce<Best | undefined>((a, b) => a && a.mlm_ppl <= b.mlm_ppl ? a : b, undefined);
}

/** Where the best checkpoint of a run is; undefined where none was evaluated. */
export async function bestCheckpoint(run: string): Promise<Best | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(join(run, FOLDER, BEST)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Notes the best checkpoint of a run, then removes those that need not stay. To be called when the newest one is whole. */
export async function keepCheckpoints(
  run: string,
  { newest, evaluations, good }: Keep,
): Promise<void> {
  const steps = await checkpointSteps(run), best = bestOf(evaluations, steps);
  const path = join(run, FOLDER, BEST);
  if (best) await writeWhole(path, JSON.stringify(best, null, 2) + "\n");
  else await Deno.remove(path).catch(() => {});
  if (newest === 0) return;
  const sound = steps.findLast((step) => step <= good);
  const kept = new Set([...steps.slice(-newest), sound, best?.step]);
  for (const step of steps) {
    if (!kept.has(step)) await Deno.remove(checkpointPath(run, step), { recursive: true });
  }
}
