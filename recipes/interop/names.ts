/**
 * Where parameters stand in files in Hugging Face's layout: under which names, and in which shapes.
 *
 * BERT and RoBERTa have names of their own. What they cannot express (relative positions, Pre-LN) stands under names of ours: BERT's
 * where the parameter is the same, those of RoBERTa-PreLayerNorm for its normalisations, and `positions.*`, `position_*` for the rest.
 *
 * Source: names of the parameters in github.com/huggingface/transformers, models bert, roberta and roberta_prelayernorm.
 *
 * @module
 */
import { sizeOf } from "../../core/graph/node.ts";
import type { NormPlace } from "../../nn/block.ts";
import type { ModelConfig } from "../pretrain/config.ts";

/** Whose names a file has; they are the values of `model_type` in a config.json too. */
export type Family = "bert" | "roberta" | "motian";

/** What the names and shapes of a model depend on. */
export interface Layout {
  readonly family: Family;
  readonly norm: NormPlace;
  /** Rows before the first position: RoBERTa's table begins with those of padding, up to its id. */
  readonly skipped: number;
}

/** Where one parameter stands in a file. */
export interface Place {
  readonly name: string;
  readonly shape: readonly number[];
  /** PyTorch's Linear keeps weights as [out, in]: rows and columns of ours, where the file has them the other way round. */
  readonly turned?: readonly [number, number];
  /** Rows of the file before the first of ours. */
  readonly skipped: number;
}

/** As it is; as one axis; or a Linear's weight, whose first axes (so many) are what goes in. */
type Form = "same" | "flat" | 1 | 2;
type Rules = Readonly<Record<string, readonly [name: string, form: Form]>>;

const affine = (ours: string, theirs: string): Rules => ({
  [`${ours}.w`]: [`${theirs}.weight`, 1],
  [`${ours}.b`]: [`${theirs}.bias`, "same"],
});
const norm = (ours: string, theirs: string): Rules => ({
  [`${ours}.gain`]: [`${theirs}.weight`, "same"],
  [`${ours}.bias`]: [`${theirs}.bias`, "same"],
});

const encoder: Rules = {
  "embeddings.tokens": ["embeddings.word_embeddings.weight", "same"],
  "embeddings.positions": ["embeddings.position_embeddings.weight", "same"],
  "embeddings.segments": ["embeddings.token_type_embeddings.weight", "same"],
  ...norm("embeddings.norm", "embeddings.LayerNorm"),
  ...norm("norm", "LayerNorm"),
  "shared.rows": ["positions.rows.weight", "same"],
  "shared.bias": ["positions.bias", "same"],
  "shared.segmentBias": ["positions.segment_bias", "same"],
  "shared.absolute.table": ["positions.absolute.weight", "same"],
  ...norm("shared.absolute.norm", "positions.absolute.LayerNorm"),
  "shared.absolute.wq": ["positions.absolute.query.weight", 1],
  "shared.absolute.wk": ["positions.absolute.key.weight", 1],
};

const layer = (place: NormPlace): Rules => ({
  "attention.wq": ["attention.self.query.weight", 1],
  "attention.bq": ["attention.self.query.bias", "flat"],
  "attention.wk": ["attention.self.key.weight", 1],
  "attention.bk": ["attention.self.key.bias", "flat"],
  "attention.wv": ["attention.self.value.weight", 1],
  "attention.bv": ["attention.self.value.bias", "flat"],
  "attention.wo": ["attention.output.dense.weight", 2],
  "attention.bo": ["attention.output.dense.bias", "same"],
  "attention.keyRows": ["attention.self.position_key.weight", 1],
  "attention.queryRows": ["attention.self.position_query.weight", 1],
  "attention.valueRows": ["attention.self.position_value.weight", 1],
  "attention.keyTable": ["attention.self.position_key_rows.weight", "same"],
  "attention.valueTable": ["attention.self.position_value_rows.weight", "same"],
  "attention.u": ["attention.self.content_shift", "same"],
  "attention.w": ["attention.self.position_shift", "same"],
  "attention.z": ["attention.self.segment_shift", "same"],
  "attention.segment": ["attention.self.segment_vectors", "same"],
  ...norm("norm1", place === "pre" ? "attention.LayerNorm" : "attention.output.LayerNorm"),
  ...affine("feedForward.up", "intermediate.dense"),
  ...affine("feedForward.down", "output.dense"),
  ...norm("norm2", place === "pre" ? "intermediate.LayerNorm" : "output.LayerNorm"),
});
const layers: Readonly<Record<NormPlace, Rules>> = { pre: layer("pre"), post: layer("post") };

