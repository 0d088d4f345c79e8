/**
 * Everything that is measured, in order.
 *
 * @module
 */
import type { BenchCase } from "./bench_case.ts";
import { attentionCases } from "./sections/attention.ts";
import { crossEntropyCases } from "./sections/cross_entropy.ts";
import { elementwiseCases } from "./sections/elementwise.ts";
import { lambCases } from "./sections/lamb.ts";
import { matmulCases } from "./sections/matmul.ts";
import { normaliseCases } from "./sections/normalise.ts";
import { reductionCases } from "./sections/reductions.ts";
import { trainingCases } from "./sections/training.ts";

/** The cases of all sections. */
export const allCases: readonly BenchCase[] = [
  ...matmulCases,
  ...elementwiseCases,
  ...reductionCases,
  ...normaliseCases,
  ...attentionCases,
  ...crossEntropyCases,
  ...lambCases,
  ...trainingCases,
];

/** Those whose name and size contain a word. */
export function chosenCases(filter: string | undefined): readonly BenchCase[] {
  const word = filter?.toLowerCase() ?? "";
  return allCases.filter(({ name, size }) => `${name} ${size}`.toLowerCase().includes(word));
}
