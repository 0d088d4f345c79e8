/** What changes how a task is learnt: weights of classes, rates of layers, an early stop. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import { leaves, paths, read, type Tensor, tensor } from "../../core/mod.ts";
import { openDevice } from "../../core/device/open.ts";
import { init } from "../../nn/mod.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { fineTune, type FineTuneConfig } from "../../recipes/clue/fine_tune.ts";
import { classes } from "../../recipes/clue/heads/classes.ts";
import { bestEpochs } from "../../recipes/clue/learning/average.ts";
import { type TaskConfig, taskConfig } from "../../recipes/clue/learning/settings.ts";
import { clueOptions } from "../../recipes/clue/options.ts";
import { type Result, runTask } from "../../recipes/clue/run_task.ts";
import type { Prepared } from "../../recipes/clue/task.ts";
import { join } from "@std/path";
import { savedTask, taskSaver } from "../../recipes/clue/saved_task.ts";
import { saveRun } from "../../recipes/run/run_folder.ts";
import { SPECIAL_TOKENS, vocabularyOf } from "../../recipes/text/vocabulary.ts";
import { inFolder } from "../in_folder.ts";
import { runRecipe } from "./recipe_command.ts";
import { defaults } from "../../recipes/clue/defaults.ts";
import { tasks } from "../../recipes/clue/tasks.ts";
import { tasksTable } from "../../recipes/clue/tasks_table.ts";
import { GRAIN } from "../../recipes/clue/unit_batches.ts";
import { balancedWeights } from "../../recipes/clue/learning/class_weights.ts";
import type { TaskModel } from "../../recipes/clue/task_model.ts";
import type { Unit } from "../../recipes/clue/unit.ts";
import { encoderOptions, modelSpec } from "../../recipes/pretrain/model.ts";
import { tinyRun } from "./tiny_run.ts";

const device = await openDevice("cpu");
const model = { ...tinyRun.model, layers: 2 }, options = encoderOptions(model), head = classes(3);

const unitOf = (i: number, target: number): Unit => {
  const ids = Array.from({ length: 5 + i % 7 }, (_, t) => t === 0 ? 1 : 4 + (i * 13 + t * 7) % 30);
  return { rows: [{ ids, segments: ids.map(() => 0) }], target: [target] };
};
const begin = (seed: number): TaskModel => ({
  encoder: init(seed, modelSpec(model, 40), device).encoder,
  head: init(seed, head.spec(model.width), device),
});
const config: FineTuneConfig = {
  ...{ epochs: 4, batch: 6, rate: 1e-2, warmup: 0, decay: 0.01, dropout: 0, seed: 3 },
};
const quiet = { progress: () => {}, epoch: () => Promise.resolve(), stop: () => false };
const learning = { head, options, pad: 0, device };
const valuesOf = async (tree: TaskModel): Promise<readonly (readonly number[])[]> =>
  await Promise.all(leaves(tree).map(async (leaf) => [...await read(leaf as unknown as Tensor)]));

/** The values after one step. */
async function stepped(
  units: readonly Unit[],
  own: Partial<FineTuneConfig>,
  weights: readonly number[] = [],
): Promise<readonly (readonly number[])[]> {
  let done = 0;
  return await valuesOf(
    await fineTune(begin(3), { ...learning, units, weights }, { ...config, ...own }, {
      ...quiet,
      progress: (step) => done = step,
      stop: () => done >= 1,
    }),
  );
}

Deno.test("balanced weights give every class the same share, and a mean of 1", () =>
  fc.assert(fc.property(fc.array(fc.nat(4), { minLength: 1, maxLength: 60 }), (targets) => {
    const weights = balancedWeights(targets.map((k, i) => unitOf(i, k)));
    const shares = Map.groupBy(targets.keys(), (i) => targets[i]!);
    for (const own of shares.values()) {
      const share = own.reduce((sum, i) => sum + weights[i]!, 0);
      assertAlmostEquals(share, targets.length / shares.size, 1e-9);
    }
    assertAlmostEquals(weights.reduce((a, b) => a + b) / weights.length, 1, 1e-9);
  })));

