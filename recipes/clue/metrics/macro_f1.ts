/**
 * Macro-F1: the mean over classes of F1 = 2 tp / (2 tp + fp + fn), rare classes counting as much as others. A class that neither is nor is
 * predicted has none and is left out, as in scikit-learn's `f1_score(average="macro")`.
 *
 * Units: percent.
 */
export function macroF1(
  predicted: readonly number[],
  labels: readonly number[],
  classes: number,
): number {
  if (labels.length === 0) throw new RangeError("Cannot judge 0 answers: there must be one");
  const right = new Uint32Array(classes), said = new Uint32Array(classes);
  const is = new Uint32Array(classes);
  labels.forEach((label, i) => {
    const answer = predicted[i]!;
    is[label]!++;
    said[answer]!++;
    if (label === answer) right[label]!++;
  });
  const scores = Array.from(right, (tp, k) => [2 * tp, said[k]! + is[k]!] as const)
    .filter(([, all]) => all > 0).map(([twice, all]) => twice / all);
  return 100 * scores.reduce((sum, f1) => sum + f1, 0) / scores.length;
}
