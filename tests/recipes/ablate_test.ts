/** Ablations: statistics to the digit, a plan, cells that are trained once, runs that were stopped. */
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { openDevice } from "../../core/device/open.ts";
import type { Ablation, TextQuestion } from "../../recipes/ablate/ablation.ts";
import { ablations, chosenAblations } from "../../recipes/ablate/ablations.ts";
import { ablateData } from "../../recipes/ablate/ablate_data.ts";
import { ablateOptions } from "../../recipes/ablate/options.ts";
import { outcomeOf } from "../../recipes/ablate/outcome.ts";
import { type Cell, cellsOf, type PlanSettings } from "../../recipes/ablate/plan.ts";
import { reportHtml } from "../../recipes/ablate/report.ts";
import { type Ran, runCells } from "../../recipes/ablate/run.ts";
import { type Claim, judge, summaryOf } from "../../recipes/ablate/statistics.ts";
import { outcomeLines } from "../../recipes/ablate/table.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { totalSteps } from "../../recipes/pretrain/stages.ts";
import { tinyData } from "./tiny_run.ts";

Deno.test("mean and spread are exact", () => {
  const { mean, spread } = summaryOf([2, 4, 4, 4, 5, 5, 7, 9]);
  assertEquals(mean, 5);
  assertAlmostEquals(spread!, Math.sqrt(32 / 7), 1e-15);
  assertEquals(summaryOf([3, 3, 3]).spread, 0);
  assertEquals(summaryOf([3]).spread, undefined);
  assertThrows(() => summaryOf([]), RangeError, "no values");
});

Deno.test("a claim shows where the difference is larger than the spread, and only there", () => {
  const judged = (own: readonly number[], other: readonly number[], missing: string[] = []) =>
    judge({ claimed: "a" }, new Map([["a", summaryOf(own)], ["b", summaryOf(other)]]), missing)
      .shows;
  assertEquals(judged([10, 11], [20, 21]), "yes");
  assertEquals(judged([20, 21], [10, 11]), "the opposite");
  assertEquals(judged([10, 14], [11, 15]), "no difference");
  assertEquals(judged([9, 10, 11], [11, 11]), "no difference", "the spread is 1");
  assertEquals(judged([9, 10, 11], [11.001, 11.001]), "yes");
  assertEquals(judged([10], [20]), "open");
  assertEquals(judged([10, 11], [20, 21], ["c"]), "open");
  assertEquals(judged([10, 11], [NaN, 21]), "yes");
  assertEquals(judged([NaN, 11], [20, 21]), "the opposite");
  assertEquals(judged([NaN], [NaN]), "no difference");
  assertEquals(judge({ claimed: "a" }, new Map([["b", summaryOf([1, 2])]])).shows, "open");
  const three = new Map(
    [["a", [5, 5]], ["b", [9, 9]], ["c", [4, 4]]].map(([name, values]) =>
      [name as string, summaryOf(values as number[])] as const
    ),
  );
  assertEquals(judge({ claimed: "a" }, three).shows, "the opposite", "the best other one counts");
});

Deno.test("higher may be better, no worse may be enough, and a floor may be all that was reached", () => {
  const judged = (own: readonly number[], other: readonly number[], claim: Partial<Claim>) =>
    judge({ claimed: "a", ...claim }, new Map([["a", summaryOf(own)], ["b", summaryOf(other)]]));
  assertEquals(judged([0.7, 0.71], [0.5, 0.51], { higher: true }).shows, "yes");
  assertEquals(judged([0.5, 0.51], [0.7, 0.71], { higher: true }).shows, "the opposite");
  assertEquals(judged([NaN, 0.51], [0.1, 0.11], { higher: true }).shows, "the opposite");
  assertEquals(judged([10, 14], [11, 13], {}).shows, "no difference");
  assertEquals(judged([10, 14], [11, 13], { noWorse: true }).shows, "yes");
  assertEquals(judged([20, 21], [10, 11], { noWorse: true }).shows, "the opposite");
  assertEquals(judged([10, 14], [11, 13], { noWorse: true, floor: 12 }).shows, "open");
  assertEquals(judged([NaN], [NaN], { noWorse: true }).shows, "no difference");
  const low = judged([0.4, 0.44], [0.41, 0.43], { higher: true, floor: 0.45 }).text;
  assertEquals(
    low,
    "does not show, within the spread: a 0.420 ± 0.028, best other is b 0.420 ± 0.014; " +
      "neither is better than the floor 0.450",
  );
  assert(!judged([10, 14], [11, 11], { floor: 11.5 }).text.includes("floor"));
});

