/**
 * Basic cleaning of one document.
 *
 * @module
 */
import { isChinese } from "../text/characters.ts";

/** Why a document is left out. */
export type DropRule = "short" | "broken" | "foreign" | "duplicate";

/** Limits of the rules. */
export interface CleanSettings {
  /** `short`: fewer characters are left than this. */
  readonly minCharacters: number;
  /** `broken`: a larger share is U+FFFD, private use, unassigned, half a pair, or a box for a missing character. */
  readonly maxBroken: number;
  /** `foreign`: a smaller share of the letters and digits is Chinese. */
  readonly minChinese: number;
}

/** At least 4 characters, at most 0.5 % broken, at least half of the letters and digits Chinese. */
export const CLEAN_SETTINGS: CleanSettings = {
  minCharacters: 4,
  maxBroken: 0.005,
  minChinese: 0.5,
};

/** Text that no rule below changes, but for white space: most Chinese text, so it is worth a look. */
const PLAIN = /^[\n\x20-\x7e\u4e00-\u9fff，。！？：；（）、《》“”‘’…—·]*$/;
/** NFKC would make half-width marks of these, which Chinese text does not use. */
const KEPT = /[，！？：；（）…～]+/;
const RUN = new RegExp(`[^${KEPT.source.slice(1, -2)}]+`, "g");
const INVISIBLE = /(?![\n\t])[\p{Cc}\p{Cf}\p{Variation_Selector}]/gu;
const BROKEN = /[\uFFFD\p{Co}\p{Cn}\p{Cs}□■〓]/gu;

/** NFKC but for full-width punctuation, nothing invisible, white space folded to one space. */
export function normalizeText(text: string): string {
  if (!PLAIN.test(text)) {
    text = text.replace(RUN, (run) => run.normalize("NFKC")).replace(INVISIBLE, "");
  }
  return /\s\s|[^\S ]|^ | $/.test(text) ? text.replace(/\s+/g, " ").trim() : text;
}

/** The share of Chinese characters among letters and digits; 0 where there are none. */
function chineseShare(text: string): number {
  let chinese = 0;
  let other = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i)!;
    if (code > 0xffff) i++;
    if (isChinese(code)) chinese++;
    else if (code < 0x80 ? /[0-9A-Za-z]/.test(text[i]!) : isLetter(code)) other++;
  }
  return chinese === 0 ? 0 : chinese / (chinese + other);
}

function isLetter(code: number): boolean {
  // Punctuation that Chinese text is full of, before the slow question.
  if ((code >= 0x2000 && code <= 0x206f) || (code >= 0x3000 && code <= 0x303f) || code >= 0xff00) {
    return false;
  }
  return /[\p{L}\p{N}]/u.test(String.fromCodePoint(code));
}

/**
 * The clean text of a document, or the rule that drops it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { cleanDocument } from "./clean_document.ts";
 *
 * assertEquals(cleanDocument("摩天大楼\u200B\u3000Ａ座，１００层"), { text: "摩天大楼 A座，100层" });
 * assertEquals(cleanDocument("Not Chinese at all"), { dropped: "foreign" });
 * ```
 */
export function cleanDocument(
  document: string,
  settings: CleanSettings = CLEAN_SETTINGS,
): { readonly text: string } | { readonly dropped: DropRule } {
  let text = normalizeText(document);
  if (text.length < settings.minCharacters) return { dropped: "short" };
  if (!PLAIN.test(text)) {
    const broken = text.match(BROKEN)?.length ?? 0;
    if (broken > settings.maxBroken * text.length) return { dropped: "broken" };
    if (broken > 0) text = text.replace(BROKEN, "");
  }
  if (chineseShare(text) < settings.minChinese) return { dropped: "foreign" };
  return { text };
}
