/**
 * Texts that models have no positions for.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import type { ModelConfig } from "../pretrain/config.ts";
import { longestText } from "../pretrain/positions.ts";
import { GRAIN } from "./unit_batches.ts";

/**
 * Refuses them: batches are padded to a multiple of `GRAIN`. `work` is what was to be done, as in "learn tnews".
 *
 * @throws InputError
 */
export function refuseTooLong(work: string, length: number, models: readonly ModelConfig[]): void {
  const padded = Math.ceil(length / GRAIN) * GRAIN, most = Math.min(...models.map(longestText));
  const short = models.find((model) => longestText(model) === most);
  if (!short || padded <= most) return;
  throw new InputError(
    `Cannot ${work} from texts of ${padded} tokens: the model's scheme "${short.scheme}" has ${most} positions; give --length ${
      most - most % GRAIN
    } or less`,
  );
}
