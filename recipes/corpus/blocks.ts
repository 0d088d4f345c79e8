/**
 * Cuts raw files into blocks that workers can take one by one: each holds whole documents of one file.
 *
 * Where a block ends hangs on the bytes alone, so that the same input gives the same blocks, whoever reads it again.
 *
 * @module
 */
import { rawBytes } from "./raw_bytes.ts";
import type { SourceFile } from "./sources.ts";

/** How documents stand in a file: a JSON object a line, a document a line, or parted by blank lines. */
export type Layout = "json" | "lines" | "paragraphs";

/** Some whole documents of a file. */
export interface Block {
  /** Number of the block in the whole input. */
  readonly index: number;
  readonly source: string;
  readonly path: string;
  /** Bytes of the file before it, as they were before they were compressed. */
  readonly at: number;
  readonly layout: Layout;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes of all files that were taken so far, as they are stored: for progress alone. */
  readonly taken: number;
}

const NEWLINE = 10, RETURN = 13, TAB = 9, SPACE = 32;

/** As many bytes decide which layout a text file has. */
const PROBE = 1 << 20;

/** Documents are paragraphs where a blank line stands between lines of text. */
export function layoutOf(path: string, start: Uint8Array): Layout {
  if (/\.jsonl(\.gz|\.zst)?$/.test(path)) return "json";
  let text = false, blank = false;
  for (let from = 0; from < start.length;) {
    let to = start.indexOf(NEWLINE, from);
    if (to < 0) to = start.length;
    if (!isBlank(start, from, to)) {
      if (blank) return "paragraphs";
      text = true;
    } else if (text && to < start.length) blank = true;
    from = to + 1;
  }
  return "lines";
}

function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!;
    // U+3000, the wide space that Chinese paragraphs begin with, is E3 80 80.
    if (byte === 0xe3 && bytes[i + 1] === 0x80 && bytes[i + 2] === 0x80) i += 2;
    else if (byte !== SPACE && byte !== TAB && byte !== RETURN) return false;
  }
  return true;
}

/** The last place up to `end` where a document ends, or 0: behind a line, in paragraphs behind a blank one. */
function lastEnd(bytes: Uint8Array, end: number, layout: Layout): number {
  for (let at = bytes.lastIndexOf(NEWLINE, end - 1); at >= 0;) {
    if (layout !== "paragraphs") return at + 1;
    const before = at === 0 ? -1 : bytes.lastIndexOf(NEWLINE, at - 1);
    if (isBlank(bytes, before + 1, at)) return at + 1;
    at = before;
  }
  return 0;
}

/** A document that is longer than this is cut at a line, a line that is longer between two bytes of ASCII or anywhere. */
const TOO_LONG = 8;

/** Where a block of about `size` bytes ends; undefined where more bytes are needed to tell. */
function blockEnd(bytes: Uint8Array, size: number, layout: Layout): number | undefined {
  const end = lastEnd(bytes, Math.min(size, bytes.length), layout) ||
    firstEnd(bytes, size, layout);
  if (end) return end;
  if (bytes.length < TOO_LONG * size) return undefined;
  return lastEnd(bytes, TOO_LONG * size, "lines") || wholeCharacters(bytes, size);
}

/** The first place behind `from` where a document ends, or 0. */
function firstEnd(bytes: Uint8Array, from: number, layout: Layout): number {
  for (let at = bytes.indexOf(NEWLINE, from); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) {
    if (layout !== "paragraphs") return at + 1;
    const before = bytes.lastIndexOf(NEWLINE, at - 1);
    if (isBlank(bytes, before + 1, at)) return at + 1;
  }
  return 0;
}

/** `end`, or a little less where a character would be cut. */
function wholeCharacters(bytes: Uint8Array, end: number): number {
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return end;
}

/** Units: bytes of a block, about. */
const BLOCK = 1 << 22;

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let end = 0;
  for (const part of parts) {
    all.set(part, end);
    end += part.length;
  }
  return all;
}

/** The blocks of one file; the first has the number `first`. */
async function* blocksOfFile(
  { source, path }: SourceFile,
  size: number,
  first: number,
  takenBefore: number,
): AsyncGenerator<Block, void, unknown> {
  let layout: Layout | undefined, rest: Uint8Array[] = [], length = 0, needed = size;
  let index = first, at = 0, taken = takenBefore;
  const block = (bytes: Uint8Array): Block => {
    const made = { index, source, path, at, layout: layout!, bytes: bytes.slice(), taken };
    index++;
    at += bytes.length;
    return made;
  };
  /** Cuts off as many blocks as there are; at the end of the file all that is left is one. */
  function* cut(isEnd: boolean): Generator<Block> {
    let all = joined(rest, length);
    layout ??= layoutOf(path, all.subarray(0, PROBE));
    while (all.length >= size) {
      const end = blockEnd(all, size, layout) ?? (isEnd ? all.length : undefined);
      if (end === undefined) break;
      yield block(all.subarray(0, end));
      all = all.subarray(end);
    }
    if (isEnd && all.length > 0) yield block(all);
    // Twice as many, where no end was found: looking again for each piece would take forever.
    [rest, length, needed] = [[all], all.length, all.length < size ? size : 2 * all.length];
  }
  for await (const bytes of rawBytes(path, (more) => taken += more)) {
    rest.push(bytes);
    length += bytes.length;
    if (length >= Math.max(needed, layout ? 0 : PROBE)) yield* cut(false);
  }
  yield* cut(true);
}

/** The blocks of some files, in order. */
export async function* blocksOf(
  files: readonly SourceFile[],
  size: number = BLOCK,
): AsyncGenerator<Block, void, unknown> {
  let count = 0, taken = 0;
  for (const file of files) {
    for await (const block of blocksOfFile(file, size, count, taken)) {
      count = block.index + 1;
      yield block;
    }
    taken += file.bytes;
  }
}

/** How many lines of a file end before a place. */
export async function linesBefore(path: string, at: number): Promise<number> {
  let lines = 0, before = 0;
  for await (const bytes of rawBytes(path)) {
    const part = bytes.subarray(0, at - before);
    for (let i = part.indexOf(NEWLINE); i >= 0; i = part.indexOf(NEWLINE, i + 1)) lines++;
    before += bytes.length;
    if (before >= at) break;
  }
  return lines;
}
