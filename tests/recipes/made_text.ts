/**
 * Text that looks like Chinese to the steps of `deno task data`, from a seed.
 *
 * @module
 */
import { simplify } from "../../recipes/corpus/simplify.ts";
import { draws } from "../../recipes/masking/counter_random.ts";

/** Characters that simplified text has too. */
export const characters: readonly string[] = Array.from(
  { length: 6000 },
  (_, i) => String.fromCodePoint(0x4e00 + i),
).filter((character) => simplify([character])[0] === character);

/** A sentence of characters that come 1 / i as often as the first. */
export function sentence(seed: number, length: number): string {
  const { uniform } = draws(seed, 9, 0, length);
  return Array.from(
    { length },
    (_, i) => i % 12 === 11 ? "，" : characters[Math.floor(2000 ** uniform())]!,
  ).join("") + "。";
}