Deno.test("a unit of weight 2 is learnt as two units of weight 1 are", async () => {
  const a = unitOf(1, 0), b = unitOf(2, 1);
  const weighed = await stepped([a, b], {}, [4 / 3, 2 / 3]), twice = await stepped([a, b, a], {});
  const plain = await stepped([a, b], {});
  // AdamW's first step shows signs alone, but where weight decides which sign.
  assert(plain.some((leaf, i) => leaf.some((x, j) => Math.abs(x - weighed[i]![j]!) > 1e-3)));
  weighed.forEach((leaf, i) =>
    leaf.forEach((x, j) => assertAlmostEquals(x, twice[i]![j]!, 1e-4, `leaf ${i}`))
  );
});

Deno.test("with layer decay the first step of a block i of L is decay^(L - i) of that without", async () => {
  const units = [0, 1, 2, 3, 4, 5].map((i) => unitOf(i, i % 3));
  const start = begin(3), before = await valuesOf(start);
  const plain = await stepped(units, {}), decayed = await stepped(units, { layerDecay: 0.5 });
  const factors: readonly (readonly [RegExp, number])[] = [
    [/^encoder\.(embeddings|shared)\./, 1 / 8],
    [/^encoder\.layers\.0\./, 1 / 4],
    [/^encoder\.layers\.1\./, 1 / 2],
    [/^(head|encoder\.norm)\./, 1],
  ];
  const met = new Set<number>();
  paths(start).forEach(([path], i) => {
    const [, factor] = factors.find(([match]) => match.test(path))!;
    before[i]!.forEach((x, j) => {
      const full = plain[i]![j]! - x;
      if (Math.abs(full) > 1e-3) met.add(factor);
      assertAlmostEquals(decayed[i]![j]! - x, factor * full, 2e-6, path);
    });
  });
  assertEquals([...met].sort(), [1 / 8, 1 / 4, 1 / 2, 1]);
});

/** A split whose scores are given; it says which epoch answers. */
function splitOf(units: readonly Unit[], scores: readonly number[] = []): Prepared {
  let judged = 0;
  return {
    ...{ count: units.length, labelled: true, notes: [], submission: "fake.json", units },
    tune: () => undefined,
    judge: () => ({ accuracy: scores[judged++] ?? 0 }),
    lines: () => [`${judged}`],
    part: () => splitOf(units, scores),
  };
}

/** What is noted and found where dev scores are these, one after another. */
async function learntWith(scores: readonly number[], own: Partial<TaskConfig>) {
  const notes: string[] = [], units = [0, 1, 2].map((i) => unitOf(i, i));
  const shown: string[] = [];
  const kept: (readonly [epoch: number, dev: number])[] = [];
  const found = await runTask({
    task: { name: "fake", head } as never,
    start: { options, vocabulary: { pad: 0 }, begin: () => Promise.resolve(begin(3)) } as never,
    ...{ folder: "", length: 16, device, interrupt: { requested: false } },
    config: { ...config, epochs: scores.length, ...own },
    keep: ({ epoch, dev }) => Promise.resolve(void kept.push([epoch, dev.accuracy!])),
    view: {
      show: ({ done, total, figures }) => shown.push(`${done}/${total} ${figures!.join()}`),
      note: (line) => notes.push(line),
      [Symbol.dispose]: () => {},
    },
  }, { train: splitOf(units), dev: splitOf(units, scores), tests: [splitOf(units, [1])] });
  const [{ epoch, averaged, scores: dev }] = found.results as [Result];
  return { notes, shown, kept, found: { epoch, dev: dev.accuracy, ...averaged && { averaged } } };
}

Deno.test("what takes long beside steps, judging and answering, is shown too", async () => {
  const { shown } = await learntWith([50, 40], {});
  const beside = ["1/2 dev 3/3", "1/2 test 3/3", "2/2 dev 3/3"];
  assertEquals(shown.filter((line) => /dev|test/.test(line)), beside);
});

Deno.test("patience stops after so many epochs in a row without a better dev score; the best epoch answers", async () => {
  const scores = [50, 60, 55, 61, 61, 40, 99];
  const impatient = await learntWith(scores, { patience: 2 });
  assertEquals(impatient.found, { epoch: 4, dev: 61 });
  assertEquals(impatient.notes.length, 7);
  assertEquals(
    impatient.notes.at(-1),
    "fake, seed 3 stops: no better dev score than that of epoch 4",
  );
  assertEquals((await learntWith(scores, { patience: 3 })).found, { epoch: 7, dev: 99 });
  assertEquals((await learntWith(scores, {})).found, { epoch: 7, dev: 99 });
});

