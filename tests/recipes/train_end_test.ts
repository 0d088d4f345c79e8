/** What a run does last, in which order: it may die between any two of them. */
import { assertEquals } from "@std/assert";
import { cpu } from "../../core/mod.ts";
import { tinyRun, trainTiny } from "./tiny_run.ts";

const config = { ...tinyRun, steps: 4, evalEvery: 3, checkpointEvery: 10 };

/** What is written after which step, where the run is stopped after so many. */
async function written(stopAfter: number): Promise<readonly string[]> {
  const device = cpu(), seen: string[] = [];
  let done = 0;
  await trainTiny(config, device, {
    evaluation: ({ step }) => (seen.push(`evaluation ${step}`), false),
    checkpoint: ({ step }) => Promise.resolve(void seen.push(`checkpoint ${step}`)),
    progress: (step) => void (done = step),
    stop: () => done >= stopAfter,
  });
  device.destroy();
  return seen;
}

Deno.test("the checkpoint of a run's end is its last word: what is there has been evaluated", async () => {
  assertEquals(await written(Infinity), ["evaluation 3", "evaluation 4", "checkpoint 4"]);
});

Deno.test("a run that is stopped is saved before all else", async () => {
  assertEquals(await written(2), ["checkpoint 2", "evaluation 2"]);
});
