/** Runs that diverge: how it is seen, what is thrown away, how they go on, and when they give up. */
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { add, cpu, type Tensor } from "../../core/mod.ts";
import type { PretrainConfig } from "../../recipes/pretrain/config.ts";
import {
  afterRollbacks,
  type Health,
  healthAfter,
  healthOf,
  newHealth,
} from "../../recipes/pretrain/guard.ts";
import { pretrain } from "../../recipes/pretrain/run.ts";
import type { Sums } from "../../recipes/pretrain/step.ts";
import { type Tracer, untraced } from "../../recipes/pretrain/tracer.ts";
import { checkpointPath, checkpointSteps } from "../../recipes/run/checkpoint.ts";
import { readRows, type Row } from "../../recipes/run/rows.ts";
import { inWorkplace, toyConfig } from "./pretrain_command.ts";
import { timeless } from "./timeless.ts";
import { tinyCorpus, tinyRun } from "./tiny_run.ts";

const V = 1000;
const row = (step: number, loss: number | null, skipped = 0): Row => ({ step, loss, skipped });
const after = (...rows: readonly Row[]): Health =>
  rows.reduce((health, r) => healthAfter(health, r, V), newHealth(V));

Deno.test("a loss that is not finite, in memory or in a file, is a divergence at once", () => {
  for (const loss of [NaN, Infinity, null]) {
    assertStringIncludes(after(row(10, 6), row(20, loss)).diverged!, "the loss is ");
  }
  assertEquals(after(row(10, 6), { step: 10, mlm_ppl: NaN }).diverged !== undefined, true);
  assertEquals(after(row(10, 6), row(20, 5.9)).diverged, undefined);
});

Deno.test("a loss above 1.5 x the lowest smoothed one + 1 is a divergence in the third log in a row", () => {
  const falling = Array.from({ length: 60 }, (_, i) => row(10 * i + 10, 2));
  const calm = after(...falling);
  assertAlmostEquals(calm.lowest, 2, 1e-9);
  const high = (n: number): Row => row(600 + 10 * n, 4.1);
  assertEquals(after(...falling, high(1), high(2)).diverged, undefined);
  assertStringIncludes(after(...falling, high(1), high(2), high(3)).diverged!, "the loss is 4.100");
  const calmed = after(...falling, high(1), high(2), row(630, 3.9), high(4), high(5));
  assertEquals([calmed.diverged, calmed.high], [undefined, 2]);
  // What explodes before its first log is seen too: ln 1000 is 6.9.
  assert(after(row(10, 90), row(20, 90), row(30, 90)).diverged !== undefined);
});

Deno.test("skipped steps are a divergence when all were skipped, 8 or more in a row", () => {
  assertEquals(after(row(4, 6, 4)).diverged, undefined);
  assertStringIncludes(after(row(4, 6, 4), row(8, 6, 4)).diverged!, "8 steps in a row");
  assertEquals(after(row(4, 6, 4), row(8, 6, 3), row(12, 6, 4)).diverged, undefined);
});

Deno.test("weights are good when a later loss or an evaluation says so, and not since the loss began to rise", () => {
  assertEquals(newHealth(V).good, 0);
  assertEquals(after(row(10, 6)).good, 9, "the loss of step 10 is that of the weights after 9");
  assertEquals(after(row(10, 6), { step: 10, mlm_ppl: 300 }).good, 10);
  assertEquals(after(row(10, 6), { step: 10, mlm_ppl: 1e6 }).good, 9);
  assertEquals(after(row(10, 6), row(20, 90), { step: 20, mlm_ppl: 300 }).good, 9);
  assertEquals(after(row(10, 6), row(20, 90), row(30, 6)).good, 29);
});

Deno.test("a stage begins with a lowest loss of its own, and health is the same from rows in files", () => {
  const metrics = [row(10, 2), row(20, 2), { ...row(30, 6), stage: 2 }];
  const evaluations = [{ step: 20, mlm_ppl: 9 }];
  const found = healthOf(metrics, evaluations, V);
  assertEquals(found, after(metrics[0]!, metrics[1]!, evaluations[0]!, metrics[2]!));
  assertAlmostEquals(found.lowest, 6, 1e-9);
  assertEquals([found.stage, found.good], [2, 29]);
});

Deno.test("every rollback halves the rate, a rule's too, and changes the seed", () => {
  const [once, twice] = [1, 2].map((n) => afterRollbacks(tinyRun, n));
  assertEquals([once!.optimizer.rate, twice!.optimizer.rate], [0.005, 0.0025]);
  assertEquals(new Set([tinyRun.seed, once!.seed, twice!.seed]).size, 3);
  assertEquals(afterRollbacks(tinyRun, 0), tinyRun);
  const ruled: PretrainConfig = {
    ...tinyRun,
    data: { ...tinyRun.data, batch: 512 },
    optimizer: { ...tinyRun.optimizer, rule: "lamb-sqrt" },
  };
  assertAlmostEquals(afterRollbacks(ruled, 1).optimizer.rate, 0.0003125, 1e-12);
});

