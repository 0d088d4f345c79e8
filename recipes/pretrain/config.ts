/**
 * What a pretraining run is made of: every number that changes its result, in one record.
 *
 * @module
 */
import type { NormPlace } from "../../nn/block.ts";
import type { GradientNorm } from "../../optim/gradient_norm.ts";
import type { LossScaleOptions } from "../../optim/loss_scale.ts";
import type { ClickLossName } from "../click/losses.ts";
import { CLICK_MODEL, type ClickModel } from "../click/simulate.ts";
import { MASK_SETTINGS, type MaskSettings } from "../masking/mask_settings.ts";
import type { DilocoConfig } from "./diloco_config.ts";
import { withRule } from "./lamb_rule.ts";
import type { PositionName } from "./positions.ts";

/** Where token embeddings begin. */
export type TokenStart = "normal" | "neighbours";

/** A model's sizes and kinds. */
export interface ModelConfig {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  /** Width inside the feed-forward layers. */
  readonly hidden: number;
  readonly scheme: PositionName;
  /** Rows of positions under the scheme `absolute`: no text, in any stage, may be longer. Other schemes do not look at it. */
  readonly maxLength: number;
  /** Rows of segments in the embeddings, as BERT has 2; 0 for none. */
  readonly segments: number;
  /** Standard deviation of those rows at the start. */
  readonly segmentStd: number;
  /** Normalise the embeddings, as BERT does. */
  readonly embeddingNorm: boolean;
  readonly norm: NormPlace;
  /** What every normalisation adds to the variance. */
  readonly normEpsilon: number;
  /** Standard deviation of the encoder's weights at the start. BERT's 0.02 is for a width of 768: narrow models learn faster from more. */
  readonly std: number;
  /** Do keys start as queries? See `LayerStart`: tokens then find their like in the other text from the first step on. */
  readonly keysLikeQueries: boolean;
  /** Where token embeddings begin: as all weights do, or near tokens that stand in like company in the text. See `startTokens`. */
  readonly tokenStart: TokenStart;
  readonly dropout: number;
}

/** What a model is shown. */
export interface DataConfig {
  /** Tokens of a sequence. */
  readonly length: number;
  /** Sequences of a step, over all micro-batches and workers. */
  readonly batch: number;
  /** Sequences that are computed at once; it changes memory and speed, not the result. */
  readonly microBatch: number;
  /** Layers are computed again on the way back instead of kept: less memory, about a third more work, the same result. */
  readonly recompute: boolean;
  /** Tokens of a vocabulary that is built from the corpus, at most. */
  readonly vocabularySize: number;
}

/** What is masked and by what. Paths are as the command was given them. */
export interface MaskConfig extends MaskSettings {
  /** A table of synonyms, for the policies `mac` and `motian`. */
  readonly synonyms: string | null;
  /** Pairs of words that are never synonyms. */
  readonly antonyms: string | null;
  /** Phrases, one a line, or a folder of such files; for units of the kind `phrase`. */
  readonly phrases: string | null;
}

/** Impressions made from the corpus: see `ClickModel`. */
export interface SimulatedConfig extends Omit<ClickModel, "seed"> {
  readonly impressions: number;
}

/** Learning from clicks beside text. */
export interface ClickConfig {
  /** A click log, or "simulated": there is none but what is made from the corpus by a stated click model. */
  readonly log: string;
  /** What is made from the corpus; beside a log it is for training alone, and figures are of the log's held-out queries. */
  readonly simulated: SimulatedConfig;
  readonly loss: ClickLossName;
  /** Titles of an impression that are looked at, at most. */
  readonly docs: number;
  /** Tokens of a query and a title. */
  readonly length: number;
  /** Impressions of a step, and of those the ones that are computed at once. */
  readonly batch: number;
  readonly microBatch: number;
  /** Are tokens of queries and titles masked and predicted too? */
  readonly mlm: boolean;
  /** Are the weights of the two tasks learnt from how uncertain they are, or is the clicks' `share`? */
  readonly weights: "uncertainty" | "fixed";
  readonly share: number;
  /** What inverse propensities are clipped at; 1 counts every click once. */
  readonly clip: number;
  /** The share of the queries that is held out. */
  readonly heldOut: number;
}

