/**
 * A fine-tuned model as a folder, which `predict`, `serve` and whoever learns from it open: `config.json`, `vocab.txt` and, under
 * `checkpoints/`, the weights of the best epoch. Without `config.json`, which comes last, nothing in it is believed.
 *
 * @module
 */
import { exists } from "@std/fs";
import { join } from "@std/path";
import { type Device, toDevice } from "../../core/mod.ts";
import { placeholders } from "../../nn/mod.ts";
import { InputError } from "../cli/input_error.ts";
import { between, type Check, listOf, oneOf, orNull, record, whole } from "../cli/schema.ts";
import { readJson } from "../interop/read_json.ts";
import { configurations, type ModelConfig } from "../pretrain/config.ts";
import { checkConfig } from "../pretrain/load_config.ts";
import { modelSpec } from "../pretrain/model.ts";
import { checkpointPath, checkpointWeights, FOLDER, saveCheckpoint } from "../run/checkpoint.ts";
import { newRun, readRun, saveRun } from "../run/run_folder.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import { mainScore } from "./scores.ts";
import type { Scores, Task, Tuned } from "./task.ts";
import type { Start, TaskModel } from "./task_model.ts";
import { tasks } from "./tasks.ts";

/** What was learnt, beside the weights. */
export interface TaskConfig {
  readonly task: string;
  readonly model: ModelConfig;
  /** Tokens of a row at most. */
  readonly length: number;
  /** Texts of an example: 1, or 2 where pairs were learnt. */
  readonly texts: number;
  /** What was chosen on the dev split; null where nothing was. */
  readonly tuned: Tuned | null;
  readonly seed: number;
  readonly epoch: number;
}

/** An epoch that is the best so far. */
export interface BestEpoch {
  readonly epoch: number;
  readonly model: TaskModel;
  readonly dev: Scores;
  readonly tuned?: Tuned;
}

/** Keeps the best epoch of all seeds; without `finish` nothing is left. */
export interface TaskSaver extends AsyncDisposable {
  keep(best: BestEpoch, seed: number): Promise<void>;
  /** Makes a model of what was kept, if anything was. */
  finish(): Promise<void>;
}

/**
 * Saves in a new folder.
 *
 * @throws InputError where the folder is used already, or cannot be written.
 */
export async function taskSaver(
  path: string,
  { model, vocabulary }: Pick<Start, "model" | "vocabulary">,
  about: Pick<TaskConfig, "task" | "length" | "texts">,
): Promise<TaskSaver> {
  await newRun(path, "--save");
  let last: TaskConfig | undefined, score = -Infinity, finished = false;
  const drop = (folder: string) => Deno.remove(folder, { recursive: true });
  return {
    async keep({ epoch, model: weights, dev, tuned }, seed) {
      const own = mainScore(dev);
      if (own <= score) return;
      await saveCheckpoint(path, { step: epoch, model: weights, optimizer: {} });
      if (last && last.epoch !== epoch) await drop(checkpointPath(path, last.epoch));
      [last, score] = [{ ...about, model, tuned: tuned ?? null, seed, epoch }, own];
    },
    async finish() {
      if (!last) return;
      await saveRun(path, last, vocabulary);
      finished = true;
    },
    async [Symbol.asyncDispose]() {
      if (!finished && last) await drop(join(path, FOLDER));
    },
  };
}

/** Sizes and kinds of a model alone, by the rules of a whole configuration. */
const modelIn = (source: string): Check<ModelConfig> => (model) => {
  const rest = configurations["motian-tiny"]!;
  return checkConfig({ ...rest, data: { ...rest.data, length: 3 }, model }, source).model;
};

const fields = (source: string): Check<TaskConfig> =>
  record<TaskConfig>({
    task: oneOf(Object.keys(tasks)),
    model: modelIn(source),
    length: whole(8),
    texts: whole(1, 2),
    tuned: orNull(listOf(between(-Infinity, Infinity))),
    seed: whole(0),
    epoch: whole(1),
  });

/** A fine-tuned model that is not read yet. */
export interface SavedTask {
  readonly config: TaskConfig;
  readonly task: Task;
  readonly vocabulary: Vocabulary;
  /** Its weights, on the host. */
  readonly weights: () => Promise<TaskModel>;
  /** The same on a device. */
  readonly open: (device: Device) => Promise<TaskModel>;
}

/** Is this folder one of a fine-tuned model? What cannot be read is none: who opens it as a run says what is wrong. */
export async function holdsTask(path: string): Promise<boolean> {
  const config = join(path, "config.json");
  if (!await exists(config, { isFile: true })) return false;
  const found = await readJson(config).catch((error: unknown) => {
    if (error instanceof InputError) return {};
    throw error;
  });
  return Object.hasOwn(found, "task") && Object.hasOwn(found, "texts");
}

/**
 * Reads a folder that `clue --save` left.
 *
 * @throws InputError where there is none, or it is broken.
 */
export async function savedTask(path: string): Promise<SavedTask> {
  const { config: found, configPath, vocabulary } = await readRun(path, "start from");
  if (!Object.hasOwn(found, "task")) {
    throw new InputError(
      `Cannot start from ${path}: it has learnt no task; pass a folder that clue --save has left`,
    );
  }
  const config = fields(configPath)(found, { source: configPath, path: "" });
  const task = tasks[config.task]!;
  const { encoder } = modelSpec(config.model, vocabulary.tokens.length);
  const like = placeholders({ encoder, head: task.head.spec(config.model.width) }) as TaskModel;
  const weights = () => checkpointWeights(checkpointPath(path, config.epoch), like);
  const open = async (device: Device): Promise<TaskModel> =>
    await toDevice(await weights(), device);
  return { config, task, vocabulary, weights, open };
}
