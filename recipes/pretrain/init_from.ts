/**
 * Where a run begins that goes on with another run's weights, on other text.
 *
 * Source: Gururangan et al. 2020 (arXiv 2004.10964): pretraining goes on, on text of the domain (DAPT) or of the task (TAPT).
 *
 * @module
 */
import { dirname, join, resolve } from "@std/path";
import { exists } from "@std/fs";
import { InputError } from "../cli/input_error.ts";
import { checkpointPath, checkpointSteps } from "../run/checkpoint.ts";
import { bestCheckpoint } from "../run/kept_checkpoints.ts";
import { readRun } from "../run/run_folder.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import type { ModelConfig, PretrainConfig } from "./config.ts";
import { checkConfig } from "./load_config.ts";

/** A run to begin with. */
export interface Origin {
  /** The folder of the checkpoint. */
  readonly checkpoint: string;
  /** That run's configuration. */
  readonly config: PretrainConfig;
  readonly vocabulary: Vocabulary;
}

const fail = (path: string, why: string): never => {
  throw new InputError(`Cannot start from ${path}: ${why}`);
};

/** The best checkpoint of a run, or the newest where none was evaluated. */
async function bestOrNewest(run: string): Promise<string> {
  const steps = await checkpointSteps(run), best = (await bestCheckpoint(run))?.step;
  const step = best !== undefined && steps.includes(best) ? best : steps.at(-1);
  return step === undefined
    ? fail(run, "it has no checkpoint; pass another --init")
    : checkpointPath(run, step);
}

/**
 * What a folder offers to begin with: a run (its best checkpoint, or the newest where none was evaluated) or one of its checkpoints.
 *
 * @throws InputError where it is neither, or broken.
 */
export async function originOf(path: string): Promise<Origin> {
  const isCheckpoint = await exists(join(path, "state.json"));
  if (!isCheckpoint && !await exists(join(path, "config.json"))) {
    fail(
      path,
      "it is neither a run's folder (with config.json) nor a checkpoint (with state.json)",
    );
  }
  const run = isCheckpoint ? dirname(dirname(resolve(path))) : path;
  const saved = await readRun(run, "start from");
  const { corpus: _c, packed: _p, init: _i, general: _g, distill: _d, ...config } = saved.config;
  return {
    checkpoint: isCheckpoint ? path : await bestOrNewest(run),
    config: checkConfig(config, saved.configPath),
    vocabulary: saved.vocabulary,
  };
}

/**
 * Refuses a model of other sizes or kinds than the weights have; its dropout may be another.
 *
 * @throws InputError
 */
export function refuseOtherModel(model: ModelConfig, { checkpoint, config }: Origin): void {
  for (const name of Object.keys(model) as (keyof ModelConfig)[]) {
    if (name === "dropout" || model[name] === config.model[name]) continue;
    fail(
      checkpoint,
      `model.${name} is ${JSON.stringify(model[name])} here and ${
        JSON.stringify(config.model[name])
      } there; leave --config out to take that run's`,
    );
  }
}

/**
 * Refuses text of another vocabulary than the weights have.
 *
 * @throws InputError
 */
export function refuseOtherVocabulary(
  { tokens }: Vocabulary,
  { checkpoint, vocabulary }: Pick<Origin, "checkpoint" | "vocabulary">,
  data: string,
): void {
  const known = vocabulary.tokens;
  const at = known.findIndex((token, i) => token !== tokens[i]);
  if (at < 0 && tokens.length === known.length) return;
  const differ = tokens.length !== known.length
    ? `has ${tokens.length} tokens, the run ${known.length}`
    : `differs at token ${at} (${tokens[at]}, ${known[at]} in the run)`;
  fail(
    checkpoint,
    `the vocabulary of ${data} ${differ}; pack it with the run's vocab.txt, or pass its text as --corpus`,
  );
}