Deno.test("the mean of the best epochs answers only where it is better on dev than each of them", async () => {
  const three = { epochs: 3, average: 2 };
  const better = await learntWith([50, 60, 55, 70], three);
  assertEquals(better.found, { epoch: 2, dev: 70, averaged: [2, 3] });
  assertStringIncludes(better.notes.at(-1)!, "mean of epochs 2, 3: dev accuracy 70.00; it answers");
  assertEquals(better.kept, [[1, 50], [2, 60], [2, 70]]);
  const same = await learntWith([50, 60, 55, 60], three);
  assertEquals(same.found, { epoch: 2, dev: 60 });
  assertStringIncludes(same.notes.at(-1)!, "epoch 2 answers, which is no worse");
  assertEquals(same.kept, [[1, 50], [2, 60]]);
  // One epoch has no mean.
  assertEquals((await learntWith([50, 99], { epochs: 1, average: 2 })).found, {
    ...{ epoch: 1, dev: 50 },
  });
});

Deno.test("the mean is that of the weights of the epochs of greatest score, the earlier of equals", async () => {
  const of = (a: number, b: number) => ({ x: tensor([a, b]), y: { z: tensor(a * b) } });
  const best = bestEpochs<ReturnType<typeof of>>(3);
  await best.offer(1, 7, of(1, 2));
  assertEquals(await best.mean(of(0, 0), device), undefined);
  for (
    const [epoch, score, a, b] of [[2, 5, 4, 1], [3, 9, -3, 0.5], [4, 5, 90, 9], [5, 8, 8, 2]]
  ) await best.offer(epoch!, score!, of(a!, b!));
  assertEquals(best.epochs(), [1, 3, 5]);
  const mean = (await best.mean(of(0, 0), device))!;
  assertEquals([...await read(mean.x)], [2, 1.5]);
  assertEquals([...await read(mean.y.z)], [(2 - 1.5 + 16) / 3]);
});

Deno.test("a moving average of the weights is the sum of all steps' weights, the newer the heavier", async () => {
  const units = [0, 1, 2].map((i) => unitOf(i, i)), d = 0.75;
  const trace = async (ema: number) => {
    const all: (readonly (readonly number[])[])[] = [];
    const last = await fineTune(begin(3), { ...learning, units }, { ...config, ema }, {
      ...quiet,
      epoch: async (_, model) => void all.push(await valuesOf(model)),
    });
    assertEquals(await valuesOf(last), all.at(-1));
    return all;
  };
  const steps = await trace(0), averages = await trace(d);
  assertEquals(steps.length, 4);
  averages.forEach((own, n) =>
    own.forEach((leaf, i) =>
      leaf.forEach((x, j) => {
        const parts = steps.slice(0, n + 1).map((w, m) => (1 - d) * d ** (n - m) * w[i]![j]!);
        assertAlmostEquals(x, parts.reduce((a, b) => a + b) / (1 - d ** (n + 1)), 1e-5);
      })
    )
  );
});

Deno.test("clue refuses learning options that do not fit, in one line", () =>
  inFolder(async (folder) => {
    const cmrc = ["--task", "cmrc2018", "--data", "none", "--model", "none"];
    const refused: readonly (readonly [words: readonly string[], why: string])[] = [
      [
        [...cmrc, "--class-weights", "balanced"],
        "Cannot learn cmrc2018 with --class-weights balanced: its answers are no classes; leave it out",
      ],
      [[...cmrc, "--layer-decay", "1.5"], "it must be a number from 0 to 1"],
      [[...cmrc, "--epsilon", "0.5"], "--epsilon without --adversary: nothing is disturbed"],
      [[...cmrc, "--adversary", "fgm", "--epsilon", "0"], "--epsilon 0: it must be above 0"],
      [[...cmrc, "--adversary", "fgm", "--adversary-steps", "2"], "without --adversary pgd"],
      [[...cmrc, "--rdrop", "1", "--dropout", "0"], "two passes without dropout are the same"],
      [[...cmrc, "--average", "2", "--epochs", "1"], "--epochs 1: one epoch has no mean; see"],
      [[...cmrc, "--rates", "1e-4,x"], "it must be numbers above 0, with commas between them"],
      [[...cmrc, "--batches", "16,1.5"], "it must be whole numbers above 0"],
      [[...cmrc, "--rates", "1e-4,0.0001"], "--rates 1e-4,0.0001: 0.0001 is there twice"],
      [[...cmrc, "--rates", "1e-4", "--rate", "1e-4"], "--rate and --rates"],
      [[...cmrc, "--folds", "2", "--train-examples", "9"], "--train-examples and --folds: "],
      [[...cmrc, "--folds", "2", "--save", "kept"], "--save and --folds: one model is left"],
      [[...cmrc, "--folds", "1"], "it must be a whole number from 2 to 50"],
      [[...cmrc, "--patience", "0"], "it must be a whole number of at least 1"],
    ];
    for (const [words, why] of refused) {
      const { code, out, error } = await runRecipe("clue", folder, words);
      assertEquals([code, out], [2, ""], error);
      assertStringIncludes(error, why);
      assertEquals(error.trimEnd().split("\n").length, 1, error);
    }
  }));

