/**
 * The best answer in scores of starts and ends.
 *
 * Source: `write_predictions` of BERT's run_squad.py, which CLUE's baseline for CMRC 2018 follows.
 *
 * @module
 */

/** Starts and ends that are looked at in a window. */
const BEST = 20;
/** Units: tokens; most are one character. */
const LONGEST = 50;

/** What a window says of its row's tokens. */
export interface SpanScores {
  readonly starts: Float32Array;
  readonly ends: Float32Array;
  /** Tokens of the row that are of the text: [from, to). */
  readonly from: number;
  readonly to: number;
  /** May an answer start there? */
  readonly mayStart: (token: number) => boolean;
}

/** A span in the row of a window, both ends in it. */
export interface FoundSpan {
  readonly window: number;
  readonly start: number;
  readonly end: number;
  readonly score: number;
}

/** The tokens of greatest score, the first among equals first. */
function greatest(scores: Float32Array): readonly number[] {
  return Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, BEST);
}

/** The span of greatest start + end, the first found among equals; undefined where none is one. */
export function bestSpan(windows: readonly SpanScores[]): FoundSpan | undefined {
  let best: FoundSpan | undefined;
  windows.forEach(({ starts, ends, from, to, mayStart }, window) => {
    const inText = (token: number): boolean => token >= from && token < to;
    const last = greatest(ends).filter(inText);
    for (const start of greatest(starts)) {
      if (!inText(start) || !mayStart(start)) continue;
      for (const end of last) {
        if (end < start || end - start + 1 > LONGEST) continue;
        const score = starts[start]! + ends[end]!;
        if (!best || score > best.score) best = { window, start, end, score };
      }
    }
  });
  return best;
}
