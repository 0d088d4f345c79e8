/**
 * Accuracy: the share of right answers.
 *
 * Units: percent.
 */
export function accuracy(predicted: readonly number[], labels: readonly number[]): number {
  if (labels.length === 0) throw new RangeError("Cannot judge 0 answers: there must be one");
  return 100 * labels.filter((label, i) => label === predicted[i]).length / labels.length;
}
