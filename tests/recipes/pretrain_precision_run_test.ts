/** Runs in f16 and bf16: they end where f32 does, with both stages, clicks, micro-batches and recompute, and go on to the bit. */
import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import { join } from "@std/path";
import { cpu, type Device, reference } from "../../core/mod.ts";
import type { Precision } from "../../recipes/pretrain/config.ts";
import { checkpointPath, checkpointSteps } from "../../recipes/run/checkpoint.ts";
import { gpuFor } from "./any_gpu.ts";
import { inWorkplace, toyClick, toyConfig } from "./pretrain_command.ts";
import { timeless } from "./timeless.ts";
import { tinyRun, trainTiny } from "./tiny_run.ts";

const gpu = await gpuFor("runs of mixed precision");
const devices: readonly Device[] = [cpu(), ...gpu ? [gpu] : []];

/** Perplexity on held-out text after a run that is long enough to leave what the frequencies of characters say. */
async function perplexity(precision: Precision): Promise<number> {
  const config = {
    ...tinyRun,
    precision,
    model: { ...tinyRun.model, width: 64, hidden: 128, dropout: 0.1 },
    data: { ...tinyRun.data, batch: 16, microBatch: 8, recompute: true },
    optimizer: { ...tinyRun.optimizer, rate: 0.02 },
    steps: 300,
    evalSequences: 500,
    checkpointEvery: 0,
  };
  return (await trainTiny(config, cpu(), {})).evaluation!.perplexity;
}

Deno.test("300 steps in f16 and bf16 end within 2 % of the held-out perplexity of f32", async () => {
  const exact = await perplexity("f32");
  assertLess(exact, 60, "it learns: there are 142 tokens, and 100 is what their frequencies give");
  for (const precision of ["f16", "bf16"] as const) {
    const found = await perplexity(precision);
    assert(found !== exact, "it is another computation");
    assertAlmostEquals(found / exact, 1, 0.02, precision);
  }
});

async function losses(precision: Precision, device: Device): Promise<readonly number[]> {
  const found: number[] = [];
  const config = {
    ...tinyRun,
    precision,
    steps: 10,
    logEvery: 1,
    evalEvery: 0,
    checkpointEvery: 0,
  };
  await trainTiny(
    { ...config, optimizer: { ...config.optimizer, rate: 0.1 } },
    device,
    { metrics: ({ loss }) => found.push(loss as number) },
  );
  return found;
}

Deno.test("10 steps in f16 and bf16 have the losses of reference on every device", async () => {
  for (const precision of ["f16", "bf16"] as const) {
    const want = await losses(precision, reference());
    assertLess(want.at(-1)!, want[0]! - 0.1, "it learns");
    for (const device of devices) {
      const found = await losses(precision, device);
      const within = precision === "f16" ? 1e-3 : 5e-3;
      want.forEach((loss, i) =>
        assertAlmostEquals(found[i]!, loss, within, `${device.kind}, step ${i + 1}`)
      );
    }
  }
});

Deno.test("pretrain in f16, two stages with clicks and skipped steps, goes on to the bit from any checkpoint", () =>
  inWorkplace(async ({ folder, pretrain, rows }) => {
    const config = {
      ...toyConfig,
      precision: "f16",
      // Some steps overflow and some do not, on the way down and, growing after every third good step, ever again.
      lossScale: { first: 2 ** 24, growEvery: 3 },
      data: { ...toyConfig.data, recompute: true },
      keepCheckpoints: 0,
      steps: 20,
      evalEvery: 10,
      checkpointEvery: 6,
      click: toyClick,
      then: [{ length: 40, batch: 4, microBatch: 2, steps: 14, rate: 0.005, warmup: 0.2 }],
    };
    await Deno.writeTextFile(join(folder, "half.json"), JSON.stringify(config));
    const words = ["--corpus", "corpus.txt", "--device", "cpu", "--config", "half.json"];
    const { code, error } = await pretrain([...words, "--out", "run"]);
    assertEquals(code, 0, error);
    const metrics = await rows("run/metrics.jsonl"), run = join(folder, "run");
    assertEquals(metrics.length, 34);
    for (const stage of [1, 2]) {
      const own = metrics.filter((row) => row.stage === stage);
      assertEquals(own[0]!.loss_scale, 2 ** 24, "each stage begins with its own");
      assertEquals(new Set(own.map(({ skipped }) => skipped)), new Set([0, 1]));
    }
    const final = join(checkpointPath(run, 34), "optimizer.safetensors");
    const state = await Deno.readFile(final);
    for (const last of [26, 20, 6]) {
      for (const step of await checkpointSteps(run)) {
        if (step > last) await Deno.remove(checkpointPath(run, step), { recursive: true });
      }
      const resumed = await pretrain(["--device", "cpu", "--out", "run", "--resume"]);
      assertEquals(resumed.code, 0, resumed.error);
      assertEquals(timeless(await rows("run/metrics.jsonl")), timeless(metrics), `from ${last}`);
      assertEquals(await Deno.readFile(final), state);
    }
  }));

Deno.test("pretrain in f16 that overflows at the lowest scale ends in one line, with exit code 1 and a checkpoint to go on from", () =>
  inWorkplace(async ({ folder, pretrain }) => {
    const words = ["--corpus", "corpus.txt", "--device", "cpu", "--config", "toy.json"];
    const set = ["precision=f16", "lossScale.first=1099511627776", "lossScale.floor=1099511627776"]
      .flatMap((change) => ["--set", change]);
    const ended = await pretrain([...words, ...set, "--steps", "30", "--out", "run"]);
    assertEquals(ended.code, 1, ended.error);
    const line = ended.error.trimEnd().split("\n").at(-1)!;
    assert(line.startsWith("Cannot go on with toy in f16: from step 1 on, 8 steps in a row"), line);
    assert(line.includes("the gradient of head.bias; go on with --init"), line);
    assertEquals((await checkpointSteps(join(folder, "run"))).at(-1), 8);
    const next = await pretrain(
      [...words.slice(0, 4), "--init", "run", "--set", "precision=bf16", "--out", "next"],
    );
    assertEquals(next.code, 0, next.error);
  }));
