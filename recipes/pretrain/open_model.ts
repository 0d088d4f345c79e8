/**
 * A pretrained model, opened to be used: its parts, and its weights on the host.
 *
 * @module
 */
import { placeholders } from "../../nn/mod.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import type { PretrainConfig } from "./config.ts";
import { type Origin, originOf, refuseHeadless } from "./init_from.ts";
import { type Model, type ModelSpec, modelSpec } from "./model.ts";

/** A model and what it needs to be run. */
export interface OpenedModel {
  readonly config: PretrainConfig;
  readonly vocabulary: Vocabulary;
  readonly spec: ModelSpec;
  /** On the host: a device takes them as it needs them, or all at once by `toDevice`. */
  readonly params: Model;
}

/** The parameters that a folder has: not all have a head for masked language modelling. */
export function specOf(
  { config: { model, click }, vocabulary, hasHead }: Origin,
): Omit<ModelSpec, "head"> & Partial<ModelSpec> {
  const { head, ...others } = modelSpec(model, vocabulary.tokens.length, click !== null);
  return { ...others, ...hasHead && { head } };
}

/**
 * The model of whatever `--model` and `--init` take: a run (its best checkpoint), a checkpoint's folder, or a model in Hugging Face's layout.
 *
 * @throws InputError where there is none, it is broken, or has no head for masked language modelling.
 */
export async function openModel(path: string): Promise<OpenedModel> {
  const origin = await originOf(path), { config, vocabulary, weights } = origin;
  refuseHeadless(origin);
  const spec = modelSpec(config.model, vocabulary.tokens.length, config.click !== null);
  return { config, vocabulary, spec, params: await weights(placeholders(spec)) };
}
