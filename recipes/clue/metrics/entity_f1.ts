/**
 * F1 of named entities as CLUENER's judge counts it: by surface, so that a name that stands in a text twice counts once, and where it
 * stands does not matter; the mean over types.
 *
 * Source: score.py of https://github.com/CLUEbenchmark/CLUENER2020
 *
 * @module
 */

/** Surfaces in one text by type. */
export type Surfaces = Readonly<Record<string, Iterable<string>>>;

/** F1 of one type over texts; undefined where it neither is nor is said anywhere. From 0 to 1. */
function typeF1(
  said: readonly Surfaces[],
  right: readonly Surfaces[],
  type: string,
): number | undefined {
  let both = 0, all = 0;
  right.forEach((own, i) => {
    const [a, b] = [new Set(said[i]![type] ?? []), new Set(own[type] ?? [])];
    both += a.intersection(b).size;
    all += a.size + b.size;
  });
  return all === 0 ? undefined : 2 * both / all;
}

/** The mean over types. A type that neither is nor is said is left out; the judge would divide by 0. Units: percent. */
export function entityF1(
  said: readonly Surfaces[],
  right: readonly Surfaces[],
  types: readonly string[],
): number {
  const found = types.map((type) => typeF1(said, right, type)).filter((f1) => f1 !== undefined);
  if (found.length === 0) return 100;
  return 100 * found.reduce((sum, f1) => sum + f1, 0) / found.length;
}
