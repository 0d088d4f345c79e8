/**
 * "Did you mean …?"
 *
 * @module
 */

/** How many single letters must be added, left out, changed or swapped with their neighbour. Source: Damerau 1964. */
function distance(a: string, b: string): number {
  let before: number[] = [], above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    [before, above] = [above, row];
  }
  return above[b.length]!;
}

/**
 * The name most like `word`, or undefined where none is like it: at most a third of its letters may differ, or it begins one.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nearest } from "./nearest.ts";
 *
 * assertEquals(nearest("stesp", ["seed", "steps", "out"]), "steps");
 * assertEquals(nearest("colour", ["seed", "steps", "out"]), undefined);
 * ```
 */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const near = names
    .map((name) => ({ name, far: distance(word.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, far }) =>
      far <= Math.max(1, Math.floor(name.length / 3)) ||
      word.length > 2 && name.startsWith(word.toLowerCase())
    );
  return near.sort((a, b) => a.far - b.far)[0]?.name;
}

/** "; did you mean X?" where there is a name like `word`, else `otherwise`. */
export function suggestion(
  word: string,
  names: readonly string[],
  otherwise: string,
  prefix = "",
): string {
  const found = nearest(word, names);
  return found === undefined ? otherwise : `did you mean ${prefix}${found}?`;
}

/** "a, b or c". */
export function anyOf(names: readonly string[]): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}
