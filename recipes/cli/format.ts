/**
 * Numbers for people.
 *
 * @module
 */

/** Seconds as m:ss or h:mm:ss. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (n: number): string => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/**
 * Three digits and k, M or G.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { short } from "./format.ts";
 *
 * assertEquals([0.04321, 7, 999.6, 12345, 2e9].map(short), ["0.0432", "7", "1k", "12.3k", "2G"]);
 * ```
 */
export function short(n: number): string {
  const three = Number(n.toPrecision(3)); // first, so that 999.6 becomes 1k
  const units = [[1e9, "G"], [1e6, "M"], [1e3, "k"]] as const;
  const [size, unit] = units.find(([size]) => Math.abs(three) >= size) ?? [1, ""] as const;
  return Number((three / size).toPrecision(3)) + unit;
}