/** How a model learns. */
export interface OptimizerConfig {
  readonly name: "lamb" | "adamw";
  /** Whether rate and warm-up are as they stand here, or what LAMB's paper says of the batch: see `lambRule`. */
  readonly rule: "fixed" | "lamb-sqrt";
  /** Highest learning rate. */
  readonly rate: number;
  /** Share of the steps in which the rate grows to it. */
  readonly warmup: number;
  readonly decay: number;
  readonly gradNorm: GradientNorm;
  /** Are both moments divided by 1 - β^t? */
  readonly biasCorrection: boolean;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** What moments are stored as; they are computed in f32. */
  readonly stateDtype: "f32" | "bf16";
  /** Does each of many processes keep the moments of some parameters only? It changes memory and traffic, not the result. */
  readonly sharded: boolean;
}

/** What passes are computed in; weights, moments, losses and statistics are f32 always. f16 needs a loss scale. */
export type Precision = "f32" | "f16" | "bf16";

/** How the loss scale of f16 moves. */
export type LossScaleConfig = Required<Pick<LossScaleOptions, "first" | "growEvery" | "floor">>;

/** See recipes/pretrain/wire.ts; what comes after `bf16` has a memory. */
export const wires = ["f32", "bf16", "int8", "sign", "powersgd", "1-bit-lamb"] as const;
/** What gradients travel as. */
export type Wire = typeof wires[number];

/** Do processes remember what they did not send? */
export const hasMemory = (wire: Wire): boolean => wires.indexOf(wire) > wires.indexOf("bf16");

/** What factors may travel as. */
export const factorCodes = ["int8", "int4"] as const;
/** One of them. */
export type FactorCode = typeof factorCodes[number];

/** How gradients travel in few bytes. */
export interface CompressionConfig {
  /** Columns that `powersgd` sends of a matrix. */
  readonly rank: number;
  /** What their elements travel as. */
  readonly factors: FactorCode;
  /** The share of a stage's steps before `powersgd` or `1-bit-lamb` begin; until then gradients travel as f32. */
  readonly warmup: number;
}

/** A stage after the first. See `DataConfig` and `OptimizerConfig`. */
export interface StageConfig {
  readonly length: number;
  readonly batch: number;
  readonly microBatch: number;
  readonly steps: number;
  readonly rate: number;
  readonly warmup: number;
}

/**
 * A run. Units: `evalEvery`, `checkpointEvery` and `logEvery` are steps. An `evalEvery` or `checkpointEvery` of 0 is never, not at
 * the end either.
 */
export interface PretrainConfig {
  readonly name: string;
  readonly model: ModelConfig;
  readonly data: DataConfig;
  readonly mask: MaskConfig;
  /** Null: text alone. */
  readonly click: ClickConfig | null;
  readonly optimizer: OptimizerConfig;
  /**
   * Parts of a step's batch that are summed apart, and then in a fixed tree, so that any number of processes up to it gives the same
   * bits; 0 for one a process, whose sums go round a ring.
   */
  readonly shards: number;
  /** What processes send each other gradients as. */
  readonly wire: Wire;
  readonly compression: CompressionConfig;
  /** Null: processes take every step together. */
  readonly diloco: DilocoConfig | null;
  readonly precision: Precision;
  /** Of f16 alone. */
  readonly lossScale: LossScaleConfig;
  readonly steps: number;
  /** Stages after the first, which go on with its weights. */
  readonly then: readonly StageConfig[];
  readonly evalEvery: number;
  /** Held-out sequences of an evaluation, at most. */
  readonly evalSequences: number;
  readonly checkpointEvery: number;
  /** Newest checkpoints that are kept beside the best one; 0 keeps all. */
  readonly keepCheckpoints: number;
  readonly logEvery: number;
  readonly seed: number;
}

/** What holds where a configuration does not say it: runs of before have neither. */
export const FULL_PRECISION: Pick<PretrainConfig, "precision" | "lossScale"> = {
  precision: "f32",
  lossScale: { first: 32_768, growEvery: 2000, floor: 1 },
};

/** What holds where a configuration does not say it. */
export const COMPRESSION: CompressionConfig = { rank: 32, factors: "int8", warmup: 0.05 };

const { seed: _, ...clickModel } = CLICK_MODEL;

