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
import { holdsHuggingFace, openHuggingFace } from "../interop/open_hugging_face.ts";
import { checkpointPath, checkpointSteps, checkpointWeights } from "../run/checkpoint.ts";
import { bestCheckpoint } from "../run/kept_checkpoints.ts";
import { readRun } from "../run/run_folder.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import type { ModelConfig, PretrainConfig } from "./config.ts";
import { checkConfig } from "./load_config.ts";

/** A model to begin with. */
export interface Origin {
  /** Whose layout its files are in. */
  readonly layout: "run" | "hugging-face";
  /** The folder of the checkpoint, or the model's in Hugging Face's layout; this function takes it too. */
  readonly checkpoint: string;
  /** That run's configuration. */
  readonly config: PretrainConfig;
  /** Has it the head for masked language modelling, without which only the encoder can be taken? */
  readonly hasHead: boolean;
  /** Names of tensors in its files that no model of ours has a place for. */
  readonly leftOut: readonly string[];
  readonly vocabulary: Vocabulary;
  /** Its weights on the host, in the structure of `like`, which has a model's shapes. */
  readonly weights: <M>(like: M) => Promise<M>;
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
 * What a folder offers to begin with: a run (its best checkpoint, or the newest where none was evaluated), one of its checkpoints, or a
 * model in Hugging Face's layout. This is what `--init`, `--model` and `--from` take everywhere.
 *
 * @throws InputError where it is none of them, or broken.
 */
export async function originOf(path: string): Promise<Origin> {
  const stat = await Deno.stat(path).catch(() => undefined);
  if (!stat) fail(path, "there is no such folder");
  if (!stat!.isDirectory) fail(path, "it is a file; pass the folder of a model");
  const isCheckpoint = await exists(join(path, "state.json"));
  if (!isCheckpoint && !await exists(join(path, "config.json"))) {
    fail(
      path,
      "it is neither a run's folder (with config.json), a checkpoint (with state.json) nor a model in Hugging Face's layout (with both config.json and model.safetensors)",
    );
  }
  if (!isCheckpoint && await holdsHuggingFace(path)) {
    return { layout: "hugging-face", checkpoint: path, ...await openHuggingFace(path) };
  }
  const run = isCheckpoint ? dirname(dirname(resolve(path))) : path;
  const saved = await readRun(run, "start from");
  if (!isCheckpoint && await exists(join(path, "model.safetensors"))) {
    fail(path, "its config.json has neither model_type nor hidden_size; fetch the model's own");
  }
  const { corpus: _c, packed: _p, init: _i, general: _g, distill: _d, ...config } = saved.config;
  const checkpoint = isCheckpoint ? path : await bestOrNewest(run);
  return {
    layout: "run",
    checkpoint,
    hasHead: true,
    leftOut: [],
    config: checkConfig(config, saved.configPath),
    vocabulary: saved.vocabulary,
    weights: (like) => checkpointWeights(checkpoint, like),
  };
}

/**
 * Refuses weights that are not all of a model.
 *
 * @throws InputError
 */
export function refuseHeadless({ checkpoint, hasHead }: Origin): void {
  if (hasHead) return;
  fail(
    checkpoint,
    "it has no head for masked language modelling, the encoder alone; pass a model that has one",
  );
}

/** What was left out, in a line; nothing where nothing was. */
export function leftOutLine({ checkpoint, leftOut }: Origin): string | undefined {
  return leftOut.length > 0 ? `not taken from ${checkpoint}: ${leftOut.join(", ")}` : undefined;
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
