/**
 * What bytes are that are no UTF-8, and what to do with them.
 *
 * @module
 */

function isGb18030(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("gb18030", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Does text in UTF-16 begin like this? */
export function isUtf16(bytes: Uint8Array): boolean {
  const mark = bytes[0]! << 8 | bytes[1]!;
  return mark === 0xfffe || mark === 0xfeff;
}

/**
 * How to make UTF-8 of bytes that are none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { encodingAdvice } from "./encoding_advice.ts";
 *
 * const zhongwen = new Uint8Array([0xd6, 0xd0, 0xce, 0xc4]);
 * assertEquals(encodingAdvice(zhongwen), "it reads as GB18030 (GBK): convert it with iconv -f GB18030 -t UTF-8");
 * ```
 */
export function encodingAdvice(bytes: Uint8Array): string {
  if (isUtf16(bytes)) return "it is UTF-16; convert it with iconv -f UTF-16 -t UTF-8";
  return isGb18030(bytes)
    ? "it reads as GB18030 (GBK): convert it with iconv -f GB18030 -t UTF-8"
    : "convert it to UTF-8";
}
