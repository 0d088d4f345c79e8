/**
 * Masks a sequence: units are chosen, and what happens to a unit happens to all of its tokens.
 *
 * Source: Devlin et al., arXiv 1810.04805, section 3.1; whole words as in Cui et al., arXiv 1906.08101.
 *
 * @module
 */
import { chooseUnits, type Unit, wordsOf } from "./choose_units.ts";
import type { Draws } from "./counter_random.ts";
import type { MaskSettings } from "./mask_settings.ts";
import type { Phrases } from "./phrases.ts";
import { placeIn } from "./place_in.ts";
import { policies } from "./policies.ts";
import { type Synonyms, synonymsOf } from "./synonyms.ts";

/** The tokens that masking must know. */
export interface MaskTokens {
  readonly mask: number;
  /** 1 for [PAD], [UNK], [CLS], [SEP], [MASK]: never chosen. */
  readonly special: Uint8Array;
  /** The ids that random tokens are drawn from. */
  readonly ordinary: Int32Array;
  /** For each of them the share of all draws up to it, where they are drawn by how often they are. */
  readonly unigram?: Float64Array;
  readonly phrases?: Phrases;
  readonly synonyms?: Synonyms;
}

/** What was masked: places, ascending, the tokens that stood there, and the units, as words of the sequence. */
export interface Masked {
  readonly positions: readonly number[];
  readonly labels: readonly number[];
  readonly units: readonly Unit[];
}

/**
 * Masks one sequence in place. `ids` are its tokens without padding, `starts` is 1 where a word begins; T is how long sequences may be.
 *
 * The number of tokens chosen is `share` of the ordinary ones on average, and at least one unit's.
 */
export function maskSequence(
  ids: Int32Array,
  starts: Uint8Array,
  tokens: MaskTokens,
  settings: MaskSettings,
  T: number,
  draw: Draws,
): Masked {
  const policy = policies[settings.policy], words = wordsOf(ids, starts, tokens.special);
  const units = chooseUnits(ids, words, settings, T, draw, tokens.phrases);
  const { begins } = words, { unigram, ordinary } = tokens;
  const positions: number[] = [], labels: number[] = [];
  const random = (): number =>
    ordinary[
      policy.draw === "unigram" && unigram
        ? placeIn(unigram, draw.uniform())
        : draw.below(ordinary.length)
    ]!;
  const replace = (from: number, to: number, roll: number): void => {
    if (roll < policy.mask) ids.fill(tokens.mask, from, to);
    else if (roll < policy.mask + policy.random) {
      for (let t = from; t < to; t++) ids[t] = random();
    } else if (roll < policy.mask + policy.random + policy.synonym) {
      const synonym = tokens.synonyms && synonymsOf(tokens.synonyms, ids.subarray(from, to), draw);
      if (synonym) ids.set(synonym, from);
      else if (policy.without === "mask") ids.fill(tokens.mask, from, to);
      else for (let t = from; t < to; t++) ids[t] = random();
    }
  };
  for (const { from, to } of units) {
    for (let t = begins[from]!; t < begins[to]!; t++) {
      positions.push(t);
      labels.push(ids[t]!);
    }
    const roll = draw.uniform();
    // Word by word, as synonyms are of words; a unit's roll is for all of them.
    for (let word = from; word < to; word++) {
      const [begin, end] = [begins[word]!, begins[word + 1]!];
      if (settings.dice === "unit") replace(begin, end, roll);
      else for (let t = begin; t < end; t++) replace(t, t + 1, draw.uniform());
    }
  }
  return { positions, labels, units };
}
