/**
 * A click log made from a corpus, for where there is no real one. It is marked as simulated wherever it is shown.
 *
 * A document's first words are the query, or a few pieces of one of its titles, as somebody types who remembers half of it. Titles are the
 * beginnings of sentences: one of the same document (grade 2), one of a document that shares a piece of two characters with the query
 * (grade 1), and others (grade 0), in an order that a weak ranker made. A title is clicked with
 *
 *     P(click) = θ_rank · (ε + (1 - ε) grade / 2),   θ_rank = 1 / rank^η
 *
 * the position-based model with noise ε of Joachims et al., "Unbiased learning-to-rank with biased feedback" (WSDM 2017), section 6.1.
 *
 * @module
 */
import { type Draws, draws, USES } from "../masking/counter_random.ts";
import type { Impression, Shown } from "./impression.ts";

/** The click model. */
export interface ClickModel {
  /** Titles of an impression. */
  readonly shown: number;
  /** η: how fast attention falls with the rank. */
  readonly bias: number;
  /** ε: how often a title without relevance is clicked where it is looked at. */
  readonly noise: number;
  /** The share of the queries that are pieces of the title of grade 2; of a document of one sentence all are. */
  readonly pieces: number;
  readonly seed: number;
}

/** 8 titles, η = 1, ε = 0.1, half of the queries of pieces. */
export const CLICK_MODEL: ClickModel = { shown: 8, bias: 1, noise: 0.1, pieces: 0.5, seed: 1 };

/** Units: characters. */
const QUERY = [4, 12] as const, TITLE = [8, 32] as const;
/** Pieces of a query, and of a piece characters; a number or a word in Latin letters counts as one. */
const PIECES = [1, 3] as const, PIECE = [2, 4] as const;
/** A document is the source of so many impressions, at most. */
const TURNS = 4;

/** The propensities of a model. */
export function propensitiesOf({ shown, bias }: ClickModel): readonly number[] {
  return Array.from({ length: shown }, (_, i) => (i + 1) ** -bias);
}

/** The sentences of a document that are long enough for a title. */
function titlesOf(text: string): readonly string[] {
  return text.split(/[。！？!?\n]+/).map((s) => s.trim().slice(0, TITLE[1]))
    .filter((s) => s.length >= TITLE[0] && unitsOf(s).length >= PIECE[0]);
}

/** What can be asked for: characters, and numbers and words in Latin letters whole. */
function unitsOf(text: string): readonly string[] {
  return (text.match(/[a-z0-9]+|./giu) ?? []).filter((unit) => /[\p{L}\p{N}]/u.test(unit));
}

/** At most `most` impressions, from documents with a sentence that is long enough; with `pieces` 0 they need two. */
export function simulateClicks(
  documents: readonly string[],
  most: number,
  model: ClickModel = CLICK_MODEL,
): readonly Impression[] {
  const titles = documents.map(titlesOf), theta = propensitiesOf(model);
  const needed = model.pieces > 0 ? 1 : 2;
  const able = [...titles.keys()].filter((i) => titles[i]!.length >= needed);
  const count = Math.min(most, TURNS * able.length);
  const byPiece = new Map<string, number[]>();
  for (const i of able) {
    for (const piece of piecesOf(titles[i]![0]!)) {
      const those = byPiece.get(piece);
      if (those) those.push(i);
      else byPiece.set(piece, [i]);
    }
  }
  const found: Impression[] = [];
  for (let n = 0; n < count; n++) {
    const draw = draws(model.seed, USES.clicks, 0, n);
    const own = able[Math.floor(n * able.length / count)]!;
    const { query, title } = asked(titles[own]!, model, draw);
    const candidates = new Map<string, number>([[title, 2]]);
    const related = piecesOf(query).flatMap((piece) => byPiece.get(piece) ?? [])
      .filter((i) => i !== own);
    if (related.length > 0) {
      const title = titles[related[draw.below(related.length)]!]![0]!;
      if (!candidates.has(title)) candidates.set(title, 1);
    }
    for (let tries = 0; candidates.size < model.shown && tries < 8 * model.shown; tries++) {
      const those = titles[able[draw.below(able.length)]!]!,
        title = those[draw.below(those.length)]!;
      if (!candidates.has(title)) candidates.set(title, 0);
    }
    found.push({ query, docs: clicked([...candidates], theta, model, draw) });
  }
  return found;
}

/** A query, and the title that it is about. */
function asked(
  [first, ...rest]: readonly string[],
  { pieces }: ClickModel,
  draw: Draws,
): { readonly query: string; readonly title: string } {
  if (rest.length > 0 && draw.uniform() >= pieces) {
    const query = first!.slice(0, QUERY[0] + draw.below(QUERY[1] - QUERY[0]));
    return { query, title: rest[draw.below(rest.length)]! };
  }
  const title = [first!, ...rest][draw.below(1 + rest.length)]!;
  const units = unitsOf(title);
  const between = ([least, most]: readonly [number, number]) =>
    least + draw.below(most - least + 1);
  const parts = Array.from({ length: between(PIECES) }, () => {
    const size = Math.min(units.length, between(PIECE)), from = draw.below(units.length - size + 1);
    return { from, text: units.slice(from, from + size).join("") };
  });
  // In the order of the title, as people mostly type them.
  parts.sort((a, b) => a.from - b.from);
  return { query: parts.map(({ text }) => text).join(""), title };
}

/** Pieces of two characters. */
function piecesOf(text: string): readonly string[] {
  return Array.from({ length: Math.max(0, text.length - 1) }, (_, i) => text.slice(i, i + 2));
}

/** Titles in the order of a ranker that knows a little, and what is clicked. */
function clicked(
  graded: readonly (readonly [title: string, grade: number])[],
  theta: readonly number[],
  { noise }: ClickModel,
  draw: Draws,
): readonly Shown[] {
  const scored = graded.map(([title, grade]) => ({
    title,
    grade,
    score: grade / 2 + 1.5 * draw.uniform(),
  }));
  return scored.sort((a, b) => b.score - a.score).map(({ title, grade }, i): Shown => {
    const chance = theta[i]! * (noise + (1 - noise) * grade / 2);
    return { title, grade, rank: i + 1, click: draw.uniform() < chance ? 1 : 0 };
  });
}
