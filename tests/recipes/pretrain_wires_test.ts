/** Gradients that travel in few bytes: all processes stay the same, and a run that is resumed has the bits of one that never stopped. */
import { assert, assertEquals, assertLess, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { Buffer } from "node:buffer";
import { type AnyTensor, cpu } from "../../core/mod.ts";
import type { PretrainConfig, Wire } from "../../recipes/pretrain/config.ts";
import { checkConfig } from "../../recipes/pretrain/load_config.ts";
import { hearMemory, leadMemory } from "../../recipes/pretrain/rank_memory.ts";
import { createTeam } from "../../recipes/pretrain/team.ts";
import { initialState, train, type TrainState } from "../../recipes/pretrain/train.ts";
import { arraysOf, treeOf } from "../../recipes/pretrain/tree_arrays.ts";
import { warmSteps } from "../../recipes/pretrain/wire.ts";
import type { RankFiles } from "../../recipes/run/checkpoint.ts";
import { ranks, simulated } from "../dist/ranks.ts";
import { inWorkplace } from "./pretrain_command.ts";
import { tinyData, tinyRun } from "./tiny_run.ts";

const config: PretrainConfig = {
  ...tinyRun,
  data: { ...tinyRun.data, batch: 8, microBatch: 2 },
  compression: { rank: 1, factors: "int8", warmup: 0.2 },
  steps: 16,
  evalEvery: 0,
  checkpointEvery: 8,
  logEvery: 1,
};
const device = cpu({ threads: 1 }), data = tinyData(config.data.length);
const mem = simulated({ limit: Infinity }), PATIENT = { deadline: 3_600_000 };
const wires = ["int8", "sign", "powersgd", "1-bit-lamb"] as const;

/** What a checkpoint would hold. */
interface Saved extends TrainState {
  readonly ranks: RankFiles | undefined;
}

const flat = async (tree: unknown): Promise<Buffer> =>
  Buffer.concat(
    (await arraysOf(tree)).map((x) => new Uint8Array(x.buffer, x.byteOffset, x.byteLength)),
  );

/** Contents that outlive what is used up. */
async function copied<T>(tree: T): Promise<T> {
  return treeOf(tree, (await arraysOf(tree)).map((array) => array.slice()));
}

interface Ran {
  readonly losses: readonly number[];
  readonly params: Buffer;
  readonly saved: readonly Saved[];
}

/** A run of W processes, from the beginning or from what was saved. */
function run(config: PretrainConfig, W: number, from?: Saved): Promise<readonly Ran[]> {
  return ranks(mem, W, async (group, rank): Promise<Ran> => {
    const fresh = await initialState(config, data.vocabulary.tokens.length, device);
    const start = from ? await copied({ model: from.model, optimizer: from.optimizer }) : fresh;
    const team = createTeam(group, fresh.model, { ...config, device, checkEvery: 4 });
    if (rank === 0) await leadMemory(group, team.compressed, from?.ranks);
    else await hearMemory(group, team.compressed);
    const losses: number[] = [], saved: Saved[] = [];
    const own = rank === 0 ? config : { ...config, checkpointEvery: 0 };
    const { model } = await train(own, { step: from?.step ?? 0, ...start }, data, device, {
      metrics: (row) => losses.push(row.loss as number),
      evaluation: () => false,
      progress: () => {},
      async checkpoint({ step, ...state }, memories) {
        const trees: ReadonlyMap<string, AnyTensor>[] = [];
        for await (const tree of memories!) {
          trees.push(new Map(Object.entries(tree as Record<string, AnyTensor>)));
        }
        saved.push({
          step,
          ...await copied(state),
          ranks: { size: trees.length, read: (rank) => Promise.resolve(trees[rank]!) },
        });
      },
      stop: () => false,
      team,
    });
    return { losses, saved, params: await flat(model) };
  }, PATIENT);
}

for (const wire of wires) {
  Deno.test(`${wire}: all processes have the same bits, and a resumed run those of one that never stopped`, async () => {
    const asked = { ...config, wire }, whole = await run(asked, 2);
    for (const { losses, params } of whole) {
      assertEquals(losses, whole[0]!.losses);
      assert(params.equals(whole[0]!.params));
    }
    const [first, last] = whole[0]!.saved;
    assertEquals([first!.step, last!.step, first!.ranks!.size], [8, 16, 2]);
    const again = await run(asked, 2, first);
    for (const { losses, params } of again) {
      assertEquals(losses, whole[0]!.losses.slice(8));
      assert(params.equals(whole[0]!.params));
    }
    // What was not said is part of it.
    const forgot = await run(asked, 2, { ...first!, ranks: undefined });
    assert(!forgot[0]!.params.equals(whole[0]!.params));
  });
}

Deno.test("powersgd: factors in int4 are other bits than in int8, and learn as well", async () => {
  const asked = { ...config, wire: "powersgd" } as const;
  const [eight] = await run(asked, 2) as [Ran];
  const compression = { ...asked.compression, factors: "int4" } as const;
  const [four, other] = await run({ ...asked, compression }, 2) as [Ran, Ran];
  assert(four.params.equals(other.params) && !four.params.equals(eight.params));
  assertLess(Math.abs(four.losses.at(-1)! - eight.losses.at(-1)!), 0.05 * eight.losses.at(-1)!);
});

Deno.test("wires: another number of processes goes on, with all that was not said", async () => {
  const asked = { ...config, wire: "int8" } as const, [{ saved }] = await run(asked, 2) as [Ran];
  const [two] = await run(asked, 2, saved[0]), [three] = await run(asked, 3, saved[0]);
  three!.losses.forEach((loss, i) =>
    assertLess(Math.abs(loss - two!.losses[i]!), 0.01 * loss, `step ${9 + i}`)
  );
});

Deno.test("wires: moments that are shared out change no bit, in checkpoints either", async () => {
  const asked = { ...config, wire: "sign", steps: 8, checkpointEvery: 4 } as const;
  const sharded = { ...asked, optimizer: { ...asked.optimizer, sharded: true } };
  const [[whole], [parts]] = [await run(asked, 2), await run(sharded, 2)] as [Ran[], Ran[]];
  assert(parts!.params.equals(whole!.params));
  assertEquals(parts!.saved.map(({ step }) => step), [4, 8]);
  for (const [i, { optimizer }] of parts!.saved.entries()) {
    assert((await flat(optimizer)).equals(await flat(whole!.saved[i]!.optimizer)));
  }
});

Deno.test("wires: a warm-up, and what does not go together", () => {
  const warm = (wire: Wire, warmup: number): number =>
    warmSteps({ wire, steps: 200, compression: { rank: 4, factors: "int8", warmup } });
  assertEquals([warm("int8", 0.1), warm("powersgd", 0.1), warm("1-bit-lamb", 0)], [0, 20, 1]);
  const wrong: readonly (readonly [Partial<PretrainConfig>, string])[] = [
    [{ wire: "int8", precision: "f16" }, 'with precision "f16" it must be "f32" or "bf16"'],
    [{ wire: "powersgd", shards: 2 }, 'with shards it must be "f32"'],
    [
      { wire: "1-bit-lamb", optimizer: { ...config.optimizer, name: "adamw" } },
      'optimizer.name must be "lamb"',
    ],
    [
      { wire: "1-bit-lamb", optimizer: { ...config.optimizer, sharded: true } },
      "optimizer.sharded false",
    ],
    [{ compression: { rank: 0, factors: "int8", warmup: 0 } }, "compression.rank"],
    [
      { compression: { rank: 1, factors: "int5" as "int4", warmup: 0 } },
      'it must be "int8" or "int4"',
    ],
  ];
  for (const [other, message] of wrong) {
    assertThrows(() => checkConfig({ ...config, ...other }, "it"), Error, message);
  }
});

Deno.test("pretrain --nproc 2 --set wire=1-bit-lamb: resumed by two it has the same bits, by others it goes on", () =>
  inWorkplace(async ({ folder, pretrain }) => {
    const words = ["--device", "cpu", "--out", "run"];
    const begun = await pretrain([
      ...["--corpus", "corpus.txt", "--config", "toy.json", ...words, "--nproc", "2"],
      ...["--set", "wire=1-bit-lamb", "--set", "compression.warmup=0.25"],
    ]);
    assertEquals(begun.code, 0, begun.error);
    const at = (step: number): string =>
      join(folder, "run", "checkpoints", `step-${String(step).padStart(8, "0")}`);
    const names = Array.from(Deno.readDirSync(at(8)), ({ name }) => name).sort();
    assertEquals(names.slice(2), [
      ...["rank-00000.safetensors", "rank-00001.safetensors", "state.json"],
    ]);
    const weights = (): Promise<Uint8Array> => Deno.readFile(join(at(8), "model.safetensors"));
    const expected = await weights();
    for (const [nproc, note] of [["2", ""], ["1", "what 2 processes had not told each other"]]) {
      await Deno.remove(at(8), { recursive: true });
      const more = nproc === "1" ? [] : ["--nproc", nproc!];
      const { code, error } = await pretrain([...words, "--resume", ...more]);
      assertEquals(code, 0, error);
      assertStringIncludes(error, note!);
      assertEquals(Buffer.compare(await weights(), expected) === 0, nproc === "2");
    }
    for (
      const [steps, warm] of [["16", "2 steps and would be 4"], ["4", "2 steps and would be 1"]]
    ) {
      const { code, out, error } = await pretrain([...words, "--resume", "--steps", steps!]);
      assertEquals([code, out], [2, ""], error);
      const why =
        `with --steps ${steps}: with wire 1-bit-lamb the warm-up was ${warm}; leave --steps`;
      assertStringIncludes(error, why);
    }
    await Deno.remove(at(8), { recursive: true });
    await Deno.truncate(join(at(6), "rank-00001.safetensors"), 100);
    const broken = await pretrain([...words, "--resume", "--nproc", "2"]);
    assert(broken.code !== 0);
    assertStringIncludes(broken.error, "rank-00001.safetensors: it was changed since");
  }));