/** A watcher that makes the loss of one step NaN, the first time that it comes. */
function nanAt(planted: number): Tracer {
  let step = -1, isPlanted = false;
  return {
    ...untraced,
    step: (taken) => void (step = taken + 1),
    async program(phase, f, ...args) {
      const result = await f(...args);
      if (phase !== "accumulate" || step !== planted || isPlanted) return result;
      isPlanted = true;
      const sums = result as Sums;
      return { ...sums, loss: add(sums.loss, NaN) as Tensor<[]> } as typeof result;
    },
  };
}

Deno.test("a planted NaN: the run goes back to its last sound checkpoint, says so, and resumes to the bit", async () => {
  const out = await Deno.makeTempDir();
  const config = {
    ...tinyRun,
    ...{ steps: 14, evalEvery: 7, checkpointEvery: 3, keepCheckpoints: 0, logEvery: 1 },
  };
  const notes: string[] = [], device = cpu();
  const run = async (watch?: Tracer): Promise<number> => {
    const { summary } = await pretrain({
      config,
      corpus: tinyCorpus(),
      device,
      out,
      resume: watch === undefined,
      interrupt: { requested: false },
      view: { show: () => {}, note: (line) => notes.push(line), [Symbol.dispose]: () => {} },
      emit: () => {},
      ...watch && { watch },
    });
    return summary.rollbacks;
  };
  const rows = (): Promise<readonly Row[]> => readRows(join(out, "metrics.jsonl"));
  try {
    // The step after a checkpoint: its loss is of that checkpoint's weights, so they are not known to be sound.
    assertEquals(await run(nanAt(10)), 1);
    assertStringIncludes(
      notes.join("\n"),
      "step 10: the loss is NaN; back to step 7 with a rate of 0.005 and another order of the data (rollback 1 of 3)",
    );
    const whole = await rows();
    assertEquals(whole.map(({ step }) => step), [...Array(14).keys()].map((i) => i + 1));
    assertEquals(await checkpointSteps(out), [3, 6, 7, 9, 12, 14]);
    const [before, since] = [whole[6]!.lr as number, whole[7]!.lr as number];
    assert(since < 0.6 * before, `${before}, then ${since}`);
    const kept = await readRows(join(out, "rollbacks.jsonl"));
    assertEquals(kept.map(({ step, to, rollback }) => [step, to, rollback]), [[10, 7, 1]]);
    assertStringIncludes(await Deno.readTextFile(join(out, "report.html")), "Rollbacks");
    const final = join(checkpointPath(out, 14), "model.safetensors");
    const weights = await Deno.readFile(final);
    for (const last of [9, 7]) {
      for (const step of await checkpointSteps(out)) {
        if (step > last) await Deno.remove(checkpointPath(out, step), { recursive: true });
      }
      assertEquals(await run(), 1, "the checkpoint knows");
      assertEquals(timeless(await rows()), timeless(whole), `from ${last}`);
      assertEquals(await Deno.readFile(final), weights);
    }
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});

Deno.test("an absurd rate: the run diverges, goes back three times, and gives up in one line with exit code 1", () =>
  inWorkplace(async ({ folder, pretrain }) => {
    const optimizer = { name: "adamw", rate: 50, warmup: 0 };
    const config = { ...toyConfig, optimizer, steps: 40 };
    await Deno.writeTextFile(join(folder, "wild.json"), JSON.stringify(config));
    const words = ["--corpus", "corpus.txt", "--device", "cpu", "--config", "wild.json"];
    const { code, error } = await pretrain([...words, "--out", "run"]);
    assertEquals(code, 1, error);
    const lines = error.trimEnd().split("\n");
    const backs = lines.filter((line) => line.includes("; back to the beginning with a rate of "));
    assertEquals(backs.length, 3, error);
    for (const [i, rate] of [25, 12.5, 6.25].entries()) {
      assertStringIncludes(backs[i]!, `a rate of ${rate} and another order`);
      assertStringIncludes(backs[i]!, `(rollback ${i + 1} of 3)`);
    }
    assertStringIncludes(lines.at(-1)!, "Cannot go on with wild: at step ");
    assertStringIncludes(lines.at(-1)!, "with a rate of 6.25 (50 at first); lower optimizer.rate");
    assert(!error.includes("    at "), "no stack");
    assertEquals(await checkpointSteps(join(folder, "run")), [], "none of them was sound");
  }));
