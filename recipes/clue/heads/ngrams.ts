/**
 * What is said anywhere in a text, made ready for a decision.
 *
 *     dropout(max_t gelu(W [h_t; h_t+1] + b))
 *
 * A feature is a kind of neighbours, and a row has it where any two of its tokens do; padding has no part in it. Where single words decide and
 * examples are few, this learns more of them than [CLS] does, which attention has to fill first.
 *
 * Source: Kim 2014 (arXiv 1408.5882), section 2, one width of window, over an encoder's states instead of vectors of words.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  concat,
  einsum,
  expandDims,
  gelu,
  greater,
  max,
  size,
  sizesOf,
  slice,
  where,
} from "../../../core/mod.ts";
import { dropout, linearSpec } from "../../../nn/mod.ts";
import { HEAD_SITE } from "./head.ts";
import type { Reading } from "./reading.ts";

/** Less than any gelu. */
const NONE = -1;

/** The reading. A row has two tokens at least, [CLS] and [SEP]. */
export const ngrams: Reading = {
  // States are normalised: what they are mapped to has a deviation near 1, and features differ from the first step on.
  spec: (width) => linearSpec(size("D", 2 * width), size("C", width), (2 * width) ** -0.5),
  read({ w, b }, { hidden, keep, dropout: dropped }) {
    const h = hidden as AnyTensor, T = sizesOf(h)[1]!;
    const pairs: AnyTensor = concat([slice(h, 1, 0, T - 1), slice(h, 1, 1, T)], 2);
    const found: AnyTensor = gelu(
      add(einsum("btd,dc->btc", pairs, w as AnyTensor), b) as AnyTensor,
    );
    // Of two neighbours the second is a token only where the first is.
    const both: AnyTensor = expandDims(slice(keep as AnyTensor, 1, 1, T), 2);
    const most: AnyTensor = max(where(greater(both, 0), found, NONE) as AnyTensor, 1 as never);
    return dropout(most as never, dropped as never, HEAD_SITE) as AnyTensor;
  },
};
