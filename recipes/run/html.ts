/**
 * HTML from templates in which every value is escaped.
 *
 * @module
 */

/** A piece of HTML. */
export interface Html {
  readonly html: string;
}

/** What a template takes: text and numbers are escaped, HTML is not, lists are joined, false and undefined are nothing. */
export type Part = string | number | Html | readonly Part[] | false | undefined;

function render(part: Part): string {
  if (part === undefined || part === false) return "";
  if (Array.isArray(part)) return part.map(render).join("");
  if (typeof part === "object") return (part as Html).html;
  return String(part).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/**
 * A template tag.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { html } from "./html.ts";
 *
 * assertEquals(html`<b>${"a < b"}</b>${[1, 2].map((n) => html`<i>${n}</i>`)}`.html, "<b>a &#60; b</b><i>1</i><i>2</i>");
 * ```
 */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: String.raw({ raw: texts }, ...parts.map(render)) };
}
