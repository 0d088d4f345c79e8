/** What a process writes that comes to lead an elastic run, and that who led before had not yet written. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { add, cpu, type Tensor } from "../../core/mod.ts";
import { DistError, type Group, joinGroup } from "../../dist/mod.ts";
import { tcp } from "../../dist/net/tcp.ts";
import { openSockets } from "../../dist/transport/sockets.ts";
import type { Transport } from "../../dist/transport/transport.ts";
import type { PretrainConfig } from "../../recipes/pretrain/config.ts";
import { leadCrew } from "../../recipes/pretrain/crew.ts";
import { follow } from "../../recipes/pretrain/follow.ts";
import { createKept, type Kept } from "../../recipes/pretrain/kept.ts";
import { owedRow, owingStage } from "../../recipes/pretrain/owed.ts";
import { pretrain, type RunOptions } from "../../recipes/pretrain/run.ts";
import { stagesOf } from "../../recipes/pretrain/stages.ts";
import type { Sums } from "../../recipes/pretrain/step.ts";
import { type Tracer, untraced } from "../../recipes/pretrain/tracer.ts";
import { checkpointSteps } from "../../recipes/run/checkpoint.ts";
import { readRows, type Row } from "../../recipes/run/rows.ts";
import { memberOf } from "../dist/ranks.ts";
import { inFolder } from "../in_folder.ts";
import { timeless } from "./timeless.ts";
import { tinyCorpus, tinyRun } from "./tiny_run.ts";

const STEPS = 9, device = cpu({ threads: 1 }), corpus = tinyCorpus();
const config: PretrainConfig = {
  ...tinyRun,
  ...{ steps: STEPS, shards: 2, logEvery: 1, evalEvery: 4, checkpointEvery: 2, keepCheckpoints: 0 },
};
/** The same by stages, the first of which ends without an evaluation that is due for another reason. */
const staged: PretrainConfig = {
  ...config,
  steps: 5,
  then: [{ ...config.data, steps: 4, rate: 0.01, warmup: 0.1 }],
};

Deno.test("owedRow is the newest row where the file lacks it", () => {
  const row = (step: number): Row => ({ step, loss: 1 });
  assertEquals(owedRow({ row: row(11) }, [row(9), row(10)], 11), row(11));
  assertEquals(owedRow({ row: row(11) }, [], 11), row(11));
  assertEquals(owedRow({ row: row(11) }, [row(10), row(11)], 11), undefined, "it is written");
  assertEquals(owedRow({ row: row(11) }, [row(10)], 10), undefined, "its step is taken again");
  assertEquals(owedRow({ row: undefined }, [row(10)], 11), undefined);
});

Deno.test("a kept row is forgotten when its step is taken back", () => {
  const kept = createKept(), state = { model: {}, optimizer: {}, rollbacks: 0 } as never;
  const at = (step: number): void => kept.keep({ ...state as object, step } as never);
  at(10);
  kept.log({ step: 10, loss: 1 });
  at(10);
  assertEquals(kept.row?.step, 10);
  at(9);
  assertEquals(kept.row, undefined);
});

Deno.test("owingStage is that of the newest step, where what was due after it is not there", () => {
  const stages = stagesOf(staged), ppl = (step: number): Row => ({ step, mlm_ppl: step });
  const owing = (step: number, evaluations: readonly Row[], saved: readonly number[]) =>
    owingStage(stages, step, { evaluations, saved: new Set(saved) })?.number;
  assertEquals(owing(0, [], []), undefined);
  assertEquals(owing(3, [], []), undefined, "nothing is due");
  assertEquals(owing(2, [], []), 1, "a checkpoint");
  assertEquals(owing(2, [], [2]), undefined);
  assertEquals(owing(4, [], [4]), 1, "an evaluation");
  assertEquals(owing(4, [ppl(4)], [4]), undefined);
  assertEquals(owing(5, [ppl(4)], [4]), 1, "both, as the stage has ended");
  assertEquals(owing(5, [ppl(4), ppl(5)], [4]), 1);
  assertEquals(owing(5, [ppl(4), ppl(5)], [4, 5]), undefined);
  assertEquals(owing(6, [ppl(4), ppl(5)], [4, 5]), undefined, "the second stage's first");
  assertEquals(owing(7, [ppl(5)], [5]), 2, "the second stage's second");
  const odd = stagesOf({ ...config, checkpointEvery: 3 });
  const worthy = { evaluations: [ppl(4)], saved: new Set<number>() };
  assertEquals(
    owingStage(odd, 4, worthy)?.number,
    1,
    "the best so far is saved though none is due",
  );
});

