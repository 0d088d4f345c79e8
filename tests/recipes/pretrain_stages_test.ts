/** Runs of two stages: what is carried over, what begins again, and that a resumed run is an uninterrupted one, at the boundary too. */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { configurations } from "../../recipes/pretrain/config.ts";
import {
  extended,
  stageAt,
  stagesOf,
  totalSteps,
  withSteps,
} from "../../recipes/pretrain/stages.ts";
import { checkpointPath, checkpointSteps } from "../../recipes/run/checkpoint.ts";
import { bestCheckpoint } from "../../recipes/run/kept_checkpoints.ts";
import { kill } from "../kill.ts";
import { inWorkplace, toyConfig } from "./pretrain_command.ts";
import { timeless } from "./timeless.ts";

const tiny = configurations["motian-tiny"]!;
const second = { length: 48, batch: 4, microBatch: 2, steps: 7, rate: 0.005, warmup: 0.2 };
const two = { ...tiny, steps: 8, then: [second, { ...second, length: 96, steps: 5 }] };

Deno.test("stages change what they say and nothing else, and count steps through", () => {
  const stages = stagesOf(two);
  assertEquals(stages.map(({ number, offset }) => [number, offset]), [[1, 0], [2, 8], [3, 15]]);
  assertEquals(stages.map(({ config }) => config.data.length), [64, 48, 96]);
  assertEquals(stages[1]!.config.optimizer.rate, 0.005);
  assertEquals(new Set(stages.map(({ config }) => config.seed)).size, 3);
  assertEquals(stages.map(({ config }) => config.model), [two.model, two.model, two.model]);
  const at = [0, 7, 8, 14, 15, 19, 20, 99].map((step) => stageAt(stages, step).number);
  assertEquals(at, [1, 1, 2, 2, 3, 3, 3, 3]);
});

Deno.test("--steps shares steps out over stages, and --resume --steps gives the last one more", () => {
  for (const total of [3, 10, 20, 200]) {
    const found = withSteps(two, total);
    assertEquals(totalSteps(found), Math.max(3, total));
    assert([found.steps, ...found.then.map(({ steps }) => steps)].every((n) => n >= 1));
  }
  const more = extended(two, 30);
  assertEquals([more.steps, ...more.then.map(({ steps }) => steps)], [8, 7, 15]);
  assertEquals(extended(tiny, 30).steps, 30);
});

Deno.test("a run that goes on from any checkpoint ends as one that never stopped, to the bit", () =>
  inWorkplace(async ({ folder, pretrain, rows }) => {
    const config = {
      ...toyConfig,
      keepCheckpoints: 0,
      then: [{ length: 40, batch: 4, microBatch: 2, steps: 7, rate: 0.005, warmup: 0.2 }],
    };
    await Deno.writeTextFile(join(folder, "two.json"), JSON.stringify(config));
    const words = ["--corpus", "corpus.txt", "--device", "cpu", "--config", "two.json"];
    const { code, error } = await pretrain([...words, "--out", "run"]);
    assertEquals(code, 0, error);
    assert(error.includes("stage 2 of 2: 7 steps of 4 sequences of 40 tokens"), error);
    const metrics = timeless(await rows("run/metrics.jsonl")) as { step: number; stage: number }[];
    assertEquals(metrics.map(({ stage }) => stage), [...Array(8).fill(1), ...Array(7).fill(2)]);
    const evaluations = timeless(await rows("run/eval.jsonl"));
    const stepsOf = (): Promise<readonly number[]> => checkpointSteps(join(folder, "run"));
    const final = join(checkpointPath(join(folder, "run"), 15), "model.safetensors");
    assertEquals(await stepsOf(), [3, 4, 6, 8, 11, 12, 14, 15]);
    const weights = await Deno.readFile(final), best = await bestCheckpoint(join(folder, "run"));
    // Killed in the second stage; at its beginning; in the first: from the newest checkpoint to the oldest.
    for (const last of [11, 8, 3]) {
      for (const step of await stepsOf()) {
        if (step <= last) continue;
        await Deno.remove(checkpointPath(join(folder, "run"), step), { recursive: true });
      }
      const resumed = await pretrain(["--device", "cpu", "--out", "run", "--resume"]);
      assertEquals(resumed.code, 0, resumed.error);
      assertEquals(timeless(await rows("run/metrics.jsonl")), metrics, `from ${last}`);
      assertEquals(timeless(await rows("run/eval.jsonl")), evaluations);
      assertEquals(await Deno.readFile(final), weights);
      assertEquals(await bestCheckpoint(join(folder, "run")), best);
    }
  }));

Deno.test("a run that is killed without warning goes on and ends the same", () =>
  inWorkplace(async ({ folder, pretrain, rows }) => {
    const config = {
      ...toyConfig,
      steps: 40,
      then: [{ length: 40, batch: 4, microBatch: 2, steps: 40, rate: 0.005, warmup: 0.2 }],
    };
    await Deno.writeTextFile(join(folder, "two.json"), JSON.stringify(config));
    const words = ["--corpus", "corpus.txt", "--device", "cpu", "--config", "two.json"];
    const whole = await pretrain([...words, "--out", "whole"]);
    assertEquals(whole.code, 0, whole.error);
    const isKilled = async (out: string): Promise<boolean> => {
      let killed = false;
      const { code } = await pretrain([...words, "--out", out], {
        watch: (error, child) => {
          if (killed || !error.includes("step 44: ")) return;
          killed = true;
          kill(child);
        },
      });
      return code !== 0;
    };
    // On a busy machine a run may be over before its step 44 is seen.
    let n = 1;
    for (; !await isKilled(`cut-${n}`); n++) assert(n < 4, "none was killed before its end");
    const resumed = await pretrain(["--device", "cpu", "--out", `cut-${n}`, "--resume"]);
    assertEquals(resumed.code, 0, resumed.error);
    assertEquals(
      timeless(await rows(`cut-${n}/metrics.jsonl`)),
      timeless(await rows("whole/metrics.jsonl")),
    );
  }));
