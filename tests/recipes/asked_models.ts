/**
 * Models to ask: folders with weights that nobody has trained.
 *
 * @module
 */
import { join } from "@std/path";
import type { Device } from "../../core/mod.ts";
import { init } from "../../nn/mod.ts";
import { taskSaver } from "../../recipes/clue/saved_task.ts";
import type { TaskModel } from "../../recipes/clue/task_model.ts";
import { tasks } from "../../recipes/clue/tasks.ts";
import { type ClickConfig, type PretrainConfig, SIMULATED } from "../../recipes/pretrain/config.ts";
import { modelSpec } from "../../recipes/pretrain/model.ts";
import { saveCheckpoint } from "../../recipes/run/checkpoint.ts";
import { newRun, saveRun } from "../../recipes/run/run_folder.ts";
import { tinyCorpus, tinyRun } from "./tiny_run.ts";

/** The vocabulary of the small corpus: one character a token. */
export const { vocabulary } = tinyCorpus();

const click: ClickConfig = {
  ...{
    log: "simulated",
    simulated: SIMULATED,
    loss: "pointwise",
    docs: 4,
    length: 24,
    batch: 8,
    microBatch: 4,
  },
  ...{ mlm: true, weights: "uncertainty", share: 1, clip: 1, heldOut: 0.1 },
};

/** A run whose model scores titles too, unless `clicks` is false. */
export async function savedRunOf(
  path: string,
  device: Device,
  { clicks = true, model = {} }: {
    readonly clicks?: boolean;
    readonly model?: Partial<PretrainConfig["model"]>;
  } = {},
): Promise<void> {
  const config: PretrainConfig = {
    ...tinyRun,
    model: { ...tinyRun.model, std: 0.3, ...model },
    click: clicks ? click : null,
  };
  const spec = modelSpec(config.model, vocabulary.tokens.length, clicks);
  await newRun(path);
  await saveRun(path, config, vocabulary);
  await saveCheckpoint(path, { step: 1, model: init(1, spec, device), optimizer: {} });
}

/** A fine-tuned model of a task. */
export async function savedTaskOf(
  path: string,
  name: string,
  device: Device,
  tuned?: readonly number[],
): Promise<void> {
  const { model } = tinyRun, { head, labels, defaults } = tasks[name]!;
  const texts = labels && ["afqmc", "qbqtc"].includes(name) ? 2 : 1;
  const spec = {
    encoder: modelSpec(model, vocabulary.tokens.length).encoder,
    head: head.spec(model.width),
  };
  await using saver = await taskSaver(path, { model, vocabulary }, {
    ...{ task: name, length: defaults.length, texts },
  });
  for (const epoch of [1, 2]) {
    const weights = init(epoch, spec, device) as TaskModel;
    await saver.keep({ epoch, model: weights, dev: { score: epoch }, ...tuned && { tuned } }, 7);
  }
  await saver.finish();
}

/** Folders of a run and of a classifier of pairs, below one that is removed afterwards. */
export const inModels = async (
  device: Device,
  test: (
    folders: { readonly folder: string; readonly run: string; readonly pairs: string },
  ) => Promise<void>,
): Promise<void> => {
  const folder = await Deno.makeTempDir();
  try {
    const run = join(folder, "run"), pairs = join(folder, "pairs");
    await savedRunOf(run, device);
    await savedTaskOf(pairs, "qbqtc", device, [0, 0.5, -0.5]);
    await test({ folder, run, pairs });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
};
