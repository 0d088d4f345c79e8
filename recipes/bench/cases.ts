/**
 * Everything that is measured, in order.
 *
 * @module
 */
import type { BenchCase } from "./bench_case.ts";
import type { BenchDevice } from "./row.ts";
import { attentionCases } from "./sections/attention.ts";
import { crossEntropyCases } from "./sections/cross_entropy.ts";
import { elementwiseCases } from "./sections/elementwise.ts";
import { lambCases } from "./sections/lamb.ts";
import { matmulCases } from "./sections/matmul.ts";
import { normaliseCases } from "./sections/normalise.ts";
import { overheadCases } from "./sections/overhead.ts";
import { pretrainingCases } from "./sections/pretraining.ts";
import { reductionCases } from "./sections/reductions.ts";
import { lengthCases, trainingCases } from "./sections/training.ts";

/** The cases of all sections. */
export const allCases: readonly BenchCase[] = [
  ...matmulCases,
  ...elementwiseCases,
  ...reductionCases,
  ...normaliseCases,
  ...attentionCases,
  ...crossEntropyCases,
  ...lambCases,
  ...overheadCases,
  ...trainingCases,
  ...lengthCases,
  ...pretrainingCases,
];

/** Those whose name and size contain a word. */
export function chosenCases(filter: string | undefined): readonly BenchCase[] {
  const word = filter?.toLowerCase() ?? "";
  return allCases.filter(({ name, size }) => `${name} ${size}`.toLowerCase().includes(word));
}

/** Is a case measured on a device, where so much was asked for? */
export function isMeasured(
  { onlyOn, onlyFor }: BenchCase,
  device: BenchDevice,
  asked: { readonly filter?: string | undefined; readonly device: BenchDevice | "all" },
): boolean {
  if (onlyOn && !onlyOn.includes(device)) return false;
  return !onlyFor || asked.filter !== undefined || asked.device === onlyFor;
}
