/**
 * What several seeds say together, and whether a claim shows.
 *
 * @module
 */

/** Values of several seeds. */
export interface Summary {
  readonly values: readonly number[];
  readonly mean: number;
  /** The sample's standard deviation; undefined for one value. */
  readonly spread: number | undefined;
}

/**
 * Mean and spread.
 *
 * mean = Σ x / n, spread = √(Σ (x - mean)² / (n - 1))
 *
 * @throws RangeError where there is no value.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { summaryOf } from "./statistics.ts";
 *
 * assertEquals(summaryOf([1, 2, 3]), { values: [1, 2, 3], mean: 2, spread: 1 });
 * assertEquals(summaryOf([7]).spread, undefined);
 * ```
 */
export function summaryOf(values: readonly number[]): Summary {
  const n = values.length;
  if (n === 0) throw new RangeError("Cannot summarise no values");
  const mean = values.reduce((sum, x) => sum + x, 0) / n;
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return { values, mean, spread: n > 1 ? Math.sqrt(squares / (n - 1)) : undefined };
}

/** What became of a claim. `open`: too little was trained to say. */
export type Shows = "yes" | "no difference" | "the opposite" | "open";

/** A claim, judged. */
export interface Verdict {
  readonly shows: Shows;
  /** In a sentence. */
  readonly text: string;
}

/** What is claimed. */
export interface Claim {
  /** The variant that is first. */
  readonly claimed: string;
  /** Is the higher value the better one? */
  readonly higher?: boolean;
  /** Is it enough not to be worse? */
  readonly noWorse?: boolean;
  /** What knows nothing reaches. */
  readonly floor?: number | undefined;
}

/**
 * Has the claimed variant a better mean than the best other one, by more than the larger spread of the two; or, where that is all that is
 * claimed, no worse one? A mean that is not finite is a model that is no more: it loses to any other.
 */
export function judge(
  { claimed, higher = false, noWorse = false, floor }: Claim,
  found: ReadonlyMap<string, Summary>,
  missing: readonly string[] = [],
): Verdict {
  const own = found.get(claimed);
  const others = [...found].filter(([name]) => name !== claimed);
  if (!own || others.length === 0) {
    return { shows: "open", text: `open: nothing to compare ${claimed} with` };
  }
  const least = (n: number): number => Number.isFinite(n) ? higher ? -n : n : Infinity;
  const [name, other] = others.reduce((a, b) => least(b[1].mean) < least(a[1].mean) ? b : a);
  const [mine, best] = [least(own.mean), least(other.mean)];
  const low = floor !== undefined && Math.min(mine, best) >= least(floor);
  const figures = `${claimed} ${text(own)}, best other is ${name} ${text(other)}` +
    (low ? `; neither is better than the floor ${number(floor)}` : "");
  if (missing.length > 0) {
    return { shows: "open", text: `open so far (${missing.join(", ")} to be trained): ${figures}` };
  }
  if (mine === Infinity && best === Infinity) {
    return { shows: "no difference", text: `does not show: ${figures}` };
  }
  if (mine === Infinity) return { shows: "the opposite", text: `the opposite: ${figures}` };
  if (best === Infinity) return { shows: "yes", text: `shows: ${figures}` };
  if (own.spread === undefined || other.spread === undefined) {
    return { shows: "open", text: `open, one seed has no spread: ${figures}` };
  }
  const spread = Math.max(own.spread, other.spread);
  if (Math.abs(best - mine) <= spread) {
    if (noWorse && low) return { shows: "open", text: `open: ${figures}` };
    return noWorse
      ? { shows: "yes", text: `shows, as no difference beyond the spread: ${figures}` }
      : { shows: "no difference", text: `does not show, within the spread: ${figures}` };
  }
  return best > mine
    ? { shows: "yes", text: `shows: ${figures}` }
    : { shows: "the opposite", text: `the opposite shows: ${figures}` };
}

/** 123.4 ± 0.4, 0.512 ± 0.003; with one value, 123.4. */
export function text({ mean, spread }: Summary): string {
  if (!Number.isFinite(mean)) return "diverged";
  return number(mean) + (spread === undefined ? "" : ` ± ${spread.toFixed(digitsOf(mean))}`);
}

/** A value with as many digits as are worth showing. */
export function number(value: number): string {
  return value.toFixed(digitsOf(value));
}

const digitsOf = (value: number): number => value < 1 ? 3 : value < 100 ? 2 : 1;
