/**
 * Traditional characters to simplified ones.
 *
 * @module
 */
import * as OpenCC from "npm:opencc-js@1.4.2/t2cn";

const convert = OpenCC.Converter({ from: "t", to: "cn" });

/** 1 for a character that simplified text does not use. */
const traditional = new Uint8Array(0x10000);
for (let code = 0x4e00; code <= 0x9fff; code++) {
  const character = String.fromCharCode(code);
  if (convert(character) !== character) traditional[code] = 1;
}

/** Text with a smaller share of traditional characters is simplified text that quotes a few, such as 乾 in a name. */
const SHARE = 0.02;

/**
 * Lines of a document in simplified characters, by the words of OpenCC's dictionaries; a simplified document stays as it is.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { simplify } from "./simplify.ts";
 *
 * assertEquals(simplify(["頭髮與發展"]), ["头发与发展"]);
 * ```
 */
export function simplify(lines: readonly string[]): readonly string[] {
  let found = 0, all = 0;
  for (const line of lines) {
    all += line.length;
    for (let i = 0; i < line.length; i++) found += traditional[line.charCodeAt(i)]!;
  }
  return found > SHARE * all ? convert(lines.join("\n")).split("\n") : lines;
}
