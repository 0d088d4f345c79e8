/**
 * What a score and an output are made of: every term a switch, so that the schemes of the literature are configurations
 * of one attention.
 *
 *     score_ij = [ (q_i + u) · k_j + (q_i + w) · K_β + k_j · Q_β + (q_i + z) · s_ij ] / scale + b_β + g_ij + a_ij
 *     out_i    = Σ_j softmax(score)_ij ( v_j + V_β )          β = bucket of j - i
 *
 * @module
 */
import {
  type Bucket,
  clipped,
  deberta as debertaBucket,
  exactThenLog,
  t5 as t5Bucket,
  unclipped,
} from "./bucket.ts";

/** Where the rows of a position term come from. */
export type Rows =
  | "off"
  /** The scheme's rows themselves, as wide as a head, shared by the heads; learnt ones are the layer's own. */
  | "direct"
  /** The shared rows, as wide as the model, projected by the layer for every head. */
  | "projected";

/** A position scheme. */
export interface Scheme {
  /** How offsets share rows. */
  readonly bucket: Bucket;
  /** Rows that start normal or as sinusoids and are learnt; or sinusoids for ever: of the row's number, alternating (NEZHA), or of i - j, all sines first (XLNet). */
  readonly rows: "learnt" | "learnt-from-sinusoid" | "sinusoid" | "sinusoid-halves";
  /** q · K_β: what stands at that distance matters to the query. */
  readonly keySide: Rows;
  /** k · Q_β: where the query stands matters to the key. */
  readonly querySide: Exclude<Rows, "direct">;
  /** α V_β: distance is part of what is read. */
  readonly valueSide: Rows;
  /**
   * What projects the shared rows: maps of their own, three more matrices a layer where all sides are projected; or the layer's
   * maps of keys, queries and values.
   */
  readonly projections: "own" | "content";
  /** b_β: one number a head and bucket. */
  readonly bias: boolean;
  /** u, w, z: learnt per head, added to the query in the content, key-side and segment terms. */
  readonly globalBias: {
    readonly content: boolean;
    readonly position: boolean;
    readonly segment: boolean;
  };
  /** Same segment or not: one number a head (g), or a learnt vector (s). */
  readonly segments: "off" | "bias" | "vector";
  /** a_ij: the correlation of two absolute positions, computed once for all layers; so many positions. */
  readonly absolute: number;
  /** [CLS] (position 0) as query and as key has buckets of its own, and no absolute correlation. */
  readonly ownCls: boolean;
  /** √(head width · number of dot products), √(head width), or 1. */
  readonly scale: "terms" | "head" | "one";
}

const off: Scheme = {
  bucket: clipped(0),
  rows: "learnt",
  keySide: "off",
  querySide: "off",
  valueSide: "off",
  projections: "own",
  bias: false,
  globalBias: { content: false, position: false, segment: false },
  segments: "off",
  absolute: 0,
  ownCls: false,
  scale: "head",
};

/** After the article's account of combining NEZHA, XLNet, T5 and DeBERTa for short texts; its own formula is unpublished. */
const motian: Scheme = {
  ...off,
  bucket: exactThenLog(),
  rows: "learnt-from-sinusoid",
  keySide: "projected",
  querySide: "projected",
  valueSide: "projected",
  bias: true,
  globalBias: { content: false, position: true, segment: false },
  segments: "bias",
  ownCls: true,
  scale: "terms",
};

const named = {
  /** Content alone: for absolute positions in the embeddings (BERT), or none. */
  none: off,
  /** Shaw et al. 2018. */
  shaw: { ...off, bucket: clipped(16), keySide: "direct", valueSide: "direct" },
  /** Wei et al. 2019 (NEZHA): Shaw's form with fixed sinusoids. */
  nezha: { ...off, bucket: clipped(64), rows: "sinusoid", keySide: "direct", valueSide: "direct" },
  /** Raffel et al. 2020, but with the scale, which T5 folds into its initial weights. */
  t5: { ...off, bucket: t5Bucket(), bias: true },
  /** Yang et al. 2019 (XLNet, Transformer-XL). */
  xlnet: {
    ...off,
    bucket: unclipped,
    rows: "sinusoid-halves",
    keySide: "projected",
    globalBias: { content: true, position: true, segment: true },
    segments: "vector",
  },
  /** Yan et al. 2019 (TENER): XLNet's without segments and without a scale. */
  tener: {
    ...off,
    bucket: unclipped,
    rows: "sinusoid-halves",
    keySide: "projected",
    globalBias: { content: true, position: true, segment: false },
    scale: "one",
  },
  /** He et al. 2020, with v2's buckets. The paper's δ(j, i) in the query-side term is the code's δ(i, j). */
  deberta: {
    ...off,
    bucket: debertaBucket(),
    keySide: "projected",
    querySide: "projected",
    scale: "terms",
  },
  /** Ke et al. 2020 (TUPE-R). */
  tupe: { ...off, bucket: t5Bucket(), bias: true, absolute: 512, ownCls: true, scale: "terms" },
  /** Ours. */
  motian,
  /** Ours with a fifth fewer parameters a layer: positions go through the maps of the content, as under DeBERTa v2's share_att_key. */
  "motian-shared": { ...motian, projections: "content" },
} as const satisfies Readonly<Record<SchemeName, Scheme>>;

/** The name of a scheme. */
export type SchemeName =
  | "none"
  | "shaw"
  | "nezha"
  | "t5"
  | "xlnet"
  | "tener"
  | "deberta"
  | "tupe"
  | "motian"
  | "motian-shared";

/** The schemes by name. */
export const schemes: Readonly<Record<SchemeName, Scheme>> = named;

/** How many dot products a score adds up. */
export function termsOf(scheme: Scheme): number {
  return 1 + Number(scheme.keySide !== "off") + Number(scheme.querySide !== "off") +
    Number(scheme.absolute > 0);
}

/** Does any term look at the bucket of an offset? */
export function usesBuckets(s: Scheme): boolean {
  return s.bias || s.keySide !== "off" || s.querySide !== "off" || s.valueSide !== "off";
}

/** Does any term need the rows shared by all layers? */
export function usesSharedRows(s: Scheme): boolean {
  return [s.keySide, s.querySide, s.valueSide].includes("projected");
}
