/**
 * What weights in one byte cost: bytes, and how far scores move on random tokens.
 *
 * @module
 */
import { cpu } from "../../core/mod.ts";
import { compared, type Difference, randomRows } from "../onnx/compare.ts";
import type { Exportable } from "../onnx/heads.ts";
import type { ModelConfig } from "../pretrain/config.ts";
import { longestText } from "../pretrain/positions.ts";
import type { Vocabulary } from "../text/vocabulary.ts";

/** Tokens of the longest rows that are compared. */
const LONGEST = 128;

/** Compares a model with what was read back of its file. */
export async function int8Cost(
  exact: Exportable,
  small: Exportable,
  model: ModelConfig,
  { tokens, pad }: Vocabulary,
): Promise<Difference> {
  const device = cpu(), rows = randomRows(tokens.length, Math.min(LONGEST, longestText(model)));
  try {
    return await compared(exact, small, rows, pad, device);
  } finally {
    device.destroy();
  }
}

/** The cost in a line. */
export async function costLine(
  file: string,
  parameters: number,
  { largest, of, agree }: Difference,
): Promise<string> {
  const { size } = await Deno.stat(file), whole = 4 * parameters;
  const figure = (x: number): string => x.toPrecision(3), percent = (100 * agree).toFixed(1);
  return `weights in one byte: ${(size / 1e6).toPrecision(3)} MB, ${
    (size / whole).toFixed(3)
  } of what they take in f32; on random tokens scores differ by ${
    figure(largest)
  } at most, of numbers up to ${
    figure(of)
  }, and the greatest is the same one ${percent} % of the time`;
}
