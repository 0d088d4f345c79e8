/**
 * Sizes that are only known when a model runs, as polynomials of its named axes.
 *
 * A function is traced at several points (a size for every named axis). What was 6, 10 and 14 at lengths of 3, 5 and 7 is 2T, and 2T at
 * every length: at the points of a lattice a polynomial of degree 3 is the only one through its values, and further points
 * refute what is none.
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

/** Sizes that an axis is traced at, primes: numbers that happen to be equal to others would hide what they come from. */
const SIZES = [3, 5, 7, 11] as const;
/** The size of all axes at the points that refute. */
const REFUTING = [13, 2] as const;
/** The greatest size that an axis is traced at. */
export const GREATEST = Math.max(...SIZES, ...REFUTING);
const DEGREE = SIZES.length - 1;

/** Whole numbers of at least 0, so many, of a sum of at most `DEGREE`. */
function lattice(count: number): number[][] {
  let all: number[][] = [[]];
  for (let k = 0; k < count; k++) {
    all = all.flatMap((p) => SIZES.map((_, i) => [...p, i]));
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
  const grid = lattice(axes.length), fitted = grid.map((p) => p.map((i) => SIZES[i]!));
  const points = [...fitted, ...REFUTING.map((size) => axes.map(() => size))];
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
