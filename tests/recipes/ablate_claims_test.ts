/** The claims: each cell differs in what its claim is about and in nothing else, and trains. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { join } from "@std/path";
import { openDevice } from "../../core/device/open.ts";
import { type Ablation, isClicks } from "../../recipes/ablate/ablation.ts";
import { ablations, chosenAblations } from "../../recipes/ablate/ablations.ts";
import { ablateData } from "../../recipes/ablate/ablate_data.ts";
import { cellKey } from "../../recipes/ablate/cell_store.ts";
import { outcomeOf } from "../../recipes/ablate/outcome.ts";
import {
  type Cell,
  cellsOf,
  phasesOf,
  type PlanSettings,
  stepsOf,
} from "../../recipes/ablate/plan.ts";
import { reportHtml } from "../../recipes/ablate/report.ts";
import { trainCell } from "../../recipes/ablate/train_cell.ts";
import type { PretrainConfig } from "../../recipes/pretrain/config.ts";
import { longestText } from "../../recipes/pretrain/positions.ts";
import { totalSteps } from "../../recipes/pretrain/stages.ts";
import { tinyCorpus } from "./tiny_run.ts";

const files = { synonyms: "synonyms.txt", phrases: "phrases.txt" };
const cells = (only: string, settings: Partial<PlanSettings> = {}): readonly Cell[] =>
  cellsOf(chosenAblations(only), { steps: 100, seeds: 1, files, ...settings });
const named = (all: readonly Cell[]): Readonly<Record<string, PretrainConfig>> =>
  Object.fromEntries(
    all.map(({ variant: { group = "", name }, config }) => [`${group} ${name}`.trim(), config]),
  );

/** Paths of the values in which configurations differ. */
function differences(configs: readonly unknown[]): readonly string[] {
  const isTree = (x: unknown): x is Readonly<Record<string, unknown>> =>
    typeof x === "object" && x !== null && !Array.isArray(x);
  if (!configs.every(isTree)) {
    return new Set(configs.map((x) => JSON.stringify(x))).size > 1 ? [""] : [];
  }
  return Object.keys(configs[0]!).flatMap((key) =>
    differences(configs.map((config) => config[key])).map((path) =>
      path === "" ? key : `${key}.${path}`
    )
  );
}

Deno.test("variants of a group differ in what the claim is about, and in nothing else", () => {
  const expected: Readonly<Record<string, readonly string[]>> = {
    "positions-short": ["model.scheme", "model.maxLength"],
    "positions-long": ["model.scheme", "model.maxLength"],
    extrapolation: ["model.scheme", "model.maxLength"],
    "mask-units": ["mask.units.word", "mask.units.phrase", "mask.units.ngram", "mask.units.span"],
    "mask-policies": ["mask.policy"],
    clicks: ["click", "steps"],
    "task-weights": ["click.weights", "click.share"],
    norm: ["model.norm"],
    optimizers: ["name", "gradNorm", "biasCorrection", "rate"].map((name) => `optimizer.${name}`),
    stages: ["data.length", "data.batch", "data.microBatch", "steps", "then"],
  };
  assertEquals(ablations.map(({ name }) => name), Object.keys(expected));
  for (const { name } of ablations) {
    for (const own of Map.groupBy(cells(name), ({ variant }) => variant.group).values()) {
      const found = differences(own.map(({ config }) => ({
        ...config,
        logEvery: 0,
        // They say which files are read, and only those that are needed are.
        mask: { ...config.mask, synonyms: null, phrases: null },
      })));
      assertEquals(found.toSorted(), expected[name]!.toSorted(), name);
    }
  }
});

Deno.test("all position schemes, absolute ones too, are there on short and on long text", () => {
  const all = "none absolute shaw nezha t5 xlnet deberta tener tupe motian".split(" ");
  for (const name of ["positions-short", "positions-long", "extrapolation"]) {
    assertEquals(cells(name).map(({ config }) => config.model.scheme), all);
  }
  const long = named(cells("positions-long"));
  assertEquals(longestText(long.absolute!.model), 1024);
  assertEquals(long.absolute!.data.length, 128);
});

Deno.test("LAMB is there with and without both, and AdamW, at each batch", () => {
  const all = named(cells("optimizers"));
  for (const batch of [32, 128, 512]) {
    const of = (name: string) => all[`batch ${batch} ${name}`]!.optimizer;
    const choices = (name: string) => [of(name).name, of(name).gradNorm, of(name).biasCorrection];
    assertEquals(choices("lamb"), ["lamb", "off", false]);
    assertEquals(choices("lamb+bias"), ["lamb", "off", true]);
    assertEquals(choices("lamb+norm"), ["lamb", "always", false]);
    assertEquals(choices("lamb+norm+bias"), ["lamb", "always", true]);
    assertEquals(of("adamw").name, "adamw");
    for (const name of ["lamb", "adamw"]) {
      const at32 = all[`batch 32 ${name}`]!.optimizer.rate;
      assertEquals(of(name).rate, at32 * Math.sqrt(batch / 32), "the rate grows as √batch");
    }
  }
});