/** What a run of this configuration leaves. */
async function left(out: string): Promise<unknown> {
  const [metrics, evaluations] = await Promise.all(
    ["metrics.jsonl", "eval.jsonl"].map((name) => readRows(join(out, name))),
  );
  return [timeless(metrics!), timeless(evaluations!), await checkpointSteps(out)];
}

const runOf = (config: PretrainConfig, out: string): RunOptions => ({
  ...{ config, corpus, device, out, resume: false, emit: () => {} },
  interrupt: { requested: false },
  view: { show: () => {}, note: () => {}, [Symbol.dispose]: () => {} },
});

/** What who leads throws in the place of being killed: it closes nothing. */
function kill(): never {
  throw new RangeError("Cannot go on: it is killed");
}

/** Two processes train until the first one is killed; gives what the other one has kept. */
async function orphaned(
  config: PretrainConfig,
  out: string,
  own: Partial<RunOptions>,
): Promise<Kept> {
  const open = (): Transport => openSockets(tcp(), { hostname: "127.0.0.1", port: 0 });
  const transports = [open(), open()] as const, [leading, following] = transports;
  const kept = createKept(), killed = createKept();
  try {
    const [first, group] = await Promise.all(
      transports.map((transport, rank) =>
        joinGroup(transport, memberOf(transports, rank), { deadline: 60_000 })
      ),
    ) as [Group, Group];
    const followed = follow({ config, corpus, device, group, skipBad: false, kept });
    followed.catch(() => {});
    try {
      const crew = leadCrew(first, device);
      const led = pretrain({ ...runOf(config, out), kept: killed, crew, ...own });
      await assertRejects(() => led, RangeError, "it is killed");
      // What it has sent arrives.
      const isThere = (): boolean => kept.state!.step === killed.state!.step;
      while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 5));
    } finally {
      await leading.close();
    }
    await assertRejects(() => followed, DistError);
    return kept;
  } finally {
    await following.close();
  }
}

/** Kills who leads at a step, before its row is written. */
function unlogged(at: number): Partial<RunOptions> {
  let step = 0;
  return { stepped: () => void (++step === at && kill()) };
}

/** Kills who leads at a step, when its row is written, and nothing else. */
const logged = (at: number): Partial<RunOptions> => ({
  emit: ({ step, loss }) => void (step === at && loss !== undefined && kill()),
});

const cases: readonly (readonly [PretrainConfig, Partial<RunOptions>, number, string])[] = [
  [config, unlogged(7), 6, "a row"],
  [config, unlogged(8), 7, "a row, an evaluation and a checkpoint"],
  [config, logged(8), 8, "an evaluation and a checkpoint"],
  [config, unlogged(STEPS), STEPS - 1, "all of the last step"],
  [staged, unlogged(5), 4, "all of a stage's last step"],
  [staged, logged(5), 5, "all of a stage's last step but the row"],
];

Deno.test("who comes to lead writes the row, evaluation and checkpoint of the newest step that are not there", async () => {
  for (const whole of [config, staged]) {
    await inFolder(async (one) => {
      await pretrain({ ...runOf(whole, one), kept: createKept() });
      for (const [own, end, written, what] of cases.filter(([own]) => own === whole)) {
        await inFolder(async (out) => {
          const kept = await orphaned(own, out, end), path = join(out, "metrics.jsonl");
          assertEquals((await readRows(path)).length, written, what);
          // It may have died within the line.
          await Deno.writeTextFile(path, '{"step":', { append: true });
          const emitted: number[] = [];
          await pretrain({
            ...runOf(own, out),
            ...{ resume: true, kept },
            emit: ({ step, loss }) => void (loss !== undefined && emitted.push(step)),
          });
          assertEquals(await left(out), await left(one), what);
          assertEquals(emitted[0], written + 1 > STEPS ? undefined : written + 1, what);
          assert((await Deno.readTextFile(path)).endsWith("}\n"));
        });
      }
    });
  }
});

Deno.test("where the row that is not there says that the run has diverged, no further step is taken", () =>
  inFolder(async (out) => {
    let step = 0;
    const isNotANumber: Tracer = {
      ...untraced,
      step: (taken) => void (step = taken + 1),
      async program(phase, f, ...args) {
        const result = await f(...args);
        if (phase !== "accumulate" || step !== 5) return result;
        const sums = result as Sums;
        return { ...sums, loss: add(sums.loss, NaN) as Tensor<[]> } as typeof result;
      },
    };
    const kept = await orphaned(config, out, { ...unlogged(5), watch: isNotANumber });
    await pretrain({ ...runOf(config, out), resume: true, kept });
    const back = (await readRows(join(out, "rollbacks.jsonl"))).map(({ step, to }) => [step, to]);
    assertEquals(back, [[5, 4]]);
  }));
