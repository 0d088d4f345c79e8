/**
 * Biases of classes that give the best macro-F1: the most probable class is the best answer for accuracy only.
 *
 * @module
 */
import { macroF1 } from "./macro_f1.ts";

/** Steps of a bias, in nats, coarse and then fine. */
const STEPS = [0.4, 0.1], REACH = 5, ROUNDS = 3;

/** The class with the greatest score, biases added. */
export function answerOf(scores: Float32Array, biases: readonly number[] = []): number {
  const value = (k: number): number => scores[k]! + (biases[k] ?? 0);
  return scores.reduce((best, _, k) => value(k) > value(best) ? k : best, 0);
}

/**
 * Climbs, one class after another, until nothing is gained. The first class keeps 0, as only differences matter.
 *
 * Units: nats.
 */
export function chooseBiases(
  scores: readonly Float32Array[],
  labels: readonly number[],
): readonly number[] {
  const classes = scores[0]?.length ?? 0;
  const value = (biases: readonly number[]): number =>
    macroF1(scores.map((own) => answerOf(own, biases)), labels, classes);
  let best: readonly number[] = Array(classes).fill(0), reached = value(best);
  for (const step of STEPS) {
    for (let round = 0; round < ROUNDS; round++) {
      const before = reached;
      for (let k = 1; k < classes; k++) {
        const from = best[k]!;
        for (let n = -REACH; n <= REACH; n++) {
          const tried = best.with(k, from + n * step), found = value(tried);
          if (found > reached) [best, reached] = [tried, found];
        }
      }
      if (reached === before) break;
    }
  }
  return best;
}