Deno.test("text with and without clicks ends with the same lessons in clicks", () => {
  const all = cells("clicks"), own = named(all);
  const steps = all.map(({ config }) => totalSteps(config));
  assertEquals(all.map(({ config }) => config.click !== null), [false, false, true]);
  assertEquals(steps, [100, 200, 100]);
  const [first, ...others] = all.map(({ finish }) => finish!);
  assertEquals([first!.steps, first!.click], [20, own["mlm+click"]!.click]);
  for (const other of others) assertEquals(other, first);
  const [titles] = phasesOf(all[2]!).map(({ click, data }) => [
    click!.batch * click!.docs * click!.length,
    data.batch * data.length,
  ]);
  assertEquals(titles![0], titles![1], "as many tokens of titles as of text: twice the steps");
  for (const { finish, config } of cells("clicks,task-weights", { clicks: "my log.jsonl" })) {
    for (const { click } of [config, ...finish ? [finish] : []]) {
      if (click) assertEquals(click.log, "my log.jsonl");
    }
  }
});

Deno.test("what a model goes on with, and what is in a click log, are part of a cell's name", async () => {
  const [, , cell] = cells("clicks") as [Cell, Cell, Cell];
  const keyOf = (own: Cell): Promise<string> => cellKey(own, "corpus");
  const key = await keyOf(cell), { finish, ...unfinished } = cell;
  assertEquals(await keyOf({ ...cell, ablation: "another" }), key);
  assertNotEquals(await keyOf(unfinished), key);
  assertNotEquals(await keyOf({ ...cell, finish: { ...finish!, steps: 21 } }), key);
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "a");
    const logged = cells("clicks", { clicks: path })[2]!, before = await keyOf(logged);
    assertNotEquals(before, key);
    await Deno.writeTextFile(path, "b");
    assertNotEquals(await keyOf(logged), before);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("every cell of every claim takes a step and answers its questions", async () => {
  const device = await openDevice("cpu"), folder = await Deno.makeTempDir();
  try {
    const [synonyms, phrases] = ["synonyms.txt", "phrases.txt"].map((name) => join(folder, name));
    await Deno.writeTextFile(synonyms!, "Aa01A01= 老师 医生 学生\n");
    await Deno.writeTextFile(phrases!, "搜索引擎\n天气预报\n");
    const settings: PlanSettings = {
      steps: 1,
      seeds: 1,
      files: { synonyms: synonyms!, phrases: phrases! },
      set: ["model.layers=1", "model.width=16", "model.hidden=32"],
    };
    const data = ablateData({ ...tinyCorpus() }, false);
    for (const ablation of ablations) {
      const done = [];
      for (const cell of cellsOf([toy(ablation)], settings)) {
        const label = `${ablation.name} ${cell.variant.group ?? ""} ${cell.variant.name}`;
        const result = await trainCell(cell, data, device, { step: () => {}, stop: () => false });
        const { values, curve } = result!;
        assertEquals(curve.at(-1)![0], stepsOf(cell), label);
        for (const [, loss] of curve) assert(loss > 1 && loss < 10, label);
        const answered = ablation.questions.filter((question) =>
          isClicks(question) || question.length <= longestText(cell.config.model)
        );
        assertEquals(Object.keys(values).toSorted(), answered.map((q) => q.name).toSorted(), label);
        for (const question of answered) {
          const value = values[question.name]!;
          if (isClicks(question)) assert(value > 0 && value < 1, label);
          else assert(value > 5 && value < 1000, label);
        }
        done.push({ cell, result: result! });
      }
      const outcome = await outcomeOf(ablation, done, settings, data);
      assertEquals(outcome.missing, []);
      for (const [i, question] of outcome.questions.entries()) {
        const floor = outcome.floors[i]!;
        if (isClicks(question)) assert(floor > 0.2 && floor < 0.7, `chance reaches ${floor}`);
        else assert(floor > 5 && floor < 200, `the unigram model reaches ${floor}`);
      }
      const page = reportHtml({ subtitle: "", figures: [] }, [outcome]);
      const shown = outcome.questions.filter(isClicks);
      assert(shown.every(({ name }) => name.endsWith(" (SIMULATED)") && page.includes(name)));
      assertEquals(page.match(/NaN|Infinity|undefined|\[object/g), null);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Eight thin layers are more than a step needs. */
function toy(ablation: Ablation): Ablation {
  return { ...ablation, base: ablation.base.filter((change) => !change.startsWith("model.")) };
}
