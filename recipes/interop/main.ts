/**
 * `deno task convert`: between runs and folders in Hugging Face's layout, and weights in one byte.
 *
 * @module
 */
import { join } from "@std/path";
import { sizeOf } from "../../core/graph/node.ts";
import { type AnyTensor, paths, sizesOf, type Tree } from "../../core/mod.ts";
import { parameterCount, placeholders } from "../../nn/mod.ts";
import { short } from "../cli/format.ts";
import { InputError } from "../cli/input_error.ts";
import { runMain } from "../cli/main.ts";
import { helpText } from "../cli/options.ts";
import { holdsTask, savedTask } from "../clue/saved_task.ts";
import { exportable, exportableTask } from "../onnx/heads.ts";
import { leftOutLine, originOf, refuseHeadless } from "../pretrain/init_from.ts";
import { modelSpec } from "../pretrain/model.ts";
import { openModel } from "../pretrain/open_model.ts";
import { checkpointPath } from "../run/checkpoint.ts";
import { costLine, int8Cost } from "./int8_cost.ts";
import { layoutFor } from "./model_config.ts";
import { refuseUsed } from "./new_folder.ts";
import { convertCommand, type ConvertOptions, convertOptions } from "./options.ts";
import { writeHuggingFace, writeRun, writeSmallTask } from "./write_folders.ts";

type Asked = ConvertOptions & { readonly from: string; readonly to: string };

const FILE = "model.safetensors";

const parametersIn = (model: object): number =>
  paths(model as Tree<AnyTensor>)
    .reduce((sum, [, x]) => sum + sizeOf(sizesOf(x)), 0);

/** Between the two layouts. */
async function pretrained({ from, to, names, int8 }: Asked): Promise<void> {
  const origin = await originOf(from), { config, vocabulary, layout, weights } = origin;
  if (layout === "hugging-face" && names !== undefined) {
    throw new InputError(
      `Cannot convert with --names: ${from} becomes a run, whose names are fixed; leave it out`,
    );
  }
  refuseHeadless(origin);
  const spec = modelSpec(config.model, vocabulary.tokens.length, config.click !== null);
  const placed = layout === "run" && layoutFor(config.model, vocabulary, names ?? "bert");
  const params = await weights(placeholders(spec)), model = { config, vocabulary, params };
  if (placed) await writeHuggingFace(to, model, placed, int8);
  else await writeRun(to, model, int8);
  const note = leftOutLine(origin), kind = placed ? `model_type "${placed.family}"` : "a run";
  if (note !== undefined) console.error(note);
  console.log(`${to}: ${kind}, ${short(parameterCount(spec))} parameters`);
  if (!int8) return;
  const file = join(placed ? to : checkpointPath(to, 0), FILE), small = await openModel(to);
  const [exact, rounded] = [params, small.params]
    .map((own) => exportable("mlm", own, config.model));
  const cost = await int8Cost(exact!, rounded!, config.model, vocabulary);
  console.log(await costLine(file, parameterCount(spec), cost));
}

/** What `clue --save` left, smaller. */
async function fineTuned({ from, to, names, int8 }: Asked): Promise<void> {
  const saved = await savedTask(from), { config, task, vocabulary } = saved;
  if (!int8 || names !== undefined) {
    throw new InputError(
      `Cannot convert ${from}: it has learnt the task ${task.name}, for which Hugging Face's layout has no place here; give --int8 alone for a smaller folder, or use deno task export`,
    );
  }
  const params = await saved.weights();
  await writeSmallTask(to, saved, params);
  console.log(`${to}: the task ${task.name}, ${short(parametersIn(params))} parameters`);
  const file = join(checkpointPath(to, config.epoch), FILE);
  const [exact, rounded] = [params, await (await savedTask(to)).weights()]
    .map((own) => exportableTask(own, task.head, config.model));
  const cost = await int8Cost(exact!, rounded!, config.model, vocabulary);
  console.log(await costLine(file, parametersIn(params), cost));
}

async function main(): Promise<number> {
  const options = convertOptions(Deno.args);
  if (options.help) {
    console.log(helpText(convertCommand));
    return 0;
  }
  const asked = { ...options, from: options.from!, to: options.to! };
  await refuseUsed(asked.to);
  await (await holdsTask(asked.from) ? fineTuned : pretrained)(asked);
  return 0;
}

if (import.meta.main) await runMain(main);
