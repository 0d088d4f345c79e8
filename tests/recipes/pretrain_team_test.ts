/** Pretraining by several processes: the same losses as in one, and under a fixed number of shards the same bits. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { Buffer } from "node:buffer";
import { cpu } from "../../core/mod.ts";
import { alone, type Collective } from "../../dist/mod.ts";
import type { PretrainConfig } from "../../recipes/pretrain/config.ts";
import { createTeam, type Team } from "../../recipes/pretrain/team.ts";
import { shardMoments } from "../../recipes/pretrain/sharded.ts";
import { initialState, train } from "../../recipes/pretrain/train.ts";
import { arraysOf } from "../../recipes/pretrain/tree_arrays.ts";
import { ranks, simulated, type Way, ways } from "../dist/ranks.ts";
import { tinyData, tinyRun } from "./tiny_run.ts";

const config: PretrainConfig = {
  ...tinyRun,
  model: { ...tinyRun.model, dropout: 0.1 },
  data: { ...tinyRun.data, batch: 8, microBatch: 2 },
  steps: 20,
  evalEvery: 0,
  checkpointEvery: 0,
  logEvery: 1,
};
const device = cpu({ threads: 1 }), data = tinyData(config.data.length);
/** Its clock runs on while a worker makes batches: what must end by it has an hour. */
const PATIENT = { deadline: 3_600_000 };
const mem = simulated({ limit: Infinity });

/** What a run shows of itself: its losses, the first step's gradient, and its parameters at the end. */
interface Shown {
  readonly losses: readonly number[];
  readonly gradient: Float32Array | undefined;
  readonly params: Uint8Array;
  /** Of the optimiser, in checkpoints. */
  readonly saved: readonly Uint8Array[];
}

const flat = (arrays: Awaited<ReturnType<typeof arraysOf>>): Buffer =>
  Buffer.concat(arrays.map((x) => new Uint8Array(x.buffer, x.byteOffset, x.byteLength)));

async function run(
  config: PretrainConfig,
  group: Collective | undefined,
  watch: (team: Team) => Partial<Team> = () => ({}),
): Promise<Shown> {
  // As in a run, the first process alone saves.
  const asked = group && group.rank > 0 ? { ...config, checkpointEvery: 0 } : config;
  const start = await initialState(config, data.vocabulary.tokens.length, device);
  const team = group && createTeam(group, start.model, { ...config, device, checkEvery: 5 });
  const losses: number[] = [], saved: Uint8Array[] = [];
  let gradient: Float32Array | undefined;
  const watched = team && {
    ...team,
    async take() {
      const sums = await team.take(), bytes = flat(await arraysOf(sums.grads));
      gradient ??= new Float32Array(new Uint8Array(bytes).buffer);
      return sums;
    },
    ...watch(team),
  };
  const { model } = await train(asked, start, data, device, {
    metrics: (row) => losses.push(row.loss as number),
    evaluation: () => false,
    progress: () => {},
    checkpoint: async ({ optimizer }) => void saved.push(flat(await arraysOf(optimizer))),
    stop: () => false,
    ...watched && { team: watched },
  });
  return { losses, gradient, saved, params: flat(await arraysOf(model)) };
}

const norm = (x: Float32Array): number => Math.sqrt(x.reduce((sum, y) => sum + y * y, 0));

async function assertAlike(way: Way, W: number): Promise<void> {
  const one = await run(config, undefined), whole = await run(config, alone());
  assertEquals(whole.losses, one.losses, "a group of one changes nothing");
  const found = await ranks(way, W, (group) => run(config, group), PATIENT);
  for (const { losses, gradient } of found) {
    assertEquals(losses, found[0]!.losses, "all ranks say the same");
    assertEquals(losses.length, config.steps);
    for (const [i, loss] of losses.entries()) {
      assertLess(Math.abs(loss - one.losses[i]!), 1e-5 * one.losses[i]!, `step ${i + 1}`);
    }
    const expected = whole.gradient!;
    assertLess(norm(expected.map((x, i) => x - gradient![i]!)), 1e-6 * norm(expected));
  }
  assertLess(one.losses.at(-1)!, one.losses[0]!);
}

