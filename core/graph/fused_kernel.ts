/**
 * Kernels written by hand: what a `custom` node may name beside the composite that it stands for. Plain data, so that equal
 * kernels are one; a backend that lacks the kernel computes the composite, and the laws hold the two against each other.
 *
 * Turned down: a node kind for each, with rules of its own in every transform; and a planner that finds the pattern again, which
 * a harmless change of the composite would break in silence.
 *
 * @module
 */

/**
 * Attention under relative position terms, or its backward pass: sizes and switches (core/ops/attention.ts has the formula).
 * Operands, those in [] only if switched on: q, k, v [B, H, T, K], [rows [2T - 1] if R > 0], [keep [B, T]], [bias [B, H, R]],
 * [keyTerm, queryTerm [B, H, T, R]], [keys [B, 2]]; the backward pass then reads the forward result, and the cotangents of
 * `out` and [`sums`].
 */
export interface AttentionKernel {
  readonly op: "attention" | "attentionGrad";
  readonly B: number;
  readonly H: number;
  readonly T: number;
  readonly K: number;
  /** Rows of the position terms, 0 without any. */
  readonly R: number;
  readonly scale: number;
  readonly ownCls: boolean;
  readonly keep: boolean;
  readonly bias: boolean;
  readonly keyTerm: boolean;
  readonly queryTerm: boolean;
  readonly sums: boolean;
  /** Share of the weights that is dropped. */
  readonly dropout: number;
}

/** What the operands of attention are called. */
export type AttentionOperand =
  | "q"
  | "k"
  | "v"
  | "rows"
  | "keep"
  | "bias"
  | "keyTerm"
  | "queryTerm"
  | "keys"
  | "forward"
  | "dOut"
  | "dSums";

/** The operands that a kernel has, in its order. */
export function attentionOperands(k: AttentionKernel): readonly AttentionOperand[] {
  const grad = k.op === "attentionGrad";
  const on: { readonly [N in AttentionOperand]: boolean } = {
    q: true,
    k: true,
    v: true,
    rows: k.R > 0,
    keep: k.keep,
    bias: k.bias,
    keyTerm: k.keyTerm,
    queryTerm: k.queryTerm,
    keys: k.dropout > 0,
    forward: grad,
    dOut: grad,
    dSums: grad && k.sums,
  };
  return (Object.keys(on) as AttentionOperand[]).filter((name) => on[name]);
}

/** What a key that is not kept scores less: it must vanish from the softmax, and a row of padding alone must stay finite. */
export const HIDDEN = 1e9;

export type FusedKernel = AttentionKernel;

/** "attention [2, 4, 512, 64], 0 rows" */
export function fusedText({ op, B, H, T, K, R }: FusedKernel): string {
  return `${op} [${B}, ${H}, ${T}, ${K}], ${R} rows`;
}
