/** What every page of ours must be. */
import { assertEquals } from "@std/assert";

/** Every tag is closed, by another or by itself. */
function assertBalanced(text: string): void {
  const open: string[] = [];
  const inert = text.replace(/<(script|style)>.*?<\/\1>/gs, "<$1></$1>");
  for (const [, close, name, self] of inert.matchAll(/<(\/?)([a-z]\w*)[^>]*?(\/?)>/g)) {
    if (self || name === "meta") continue;
    if (close) assertEquals(open.pop(), name);
    else open.push(name!);
  }
  assertEquals(open, []);
}

/** One page that needs nothing from outside, and shows no value that went wrong. */
export function assertPage(page: string): void {
  assertBalanced(page);
  assertEquals(page.match(/\b(?:https?:|src=|@import|url\(|import\()/g), null);
  assertEquals(page.match(/NaN|Infinity|undefined|\[object/g), null);
}
