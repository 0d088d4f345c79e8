/**
 * Keys: randomness is an argument. A key used twice gives the same numbers twice; new keys come from `foldIn` and
 * `splitKey`.
 *
 * @module
 */
import type { Int } from "../dtype.ts";
import { fromArray } from "../create.ts";
import * as X from "../expr/expr.ts";
import { settle } from "../execute.ts";
import { cast, compute, constant, coordinate, reshape } from "../graph/build.ts";
import type { Node } from "../graph/node.ts";
import type { Dim, Size } from "../shape/mod.ts";
import { type AnyTensor, nodeOf, type Tensor, wrap } from "../tensor.ts";
import { mapWords } from "./threefry.ts";

/** What random numbers are drawn with. */
export type Key = Tensor<[2], "u32">;

/**
 * The key of a seed.
 *
 * Shapes: -> [2].
 *
 * @throws {RangeError} if the seed is not a whole number from 0 to 2^53 - 1.
 *
 * @example
 * ```ts
 * import { key, read } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(key(7))], [0, 7]);
 * ```
 */
export function key(seed: number): Key {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`Cannot make a key of ${seed}: it must be a whole number of at least 0`);
  }
  return fromArray([Math.floor(seed / 2 ** 32), seed >>> 0], [2], "u32");
}

/** The node of a key, once it is known to be one. */
export function keyNode(op: string, given: AnyTensor): Node {
  const n = nodeOf(given);
  if (n.dtype === "u32" && n.shape.length === 1 && n.shape[0] === 2) return n;
  throw new TypeError(
    `Cannot ${op} with a key ${n.dtype} [${n.shape.join(", ")}]: it must be u32 [2]`,
  );
}

/** Rows of two words, one row a counter. */
function rows(key: Node, counters: Node, use: "foldIn" | "split"): Node {
  const shape = [...counters.shape, 2], column = coordinate(shape, shape.length - 1);
  const pick = ([a, b]: readonly [X.Expr, X.Expr], i?: X.Expr): X.Expr =>
    X.select(X.eq(i!, 0), a, b);
  return mapWords(key, reshape(counters, [...counters.shape, 1]), use, pick, [column]);
}

/**
 * The key that belongs to a number under a key: of a step, an example, a layer.
 *
 * Shapes: [2], [] -> [2]. Negative numbers count from 2^32 down.
 *
 * @throws {TypeError} if the number is not whole.
 *
 * @example
 * ```ts
 * import { foldIn, key, read, uniform } from "@motian/motian";
 * import { assertNotEquals } from "@std/assert";
 *
 * const ofStep = (step: number) => uniform(foldIn(key(1), step), [2]);
 * assertNotEquals([...await read(ofStep(0))], [...await read(ofStep(1))]);
 * ```
 */
export function foldIn<D extends Int>(key: Key, data: number | Tensor<[], D>): Key {
  const n = keyNode("foldIn", key);
  if (typeof data === "number" && !Number.isInteger(data)) {
    throw new TypeError(`Cannot foldIn ${data}: the number must be whole`);
  }
  const counter = typeof data === "number" ? constant(data >>> 0, "u32") : word(nodeOf(data));
  return wrap(settle(rows(n, counter, "foldIn")));
}

function word(n: Node): Node {
  if (n.shape.length === 0 && (n.dtype === "i32" || n.dtype === "u32")) {
    return n.dtype === "u32" ? n : compute((e) => X.bitcast(e, "u32"), [n]);
  }
  throw new TypeError(`Cannot foldIn ${n.dtype} [${n.shape.join(", ")}]: it must be i32 or u32 []`);
}

/**
 * n new keys, one a row: what `vmap` over keys takes. To name keys one by one, use `foldIn`.
 *
 * Shapes: [2] -> [N, 2].
 *
 * @throws {RangeError} if n is not a whole number of at least 0.
 *
 * @example
 * ```ts
 * import { key, splitKey, uniform, vmap } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const noise = vmap((k: ReturnType<typeof key>) => uniform(k, [3]))(splitKey(key(1), 5));
 * assertEquals([...noise.shape], [5, 3]);
 * ```
 */
export function splitKey<const N extends Dim = 2>(
  key: Key,
  n: (N & number) | Size<N> = 2 as N & number,
): Tensor<[N, 2], "u32"> {
  if (!Number.isInteger(n) || n < 0) {
    throw new RangeError(`Cannot split a key into ${n}: it must be a whole number of at least 0`);
  }
  const counters = cast(coordinate([n], 0), "u32");
  return wrap(settle(rows(keyNode("splitKey", key), counters, "split")));
}
