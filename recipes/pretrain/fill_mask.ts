/**
 * A few held-out texts with their masked tokens filled in by the model: what the numbers look like.
 *
 * @module
 */
import { type Device, dispose, jit, type Jitted, read, type Tensor } from "../../core/mod.ts";
import { type Batch, heldOutBatches } from "../data/batches.ts";
import type { PackedSet } from "../data/pack.ts";
import type { Blank, Example } from "../run/report.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import type { ModelConfig } from "./config.ts";
import { mlmInputs } from "./inputs.ts";
import { type MlmInputs, type Model, predict } from "./model.ts";

/** Texts that are shown, at most. */
export const EXAMPLES = 4;
/** Guesses shown for a masked token. */
const GUESSES = 5;
/** Tokens of a text that are shown, at most. */
const SHOWN = 40;

function guesses(logits: Float32Array, vocabulary: Vocabulary): Blank["guesses"] {
  const top = logits.reduce((best, x) => Math.max(best, x), -Infinity);
  const total = logits.reduce((sum, x) => sum + Math.exp(x - top), 0);
  return [...logits.keys()].sort((a, b) => logits[b]! - logits[a]!).slice(0, GUESSES)
    .map((id) => ({
      token: vocabulary.tokens[id]!,
      probability: Math.exp(logits[id]! - top) / total,
    }));
}

/** Row b of a batch as text and blanks, up to the first [SEP] or SHOWN tokens. */
function example(
  batch: Batch,
  b: number,
  logits: Float32Array,
  vocabulary: Vocabulary,
): Example {
  const size = vocabulary.tokens.length, places = new Map<number, number>();
  for (let p = b * batch.P; p < (b + 1) * batch.P; p++) {
    if (batch.weights[p]) places.set(batch.positions[p]! - b * batch.T, p);
  }
  const parts: (string | Blank)[] = [];
  for (let t = 1; t < Math.min(SHOWN, batch.T); t++) {
    const p = places.get(t), id = batch.ids[b * batch.T + t]!;
    if (p !== undefined) {
      const truth = vocabulary.tokens[batch.labels[p]!]!;
      parts.push({
        truth,
        guesses: guesses(logits.subarray(p * size, (p + 1) * size), vocabulary),
      });
    } else if (id === vocabulary.sep || id === vocabulary.pad) {
      if (parts.some((x) => typeof x !== "string")) break;
      parts.length = 0; // nothing masked so far: go on with the next document
    } else parts.push(vocabulary.tokens[id]!.replace(/^##/, ""));
  }
  return parts;
}

/** Scores of every token at the masked places. */
export function fillProgram(
  config: ModelConfig,
  device: Device,
): Jitted<[Model, MlmInputs], Tensor<["P", "V"]>> {
  return jit((model: Model, inputs: MlmInputs) => predict(model, inputs, config), { device });
}

/** Some held-out texts with the model's guesses. */
export async function fillMasks(
  model: Model,
  config: ModelConfig,
  device: Device,
  heldOut: PackedSet,
  vocabulary: Vocabulary,
  count = EXAMPLES,
): Promise<readonly Example[]> {
  const [batch] = heldOutBatches(heldOut, vocabulary, count, { limit: count });
  if (!batch) return [];
  const scores = fillProgram(config, device)(model, mlmInputs(batch)), logits = await read(scores);
  dispose(scores);
  return Array.from({ length: batch.B }, (_, b) => example(batch, b, logits, vocabulary));
}

/** An example as a line for the terminal: 床前〔明 → 明 61 %, 看 9 %〕月光. */
export function exampleLine(parts: Example, shown = 3): string {
  return parts.map((part) => {
    if (typeof part === "string") return part;
    const best = part.guesses.slice(0, shown)
      .map(({ token, probability }) => `${token} ${(100 * probability).toFixed(0)} %`);
    return `〔${part.truth} → ${best.join(", ")}〕`;
  }).join("");
}
