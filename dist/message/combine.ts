/**
 * How elements of two ranks become one.
 *
 * @module
 */
import type { WireArray } from "./array.ts";
import type { Reduction } from "./header.ts";

/** Puts `a` with `b`, elements in that order, into `into`, which may be either. */
export type Combine = (into: WireArray, a: WireArray, b: WireArray) => void;

/** Apart from the others, so that it is compiled for this type alone: it is what gradients are summed with. */
function addF32(into: Float32Array, a: Float32Array, b: Float32Array): void {
  for (let i = 0; i < into.length; i++) into[i] = a[i]! + b[i]!;
}

function add(into: WireArray, a: WireArray, b: WireArray): void {
  if (into instanceof Float32Array) return addF32(into, a as Float32Array, b as Float32Array);
  for (let i = 0; i < into.length; i++) into[i] = a[i]! + b[i]!;
}

function least(into: WireArray, a: WireArray, b: WireArray): void {
  for (let i = 0; i < into.length; i++) into[i] = Math.min(a[i]!, b[i]!);
}

function most(into: WireArray, a: WireArray, b: WireArray): void {
  for (let i = 0; i < into.length; i++) into[i] = Math.max(a[i]!, b[i]!);
}

function same(into: WireArray, a: WireArray): void {
  if (into !== a) into.set(a);
}

/** The function for each reduction. Integers wrap; NaN with anything is NaN. */
export const combines: Readonly<Record<Reduction, Combine>> = {
  none: same,
  sum: add,
  min: least,
  max: most,
};
