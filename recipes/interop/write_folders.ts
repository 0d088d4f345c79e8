/**
 * Folders of models: in Hugging Face's layout from a model of ours, and of a run from a model in that layout.
 *
 * @module
 */
import { join } from "@std/path";
import type { AnyTensor, Tree } from "../../core/mod.ts";
import type { SavedTask } from "../clue/saved_task.ts";
import type { TaskModel } from "../clue/task_model.ts";
import type { ModelConfig, PretrainConfig } from "../pretrain/config.ts";
import type { Model } from "../pretrain/model.ts";
import { longestText } from "../pretrain/positions.ts";
import { saveWeights } from "../run/checkpoint.ts";
import { saveRun } from "../run/run_folder.ts";
import { type Scaled, writeWeights } from "../run/weights_file.ts";
import { writeWhole } from "../run/write_whole.ts";
import { formatVocabulary, type Vocabulary } from "../text/vocabulary.ts";
import { writtenConfig } from "./model_config.ts";
import { familyOf, type Layout, scaledAxes } from "./names.ts";
import { inNewFolder } from "./new_folder.ts";
import { tokenizerConfig, tokenizerJson } from "./tokenizer_files.ts";
import { placedWeights, roundedNames } from "./weights.ts";

/** A model, whole. */
export interface WholeModel {
  readonly config: PretrainConfig;
  readonly vocabulary: Vocabulary;
  readonly params: Model;
}

const lines = (value: unknown): string => JSON.stringify(value, null, 2) + "\n";

/**
 * Writes a folder in Hugging Face's layout.
 *
 * @throws InputError where the folder is used, or cannot be written.
 */
export async function writeHuggingFace(
  to: string,
  { config, vocabulary, params }: WholeModel,
  layout: Layout,
  int8 = false,
): Promise<void> {
  await inNewFolder(to, async (folder) => {
    const write = (name: string, text: string): Promise<void> =>
      writeWhole(join(folder, name), text);
    const all = params as Tree<AnyTensor>, tensors = await placedWeights(all, layout);
    const small = int8 ? roundedNames(all, layout) : new Set<string>();
    const scaled: Scaled = (name) => small.has(name) ? "first" : undefined;
    // transformers refuses a file that does not say that PyTorch reads it, as one in one byte has to be.
    const metadata = int8 ? {} : { format: "pt" };
    await writeWeights(join(folder, "model.safetensors"), tensors, scaled, metadata);
    await write("vocab.txt", formatVocabulary(vocabulary));
    await write("tokenizer.json", lines(tokenizerJson(vocabulary)));
    await write("tokenizer_config.json", lines(tokenizerConfig(longestText(config.model))));
    await write("config.json", lines(writtenConfig(config, vocabulary, layout, int8)));
  });
}

/** Which axes of a run's weights have scales; a task's head is small, and stays as it is. */
const ownScales = (model: ModelConfig, parts: RegExp): Scaled => {
  const layout: Layout = { family: familyOf(model), norm: model.norm, skipped: 0 };
  return (path) => parts.test(path) ? scaledAxes(path, layout) : undefined;
};

/**
 * Writes a run's folder of weights alone: `--init`, `--model` and `--from` take it.
 *
 * @throws InputError where the folder is used, or cannot be written.
 */
export async function writeRun(
  to: string,
  { config, vocabulary, params }: WholeModel,
  int8 = false,
): Promise<void> {
  await inNewFolder(to, async (folder) => {
    const texts = { corpus: null, packed: null, init: null, general: null };
    await saveRun(folder, { ...config, ...texts }, vocabulary);
    await saveWeights(
      folder,
      0,
      params,
      int8 ? ownScales(config.model, /^(encoder|head)\./) : undefined,
    );
  });
}

/**
 * Writes the folder of a fine-tuned model with its encoder in one byte a weight.
 *
 * @throws InputError where the folder is used, or cannot be written.
 */
export async function writeSmallTask(
  to: string,
  { config, vocabulary }: Pick<SavedTask, "config" | "vocabulary">,
  params: TaskModel,
): Promise<void> {
  await inNewFolder(to, async (folder) => {
    await saveRun(folder, config, vocabulary);
    await saveWeights(folder, config.epoch, params, ownScales(config.model, /^encoder\./));
  });
}
