/**
 * What may stand where a text says [MASK].
 *
 * @module
 */
import { answers, type Asking, type Question, type Tools } from "./question.ts";
import { refuse, refuseLong } from "./row.ts";

/** A text with [MASK] in it, and how many guesses each is to have. */
export interface Masked {
  readonly text: string;
  readonly top: number;
}

/** A token, and how probable it is among all tokens. */
export interface Guess {
  readonly token: string;
  readonly probability: number;
}

const MASK = "[MASK]";
/** Guesses at most, and where no number is asked for. */
export const MOST_GUESSES = 100, GUESSES = 5;
/** [MASK]s of a text at most: each costs as much as several layers. */
export const MOST_MASKS = 16;

/** The question. The answer has guesses, the best first, for each [MASK] in the order of the text. */
export const filledMask: Question<Masked, readonly (readonly Guess[])[]> = {
  ask: "fill-mask",
  rows(facts, { text, top }, reading) {
    const { tokenizer: { vocabulary, encode }, limit } = facts;
    const ids = text.split(MASK).flatMap((part, i) => [
      ...i > 0 ? [vocabulary.mask] : [],
      ...encode(part).ids,
    ]);
    refuseLong(ids.length + 2, facts, reading);
    const row = [vocabulary.cls, ...ids.slice(0, limit - 2), vocabulary.sep];
    const places = row.flatMap((id, t) => id === vocabulary.mask ? [t] : []);
    if (places.length === 0) {
      refuse(reading.name, `it has no ${MASK}${ids.length > limit - 2 ? " before its cut" : ""}`);
    }
    if (places.length > MOST_MASKS) {
      refuse(reading.name, `it has ${places.length} times ${MASK}, the limit is ${MOST_MASKS}`);
    }
    return [{ ids: row, segments: row.map(() => 0), masks: { places, top } }];
  },
  // Outputs are pairs of a token's id and its probability, `top` for each [MASK].
  answer({ tokenizer: { vocabulary: { tokens } } }, { top }, [pairs]) {
    const guesses = Array.from({ length: pairs!.length / 2 }, (_, i): Guess => ({
      token: tokens[pairs![2 * i]!]!,
      probability: pairs![2 * i + 1]!,
    }));
    const own = Math.min(top, tokens.length);
    return Array.from(
      { length: guesses.length / own },
      (_, m) => guesses.slice(m * own, (m + 1) * own),
    );
  },
};

/** Guesses for each [MASK] of a text, the best first. */
export async function fillMask(
  tools: Tools,
  text: string,
  top: number = GUESSES,
  asking?: Asking,
): Promise<readonly (readonly Guess[])[]> {
  const [guesses] = await answers(filledMask, tools, [{ text, top }], asking);
  return guesses!;
}
