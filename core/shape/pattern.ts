/**
 * The patterns of `rearrange`, read: "b t (h d) -> b h t d" is ["b", "t", ["h", "d"]] and ["b", "h", "t", "d"].
 * They depend on no shape, so the compiler reads each once.
 *
 * @module
 */
import type { Fail, Good, Result } from "./result.ts";
import type { Repeats } from "./reduce.ts";

/**
 * Both sides of pattern P, or what is wrong with it; G are the names with given sizes.
 * @internal
 */
export type Pattern<P, G> = P extends `${infer I} -> ${infer O}`
  ? [Tokens<I>, Tokens<O>] extends [infer TI, infer TO]
    ? [Names<TI>, Names<TO>] extends [infer NI extends unknown[], infer NO extends unknown[]]
      ? Repeats<NI> | Repeats<NO> extends false
        ? Missing<NI, NO[number]> extends infer M
          ? [M] extends [never]
            ? Missing<NO, NI[number]> extends infer M2
              ? [M2] extends [never] ? [Exclude<G, NI[number]>] extends [never] ? Good<[TI, TO]>
                : Fail<"every given size must have its name in the pattern">
              : Fail<`${M2 & string} must stand on the left too`>
            : never
          : Fail<`${M & string} must stand on the right too`>
        : never
      : Fail<"a name must stand once a side">
    : never
  : never
  : Fail<"there must be a ' -> '">;
type Tokens<S, Acc extends unknown[] = []> = S extends ` ${infer R}` ? Tokens<R, Acc>
  : S extends `(${infer G})${infer R}` ? Tokens<R, [...Acc, Tokens<G>]>
  : S extends `${infer W} ${infer R}` ? Tokens<R, [...Acc, W]>
  : S extends "" ? Acc
  : [...Acc, S];
/** All names, in order. */
type Names<T, Acc extends unknown[] = []> = T extends readonly [infer H, ...infer R]
  ? Names<R, H extends "1" ? Acc : H extends string ? [...Acc, H] : Names<H, Acc>>
  : Acc;
/** The first of L that is not in N, or never. */
type Missing<L, N> = L extends readonly [infer H, ...infer R] ? H extends N ? Missing<R, N> : H
  : never;

/** One axis of a pattern: a name, "1", or the names of a group. */
export type Token = string | readonly string[];

/** Both sides of a pattern, or what is wrong with it. */
export function parsePattern(
  pattern: string,
  given: readonly string[],
): Result<readonly [readonly Token[], readonly Token[]]> {
  const arrow = pattern.indexOf(" -> ");
  if (arrow < 0) return { fail: "there must be a ' -> '" };
  const left = tokens(pattern.slice(0, arrow)), right = tokens(pattern.slice(arrow + 4));
  const from = names(left), to = names(right);
  if (new Set(from).size < from.length || new Set(to).size < to.length) {
    return { fail: "a name must stand once a side" };
  }
  const lost = from.find((name) => !to.includes(name));
  if (lost !== undefined) return { fail: `${lost} must stand on the right too` };
  const made = to.find((name) => !from.includes(name));
  if (made !== undefined) return { fail: `${made} must stand on the left too` };
  if (given.some((name) => !from.includes(name))) {
    return { fail: "every given size must have its name in the pattern" };
  }
  return { ok: [left, right] };
}

function tokens(side: string): Token[] {
  const found = side.matchAll(/\(([^)]*)\)|([^\s(]+)/g);
  return [...found].map(([_, group, name]) => name ?? group!.split(/\s+/).filter(Boolean));
}

function names(side: readonly Token[]): string[] {
  return side.flat().filter((name) => name !== "1");
}
