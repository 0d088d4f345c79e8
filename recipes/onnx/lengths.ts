/**
 * Sizes that are only known when a model runs, as polynomials of its named axes.
 *
 * A function is traced at several points (a size for every named axis). What was 6, 8, 10 and 12 at lengths of 3 to 6 is 2T, and 2T at
 * every length: no other polynomial of degree 3 goes through the values at the points of a lattice, and two points beyond it refute what
 * is none.
 *
 * @module
 */

/** What a whole number of the graph was at every point. */
export type Size = readonly number[];

/** coefficient · Π axis^power. */
export interface Term {
  readonly coefficient: number;
  /** A power for every axis. */
  readonly powers: readonly number[];
}

/** Named axes, and the points at which they are traced. */
export interface Lengths {
  readonly axes: readonly string[];
  /** Sizes of the axes, by point. */
  readonly points: readonly (readonly number[])[];
  /** The polynomial that a number is; undefined where it is none of degree 3 with whole coefficients. */
  readonly polynomial: (values: Size) => readonly Term[] | undefined;
}

/** Of the polynomials that can be found. */
const DEGREE = 3;
const SMALLEST = 3;

/** Size number `i` of axis `axis` of so many. No two axes are ever of one size: what depends on that would hide. */
const sizeOf = (axis: number, axes: number, i: number): number => SMALLEST + axis + axes * i;

/** The greatest size that one of so many axes is traced at. */
export function greatestTraced(axes: number): number {
  return sizeOf(axes - 1, axes, DEGREE + 2);
}

/** Whole numbers of at least 0, so many, of a sum of at most `DEGREE`. */
function lattice(count: number): number[][] {
  let all: number[][] = [[]];
  for (let k = 0; k < count; k++) {
    all = all.flatMap((p) => Array.from({ length: DEGREE + 1 }, (_, i) => [...p, i]));
  }
  return all.filter((p) => p.reduce((sum, i) => sum + i, 0) <= DEGREE);
}

const power = (point: readonly number[], powers: readonly number[]): number =>
  powers.reduce((product, p, k) => product * point[k]! ** p, 1);

/** The inverse of a matrix, by Gauss and Jordan. */
function inverse(matrix: readonly (readonly number[])[]): number[][] {
  const n = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...row.map((_, j) => i === j ? 1 : 0)]);
  for (let c = 0; c < n; c++) {
    const best = rows.findIndex((row, i) =>
      i >= c && rows.every((other, j) => j < c || Math.abs(other[c]!) <= Math.abs(row[c]!))
    );
    [rows[c], rows[best]] = [rows[best]!, rows[c]!];
    const pivot = rows[c]!.map((x) => x / rows[c]![c]!);
    rows.forEach((row, i) => {
      const factor = row[c]!;
      rows[i] = i === c ? pivot : row.map((x, j) => x - factor * pivot[j]!);
    });
  }
  return rows.map((row) => row.slice(n));
}

/**
 * The points for these axes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { lengthsOf } from "./lengths.ts";
 *
 * const { points, polynomial } = lengthsOf(["T"]);
 * assertEquals(polynomial(points.map(([T]) => 2 * T! - 1)), [
 *   { coefficient: -1, powers: [0] },
 *   { coefficient: 2, powers: [1] },
 * ]);
 * assertEquals(polynomial(points.map(([T]) => Math.floor(T! / 2))), undefined);
 * ```
 */
export function lengthsOf(axes: readonly string[]): Lengths {
  const n = axes.length, grid = lattice(n);
  const fitted = grid.map((p) => p.map((i, k) => sizeOf(k, n, i)));
  const refuting = [1, 2].map((more) => axes.map((_, k) => sizeOf(k, n, DEGREE + more)));
  const points = [...fitted, ...refuting];
  const solve = inverse(fitted.map((point) => grid.map((powers) => power(point, powers))));
  return {
    axes,
    points,
    polynomial(values) {
      const terms = solve.map((row, i): Term => ({
        coefficient: Math.round(row.reduce((sum, x, j) => sum + x * values[j]!, 0)),
        powers: grid[i]!,
      })).filter(({ coefficient }) => coefficient !== 0);
      const valueAt = (point: readonly number[]): number =>
        terms.reduce((sum, t) => sum + t.coefficient * power(point, t.powers), 0);
      return points.every((point, i) => valueAt(point) === values[i]) ? terms : undefined;
    },
  };
}

/** Is it the same at every point? */
export function isFixed(values: Size): boolean {
  return values.every((n) => n === values[0]);
}

/** Is it 1 at every point? */
export function isOne(values: Size): boolean {
  return values.every((n) => n === 1);
}

/** Are two numbers the same at every point? */
export function sameSize(a: Size, b: Size): boolean {
  return a.every((n, i) => n === b[i]);
}

/** Are these shapes the same at every point? */
export function sameSizes(a: readonly Size[], b: readonly Size[]): boolean {
  return a.length === b.length && a.every((size, k) => sameSize(size, b[k]!));
}
