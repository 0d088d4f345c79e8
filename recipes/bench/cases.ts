/**
 * Everything that is measured, in order.
 *
 * @module
 */
import type { BenchCase } from "./bench_case.ts";
import { matmulCases } from "./sections/matmul.ts";
import { trainingCases } from "./sections/training.ts";

/** The cases of all sections. */
export const allCases: readonly BenchCase[] = [...matmulCases, ...trainingCases];

/** Those whose name and size contain a word. */
export function chosenCases(filter: string | undefined): readonly BenchCase[] {
  const word = filter?.toLowerCase() ?? "";
  return allCases.filter(({ name, size }) => `${name} ${size}`.toLowerCase().includes(word));
}
