/**
 * Threefry-2x32 with 20 rounds: a counter-based generator, so that the same key and place give the same bits on every
 * device, in any order, whether stored or computed again. Written once, as integer expressions.
 *
 * Source: Salmon, Moraes, Dror and Shaw, Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import type { Expr } from "../expr/expr.ts";
import { cast, compute, constant, iota, reshape, slice } from "../graph/build.ts";
import { type Node, show, sizeOf, type Sizes } from "../graph/node.ts";

const ROTATIONS = [[13, 15, 26, 6], [17, 29, 16, 24]] as const;
const PARITY = 0x1bd11bda;

const rotate = (x: Expr, by: number): Expr => X.or(X.shl(x, by), X.shr(x, 32 - by));

/** The two words that key (k0, k1) gives at counter (c0, c1). */
export function threefry(k0: Expr, k1: Expr, c0: Expr, c1: Expr): readonly [Expr, Expr] {
  const keys = [k0, k1, X.xor(X.xor(k0, k1), PARITY)] as const;
  let a = X.add(c0, k0), b = X.add(c1, k1);
  for (let round = 0; round < 20; round++) {
    a = X.add(a, b);
    b = X.xor(rotate(b, ROTATIONS[(round >> 2) % 2]![round % 4]!), a);
    if (round % 4 === 3) {
      const step = (round >> 2) + 1;
      a = X.add(a, keys[step % 3]!);
      b = X.add(X.add(b, keys[(step + 1) % 3]!), step);
    }
  }
  return [a, b];
}

/** The top 24 bits as a number from 0, below 1. */
export function unit(bits: Expr): Expr {
  return X.mul(X.cast(X.shr(bits, 8), "f32"), 2 ** -24);
}

/** The second counter word says what the words are for, so that no two uses of one key meet. */
export const USES = { bits: 0, foldIn: 1, split: 2 } as const;

/** f of the words that the key gives at each counter, for one use. */
export function mapWords(
  key: Node,
  counters: Node,
  use: keyof typeof USES,
  f: (words: readonly [Expr, Expr], ...others: Expr[]) => Expr,
  others: readonly Node[] = [],
  dtype: DType = "u32",
): Node {
  const [k0, k1] = [0, 1].map((i) => reshape(slice(key, [i], [1]), []));
  const made = (a: Expr, b: Expr, c: Expr, purpose: Expr, ...rest: Expr[]): Expr =>
    f(threefry(a, b, c, purpose), ...rest);
  return compute(made, [k0!, k1!, counters, constant(USES[use], "u32"), ...others], dtype);
}

/** f of one random u32 for every element of a shape. */
export function mapBits(
  key: Node,
  shape: Sizes,
  dtype: DType,
  f: (bits: Expr) => Expr,
): Node {
  if (!shape.every((n) => Number.isInteger(n) && n >= 0)) {
    throw new RangeError(`Cannot draw ${show(shape)}: sizes must be whole numbers of at least 0`);
  }
  const places = cast(reshape(iota(sizeOf(shape)), shape), "u32");
  return mapWords(key, places, "bits", ([word]) => f(word), [], dtype);
}
