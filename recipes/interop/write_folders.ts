/**
 * Folders of models: in Hugging Face's layout from a model of ours, and of a run from a model in that layout.
 *
 * @module
 */
import { join } from "@std/path";
import { type AnyTensor, type Tree, writeSafetensors } from "../../core/mod.ts";
import type { PretrainConfig } from "../pretrain/config.ts";
import type { Model } from "../pretrain/model.ts";
import { longestText } from "../pretrain/positions.ts";
import { saveWeights } from "../run/checkpoint.ts";
import { saveRun } from "../run/run_folder.ts";
import { writeWhole } from "../run/write_whole.ts";
import { formatVocabulary, type Vocabulary } from "../text/vocabulary.ts";
import { writtenConfig } from "./model_config.ts";
import type { Layout } from "./names.ts";
import { inNewFolder } from "./new_folder.ts";
import { tokenizerConfig, tokenizerJson } from "./tokenizer_files.ts";
import { placedWeights } from "./weights.ts";

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
): Promise<void> {
  await inNewFolder(to, async (folder) => {
    const write = (name: string, text: string): Promise<void> =>
      writeWhole(join(folder, name), text);
    const tensors = await placedWeights(params as Tree<AnyTensor>, layout);
    // transformers refuses a file that does not say that PyTorch reads it.
    await writeSafetensors(join(folder, "model.safetensors"), tensors, { format: "pt" });
    await write("vocab.txt", formatVocabulary(vocabulary));
    await write("tokenizer.json", lines(tokenizerJson(vocabulary)));
    await write("tokenizer_config.json", lines(tokenizerConfig(longestText(config.model))));
    await write("config.json", lines(writtenConfig(config, vocabulary, layout)));
  });
}

/**
 * Writes a run's folder of weights alone: `--init`, `--model` and `--from` take it.
 *
 * @throws InputError where the folder is used, or cannot be written.
 */
export async function writeRun(
  to: string,
  { config, vocabulary, params }: WholeModel,
): Promise<void> {
  await inNewFolder(to, async (folder) => {
    const texts = { corpus: null, packed: null, init: null, general: null };
    await saveRun(folder, { ...config, ...texts }, vocabulary);
    await saveWeights(folder, 0, params);
  });
}
