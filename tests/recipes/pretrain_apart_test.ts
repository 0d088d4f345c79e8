/** Processes that take their steps apart: DiLoCo in the pretraining loop. */
import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { type AnyTensor, cpu, dispose, fromArray, paths, type Tree } from "../../core/mod.ts";
import { alone, type Group, outerWires } from "../../dist/mod.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { trainBatches } from "../../recipes/data/batches.ts";
import { createApart, ofOneWorker } from "../../recipes/pretrain/apart.ts";
import type { PretrainConfig } from "../../recipes/pretrain/config.ts";
import { leadCrew } from "../../recipes/pretrain/crew.ts";
import { DILOCO, type DilocoConfig } from "../../recipes/pretrain/diloco_config.ts";
import { follow } from "../../recipes/pretrain/follow.ts";
import { changed } from "../../recipes/pretrain/load_config.ts";
import { rowOf } from "../../recipes/pretrain/model_row.ts";
import { initialState, train, type TrainHooks } from "../../recipes/pretrain/train.ts";
import { arraysOf } from "../../recipes/pretrain/tree_arrays.ts";
import type { RankFiles } from "../../recipes/run/checkpoint.ts";
import { ranks, simulated } from "../dist/ranks.ts";
import { tinyCorpus, tinyData, tinyRun } from "./tiny_run.ts";
import { quietHooks } from "./quiet_hooks.ts";

const config: PretrainConfig = {
  ...tinyRun,
  model: { ...tinyRun.model, dropout: 0.1 },
  data: { ...tinyRun.data, batch: 8, microBatch: 2 },
  steps: 9,
  evalEvery: 0,
  checkpointEvery: 0,
  logEvery: 1,
};
const device = cpu({ threads: 1 }), data = tinyData(config.data.length);
const mem = simulated({ limit: Infinity });
/** Its clock runs on while a worker makes batches: what must end by it has an hour. */
const PATIENT = { deadline: 3_600_000 };

const apart = (changes: Partial<DilocoConfig>): PretrainConfig => ({
  ...config,
  diloco: {
    ...DILOCO,
    ...{ every: 4, fragments: 2, delay: 1, mix: 0.5, outerRate: 0.7, outerMomentum: 0.6 },
    ...changes,
  },
});

const flat = async (tree: unknown): Promise<Uint8Array> =>
  Buffer.concat(
    (await arraysOf(tree)).map((x) => new Uint8Array(x.buffer, x.byteOffset, x.byteLength)),
  );

interface Shown {
  readonly losses: readonly number[];
  readonly params: Uint8Array;
  /** Outer parameters as they are evaluated. */
  readonly perplexity: number | undefined;
}

async function run(
  config: PretrainConfig,
  group?: Group,
  hooks: Partial<TrainHooks> = {},
): Promise<Shown> {
  const start = await initialState(config, data.vocabulary.tokens.length, device);
  const losses: number[] = [];
  const beside = await group?.split(0);
  const { model, evaluation } = await train(config, start, data, device, {
    metrics: (row) => losses.push(row.loss as number),
    evaluation: () => false,
    progress: () => {},
    checkpoint: async (_, ranks) => {
      for await (const own of ranks ?? []) dispose(own);
    },
    stop: () => false,
    ...group && { apart: await createApart(group, beside!, config, start, device) },
    ...hooks,
  });
  await beside?.close();
  return { losses, params: await flat(model), perplexity: evaluation?.perplexity };
}

Deno.test("one process with an outer rate of 1 and no momentum trains the bits of plain steps", async () => {
  const plain = await run(config);
  const mean = {
    workers: 1,
    outerRate: 1,
    outerMomentum: 0,
    mix: 0,
    delay: 0,
    wire: "f32",
  } as const;
  for (const [every, fragments] of [[1, 1], [4, 3]] as const) {
    const found = await run(apart({ ...mean, every, fragments }));
    assertEquals(found.losses, plain.losses);
    assertEquals(Buffer.compare(found.params, plain.params), 0, `every ${every}`);
  }
  const moved = await run(apart({ ...mean, outerMomentum: 0.5, every: 2 }));
  assert(Buffer.compare(moved.params, plain.params) !== 0, "momentum is some");
});

Deno.test("two processes have parts of the batch that are the whole of it", () => {
  const whole = apart({}), own = ofOneWorker(whole), { vocabulary, train: set } = data;
  assertEquals([own.data.batch, own.data.microBatch], [4, 2]);
  const ids = ({ data: { batch: B } }: PretrainConfig, step: number) =>
    trainBatches(set, vocabulary, { seed: 1, B, mask: config.mask })(step).ids;
  for (const step of [0, 7]) {
    assertEquals(Int32Array.of(...ids(own, 2 * step), ...ids(own, 2 * step + 1)), ids(whole, step));
  }
});

