/**
 * What the matrix products share: how a factor is read, and how a tile of the result is stored.
 *
 * Tiles at the edges read past their matrix, which WebGPU makes harmless, and do not store what they got; so a prime
 * size has the same kernel as a round one.
 *
 * @module
 */
import type { Operand } from "../../plan/kernels.ts";
import { address, coordinates, isVector } from "./address.ts";
import {
  bind,
  type Bindings,
  isF16,
  load,
  loadF16,
  type SlotOf,
  store,
  unitOf,
} from "./bindings.ts";
import type { MatmulPart } from "./part.ts";
import type { Target } from "./shader.ts";
import type { Lanes } from "./wgsl_expr.ts";

/** A factor: how it steps along its own axis of the result and along k. */
export interface Factor {
  readonly from: Operand;
  readonly along: number;
  readonly alongK: number;
  /** Four neighbours may be taken as one aligned vector. */
  readonly vector: boolean;
  /** The vector runs along k, not along the factor's own axis. */
  readonly byK: boolean;
}

/** `count` elements along its own axis are read at once, and all `k` along the other; vectors must divide them. */
export function factorOf(
  from: Operand,
  [along, alongK]: readonly [number, number],
  count: number,
  k: number,
): Factor {
  const byK = alongK === 1 && along !== 1;
  const aligned = [from.offset, byK ? along : alongK, ...from.strides.slice(0, -2)];
  const whole = byK ? k % 4 === 0 : along === 1 && count % 4 === 0;
  const vector = whole && aligned.every((s) => s % 4 === 0);
  return { from, along, alongK, vector, byK };
}

/** Where the matrix of this batch begins, in elements. */
export function batchStart(f: Factor, batch: readonly number[]): string {
  const at = coordinates("batch", batch);
  return address(f.from.offset, at.map((c, axis): [string, number] => [c, f.from.strides[axis]!]));
}

/** The value at an element address, which is a multiple of four if the factor is a vector and four lanes are wanted. */
export function factorValue(
  bound: Bindings,
  f: Factor,
  at: string,
  lanes: Lanes,
  step: number,
): string {
  if (unitOf(bound, f.from.base) === 1) return load(bound, f.from, at, lanes, step);
  const four = load(bound, f.from, `(${at}) / 4u`, 4, step);
  return lanes === 4 ? four : `${four}[(${at}) % 4u]`;
}

/** The type of four values of a factor as they are held in workgroup memory: f16 stays f16. */
export function heldType(bound: Bindings, f: Factor): string {
  return isF16(bound, f.from.base) ? "vec4<f16>" : "vec4f";
}

/** Four values as `heldType`. */
export function factorHeld(bound: Bindings, f: Factor, at: string, step: number): string {
  if (!isF16(bound, f.from.base)) return factorValue(bound, f, at, 4, step);
  return loadF16(bound, f.from, unitOf(bound, f.from.base) === 4 ? `(${at}) / 4u` : at, 4, step);
}

/** Are four columns of the result an aligned vector? */
function storesVectors({ n, into }: MatmulPart): boolean {
  return n % 4 === 0 && (!into || isVector(into.offset, into.strides));
}

/** Where the result has a row and a column. */
function resultAt({ batch, m, n, into }: MatmulPart, row: string, column: string): string {
  if (!into) return `batch * ${m * n}u + (${row}) * ${n}u + ${column}`;
  const at = [...coordinates("batch", batch), `(${row})`];
  const terms = at.map((c, axis): [string, number] => [c, into.strides[axis]!]);
  return address(into.offset, [...terms, [`(${column})`, 1]]);
}

/** Statements that store columns 4q..4q+3 of a row from a vec4, or one column, whatever lies outside left out. */
export function storeTile(
  bound: Bindings,
  k: MatmulPart,
  row: string,
  column: string,
  value: string,
  lanes: Lanes,
  guards: { readonly m: boolean; readonly n: boolean },
): string {
  const at = resultAt(k, row, column), own = { base: k.store, offset: 0, strides: [1] };
  const put = (where: string, x: string, width: Lanes): string => {
    const sum = k.adds ? `${x} + ${load(bound, own, where, width)}` : x;
    return store(bound, k.store, where, sum, width);
  };
  const inRow = guards.m ? `${row} < ${k.m}u` : "";
  const guarded = (conditions: readonly string[], body: string): string => {
    const all = conditions.filter(Boolean).join(" && ");
    return all ? `if (${all}) { ${body} }` : body;
  };
  if (lanes === 1) {
    const body = put(at, value, 1);
    return guarded([inRow, guards.n ? `${column} < ${k.n}u` : ""], body);
  }
  if (k.n % 4 === 0) {
    const where = unitOf(bound, k.store) === 4 ? `(${at}) / 4u` : at;
    const body = put(where, value, 4);
    return guarded([inRow, guards.n ? `${column} < ${k.n}u` : ""], body);
  }
  const each = [0, 1, 2, 3].map((l) =>
    guarded(
      [guards.n ? `${column} + ${l}u < ${k.n}u` : ""],
      put(`${at} + ${l}u`, `${value}[${l}]`, 1),
    )
  );
  return guarded([inRow], each.join(" "));
}

/** The buffers of a product, whose columns are stored `lanes` at a time. */
export function bindFactors(
  k: MatmulPart,
  a: Factor,
  b: Factor,
  slotOf: SlotOf,
  lanes: Lanes,
  target: Target,
): Bindings {
  return bind(
    [
      { node: a.from.base, write: false, vector: a.vector },
      { node: b.from.base, write: false, vector: b.vector },
      { node: k.store, write: true, vector: lanes === 4 && storesVectors(k) },
    ],
    slotOf,
    target,
  );
}
