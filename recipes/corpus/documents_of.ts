/**
 * The documents in a block of raw text.
 *
 * @module
 */
import { encodingAdvice } from "../data/encoding_advice.ts";
import type { Block } from "./blocks.ts";

/** A line that holds no document, and why. Line 0 is the first of the block. */
export interface BadLine {
  readonly line: number;
  readonly why: string;
}

/** What is in a block. */
export interface BlockTexts {
  readonly texts: readonly string[];
  readonly bad: readonly BadLine[];
}

/** Decodes bytes line by line, to say which lines are no UTF-8; they are left out. */
function decodeLines(bytes: Uint8Array): { readonly text: string; readonly bad: BadLine[] } {
  const decoder = new TextDecoder("utf-8", { fatal: true }), lines: string[] = [];
  const bad: BadLine[] = [], why = `it is not UTF-8; ${encodingAdvice(bytes)}`;
  for (let from = 0, line = 0; from < bytes.length; line++) {
    let to = bytes.indexOf(10, from);
    if (to < 0) to = bytes.length;
    try {
      lines.push(decoder.decode(bytes.subarray(from, to)));
    } catch {
      lines.push("");
      bad.push({ line, why });
    }
    from = to + 1;
  }
  return { text: lines.join("\n"), bad };
}

function decode(bytes: Uint8Array): { readonly text: string; readonly bad: BadLine[] } {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), bad: [] };
  } catch {
    return decodeLines(bytes);
  }
}

/**
 * The documents of a block, and the lines that are none: no UTF-8, no JSON, no `"text"` in it.
 *
 * In a JSON block a line is `{"text": "…"}`; only "\n" ends a line.
 */
export function documentsOf({ bytes, layout }: Pick<Block, "bytes" | "layout">): BlockTexts {
  const { text, bad } = decode(bytes), lines = text.split("\n");
  if (layout === "lines") return { texts: lines, bad };
  if (layout === "paragraphs") return { texts: text.split(/\n\s*\n/), bad };
  const texts: string[] = [], known = new Set(bad.map(({ line }) => line));
  lines.forEach((content, line) => {
    if (known.has(line) || content.trim() === "") return;
    try {
      const found = (JSON.parse(content) as { text?: unknown } | null)?.text;
      if (typeof found === "string") texts.push(found);
      else bad.push({ line, why: `there is no "text" in it; write {"text": "..."}` });
    } catch {
      bad.push({ line, why: `it is no JSON; write {"text": "..."}` });
    }
  });
  return { texts, bad: bad.sort((a, b) => a.line - b.line) };
}
