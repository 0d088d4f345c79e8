/**
 * One of some choices for each of some blanks, none twice.
 *
 * Source: `logits_matrix_to_array` of CLUE's baseline for ChID: the greatest score of all is taken, then the greatest of the rest.
 *
 * @module
 */

/**
 * The choice for every blank, from the scores of all choices for each; of equals the first choice, and for it the first blank.
 * Blanks beyond the number of choices take their best one.
 */
export function assign(scores: readonly Float32Array[]): readonly number[] {
  const choices = scores[0]?.length ?? 0;
  const pairs = Array.from(
    { length: choices },
    (_, choice) => scores.map((own, blank) => ({ choice, blank, score: own[choice]! })),
  ).flat().sort((a, b) => b.score - a.score);
  const found: number[] = Array(scores.length).fill(-1), taken = new Set<number>();
  for (const { choice, blank } of pairs) {
    if (found[blank]! >= 0 || taken.has(choice)) continue;
    found[blank] = choice;
    taken.add(choice);
  }
  return found.map((choice, blank) =>
    choice >= 0 ? choice : scores[blank]!.indexOf(Math.max(...scores[blank]!))
  );
}
