/** Axes split, merged and reordered by a pattern of names. */
import type { DType } from "../dtype.ts";
import { settle } from "../execute.ts";
import { permute, reshape } from "../graph/build.ts";
import { parsePattern } from "../shape/pattern.ts";
import {
  type Arg,
  type Ok,
  type Rearrange,
  rearrangeShape,
  type Shape,
  unwrap,
} from "../shape/mod.ts";
import { nodeOf, type Tensor, wrap } from "../tensor.ts";
import { movement } from "./movement.ts";

/**
 * Axes split, merged and reordered by a pattern: "b t (h d) -> b h t d".
 *
 * Shapes: a name an axis; a group in brackets is one axis of the tensor, its first name outermost; of a group on the left
 * at most one name may lack a size in `sizes`. `1` is an axis of size 1, dropped on the left, made on the right.
 *
 * @throws {TypeError} if the pattern does not fit the shape and the sizes.
 *
 * @example
 * ```ts
 * import { read, rearrange, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const y = rearrange(tensor([[1, 2, 3, 4]]), "t (h d) -> h t d", { h: 2 });
 * assertEquals([...y.shape], [2, 1, 2]);
 * assertEquals([...await read(rearrange(y, "h t d -> t d h"))], [1, 3, 2, 4]);
 * ```
 */
export function rearrange<
  S extends Shape,
  D extends DType,
  const P extends string,
  const G extends Readonly<Record<string, number>> = Record<never, never>,
>(
  x: Tensor<S, D>,
  pattern: Arg<Rearrange<P, S, G>, P>,
  sizes?: G,
): Tensor<Ok<Rearrange<P, S, G>>, D> {
  const n = nodeOf(x),
    text = pattern as string,
    given: Readonly<Record<string, number>> = sizes ?? {};
  const shape = unwrap(rearrangeShape(text, n.shape, given));
  const [left, right] = unwrap(parsePattern(text, Object.keys(given)));
  const names = (side: typeof left): string[] => side.flat().filter((name) => name !== "1");
  const split = left.flatMap((group, i) => {
    const atoms = names([group]);
    const known = atoms.reduce((size, name) => size * (given[name] ?? 1), 1);
    return atoms.map((name) => given[name] ?? n.shape[i]! / known);
  });
  const from = names(left);
  const moved = permute(reshape(n, split), names(right).map((name) => from.indexOf(name)));
  return wrap(settle(reshape(moved, shape)));
}

const patterns = [
  "a (h b) -> h a b",
  "a (b h) -> (a b) h",
  "a 1 (h b) -> b (a h)",
  "a (h) -> h 1 a",
  "(a h) -> 1 a h",
] as const;

export const rearrangeLaw = movement("rearrange", (d) => {
  const pattern = d.oneOf(patterns), h = d.int(1, 3), [a, b] = [d.int(0, 3), d.int(0, 3)];
  const size: Readonly<Record<string, number>> = {
    "a": a,
    "1": 1,
    "(h)": h,
    "(a h)": a * h,
    "(h b)": h * b,
    "(b h)": b * h,
  };
  const shape = pattern.split(" -> ")[0]!.match(/\([^)]*\)|\S+/g)!.map((token) => size[token]!);
  return { shapes: [shape], call: (x) => rearrange(x!, pattern, { h }) };
});