Deno.test("every task has a row in the table of defaults, and clue --tasks prints it", () =>
  inFolder(async (folder) => {
    assertEquals(Object.keys(defaults).sort(), Object.keys(tasks).sort());
    for (const [name, task] of Object.entries(tasks)) {
      const { length, epochs, batch, rate, dropout, layerDecay } = task.defaults;
      assertEquals(task.defaults, defaults[name as keyof typeof defaults], name);
      assert([length, epochs, batch].every((n) => Number.isInteger(n) && n > 0), name);
      assert(length % GRAIN === 0 && rate > 0 && rate < 1e-2 && dropout >= 0 && dropout < 1, name);
      assert(layerDecay > 0 && layerDecay <= 1, name);
    }
    const { code, out } = await runRecipe("clue", folder, ["--tasks"]);
    assertEquals(code, 0);
    const lines = out.trimEnd().split("\n");
    assertEquals(lines.length, 1 + Object.keys(tasks).length);
    assertMatch(lines[0]!, /^task +length +epochs +batch +rate +dropout +layer decay +asks$/);
    assertMatch(lines[2]!, /^tnews +128 +8 +32 +8e-4 +0\.2 +0\.7 +kind of a headline/);
    assertEquals(JSON.parse(tasksTable(tasks, true)[2]!), {
      ...{ task: "iflytek", about: tasks.iflytek!.about, ...defaults.iflytek },
    });
  }));

Deno.test("blocks of a pretrained model learn at the task's own decay, of one from scratch alike", () => {
  const told = (...words: string[]): number | undefined => {
    const needed = ["--task", "tnews", "--data", "tnews", "--model", "run"];
    return taskConfig(tasks.tnews!, clueOptions([...needed, ...words]), 1).layerDecay;
  };
  assertEquals([told(), told("--scratch"), told("--scratch", "--layer-decay", "0.9")], [
    0.7,
    1,
    0.9,
  ]);
});

Deno.test("a mean of epochs is saved in the place of the best of them", () =>
  inFolder(async (folder) => {
    const path = join(folder, "kept"), task = tasks.tnews!;
    const start = { model, vocabulary: vocabularyOf([...SPECIAL_TOKENS, ..."天地人"]) };
    const modelOf = (seed: number): TaskModel => ({
      encoder: init(seed, modelSpec(model, start.vocabulary.tokens.length), device).encoder,
      head: init(seed, task.head.spec(model.width), device),
    });
    {
      await using saver = await taskSaver(path, start, { task: "tnews", length: 16, texts: 1 });
      await saver.keep({ epoch: 2, dev: { accuracy: 60 }, model: modelOf(1) }, 1);
      await saver.keep({ epoch: 2, dev: { accuracy: 70 }, model: modelOf(2) }, 1);
      await saver.finish();
    }
    const saved = await (await savedTask(path)).open(device);
    assertEquals(await valuesOf(saved), await valuesOf(modelOf(2)));
  }));

Deno.test("a run is no model of a task, and an empty folder none at all", () =>
  inFolder(async (folder) => {
    const refused = async (path: string): Promise<string> =>
      (await assertRejects(() => savedTask(path), InputError)).message;
    const run = join(folder, "run");
    await Deno.mkdir(run);
    assertEquals(
      await refused(run),
      `Cannot start from ${run}: no config.json in it; pass the folder of a model`,
    );
    await saveRun(run, { name: "tiny", model }, vocabularyOf(SPECIAL_TOKENS));
    assertEquals(
      await refused(run),
      `Cannot start from ${run}: it has learnt no task; pass a folder that clue --save has left`,
    );
  }));
