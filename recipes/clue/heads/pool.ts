/**
 * What stands at [CLS], made ready for a decision.
 *
 *     dropout(tanh(W h_[CLS] + b))
 *
 * Source: the pooler in BERT's code; Devlin et al. 2019 (arXiv 1810.04805), section 4.1, mention its input alone.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  einsum,
  reshape,
  size,
  sizesOf,
  slice,
  tanh,
  type Tensor,
} from "../../../core/mod.ts";
import { dropout, type LinearSpec, linearSpec, type TensorsOf } from "../../../nn/mod.ts";
import { HEAD_SITE, type HeadInputs } from "./head.ts";
import type { Reading } from "./reading.ts";

/** Shapes: hidden [B, T, C] -> [B, C]. */
export function pool(
  { w, b }: TensorsOf<LinearSpec<"C", "C">>,
  { hidden, dropout: dropped }: HeadInputs,
): Tensor<["B", "C"]> {
  const [B, , C] = sizesOf(hidden), one = slice(hidden as AnyTensor, 1, 0, 1) as AnyTensor;
  const first: Tensor<["B", "C"]> = reshape(one, [B!, C!]) as AnyTensor;
  const pooled: AnyTensor = tanh(add(einsum("bc,cd->bd", first, w), b));
  return dropout(pooled, dropped as never, HEAD_SITE) as AnyTensor;
}

/** BERT's way to read a row. */
export const atCls: Reading = {
  spec: (width) => linearSpec(size("D", width), size("C", width), 0.02),
  read: (map, inputs) => pool(map as never, inputs),
};
