/**
 * Windows on a text that is longer than a row.
 *
 * Source: `convert_examples_to_features` of BERT's run_squad.py, which CLUE's baseline for CMRC 2018 follows.
 *
 * @module
 */

/** Tokens from `start` on, `length` of them. */
export interface Window {
  readonly start: number;
  readonly length: number;
}

/** From the start of a window to that of the next, where it is so long. Units: tokens. */
export const STRIDE = 128;

/** Windows of at most `room` tokens over `count` tokens; the last one ends with them. */
export function windowsOf(count: number, room: number): readonly Window[] {
  if (room < 1) throw new RangeError(`Cannot cut windows of ${room} tokens: there must be one`);
  const found: Window[] = [];
  for (let start = 0; start < count;) {
    const length = Math.min(room, count - start);
    found.push({ start, length });
    if (start + length === count) break;
    start += Math.min(length, STRIDE);
  }
  return found;
}

/** The window that shows the most of a token's surroundings: only there may an answer start with it. */
export function fullestWindow(windows: readonly Window[], token: number): number {
  let best = -1, reached = -Infinity;
  windows.forEach(({ start, length }, n) => {
    const end = start + length - 1;
    if (token < start || token > end) return;
    const context = Math.min(token - start, end - token) + 0.01 * length;
    if (context > reached) [best, reached] = [n, context];
  });
  return best;
}
