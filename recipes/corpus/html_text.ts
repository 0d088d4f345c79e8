/**
 * The text of a piece of HTML.
 *
 * @module
 */
import { Parser } from "npm:htmlparser2@12.0.0";

const TAG =
  "html|body|head|div|p|br|span|a|b|i|em|strong|font|table|tr|td|th|ul|ol|li|dl|dt|dd|h[1-6]|img|script|style|article|section|blockquote|pre|center";
const ATTRIBUTE = `\\s+[\\w:-]+(?:\\s*=\\s*(?:"[^"]*"|'[^']*'|[^\\s"'<>]+))?`;
const ENTITY =
  "nbsp|amp|lt|gt|quot|apos|ldquo|rdquo|lsquo|rsquo|hellip|mdash|ndash|middot|bull|copy|times|emsp|ensp|#\\d{2,6}|#x[\\da-f]{2,5}";
/** A whole tag or entity: "a<b and c>d" holds none. */
const MARKUP = new RegExp(`</?(?:${TAG})(?:${ATTRIBUTE})*\\s*/?>|&(?:${ENTITY});`, "i");

/** Elements that stand in a line; all others begin one. */
const INLINE =
  /^(?:span|a|b|i|u|em|strong|font|small|big|sub|sup|mark|abbr|img|code|q|s|ruby|rb|rt)$/;
/** Elements whose content is not read by people. */
const HIDDEN = /^(?:script|style|noscript|template|head|svg|nav|footer|select|button|rp)$/;

/** Is there a tag or an entity in it? */
export function hasMarkup(text: string): boolean {
  return MARKUP.test(text);
}

/**
 * What a browser would show, a line for each block; scripts, styles, navigation and footers are left out.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { htmlText } from "./html_text.ts";
 *
 * assertEquals(htmlText("<p>甲&nbsp;<b>乙</b></p><script>x()</script><p>丙"), "甲\u00a0乙\n丙");
 * ```
 */
export function htmlText(html: string): string {
  let text = "", hidden = 0;
  const breakLine = (name: string): void => {
    if (!INLINE.test(name) && text !== "" && !text.endsWith("\n")) text += "\n";
  };
  const parser = new Parser({
    onopentag(name) {
      if (HIDDEN.test(name)) hidden++;
      breakLine(name);
    },
    ontext(piece) {
      if (hidden === 0) text += piece;
    },
    onclosetag(name) {
      if (HIDDEN.test(name)) hidden--;
      breakLine(name);
    },
  });
  parser.write(html);
  parser.end();
  return text.trim();
}
