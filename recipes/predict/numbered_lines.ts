/**
 * Lines with their numbers, as they come, in bounded memory.
 *
 * @module
 */

/** A line; `text` is undefined where it is longer than `LONGEST_LINE`. */
export interface NumberedLine {
  readonly number: number;
  readonly text: string | undefined;
}

/** Longer lines are not kept. Units: UTF-16. */
export const LONGEST_LINE = 1 << 20;

const without = (line: string): string => line.endsWith("\r") ? line.slice(0, -1) : line;

/** The lines of a text given in pieces, without their ends. Only "\n" and "\r\n" end a line. */
export async function* numberedLines(
  pieces: AsyncIterable<string>,
): AsyncGenerator<NumberedLine, void, unknown> {
  let number = 0, open = "", isLong = false;
  const line = (): NumberedLine => ({ number: ++number, text: isLong ? undefined : without(open) });
  for await (const piece of pieces) {
    for (let from = 0; from < piece.length;) {
      const end = piece.indexOf("\n", from), to = end < 0 ? piece.length : end;
      if (!isLong) open += piece.slice(from, to);
      if (open.length > LONGEST_LINE) [open, isLong] = ["", true];
      from = to + 1;
      if (end < 0) break;
      yield line();
      [open, isLong] = ["", false];
    }
  }
  if (open !== "" || isLong) yield line();
}