Deno.test("team: 4 processes have the losses and the gradient of one, on a simulated network", () =>
  assertAlike(mem, 4));

Deno.test("team: 2 processes have the losses and the gradient of one, over sockets", () =>
  assertAlike(ways.find(({ name }) => name === "ws")!, 2));

Deno.test("team: gradients sent as bf16 change losses a little, and all processes have the same", async () => {
  const half = { ...config, wire: "bf16" } as const, one = await run(config, undefined);
  const found = await ranks(mem, 3, (group) => run(half, group), PATIENT);
  for (const { losses, params } of found) {
    assertEquals(losses, found[0]!.losses);
    assertEquals(Buffer.compare(params, found[0]!.params), 0);
    for (const [i, loss] of losses.entries()) {
      assertLess(Math.abs(loss - one.losses[i]!), 0.01 * one.losses[i]!, `step ${i + 1}`);
    }
  }
  assert(found[0]!.losses.at(-1) !== one.losses.at(-1), "something was rounded");
});

Deno.test("team: with 8 shards 1, 2, 3, 4 and 8 processes have the same bits", async () => {
  const canonical = { ...config, shards: 8, steps: 4 };
  const one = await run(canonical, undefined);
  for (const W of [1, 2, 3, 4, 8]) {
    for (const { losses, params } of await ranks(mem, W, (g) => run(canonical, g), PATIENT)) {
      assertEquals(losses, one.losses, `${W} processes`);
      assertEquals(Buffer.compare(params, one.params), 0, `${W} processes`);
    }
  }
  const rough = await run({ ...canonical, shards: 0 }, undefined);
  assert(Buffer.compare(rough.params, one.params) !== 0, "it is another order of sums");
});

Deno.test("team: sharded moments change no bit, of parameters or of the state that is saved", async () => {
  const few = { ...config, steps: 6, checkpointEvery: 4 };
  const all = await ranks(mem, 3, (group) => run(few, group), PATIENT);
  for (const stateDtype of ["f32", "bf16"] as const) {
    const optimizer = { ...few.optimizer, stateDtype };
    const [whole, parts] = await Promise.all([false, true].map((sharded) =>
      ranks(
        mem,
        3,
        (group) => run({ ...few, optimizer: { ...optimizer, sharded } }, group),
        PATIENT,
      )
    ));
    if (stateDtype === "f32") assertEquals(whole![0]!.losses, all[0]!.losses);
    parts!.forEach(({ losses, params }, rank) => {
      assertEquals(losses, whole![rank]!.losses);
      assertEquals(Buffer.compare(params, whole![rank]!.params), 0, `rank ${rank}`);
    });
    assertEquals(whole![0]!.saved.length, 2);
    parts![0]!.saved.forEach((state, i) =>
      assertEquals(Buffer.compare(state, whole![0]!.saved[i]!), 0, `checkpoint ${i}`)
    );
  }
});

Deno.test("team: every process has its part of the moments and no more", async () => {
  const { model, optimizer } = await initialState(config, data.vocabulary.tokens.length, device);
  const count = (tree: unknown): number => flat(tree as Arrays).length;
  type Arrays = Awaited<ReturnType<typeof arraysOf>>;
  const whole = count(await arraysOf(optimizer));
  const parts = await Promise.all([0, 1].map(async (rank) => {
    const group = { ...alone(), rank, size: 2 };
    const fresh = await initialState(config, data.vocabulary.tokens.length, device);
    return count(await arraysOf(shardMoments(group, model, config).keep(fresh.optimizer)));
  }));
  // Beside the moments there is the count of steps.
  assertEquals(parts[0]! + parts[1]!, whole + 4);
  assertLess(Math.max(...parts) / whole, 0.75, "the embeddings are one leaf");
});

Deno.test("team: the first process says when it is over", async () => {
  const found = await ranks(mem, 2, async (group, rank) => {
    let asked = 0;
    const { losses } = await run(
      config,
      group,
      (team) => ({ goOn: (wanted) => team.goOn(rank === 0 ? wanted && asked++ < 3 : wanted) }),
    );
    return losses.length;
  }, PATIENT);
  assertEquals(found, [3, 3]);
});
