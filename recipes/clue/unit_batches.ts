/**
 * Units in batches of about the same length: padding costs time.
 *
 * @module
 */
import { type AnyTensor, fromArray, type Tensor } from "../../core/mod.ts";
import { draws, permutation, USES } from "../masking/counter_random.ts";
import type { Head, Targets } from "./heads/head.ts";
import type { Unit } from "./unit.ts";

/** Lengths of batches are multiples of this: each length is a program of its own. Units: tokens. */
export const GRAIN = 16;
/** So many batches are filled from a stretch of the order, sorted by length. */
const STRETCH = 32;

/** A batch: numbers of units, and the length that their rows are padded to. */
export interface UnitBatch {
  readonly units: readonly number[];
  readonly T: number;
}

const lengthOf = ({ rows }: Unit): number => Math.max(...rows.map(({ ids }) => ids.length));

function chunks(list: readonly number[], size: number): readonly (readonly number[])[] {
  const count = Math.ceil(list.length / size);
  return Array.from({ length: count }, (_, n) => list.slice(n * size, (n + 1) * size));
}

/** Batches of U of these units, which are sorted by length. */
function byLength(units: readonly Unit[], which: readonly number[], U: number): UnitBatch[] {
  const lengths = new Map(which.map((n) => [n, lengthOf(units[n]!)]));
  const sorted = which.toSorted((a, b) => lengths.get(a)! - lengths.get(b)!);
  return chunks(sorted, U).map((own) => ({
    units: own,
    T: Math.ceil(lengths.get(own.at(-1)!)! / GRAIN) * GRAIN,
  }));
}

/** All units in batches of U, the shortest first; for evaluation. */
export function sortedBatches(units: readonly Unit[], U: number): readonly UnitBatch[] {
  return byLength(units, units.map((_, n) => n), U);
}

/** The batches of an epoch, in random order: a function of (seed, epoch). */
export function epochBatches(
  units: readonly Unit[],
  U: number,
  seed: number,
  epoch: number,
): readonly UnitBatch[] {
  const order = Array.from(permutation(units.length, draws(seed, USES.units, epoch, 0)));
  const batches = chunks(order, U * STRETCH).flatMap((own) => byLength(units, own, U));
  const turns = permutation(batches.length, draws(seed, USES.unitBatches, epoch, 0));
  return Array.from(turns, (n) => batches[n]!);
}

/** Rows on their way to the device. */
export interface RowInputs {
  readonly ids: Tensor<["B", "T"], "i32">;
  readonly keep: Tensor<["B", "T"]>;
  readonly segments: Tensor<["B", "T"], "i32">;
}

/** The rows of a batch, filled up to U units with empty ones. */
export function rowInputs(
  all: readonly Unit[],
  { units, T }: UnitBatch,
  U: number,
  { rows: N }: Head,
  pad: number,
): RowInputs {
  const B = U * N, ids = new Int32Array(B * T).fill(pad), keep = new Float32Array(B * T);
  const segments = new Int32Array(B * T);
  units.flatMap((n) => all[n]!.rows).forEach((row, b) => {
    ids.set(row.ids, b * T);
    segments.set(row.segments, b * T);
    keep.fill(1, b * T, b * T + row.ids.length);
  });
  // A row of nothing would have no key to attend to.
  for (let b = units.length * N; b < B; b++) keep[b * T] = 1;
  return {
    ids: fromArray(ids, [B, T], "i32") as AnyTensor,
    keep: fromArray(keep, [B, T]) as AnyTensor,
    segments: fromArray(segments, [B, T], "i32") as AnyTensor,
  };
}

/** What a batch is to answer; tokens without a target have -1. Units without a weight of their own weigh 1. */
export function targetInputs(
  all: readonly Unit[],
  { units, T }: UnitBatch,
  U: number,
  { targets: wanted }: Head,
  weightOf: readonly number[] = [],
): Targets {
  const K = wanted === "tokens" ? T : wanted;
  const targets = new Int32Array(U * K).fill(wanted === "tokens" ? -1 : 0);
  const weights = new Float32Array(U);
  units.forEach((n, u) => {
    targets.set(all[n]!.target, u * K);
    weights[u] = weightOf[n] ?? 1;
  });
  return {
    targets: fromArray(targets, [U, K], "i32") as AnyTensor,
    weights: fromArray(weights, [U]) as AnyTensor,
    ...softTargets(units.map((n) => all[n]!), U),
  };
}

/** What a teacher answers to units, filled up to U. */
function softTargets(units: readonly Unit[], U: number): Pick<Targets, "soft"> {
  const L = units[0]?.soft?.length;
  if (L === undefined) return {};
  const soft = new Float32Array(U * L);
  units.forEach((unit, u) => soft.set(unit.soft!, u * L));
  return { soft: fromArray(soft, [U, L]) as AnyTensor };
}
