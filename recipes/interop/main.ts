/**
 * `deno task convert`: between runs and folders in Hugging Face's layout.
 *
 * @module
 */
import { parameterCount, placeholders } from "../../nn/mod.ts";
import { short } from "../cli/format.ts";
import { InputError } from "../cli/input_error.ts";
import { runMain } from "../cli/main.ts";
import { helpText } from "../cli/options.ts";
import { leftOutLine, originOf, refuseHeadless } from "../pretrain/init_from.ts";
import { modelSpec } from "../pretrain/model.ts";
import { layoutFor } from "./model_config.ts";
import { refuseUsed } from "./new_folder.ts";
import { convertCommand, convertOptions } from "./options.ts";
import { writeHuggingFace, writeRun } from "./write_folders.ts";

async function main(): Promise<number> {
  const options = convertOptions(Deno.args);
  if (options.help) {
    console.log(helpText(convertCommand));
    return 0;
  }
  const { from, to, names } = options;
  await refuseUsed(to!);
  const origin = await originOf(from!), { config, vocabulary, layout, weights } = origin;
  if (layout === "hugging-face" && names !== undefined) {
    throw new InputError(
      `Cannot convert with --names: ${from} becomes a run, whose names are fixed; leave it out`,
    );
  }
  refuseHeadless(origin);
  const spec = modelSpec(config.model, vocabulary.tokens.length, config.click !== null);
  const placed = layout === "run" && layoutFor(config.model, vocabulary, names ?? "bert");
  const model = { config, vocabulary, params: await weights(placeholders(spec)) };
  if (placed) await writeHuggingFace(to!, model, placed);
  else await writeRun(to!, model);
  const note = leftOutLine(origin), kind = placed ? `model_type "${placed.family}"` : "a run";
  if (note !== undefined) console.error(note);
  console.log(`${to}: ${kind}, ${short(parameterCount(spec))} parameters`);
  return 0;
}

if (import.meta.main) await runMain(main);
