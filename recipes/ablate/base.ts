/**
 * The model that all ablations start from: two layers that learn something in a minute on two cores.
 *
 * @module
 */
import { configurations, type PretrainConfig } from "../pretrain/config.ts";
import { changed } from "../pretrain/load_config.ts";

/** Rows of a curve. */
const ROWS = 20;

/** The base, of so many steps. Nothing is evaluated or saved on the way. */
export function baseConfig(steps: number, seed: number): PretrainConfig {
  return changed(configurations["motian-tiny"]!, [
    "name=ablate",
    `steps=${steps}`,
    `seed=${seed}`,
    "evalEvery=0",
    "checkpointEvery=0",
    `logEvery=${Math.max(1, Math.floor(steps / ROWS))}`,
  ]);
}
