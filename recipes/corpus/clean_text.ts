/**
 * Cleans one document: characters, lines, then the whole.
 *
 * @module
 */
import { normalizeText } from "../data/clean_document.ts";
import { hasMarkup, htmlText } from "./html_text.ts";
import { documentRules } from "./rules/document_rules.ts";
import { figuresOf } from "./rules/figures.ts";
import { lineRules } from "./rules/line_rules.ts";
import { repeatedLine, repeatedLines } from "./rules/repeated_line.ts";
import { simplify } from "./simplify.ts";

/** Hears what rules leave out. */
export type Witness = (rule: string, text: string) => void;

/** Rules whose lines count as spam of their document. */
const SPAM = new Set(["stamp", "advert", "private", "boilerplate"]);

/**
 * The clean text of a document, lines parted by "\n"; undefined where a rule drops it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { cleanText } from "./clean_text.ts";
 *
 * const page = "<p>摩天大楼有一百层，从楼顶的窗口可以望到海。</p><p>ｗｗw。some*site-net</p>";
 * assertEquals(cleanText(page), "摩天大楼有一百层，从楼顶的窗口可以望到海。");
 * ```
 */
export function cleanText(document: string, witness: Witness = () => {}): string | undefined {
  const plain = hasMarkup(document) ? htmlText(document) : document;
  const lines = simplify(plain.split("\n").map(normalizeText)).filter((line) => line !== "");
  let before = 0, left = 0;
  const isRepeated = repeatedLines();
  const kept = lines.filter((line) => {
    before += line.length;
    const rule = lineRules.find(({ drops }) => drops(line));
    if (rule) {
      if (SPAM.has(rule.name)) left += line.length;
      witness(rule.name, line);
      return false;
    }
    if (!isRepeated(line)) return true;
    witness(repeatedLine.name, line);
    return false;
  });
  const text = kept.join("\n");
  const seen = { ...figuresOf(text), before, left };
  const rule = documentRules.find(({ drops }) => drops(text, seen));
  if (!rule) return text;
  witness(rule.name, text);
  return undefined;
}
