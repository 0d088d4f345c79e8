/**
 * `deno task distill`: from a teacher to a student.
 *
 * @module
 */
import { openDevice } from "../../core/device/open.ts";
import { type Interrupt, runMain } from "../cli/main.ts";
import { helpText } from "../cli/options.ts";
import { progressView } from "../cli/progress.ts";
import { newRun, newRunName, saveLength, saveRun } from "../run/run_folder.ts";
import { closingLines, distillText } from "./distill_text.ts";
import { distillCommand, distillOptions } from "./options.ts";
import { taskCommand } from "./task_command.ts";
import { textCorpus, textPlan } from "./text_plan.ts";

async function main(interrupt: Interrupt): Promise<number> {
  const options = distillOptions(Deno.args), began = performance.now();
  if (options.help) {
    console.log(helpText(distillCommand));
    return 0;
  }
  const { json, resume, minutes } = options;
  using view = progressView();
  if (options.task !== undefined) return await taskCommand(options, interrupt, view);
  const plan = await textPlan(options), { config, teacher, distill, corpus: text, packed } = plan;
  const out = options.out ?? newRunName(config.name);
  if (!resume) await newRun(out);
  const corpus = await textCorpus(plan, view), device = await openDevice(options.device);
  const summary = await distillText({
    config,
    distill,
    teacher,
    corpus,
    device,
    out,
    resume,
    ready: async (hasSteps) => {
      const { steps } = config;
      if (!resume) {
        await saveRun(out, { ...config, corpus: text, packed, distill }, corpus.vocabulary);
      } else if (options.steps !== undefined && hasSteps) await saveLength(out, { steps });
    },
    ...minutes !== undefined && { minutes },
    interrupt,
    view,
    emit: (row) => json && console.log(JSON.stringify(row)),
  }, began);
  if (json) console.log(JSON.stringify(summary));
  else for (const line of closingLines(summary)) console.log(line);
  return 0;
}

if (import.meta.main) await runMain(main);
