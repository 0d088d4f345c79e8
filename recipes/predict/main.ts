/**
 * `deno task predict`: a model's answers to the lines of a file.
 *
 * @module
 */
import { openDevice } from "../../core/device/open.ts";
import { InputError } from "../cli/input_error.ts";
import { reasonOf } from "../cli/reason.ts";
import { short } from "../cli/format.ts";
import { type Interrupt, runMain } from "../cli/main.ts";
import { helpText } from "../cli/options.ts";
import { progressView } from "../cli/progress.ts";
import { decoded, readText } from "../data/read_text.ts";
import { forms } from "./forms.ts";
import { modelSource, whyNot } from "./model_source.ts";
import { numberedLines } from "./numbered_lines.ts";
import { predictCommand, predictOptions } from "./options.ts";
import { fileOutput, standardOutput } from "./output.ts";
import { predictLines } from "./predict_lines.ts";
import { batched, batchRunner } from "./run_batch.ts";

const STDIN = "standard input";

async function main(interrupt: Interrupt): Promise<number> {
  const options = predictOptions(Deno.args);
  if (options.help) {
    console.log(helpText(predictCommand));
    return 0;
  }
  const { in: path, out, format, top, truncate, "skip-bad": skipBad } = options;
  const ask = options.kind!, form = forms[ask], isStdin = path === "-";
  const source = isStdin ? STDIN : path!;
  // Files of CLUE are lines of JSON that are called .json.
  const isJson = isStdin || /\.(jsonl|ndjson|json)$/i.test(path!);
  const json = format === undefined ? isJson : format === "jsonl";
  if (!json && !form.ofText) {
    throw new InputError(
      `Cannot ask for ${ask} of plain text in ${source}: write ${form.example} a line, in a .jsonl file`,
    );
  }
  const { facts, open } = await modelSource(options.model!, options["max-tokens"]);
  const why = whyNot(facts, ask);
  if (why !== undefined) throw new InputError(why);
  if (!isStdin) {
    const refuse = (why: string): never => {
      throw new InputError(`Cannot read ${path}: ${why}; pass another --in`);
    };
    const found = await Deno.stat(path!).catch((error) => refuse(reasonOf(error)));
    if (found.isDirectory) refuse("it is a folder");
  }
  await using output = out === "-" ? standardOutput() : await fileOutput(out);
  using view = progressView();
  const device = await openDevice(options.device);
  view.note(`${facts.name} on ${device.description}`);
  const run = batchRunner(facts, await open(device), device);
  const tools = { facts, compute: batched(run, facts) };
  const pieces = isStdin ? decoded(Deno.stdin, STDIN) : readText(path!);
  const found = { done: 0, bad: 0, tokens: 0 }, start = performance.now();
  const settings = { source, json, truncate, skipBad, top };
  for await (
    const { lines, bad, tokens } of predictLines(form, tools, numberedLines(pieces), settings)
  ) {
    found.done += lines.length;
    found.bad += bad;
    found.tokens += tokens;
    if (!await output.write(lines)) return 0;
    const rate = found.tokens / (performance.now() - start) * 1000;
    view.show({ label: "lines", done: found.done, figures: [`${short(rate)} tokens/s`] });
    if (interrupt.requested) return 0;
  }
  if (found.done === 0) throw new InputError(`Cannot read ${source}: no line is in it`);
  await output.finish();
  view.note(
    `lines answered: ${found.done}` + (found.bad > 0 ? `, by an error: ${found.bad}` : ""),
  );
  return 0;
}

if (import.meta.main) await runMain(main);