/** Made from the corpus where there is no log, and nothing else is said. */
export const SIMULATED: SimulatedConfig = { impressions: 20_000, ...clickModel };
/** Beside a log nothing is, where nothing else is said. */
export const NONE_SIMULATED: SimulatedConfig = { ...SIMULATED, impressions: 0 };

const tiny: PretrainConfig = {
  name: "motian-tiny",
  model: {
    layers: 2,
    width: 128,
    heads: 2,
    hidden: 512,
    scheme: "motian",
    maxLength: 512,
    segments: 0,
    segmentStd: 0.02,
    embeddingNorm: false,
    norm: "pre",
    normEpsilon: 1e-5,
    std: 0.02,
    keysLikeQueries: false,
    tokenStart: "normal",
    dropout: 0,
  },
  data: {
    length: 64,
    batch: 32,
    microBatch: 32,
    recompute: false,
    vocabularySize: 8192,
  },
  click: null,
  mask: { ...MASK_SETTINGS, synonyms: null, antonyms: null, phrases: null },
  optimizer: {
    name: "lamb",
    rule: "fixed",
    rate: 0.01,
    warmup: 0.1,
    decay: 0.01,
    gradNorm: "clip",
    biasCorrection: true,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-6,
    stateDtype: "f32",
    sharded: false,
  },
  shards: 0,
  wire: "f32",
  compression: COMPRESSION,
  diloco: null,
  ...FULL_PRECISION,
  steps: 1000,
  then: [],
  evalEvery: 250,
  evalSequences: 512,
  checkpointEvery: 500,
  keepCheckpoints: 3,
  logEvery: 10,
  seed: 1,
};

const small: PretrainConfig = {
  ...tiny,
  name: "motian-small",
  model: {
    ...tiny.model,
    ...{ layers: 4, width: 256, heads: 4, hidden: 1024, segments: 2, segmentStd: 0.005 },
    // 500 steps of 16 x 128: held-out perplexity 427 with a std of 0.02, 310 with 0.05, at this rate.
    ...{ std: 0.05, keysLikeQueries: true, tokenStart: "neighbours" },
  },
  data: { ...tiny.data, length: 128, batch: 16, microBatch: 16 },
  // An hour on a small machine shows few tokens: more is asked of each.
  mask: { ...tiny.mask, share: 0.3 },
  click: {
    log: "simulated",
    simulated: { ...SIMULATED, impressions: 50_000, shown: 4, bias: 0 },
    ...{ loss: "pointwise", docs: 4, length: 48, batch: 16, microBatch: 16, mlm: true },
    ...{ weights: "uncertainty", share: 1, clip: 1, heldOut: 0.05 },
  },
  optimizer: { ...tiny.optimizer, rate: 0.004 },
  steps: 4500,
  then: [{ length: 512, batch: 8, microBatch: 8, steps: 250, rate: 0.001, warmup: 0.1 }],
  evalEvery: 500,
  checkpointEvery: 500,
};

const base: PretrainConfig = {
  ...small,
  name: "motian-base",
  model: { ...tiny.model, layers: 12, width: 768, heads: 12, hidden: 3072, dropout: 0.1 },
  data: { ...tiny.data, length: 128, batch: 2048, vocabularySize: 21_128 },
  mask: tiny.mask,
  click: null,
  optimizer: { ...small.optimizer, rate: 0.002 },
  steps: 90_000,
  then: [{ length: 512, batch: 512, microBatch: 8, steps: 10_000, rate: 0.001, warmup: 0.1 }],
  evalEvery: 1000,
  evalSequences: 2048,
  checkpointEvery: 1000,
};

const large: PretrainConfig = withRule({
  ...base,
  name: "motian-1b",
  model: {
    ...base.model,
    layers: 24,
    width: 2048,
    heads: 16,
    hidden: 8192,
    scheme: "motian-shared",
  },
  // Two sequences at once are what weights, sums and moments leave room for in 16 GiB.
  data: { ...base.data, batch: 65_536, microBatch: 8, recompute: true },
  optimizer: { ...base.optimizer, rule: "lamb-sqrt", stateDtype: "bf16" },
  steps: 14_000,
  then: [{ ...base.then[0]!, batch: 32_768, microBatch: 2, steps: 1600 }],
});

/** The configurations that have names. */
export const configurations: Readonly<Record<string, PretrainConfig>> = Object.fromEntries(
  [tiny, small, base, large].map((config) => [config.name, config]),
);
