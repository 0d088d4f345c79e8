/** Tasks of reading and of names from files to judged and handed-in answers, with a model that is too small to be good. */
import { assert, assertEquals } from "@std/assert";
import { openDevice } from "../../core/device/open.ts";
import { init } from "../../nn/mod.ts";
import { runTask, taskData } from "../../recipes/clue/run_task.ts";
import type { Start } from "../../recipes/clue/task_model.ts";
import { tasks } from "../../recipes/clue/tasks.ts";
import { encoderOptions, modelSpec } from "../../recipes/pretrain/model.ts";
import {
  cmrc,
  dialogues,
  faultsOf,
  type Files,
  groupAnswers,
  groups,
  lines,
  sentences,
  texts,
  vocabulary,
  withFiles,
} from "./clue_reading_fixtures.ts";
import { tinyRun } from "./tiny_run.ts";

const device = await openDevice("cpu"), { model } = tinyRun, options = encoderOptions(model);
const start: Start = {
  ...{ model, options, vocabulary },
  begin(head, seed) {
    const { encoder } = init(seed, modelSpec(model, vocabulary.tokens.length, false), device);
    return Promise.resolve({ encoder, head: init(seed, head.spec(model.width), device) });
  },
};
const hidden = sentences.map(({ text }, id) => ({ id, text }));

const cases: readonly (readonly [string, string, number, Files])[] = [
  ["cmrc2018", "cmrc2018_predict.json", 3, {
    ...{ "train.json": cmrc(), "dev.json": cmrc({}, "D"), "test.json": cmrc({ answers: [] }) },
  }],
  ["c3", "c311_predict.json", 3, {
    ...{ "c3-d-train.json": dialogues, "c3-m-train.json": texts },
    ...{ "c3-d-dev.json": dialogues, "c3-m-dev.json": texts, "test1.1.json": texts },
  }],
  ["chid", "chid11_predict.json", 4, {
    ...{ "train.json": lines(groups), "train_answer.json": groupAnswers },
    ...{
      "dev.json": lines(groups),
      "dev_answer.json": groupAnswers,
      "test1.1.json": lines(groups),
    },
  }],
  ...["cluener", "cluener-softmax"].map((name) =>
    [name, "cluener_predict.json", 3, {
      ...{
        "train.json": lines(sentences),
        "dev.json": lines(sentences),
        "test.json": lines(hidden),
      },
    }] as const
  ),
];
for (const [name, file, count, files] of cases) {
  Deno.test(`${name} is learnt, judged and handed in without a fault`, () =>
    withFiles(files, async (folder) => {
      const task = tasks[name]!, common = { task, folder, start, length: 48 };
      const data = await taskData(common);
      const { results, answers } = await runTask({
        ...common,
        device,
        config: { epochs: 1, batch: 2, rate: 1e-3, warmup: 0, decay: 0.01, dropout: 0.1, seed: 1 },
        interrupt: { requested: false } as never,
        view: { show: () => {}, note: () => {} } as never,
      }, data);
      const [{ split, n, scores }] = results as [typeof results[number]];
      assertEquals([split, n], ["dev", count]);
      assert(Object.values(scores).every((value) => value >= 0 && value <= 100));
      assertEquals(Object.keys(answers), [file]);
      const [asked] = await task.asked(folder);
      assertEquals(await faultsOf(name, asked, `${answers[file]!.join("\n")}\n`), []);
    }));
}