Deno.test("every ablation has configurations that can be, names that differ and a claimed variant", () => {
  const files = { synonyms: "synonyms.txt", phrases: "phrases.txt" };
  for (const ablation of ablations) {
    const { variants, questions, shown = [], claimed } = ablation;
    const names = variants.map(({ group = "", name }) => `${group}/${name}`);
    assertEquals(new Set(names).size, names.length, ablation.name);
    for (const group of Map.groupBy(variants, ({ group }) => group).values()) {
      assert(group.some(({ name }) => name === claimed), ablation.name);
    }
    const asked = questions.map(({ name }) => name);
    assertEquals(shown.filter((name) => !asked.includes(name)), []);
    const configs = cellsOf([ablation], { steps: 40, seeds: 1, files }).map((c) => c.config);
    assertEquals(new Set(configs.map((config) => JSON.stringify(config))).size, names.length);
    for (const { evalEvery, checkpointEvery, seed } of configs) {
      assertEquals([evalEvery, checkpointEvery, seed], [0, 0, 1]);
    }
  }
});

Deno.test("batches grow at equal sequences, stages share the steps out", () => {
  const settings: PlanSettings = { steps: 320, seeds: 1 };
  const configs = (only: string) => cellsOf(chosenAblations(only), settings);
  for (const { config: { steps, data } } of configs("optimizers")) {
    assertEquals(steps * data.batch, 320 * 32);
  }
  for (const { config } of configs("stages")) {
    assertEquals(totalSteps(config), 320);
    for (const { length, batch } of [config.data, ...config.then]) {
      assertEquals(length * batch, 2048);
    }
  }
});

Deno.test("names and values that are wrong are refused in a line", () => {
  assertThrows(() => chosenAblations("norm,mask-unit"), InputError, "did you mean mask-units?");
  assertThrows(() => chosenAblations("x"), InputError, "the ablations are positions-short, ");
  assertThrows(() => ablateOptions(["--seed", "2"]), InputError, "did you mean --seeds?");
  assertThrows(() => ablateOptions(["--minutes", "0"]), InputError, "a number of at least 0.1");
  assertThrows(() => ablateOptions(["--minutes", "soon"]), InputError, "a number of at least");
  assertThrows(() => ablateOptions(["--seeds", "0"]), InputError, "at least 1");
  assertThrows(() => ablateOptions(["--data", "a", "--corpus", "b"]), InputError, "leave one out");
  // With a seed of theirs all seeds would be one training, and the spread 0.
  assertThrows(() => ablateOptions(["--set", "seed=7"]), InputError, "use --seeds");
  assertThrows(() => ablateOptions(["--set", "steps=50"]), InputError, "use --steps");
  const settings = { steps: 1, seeds: 1, set: ["model.layer=3"] };
  assertThrows(() => cellsOf(ablations, settings), InputError, "did you mean layers?");
});

/** Two schemes, one layer, few steps. */
const toy: Ablation = {
  name: "toy",
  claim: "Positions help.",
  base: [
    "model.layers=1",
    "model.width=16",
    "model.hidden=32",
    "data.length=24",
    "data.batch=4",
    "data.microBatch=4",
  ],
  variants: ["none", "motian", "tupe"].map((name) => ({ name, changes: [`model.scheme=${name}`] }))
    .concat({
      name: "two",
      changes: [
        'then=[{"length":32,"batch":2,"microBatch":2,"steps":2,"rate":0.01,"warmup":0}]',
      ],
    }),
  questions: [{ name: "24", length: 24 }, { name: "600", length: 600 }],
  claimed: "motian",
  absent: ["a ninth"],
};
const settings: PlanSettings = { steps: 4, seeds: 2 };

