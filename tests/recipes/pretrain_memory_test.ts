/** Memory of a long run: what step 2,000 takes is what step 200 took. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { cpu, type Device } from "../../core/mod.ts";
import { saveCheckpoint } from "../../recipes/run/checkpoint.ts";
import { collectGarbage } from "../collect_garbage.ts";
import { gpuFor } from "./any_gpu.ts";
import { tinyRun, trainTiny } from "./tiny_run.ts";

const EARLY = 200, LATE = 2000;
/** Evaluations and checkpoints are part of a run: the first ones come before the first look. */
const config = {
  ...tinyRun,
  data: { ...tinyRun.data, microBatch: tinyRun.data.batch },
  steps: LATE + 1, // the last checkpoint is written when the sums are gone
  evalEvery: EARLY,
  checkpointEvery: EARLY,
};

interface Look {
  readonly rss: number;
  readonly bytes: number;
  readonly storages: number;
}

async function staysFlat(device: Device): Promise<void> {
  const run = await Deno.makeTempDir();
  const looks = new Map<number, Look>();
  try {
    await trainTiny(config, device, {
      checkpoint: async (state) => {
        await saveCheckpoint(run, state);
        collectGarbage();
        looks.set(state.step, { rss: Deno.memoryUsage().rss, ...device.usage() });
      },
    });
  } finally {
    await Deno.remove(run, { recursive: true });
  }
  const early = looks.get(EARLY)!, late = looks.get(LATE)!;
  assert(early.bytes > 0 && early.storages > 0);
  assertEquals([late.bytes, late.storages], [early.bytes, early.storages]);
  // A system that is short of memory may take some back meanwhile: less is no fault.
  assertLess(late.rss, 1.05 * early.rss, `${early.rss} bytes, and then ${late.rss}`);
  device.destroy();
}

Deno.test("memory of 2,000 steps is that of 200 on cpu", () => staysFlat(cpu()));

const gpu = await gpuFor("memory of a run");
if (gpu) Deno.test("memory of 2,000 steps is that of 200 on webgpu", () => staysFlat(gpu));
