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
import { inWorkplace, toyClick, toyConfig, type Workplace } from "./pretrain_command.ts";
import { timeless } from "./timeless.ts";

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
  click: { ...toyClick, log: "log.jsonl", heldOut: 0.3 },
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

/** Kills a run at a moment, or lets it end before; resolves when one of both has happened. */
async function killAt(run: string, { after, wait }: Moment, child: Deno.ChildProcess) {
  let ended = false;
  child.status.then(() => ended = true);
  while (!ended && await logged(run) < after) await pause(1);
  if (wait === "checkpoint") { while (!ended && !await isWriting(run)) await pause(0); }
  else await pause(wait);
  kill(child);
}

/** How often a run was killed, and while it wrote a checkpoint. */
interface Disturbed {
  readonly kills: number;
  readonly writes: number;
}

/** Kills a run at each of the moments, goes on to its end, and compares it with one that never stopped. */
async function disturb(
  { folder, pretrain, rows }: Workplace,
  out: string,
  words: readonly string[],
  total: number,
  moments: readonly Moment[],
): Promise<Disturbed> {
  const run = join(folder, out), device = words.slice(0, 2);
  let kills = 0, writes = 0;
  for (const [i, moment] of moments.entries()) {
    const line = [...i === 0 ? words : [...device, "--resume"], "--out", out];
    let killing: Promise<void> | undefined;
    const { code, error } = await pretrain(line, {
      watch: (_, child) => killing ??= killAt(run, moment, child),
    });
    await killing;
    if (code === 0) break; // it was faster
    assert(code === 137, error);
    kills++;
    if (await isWriting(run)) writes++;
  }
  const resumed = await pretrain([...device, "--resume", "--out", out]);
  assertEquals(resumed.code, 0, resumed.error);
  for (const file of ["metrics.jsonl", "eval.jsonl"]) {
    const [cut, whole] = [await rows(`${out}/${file}`), await rows(`whole/${file}`)];
    assertEquals(timeless(cut), timeless(whole), file);
  }
  assertEquals((await rows(`${out}/metrics.jsonl`)).length, total);
  for (const name of ["model.safetensors", "optimizer.safetensors"]) {
    const [a, b] = await Promise.all(
      [out, "whole"].map((of) =>
        Deno.readFile(join(checkpointPath(join(folder, of), total), name))
      ),
    );
    assertEquals(a, b, name);
  }
  return { kills, writes };
}

/** On a busy machine a run may be over before it is looked at again: so many may be, until one was killed often enough. */
const TRIES = 4;

async function survives(
  place: Workplace,
  device: string,
  sizes: Sizes,
  moments: readonly Moment[],
  least: Disturbed,
): Promise<void> {
  const { folder, pretrain } = place;
  await Deno.writeTextFile(join(folder, "log.jsonl"), clickLog());
  await Deno.writeTextFile(join(folder, "two.json"), JSON.stringify(configOf(sizes)));
  const words = ["--device", device, "--corpus", "corpus.txt", "--config", "two.json"];
  const whole = await pretrain([...words, "--out", "whole"]);
  assertEquals(whole.code, 0, whole.error);
  const found: Disturbed[] = [];
  const isEnough = ({ kills, writes }: Disturbed): boolean =>
    kills >= least.kills && writes >= least.writes;
  while (found.length < TRIES && !found.some(isEnough)) {
    const total = sizes.first + sizes.second, out = `cut-${found.length}`;
    found.push(await disturb(place, out, words, total, moments));
  }
  assert(
    found.some(isEnough),
    `not once as often as ${Deno.inspect(least)}: ${Deno.inspect(found)}`,
  );
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
    await survives(place, "cpu", sizes, moments, { kills: 5, writes: 1 });
  }));

if (await gpuFor("killed run")) {
  Deno.test("a run on webgpu that is killed ends the same, to the bit", () =>
    inWorkplace(async (place) => {
      // Its shaders are compiled anew in every process: one stage, killed once.
      const sizes = { first: 9, second: 0, every: 3 };
      const moments = [{ after: 4, wait: 0 }];
      await survives(place, "webgpu", sizes, moments, { kills: 1, writes: 0 });
    }));
}
