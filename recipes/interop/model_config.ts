/**
 * A model's `config.json` in Hugging Face's layout, both ways. What that layout has no words for stands under the key `motian`, all of a
 * configuration of ours, so that it comes back whole.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { between, type Check, isRecord, oneOf, positive, whole } from "../cli/schema.ts";
import { configurations, type ModelConfig, type PretrainConfig } from "../pretrain/config.ts";
import { checkConfig } from "../pretrain/load_config.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import { type Family, familyOf, type Layout } from "./names.ts";

/** What a config.json says. */
export interface ReadConfig {
  readonly config: PretrainConfig;
  readonly layout: Layout;
  /** Rows of the token table. */
  readonly vocabularySize: number;
}

type Json = Readonly<Record<string, unknown>>;

/** Does an object describe a model in Hugging Face's layout? */
export function isHuggingFace(json: Json): boolean {
  return typeof json.model_type === "string" || typeof json.hidden_size === "number";
}

/** Where both have a name for a size. */
const SAME = {
  num_hidden_layers: "layers",
  hidden_size: "width",
  num_attention_heads: "heads",
  intermediate_size: "hidden",
  layer_norm_eps: "normEpsilon",
} as const satisfies Readonly<Record<string, keyof ModelConfig>>;

const tiny = configurations["motian-tiny"]!;

/** How weights from elsewhere learn where nothing says it: gently, for `--init`. */
function learning(name: string, model: ModelConfig, vocabularySize: number): PretrainConfig {
  return {
    ...tiny,
    name,
    model,
    data: {
      ...tiny.data,
      length: Math.min(128, model.maxLength),
      microBatch: 8,
      vocabularySize: Math.max(100, vocabularySize),
    },
    optimizer: { ...tiny.optimizer, name: "adamw", rate: 5e-5 },
  };
}

/** What BERT's and RoBERTa's fields say of a model; values that are left out are those of transformers' `BertConfig`. */
function modelOf(
  get: <T>(name: string, check: Check<T>, otherwise?: T) => T,
  skipped: number,
): ModelConfig {
  const std = get("initializer_range", positive, 0.02);
  get("hidden_act", oneOf(["gelu"]), "gelu");
  get("position_embedding_type", oneOf(["absolute"]), "absolute");
  return {
    ...tiny.model,
    layers: get("num_hidden_layers", whole(1)),
    width: get("hidden_size", whole(1)),
    heads: get("num_attention_heads", whole(1)),
    hidden: get("intermediate_size", whole(1)),
    scheme: "absolute",
    maxLength: get("max_position_embeddings", whole(3 + skipped), 512) - skipped,
    segments: get("type_vocab_size", whole(1), 2),
    embeddingNorm: true,
    norm: "post",
    normEpsilon: get("layer_norm_eps", positive, 1e-12),
    std,
    segmentStd: std,
    keysLikeQueries: false,
    tokenStart: "normal",
    dropout: get("hidden_dropout_prob", between(0, 1), 0.1),
  };
}

/**
 * Reads a config.json; `path` names it in messages, `name` becomes the configuration's.
 *
 * @throws InputError where it is of another kind of model, or contradicts itself.
 */