Deno.test("three processes end with the same outer parameters, and learn", async () => {
  for (const wire of outerWires) {
    const own = { ...apart({ workers: 3, wire }), data: { ...config.data, batch: 6 }, steps: 12 };
    const found = await ranks(mem, 3, (group, rank) => {
      // As in a run, the first process alone evaluates and saves.
      const asked = rank === 0 ? { ...own, evalEvery: 3, checkpointEvery: 5 } : own;
      return run(asked, group);
    }, PATIENT);
    for (const { params, losses } of found) {
      assertEquals(Buffer.compare(params, found[0]!.params), 0);
      assertLess(losses.at(-1)!, losses[0]!);
    }
    assert(found[0]!.losses.some((loss, i) => loss !== found[1]!.losses[i]), "text of their own");
    assertLess(found[0]!.perplexity!, Math.exp(found[0]!.losses[0]!));
  }
});

Deno.test("no checkpoint and no evaluation changes a bit of what processes train apart", async () => {
  const own = apart({ mix: 0.3, delay: 3 });
  const [often, never] = await Promise.all([2, 0].map((every) =>
    ranks(mem, 2, (group, rank) =>
      run(
        rank === 0 ? { ...own, evalEvery: every, checkpointEvery: every && 1 } : own,
        group,
      ), PATIENT)
  ));
  assertEquals(Buffer.compare(often![1]!.params, never![0]!.params), 0);
  assertEquals(often![1]!.losses, never![1]!.losses);
});

Deno.test("who follows steps apart from the middle of a run keeps nothing when it is over", async () => {
  const own = apart({}), corpus = tinyCorpus(), step = own.steps;
  const { model, optimizer } = await initialState(own, corpus.vocabulary.tokens.length, device);
  const params = await rowOf(model).read(model, rowOf(model).whole);
  const row = fromArray(params, [params.length]) as AnyTensor;
  const learnt = paths(optimizer as unknown as Tree<AnyTensor>);
  const files: RankFiles = {
    size: 2,
    read: () =>
      Promise.resolve(
        new Map([
          ...[["momentum", row], ["params", row]] as const,
          ...learnt.map(([name, x]) => [`learning.${name}`, x] as const),
        ]),
      ),
  };
  const theirs = cpu({ threads: 1 });
  await ranks(mem, 2, async (group, rank) => {
    if (rank > 0) {
      return await follow({ config: own, corpus, device: theirs, group, skipBad: false });
    }
    const crew = leadCrew(group, device), state = { step, model, optimizer };
    const together = await crew.begin({ stage: 1, step, rollbacks: 0 }, state, own, files);
    await train(own, state, data, device, {
      ...quietHooks,
      ...together,
    });
    await crew.end();
  }, PATIENT);
  // Drawing the first weights leaves little, which goes with the next garbage.
  const moments = (await arraysOf(optimizer)).reduce((sum, { byteLength }) => sum + byteLength, 0);
  assertLess(theirs.usage().bytes, moments / 4);
});

Deno.test("what does not go with steps apart is refused in a line", async () => {
  const wrong: readonly (readonly [change: string, message: string])[] = [
    ["diloco.workers=3", "diloco.workers is 3, it must divide data.batch 8"],
    ["diloco.every=2", "diloco.fragments is 4, it must not be above diloco.every 2"],
    ["diloco.delay=64", "diloco.delay is 64, it must be under diloco.every 16"],
    ["diloco.mix=1", "diloco.mix is 1, it must be a number from 0 to under 1"],
    ["diloco.wire=f16", 'diloco.wire is "f16", it must be "f32", "bf16", "int8" or "int4"'],
    ["diloco.evry=5", "evry"],
  ];
  for (const [change, message] of wrong) {
    assertThrows(() => changed(config, [change]), InputError, message);
  }
  const beside = [
    ["shards=2", "shards is 2, with diloco no gradients are exchanged"],
    ["wire=bf16", "set diloco.wire"],
    ["optimizer.sharded=true", "optimizer.sharded is true"],
    ["precision=f16", 'precision is "f16"'],
  ] as const;
  for (const [change, message] of beside) {
    assertThrows(() => changed(config, ["diloco.every=9", change]), InputError, message);
  }
  assertEquals(changed(config, ["diloco.every=9"]).diloco, { ...DILOCO, every: 9 });
  const start = await initialState(config, data.vocabulary.tokens.length, device);
  await assertRejects(
    () => createApart(alone(), alone(), apart({}), start, device),
    InputError,
    "Cannot train by 1 process: diloco.workers is 2",
  );
});
