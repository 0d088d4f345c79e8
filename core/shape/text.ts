/**
 * Shapes in error texts: "[B, 12, ?]", where "?" is a size known only at run time.
 *
 * @module
 */
import type { Dim, IsTuple, IsWild, Lits } from "./dim.ts";

/** One axis. */
export type ShowDim<D extends Dim, Z extends Lits> = IsWild<D, Z> extends true ? "?" : `${D}`;
/** A shape. */
export type Show<S, Z extends Lits> = IsTuple<S> extends true ? `[${ShowList<S, Z>}]` : "[...]";
type ShowList<S, Z extends Lits> = S extends readonly [infer H extends Dim] ? ShowDim<H, Z>
  : S extends readonly [infer H extends Dim, ...infer R] ? `${ShowDim<H, Z>}, ${ShowList<R, Z>}`
  : "";
/** Several shapes: "[2, 3] and [4]". */
export type ShowAll<L, Z extends Lits> = L extends readonly [infer H] ? Show<H, Z>
  : L extends readonly [infer H, ...infer R] ? `${Show<H, Z>} and ${ShowAll<R, Z>}`
  : "nothing";
/** A list of numbers that are never generic, such as axes. */
export type ShowNums<P> = `[${ShowNumList<P>}]`;
type ShowNumList<P> = P extends readonly [infer H extends number] ? `${H}`
  : P extends readonly [infer H extends number, ...infer R] ? `${H}, ${ShowNumList<R>}`
  : "";

/** "[2, 3]" */
export function show(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
/** "[2, 3] and [4]" */
export function showAll(shapes: readonly (readonly number[])[]): string {
  return shapes.length ? shapes.map(show).join(" and ") : "nothing";
}