const bertHead: Rules = {
  ...affine("dense", "cls.predictions.transform.dense"),
  ...norm("norm", "cls.predictions.transform.LayerNorm"),
  bias: ["cls.predictions.bias", "same"],
};
const heads: Readonly<Record<Family, Rules>> = {
  bert: bertHead,
  motian: bertHead,
  roberta: {
    ...affine("dense", "lm_head.dense"),
    ...norm("norm", "lm_head.layer_norm"),
    bias: ["lm_head.bias", "same"],
  },
};
/** Ours: transformers says that it does not use it. */
const click: Rules = { w: ["cls.click.weight", "same"], b: ["cls.click.bias", "same"] };

/** The family of a model: BERT's where its layout is BERT's. */
export function familyOf(model: ModelConfig): "bert" | "motian" {
  const { scheme, norm, embeddingNorm, segments } = model;
  return scheme === "absolute" && norm === "post" && embeddingNorm && segments > 0
    ? "bert"
    : "motian";
}

/** The row of the tables for a parameter, and what its name begins with. */
function ruleOf(path: string, { family, norm }: Layout) {
  const [, number, ofLayer = ""] = /^encoder\.layers\.(\d+)\.(.*)$/.exec(path) ?? [];
  const [, part, rest = ""] = /^(encoder|head|click)\.(.*)$/.exec(path) ?? [];
  const [rules, key, before] = number !== undefined
    ? [layers[norm], ofLayer, `${family}.encoder.layer.${number}.`] as const
    : part === "encoder"
    ? [encoder, rest, `${family}.`] as const
    : [part === "click" ? click : heads[family], rest, ""] as const;
  const found = Object.hasOwn(rules, key) ? rules[key] : undefined;
  if (found) return { name: before + found[0], form: found[1] };
  throw new TypeError(`Cannot place ${path} in a file: it must be a parameter of the model`);
}

/**
 * Where a parameter of a model (`encoder.…`, `head.…`, `click.…`) stands.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { placeOf } from "./names.ts";
 *
 * const layout = { family: "bert", norm: "post", skipped: 0 } as const;
 * const { name, shape } = placeOf("encoder.layers.3.feedForward.up.w", [8, 32], layout);
 * assertEquals(name, "bert.encoder.layer.3.intermediate.dense.weight");
 * assertEquals(shape, [32, 8]);
 * ```
 */
export function placeOf(path: string, shape: readonly number[], layout: Layout): Place {
  const { name, form } = ruleOf(path, layout);
  const skipped = path === "encoder.embeddings.positions" ? layout.skipped : 0;
  if (form === "same") {
    const [rows, ...rest] = shape;
    return { name, shape: skipped > 0 ? [rows! + skipped, ...rest] : shape, skipped };
  }
  if (form === "flat") return { name, shape: [sizeOf(shape)], skipped };
  const turned = [sizeOf(shape.slice(0, form)), sizeOf(shape.slice(form))] as const;
  return { name, shape: turned.toReversed(), turned, skipped };
}

/**
 * Which axes of a parameter have scales of their own where weights are in one byte: tables of tokens are read by rows, a Linear's weight
 * sums over what goes in, so many first axes. All else is small, or read from the left, and stays as it is.
 */
export function scaledAxes(path: string, layout: Layout): "first" | number | undefined {
  if (path === "encoder.embeddings.tokens") return "first";
  const { form } = ruleOf(path, layout);
  return typeof form === "number" ? form : undefined;
}
