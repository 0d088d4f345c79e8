/**
 * Runs that are killed at random moments, and again, and while they write a checkpoint: they end as one that never stopped, bit by bit.
 *
 * All that a run can have is in it: two stages, accumulation, dropout, clicks beside text, weights of tasks that are learnt.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { draws } from "../../recipes/masking/counter_random.ts";
import { checkpointPath } from "../../recipes/run/checkpoint.ts";
import { kill } from "../kill.ts";
import { gpuFor } from "./any_gpu.ts";
import { inWorkplace, toyConfig, type Workplace } from "./pretrain_command.ts";

/** Steps of both stages, and steps between checkpoints. */
interface Sizes {
  readonly first: number;
  readonly second: number;
  readonly every: number;
}

const configOf = ({ first, second, every }: Sizes) => ({
  ...toyConfig,
  steps: first,
  then: second === 0 ? [] : [
    { length: 40, batch: 4, microBatch: 2, steps: second, rate: 0.005, warmup: 0.2 },
  ],
  evalEvery: 25,
  checkpointEvery: every,
  click: {
    log: "log.jsonl",
    loss: "listwise",
    docs: 4,
    length: 20,
    batch: 4,
    microBatch: 2,
    mlm: true,
    weights: "uncertainty",
    share: 1,
    clip: 10,
    heldOut: 0.3,
  },
});

function clickLog(): string {
  const who = ["老师", "学生", "医生", "司机"], where = ["图书馆", "公园", "北京", "海边"];
  return Array.from({ length: 200 }, (_, n) => {
    const { below } = draws(n, 9, 3, 0), query = `${who[below(4)]}${where[below(4)]}`;
    const docs = where.map((place, i) => ({
      title: `${who[below(4)]}在${place}`,
      rank: 1 + (i + n) % 4,
      click: query.endsWith(place) && below(3) > 0 ? 1 : 0,
    }));
    return JSON.stringify({ query, docs });
  }).join("\n");
}

/** When a run is killed: after so many steps were logged, and so many milliseconds more; or once it writes a checkpoint after that. */
interface Moment {
  readonly after: number;
  readonly wait: number | "checkpoint";
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function logged(run: string): Promise<number> {
  const text = await Deno.readTextFile(join(run, "metrics.jsonl")).catch(() => "");
  return text.split("\n").length - 1;
}

async function isWriting(run: string): Promise<boolean> {
  try {
    for await (const { name } of Deno.readDir(join(run, "checkpoints"))) {
      if (name.startsWith("part-")) return true;
    }
  } catch { /* no checkpoint yet */ }
  return false;
}

/** Kills a run at a moment, or lets it end before. */
function killer(
  run: string,
  { after, wait }: Moment,
): (_: string, child: Deno.ChildProcess) => void {
  let begun = false;
  return (_, child) => {
    if (begun) return;
    begun = true;
    let ended = false;
    child.status.then(() => ended = true);
    (async () => {
      while (!ended && await logged(run) < after) await pause(1);
      if (wait === "checkpoint") { while (!ended && !await isWriting(run)) await pause(0); }
      else await pause(wait);
      if (!ended) kill(child);
    })();
  };
}

/** Rows without what a clock says. */
const timeless = (rows: readonly Readonly<Record<string, number>>[]): unknown =>
  rows.map(({ elapsed_s: _e, tokens_per_s: _t, stall_s: _s, ...row }) => row);

async function survives(
  { folder, pretrain, rows }: Workplace,
  device: string,
  sizes: Sizes,
  moments: readonly Moment[],
): Promise<{ readonly kills: number; readonly writes: number }> {
  await Deno.writeTextFile(join(folder, "log.jsonl"), clickLog());
  await Deno.writeTextFile(join(folder, "two.json"), JSON.stringify(configOf(sizes)));
  const words = ["--corpus", "corpus.txt", "--device", device, "--config", "two.json"];
  const whole = await pretrain([...words, "--out", "whole"]);
  assertEquals(whole.code, 0, whole.error);
  const run = join(folder, "cut"), total = sizes.first + sizes.second;
  let kills = 0, writes = 0;
  for (const [i, moment] of moments.entries()) {
    const line = i === 0
      ? [...words, "--out", "cut"]
      : ["--device", device, "--out", "cut", "--resume"];
    const { code, error } = await pretrain(line, { watch: killer(run, moment) });
    if (code === 0) break; // it was faster
    assert(code === 137, error);
    kills++;
    if (await isWriting(run)) writes++;
  }
  const resumed = await pretrain(["--device", device, "--out", "cut", "--resume"]);
  assertEquals(resumed.code, 0, resumed.error);
  for (const file of ["metrics.jsonl", "eval.jsonl"]) {
    assertEquals(timeless(await rows(`cut/${file}`)), timeless(await rows(`whole/${file}`)), file);
  }
  assertEquals((await rows("cut/metrics.jsonl")).length, total);
  for (const name of ["model.safetensors", "optimizer.safetensors"]) {
    const [a, b] = await Promise.all(
      ["cut", "whole"].map((of) =>
        Deno.readFile(join(checkpointPath(join(folder, of), total), name))
      ),
    );
    assertEquals(a, b, name);
  }
  return { kills, writes };
}

Deno.test("a run on cpu that is killed at random steps, at the boundary of stages and in checkpoints ends the same, to the bit", () =>
  inWorkplace(async (place) => {
    const { below } = draws(1, 9, 5, 0), sizes = { first: 60, second: 60, every: 7 };
    const anywhere = (from: number, to: number): Moment => ({
      after: from + below(to - from),
      wait: below(20),
    });
    const moments: readonly Moment[] = [
      { after: 1, wait: 0 }, // before the first checkpoint
      anywhere(8, 30),
      { after: 30, wait: "checkpoint" },
      { after: 40, wait: "checkpoint" },
      { after: 60, wait: 0 }, // the stages' boundary
      { after: 65, wait: "checkpoint" },
      anywhere(74, 112),
    ];
    const { kills, writes } = await survives(place, "cpu", sizes, moments);
    assert(kills >= 5 && writes >= 1, `${kills} kills, ${writes} of them in a checkpoint`);
  }));

if (await gpuFor("killed run")) {
  Deno.test("a run on webgpu that is killed ends the same, to the bit", () =>
    inWorkplace(async (place) => {
      // Its shaders are compiled anew in every process: one stage, killed once.
      const sizes = { first: 9, second: 0, every: 3 };
      const { kills } = await survives(place, "webgpu", sizes, [{ after: 4, wait: 0 }]);
      assertEquals(kills, 1);
    }));
}
