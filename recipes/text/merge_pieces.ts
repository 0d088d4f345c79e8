/**
 * Learns word pieces by merging the most frequent neighbours again and again, as Hugging Face's `WordPieceTrainer` does.
 *
 * Source: Sennrich, Haddow and Birch, arXiv 1508.07909, algorithm 1, on "##" pieces.
 *
 * @module
 */

/** Words beyond the most frequent ones change no merge that matters, and cost time. */
const MAX_WORDS = 1 << 15;

interface Word {
  readonly count: number;
  pieces: string[];
}

function initialPieces(word: string): string[] {
  return [...word].map((letter, i) => i > 0 ? "##" + letter : letter);
}

/** Count descending, then by the text itself: the order is the same on every machine. */
export function byCount(a: readonly [string, number], b: readonly [string, number]): number {
  return b[1] - a[1] || (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);
}

/**
 * At most `limit` merged pieces, in the order learnt; a pair seen fewer than `minCount` times is never merged.
 * Pieces after the first of a word carry "##". Words that hold a piece not in `alphabet` are left out.
 */
export function mergePieces(
  words: ReadonlyMap<string, number>,
  alphabet: ReadonlySet<string>,
  limit: number,
  minCount: number,
): readonly string[] {
  const kept: Word[] = [...words].sort(byCount).slice(0, MAX_WORDS)
    .map(([word, count]) => ({ count, pieces: initialPieces(word) }))
    .filter(({ pieces }) => pieces.length > 1 && pieces.every((piece) => alphabet.has(piece)));
  const pairs = new Map<string, { count: number; readonly words: Set<Word> }>();
  // A space cannot be in a piece, so it parts the two.
  const eachPair = (word: Word, change: (pair: string) => void): void => {
    for (let i = 1; i < word.pieces.length; i++) change(`${word.pieces[i - 1]} ${word.pieces[i]}`);
  };
  const enter = (word: Word): void =>
    eachPair(word, (pair) => {
      const entry = pairs.get(pair) ?? { count: 0, words: new Set<Word>() };
      entry.count += word.count;
      entry.words.add(word);
      pairs.set(pair, entry);
    });
  const leave = (word: Word): void =>
    eachPair(word, (pair) => {
      const entry = pairs.get(pair)!;
      entry.count -= word.count;
      entry.words.delete(word);
      if (entry.count <= 0) pairs.delete(pair);
    });
  kept.forEach(enter);

  const learnt: string[] = [];
  const known = new Set(alphabet);
  while (learnt.length < limit) {
    let best: readonly [string, number] = ["", minCount - 1];
    for (const [pair, { count }] of pairs) {
      if (count > best[1] || (count === best[1] && best[0] !== "" && pair < best[0])) {
        best = [pair, count];
      }
    }
    if (best[0] === "") break;
    const [left, right] = best[0].split(" ") as [string, string];
    const merged = left + right.slice(2);
    for (const word of [...pairs.get(best[0])!.words]) {
      leave(word);
      const pieces: string[] = [];
      for (const piece of word.pieces) {
        if (piece === right && pieces.at(-1) === left) pieces[pieces.length - 1] = merged;
        else pieces.push(piece);
      }
      word.pieces = pieces;
      enter(word);
    }
    if (!known.has(merged)) {
      known.add(merged);
      learnt.push(merged);
    }
  }
  return learnt;
}