export function readConfig(json: Json, path: string, name: string): ReadConfig {
  const get = <T>(field: string, check: Check<T>, otherwise?: T): T => {
    if (json[field] !== undefined) return check(json[field], { source: path, path: field });
    if (otherwise !== undefined) return otherwise;
    throw new InputError(`Cannot use ${path}: ${field} is missing`);
  };
  const family = get<Family>("model_type", oneOf(["bert", "roberta", "motian"]), "bert");
  const vocabularySize = get("vocab_size", whole(6));
  const skipped = family === "roberta" ? get("pad_token_id", whole(0), 1) + 1 : 0;
  if (json.is_decoder === true) {
    throw new InputError(`Cannot use ${path}: is_decoder is true, it must be an encoder`);
  }
  const own = isRecord(json.motian) ? checkConfig(json.motian, `"motian" of ${path}`) : undefined;
  if (family === "motian") {
    if (!own) {
      throw new InputError(`Cannot use ${path}: motian is missing; it must be a configuration`);
    }
    refuseOther(json, own.model, path);
    return { config: own, layout: { family, norm: own.model.norm, skipped }, vocabularySize };
  }
  const model = modelOf(get, skipped);
  if (own) refuseOther({ ...sizesOf(model), ...rowsOf(model, skipped) }, own.model, path, skipped);
  const config = own ?? checkConfig(learning(name, model, vocabularySize), path);
  return { config, layout: { family, norm: "post", skipped }, vocabularySize };
}

const sizesOf = (model: ModelConfig): Json =>
  Object.fromEntries(Object.entries(SAME).map(([theirs, ours]) => [theirs, model[ours]]));

/** What models in BERT's layout have beside sizes. */
const rowsOf = ({ maxLength, segments }: ModelConfig, skipped: number): Json => ({
  max_position_embeddings: maxLength + skipped,
  type_vocab_size: segments,
});

/** Refuses fields that say something else than our configuration beside them. */
function refuseOther(found: Json, own: ModelConfig, path: string, skipped?: number): void {
  const refuse = (why: string): never => {
    throw new InputError(`Cannot use ${path}: ${why}; make them agree, or leave "motian" out`);
  };
  const isBert = skipped !== undefined;
  if (isBert && familyOf(own) !== "bert") {
    refuse(`"motian" says scheme "${own.scheme}" and norm "${own.norm}", which BERT has not`);
  }
  const wanted = { ...sizesOf(own), ...isBert && rowsOf(own, skipped) };
  for (const [name, value] of Object.entries(wanted)) {
    if (found[name] === value) continue;
    refuse(`${name} is ${JSON.stringify(found[name])}, "motian" says ${JSON.stringify(value)}`);
  }
}

/** A config.json under the names of a family. */
export function writtenConfig(
  config: PretrainConfig,
  { pad, cls, sep, tokens }: Vocabulary,
  { family, skipped }: Layout,
  int8 = false,
): Json {
  const { model } = config, { dropout, std } = model;
  const kind = { bert: "Bert", roberta: "Roberta", motian: "Motian" }[family];
  return {
    architectures: [`${kind}ForMaskedLM`],
    model_type: family,
    vocab_size: tokens.length,
    ...sizesOf(model),
    ...family !== "motian" && {
      ...rowsOf(model, skipped),
      hidden_act: "gelu",
      position_embedding_type: "absolute",
      hidden_dropout_prob: dropout,
      attention_probs_dropout_prob: dropout,
      initializer_range: std,
      tie_word_embeddings: true,
    },
    pad_token_id: pad,
    ...family === "roberta" && {
      bos_token_id: cls,
      eos_token_id: sep,
      tokenizer_class: "BertTokenizer",
    },
    // transformers refuses what it does not know; without this it would take whole numbers for weights.
    ...int8 && { quantization_config: { quant_method: "motian-int8" } },
    torch_dtype: "float32",
    motian: config,
  };
}

/**
 * How a model is laid out under the names that are asked for: by default BERT's where they can express it, else ours.
 *
 * @throws InputError where RoBERTa's cannot express it.
 */
export function layoutFor(
  model: ModelConfig,
  { pad }: Vocabulary,
  names: "bert" | "roberta",
): Layout {
  const own = familyOf(model);
  if (names === "bert") return { family: own, norm: model.norm, skipped: 0 };
  if (own === "bert") return { family: "roberta", norm: model.norm, skipped: pad + 1 };
  throw new InputError(
    `Cannot use --names roberta for this model: RoBERTa has Post-LN and absolute positions, its scheme is "${model.scheme}"; leave --names out`,
  );
}