Deno.test("cells go by seeds; each is trained once; stopped and resumed is uninterrupted", async () => {
  const device = await openDevice("cpu"), out = await Deno.makeTempDir();
  const { vocabulary, train, heldOut } = tinyData(24);
  const report = { corpus: "small", trainTokens: 0, unkShare: 0 };
  const corpus = { vocabulary, train: train.store, heldOut: heldOut.store, report };
  const data = ablateData(corpus, false), cells = cellsOf([toy], settings);
  assertEquals(cells.map(({ variant, seed }) => `${variant.name}${seed}`), [
    ..."none1 motian1 tupe1 two1".split(" "),
    ..."none2 motian2 tupe2 two2".split(" "),
  ]);
  const run = async (folder: string, stopAfter = Infinity, all: readonly Cell[] = cells) => {
    let steps = 0, trained = 0;
    const ran = await runCells({
      cells: all,
      data,
      device,
      out: join(out, folder),
      interrupt: {
        get requested() {
          return steps >= stopAfter;
        },
      },
      view: { show: () => steps++, note: () => {}, [Symbol.dispose]: () => {} },
      emit: (_, now) => now && trained++,
    });
    assertEquals(trained, ran.trained);
    return ran;
  };
  const values = ({ done }: Ran) =>
    done.map(({ cell, result }) => [cell.variant.name, cell.seed, result.values, result.curve]);
  try {
    const whole = await run("whole");
    assertEquals([whole.trained, whole.left], [8, 0]);
    const losses = whole.done.map(({ result }) => result.curve.at(-1)![1]);
    assert(losses.slice(0, 4).every((loss, i) => loss !== losses[i + 4]), "seeds differ");
    assert(losses[0] !== losses[1] && losses[0] !== losses[3], "variants differ");
    assertEquals(
      whole.done.map(({ result }) => Object.keys(result.values).length),
      [2, 2, 1, 2, 2, 2, 1, 2],
      "tupe has no 600 positions",
    );
    assertEquals(whole.done.map(({ result }) => result.curve.length), [4, 4, 4, 6, 4, 4, 4, 6]);
    // In the middle of the third cell.
    const cut = await run("cut", 10);
    assertEquals([cut.trained, cut.left], [2, 6]);
    assertEquals(values(cut), values(whole).slice(0, 2));
    const resumed = await run("cut");
    assertEquals([resumed.trained, resumed.left], [6, 0]);
    assertEquals(values(resumed), values(whole));
    const again = await run("cut");
    assertEquals([again.trained, again.done], [0, resumed.done]);
    const [spoilt] = Array.from(Deno.readDirSync(join(out, "cut", "cells")), ({ name }) => name);
    const path = join(out, "cut", "cells", spoilt!), text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.slice(0, 30));
    await assertRejects(() => run("cut"), InputError, `${spoilt}: it holds no result; delete it`);
    await Deno.writeTextFile(path, text);
    // Another question, another corpus: other cells.
    const more = cellsOf([{ ...toy, questions: toy.questions.slice(0, 1) }], settings).slice(0, 1);
    assertEquals((await run("cut", Infinity, more)).trained, 1);
    const late = await runCells({
      cells,
      data: { ...data, key: "another" },
      device,
      out: join(out, "cut"),
      until: performance.now() - 1,
      interrupt: { requested: false },
      view: { show: () => {}, note: () => {}, [Symbol.dispose]: () => {} },
      emit: () => {},
    });
    assertEquals([late.trained, late.left], [0, 8]);
    // What is there tells how long the rest would take: longer than there is time.
    const saved = JSON.parse(text);
    saved.result.seconds = 1e6;
    await Deno.writeTextFile(path, JSON.stringify(saved));
    for (const name of Deno.readDirSync(join(out, "cut", "cells"))) {
      if (name.name !== spoilt) await Deno.remove(join(out, "cut", "cells", name.name));
    }
    const slow = await runCells({
      cells,
      data,
      device,
      out: join(out, "cut"),
      until: performance.now() + 60_000,
      interrupt: { requested: false },
      view: { show: () => {}, note: () => {}, [Symbol.dispose]: () => {} },
      emit: () => {},
    });
    assertEquals([slow.done.length, slow.left], [1, 7]);
    assert(slow.leftSeconds > 4e6);

    const outcome = await outcomeOf(toy, whole.done, settings, data);
    assertEquals(outcome.floors, toy.questions.map((q) => data.unigram(q as TextQuestion)));
    assertEquals(outcome.missing, []);
    assertEquals((await outcomeOf(toy, cut.done, settings, data)).missing, [
      ..."none (seed 2)|motian (seed 2)|tupe (seeds 1, 2)|two (seeds 1, 2)".split("|"),
    ]);
    const [group] = outcome.groups, lines = outcomeLines(outcome);
    for (const [i, { summaries: [found] }] of group!.rows.entries()) {
      const own = [whole.done[i]!, whole.done[i + 4]!].map(({ result }) => result.values["24"]!);
      assertEquals(found, summaryOf(own));
    }
    assert(lines.some((line) => line.includes(" *")));
    assert(lines.some((line) => /^ {2}tupe .* ± .* - +2$/.test(line)), lines.join("\n"));
    assert(lines.includes("  Left out: a ninth"));
    const page = reportHtml({ subtitle: "<small>", figures: [["seeds", "2"]] }, [
      outcome,
      await outcomeOf({ ...toy, name: "none yet" }, [], settings, data),
      await outcomeOf({ ...toy, overLength: true }, whole.done, settings, data),
    ]);
    assert(page.includes("&#60;small&#62;") && page.includes("Left out: a ninth"));
    assertEquals(page.match(/NaN|Infinity|undefined|\[object|https?:/g), null);
    // Of both questions and of the losses; over length, of the first question and of all.
    assertEquals(page.match(/<figure/g)?.length, 5);
    assert(page.includes("To be trained: none (seeds 1, 2), "));
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});

Deno.test("a folder that cannot be written is refused", async () => {
  const file = await Deno.makeTempFile();
  await assertRejects(
    () =>
      runCells({
        cells: [],
        data: {} as never,
        device: {} as never,
        out: file,
        interrupt: { requested: false },
        view: { show: () => {}, note: () => {}, [Symbol.dispose]: () => {} },
        emit: () => {},
      }),
    InputError,
    "pass another --out",
  );
  await Deno.remove(file);
});
