/**
 * A model in a folder in Hugging Face's layout: `config.json`, `model.safetensors` (or shards of it), `vocab.txt` or `tokenizer.json`.
 *
 * @module
 */
import { basename, join, resolve } from "@std/path";
import { exists } from "@std/fs";
import { InputError } from "../cli/input_error.ts";
import type { PretrainConfig } from "../pretrain/config.ts";
import { modelSpec } from "../pretrain/model.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import { isHuggingFace, readConfig } from "./model_config.ts";
import { readJson } from "./read_json.ts";
import { readTokenizer } from "./read_tokenizer.ts";
import { storedTensors } from "./stored_tensors.ts";
import { type FittingWeights, fitWeights } from "./weights.ts";

/** A model that fits, its weights not read yet. */
export interface HuggingFaceModel extends FittingWeights {
  readonly config: PretrainConfig;
  readonly vocabulary: Vocabulary;
}

/** Does a folder hold such a model? That of a run has a config.json too, of another kind. */
export async function holdsHuggingFace(folder: string): Promise<boolean> {
  const path = join(folder, "config.json");
  if (!await exists(path, { isFile: true })) return false;
  try {
    return isHuggingFace(await readJson(path));
  } catch (error) {
    if (error instanceof InputError) return false; // whoever reads runs says what is wrong with it
    throw error;
  }
}

/**
 * Opens such a folder. Everything but the values of the weights is read and checked now.
 *
 * @throws InputError where something is missing, broken, or not for the encoder of this project.
 */
export async function openHuggingFace(folder: string): Promise<HuggingFaceModel> {
  const path = join(folder, "config.json"), name = basename(resolve(folder));
  const { config, layout, vocabularySize } = readConfig(await readJson(path), path, name);
  const stored = await storedTensors(folder), vocabulary = await readTokenizer(folder);
  const count = vocabulary.tokens.length;
  if (count !== vocabularySize) {
    throw new InputError(
      `Cannot use ${path}: vocab_size is ${vocabularySize}, the vocabulary beside it has ${count} tokens; ` +
        (count < vocabularySize
          ? "append tokens that no text has, such as [unused1]"
          : "take the vocabulary that belongs to the weights"),
    );
  }
  const spec = modelSpec(config.model, count, config.click !== null);
  return { config, vocabulary, ...fitWeights(stored, spec, layout) };
}
