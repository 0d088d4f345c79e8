/**
 * Text without what hides it.
 *
 * @module
 */

const OTHER = /[^a-z0-9\u4e00-\u9fff]+/g;

/**
 * Lower-case letters, digits and Chinese characters alone: "Ｗ w.ＡBc。c oＭ" and "ww/.abc.com" are the same but for what stands between.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { squeeze } from "./squeeze.ts";
 *
 * assertEquals(squeeze("ｗ w w。Ａbc=C o M 小*说"), "wwwabccom小说");
 * ```
 */
export function squeeze(text: string): string {
  return text.normalize("NFKC").toLowerCase().replace(OTHER, "");
}
