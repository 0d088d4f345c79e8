/** One run on every device: the losses are the same. */
import { assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import { cpu, type Device, reference } from "../../core/mod.ts";
import { gpuFor } from "./any_gpu.ts";
import { tinyRun, trainTiny } from "./tiny_run.ts";

const STEPS = 20;
/** Micro-batches and dropout: what a step draws must not depend on the device either. */
const config = {
  ...tinyRun,
  model: { ...tinyRun.model, dropout: 0.1 },
  // High enough that every loss comes from weights that have moved.
  optimizer: { ...tinyRun.optimizer, rate: 0.1 },
  steps: STEPS,
  logEvery: 1,
};

interface Course {
  readonly losses: readonly number[];
  readonly perplexity: number;
}

async function course(device: Device): Promise<Course> {
  const losses: number[] = [];
  const { evaluation } = await trainTiny(config, device, {
    metrics: ({ loss }) => losses.push(loss as number),
  });
  assertEquals(losses.length, STEPS);
  return { losses, perplexity: evaluation!.perplexity };
}

const expected = course(reference());

async function agrees(device: Device): Promise<void> {
  const { losses, perplexity } = await expected, found = await course(device);
  assertLess(losses.at(-1)!, losses[0]! - 0.1, "it learns");
  losses.forEach((loss, i) => assertAlmostEquals(found.losses[i]!, loss, 1e-3, `step ${i + 1}`));
  assertAlmostEquals(Math.log(found.perplexity), Math.log(perplexity), 1e-3);
}

Deno.test("20 steps on cpu have the losses of reference", () => agrees(cpu()));

const gpu = await gpuFor("losses");
if (gpu) Deno.test("20 steps on webgpu have the losses of reference", () => agrees(gpu));
