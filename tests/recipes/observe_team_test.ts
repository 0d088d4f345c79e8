/** Who waits for whom, one trace of many processes, and a run's metrics. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreaterOrEqual,
  assertMatch,
  assertRejects,
} from "@std/assert";
import { join } from "@std/path";
import { cpu } from "../../core/mod.ts";
import { joinGroup } from "../../dist/mod.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { clockOffsets, gatherBytes } from "../../recipes/observe/gather.ts";
import { median } from "../../recipes/observe/median.ts";
import { metricsText } from "../../recipes/observe/metrics.ts";
import { publish } from "../../recipes/observe/publish.ts";
import type { Entry } from "../../recipes/observe/recorder.ts";
import { runMetrics } from "../../recipes/observe/run_metrics.ts";
import {
  createStepTimes,
  shareTimes,
  slowLines,
  timesLines,
} from "../../recipes/observe/stragglers.ts";
import { teamTrace } from "../../recipes/observe/team_trace.ts";
import { createApart } from "../../recipes/pretrain/apart.ts";
import { DILOCO } from "../../recipes/pretrain/diloco_config.ts";
import { teamWatch } from "../../recipes/pretrain/team_watch.ts";
import { initialState, train } from "../../recipes/pretrain/train.ts";
import { memberOf, ranks, simulated, valuesOf } from "../dist/ranks.ts";
import { inFolder } from "../in_folder.ts";
import { tinyData, tinyRun } from "./tiny_run.ts";
import { quietHooks } from "./quiet_hooks.ts";

Deno.test("the median is the middle one, of two in the middle the larger", () => {
  assertEquals([[3, 1, 2], [4, 1, 2, 10], []].map(median), [2, 4, NaN]);
});

Deno.test("stragglers: what a process is held up above the least of its step is a wait for others", async () => {
  // Three processes, the last of them slow; the first has one step more, before the others came.
  const worked = [[999, 10, 10, 12], [10, 12, 10], [30, 32, 34]], exchange = 2;
  const all = await ranks(simulated(), 3, (group, rank) => {
    const times = createStepTimes();
    worked[rank]!.forEach((ms, i, own) => {
      const others = worked.map((steps) => steps.at(i - own.length) ?? 0);
      const held = Math.max(...others) - ms + exchange;
      times.add(ms + held, held);
    });
    return shareTimes(group, times);
  });
  assertEquals(all[1], all[0]);
  const found = all[0]!.map((t) => [t.steps, t.working, t.workingMedian, t.workingLongest]);
  assertEquals(found, [[3, 0.032, 0.01, 0.012], [3, 0.032, 0.01, 0.012], [3, 0.096, 0.032, 0.034]]);
  for (const [rank, waits] of [0.064, 0.064, 0].entries()) {
    assertAlmostEquals(all[0]![rank]!.waiting, waits, 1e-12);
    assertAlmostEquals(all[0]![rank]!.exchanging, 0.006, 1e-12);
  }
  assertEquals(slowLines(all[0]!), ["rank 2 is slow: a step takes it 32 ms, others 10 ms"]);
  assertEquals(timesLines(all[0]!)[3]!.trim().split(/\s{2,}/), [
    ...["2", "96 ms", "32 ms", "34 ms", "0 ms", "0 ms", "6 ms"],
  ]);
});

Deno.test("stragglers: of steps apart, too, what an exchange holds up is no work", async () => {
  const device = cpu({ threads: 1 }), data = tinyData(tinyRun.data.length), held = 40;
  const diloco = { ...DILOCO, every: 2, fragments: 1, delay: 0 };
  const quiet = { evalEvery: 0, checkpointEvery: 0 } as const;
  const config = { ...tinyRun, ...quiet, diloco, steps: 6 };
  const all = await ranks(simulated({ limit: Infinity }), 2, async (group) => {
    const start = await initialState(config, data.vocabulary.tokens.length, device);
    const beside = await group.split(0),
      apart = await createApart(group, beside, config, start, device);
    const watch = teamWatch({ folder: "", trace: false, note: () => {} });
    await train(config, start, data, device, {
      ...quietHooks,
      trace: watch,
      apart: {
        ...apart,
        async after(step, model) {
          const until = performance.now() + held;
          while (performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 1));
          return await apart.after(step, model);
        },
      },
    });
    const { times } = await watch.finish(group, "");
    await beside.close();
    return times;
  }, { deadline: 3_600_000 });
  for (const { steps, waiting, exchanging } of all[0]!) {
    assertEquals(steps, config.steps);
    assertGreaterOrEqual(waiting + exchanging, config.steps * held / 1000);
  }
});

Deno.test("a trace of two processes stands by the clock of the first", () => {
  const operation: Entry = {
    group: "",
    line: "",
    operation: "allReduce",
    sequence: 4,
    type: "f32",
    reduction: "sum",
    shape: [2],
    bytes: 8,
    sent: 8,
    received: 8,
    called: 1107,
  };
  const text = teamTrace("run", [
    { phases: [{ name: "input", step: 1, start: 100, end: 102 }], operations: [], offset: 0 },
    {
      phases: [],
      operations: [
        { ...operation, called: 1102, begun: 1103, heard: 1104, ended: 1106 },
        { ...operation, sequence: 5 },
      ],
      offset: 1000,
    },
  ]);
  const events = JSON.parse(text).traceEvents.filter(({ ph }: { ph: string }) => ph === "X");
  assertEquals(
    events.map((e: Record<string, unknown>) => [e.pid, e.tid, e.name, e.ts, e.dur]),
    [
      [0, 1, "input", 0, 2000],
      [1, 2, "allReduce #4", 3000, 3000],
      [1, 2, "wait", 3000, 1000],
      [1, 2, "transfer", 4000, 2000],
    ],
  );
  assertEquals(events[1].args.queued_us, 1000);
});

Deno.test("clocks and bytes of all ranks come to the first", async () => {
  const way = simulated(), shift = [0, 5000, -70];
  const all = valuesOf(
    await way.each(3, async (transports, rank) => {
      const { clock } = transports[rank]!;
      const group = await joinGroup(transports[rank]!, memberOf(transports, rank));
      const offsets = await clockOffsets(group, () => clock.now() + shift[rank]!);
      const bytes = await gatherBytes(group, new Uint8Array(rank).fill(rank));
      await group.close();
      return { offsets, bytes };
    }),
  );
  const [{ offsets, bytes } = { offsets: [], bytes: [] }, ...others] = all;
  // The simulated network takes some milliseconds.
  offsets.forEach((offset, rank) => assertAlmostEquals(offset, shift[rank]!, 20));
  assertEquals(bytes.map((b) => [...b]), [[], [1], [2, 2]]);
  for (const other of others) assertEquals([other.offsets, other.bytes], [[], []]);
});

Deno.test("metrics of a run: rows, groups, and how they are read", () =>
  inFolder(async (folder) => {
    const metrics = runMetrics(), text = (): string => metricsText(metrics.all());
    const notes: string[] = [], note = (line: string): void => void notes.push(line);
    assertEquals(text(), "\n");
    metrics.row({ step: 7, loss: 2.5, stage: 1 });
    assertMatch(text(), /^motian_step 7\n/m);
    assert(!text().includes("motian_ranks") && !text().includes("stage"));
    await ranks(simulated(), 2, async (group) => {
      await group.allReduce(new Float32Array(10));
    }, { observer: metrics.observer });
    assertMatch(text(), /^motian_link_bytes_total\{way="sent"\} 80$/m);
    assertMatch(text(), /^motian_operation_seconds_count\{operation="allReduce"\} 2$/m);
    assertMatch(text(), /^motian_ranks 0$/m);

    const page = await publish("0", metrics.all, note);
    const ask = async (path: string, method = "GET"): Promise<readonly [number, string]> => {
      const answer = await fetch(new URL(path, page.where), { method });
      return [answer.status, await answer.text()];
    };
    assertEquals(await ask("/metrics"), [200, text()]);
    assertEquals((await ask("/"))[0], 404);
    assertEquals((await ask("/metrics", "POST"))[0], 405);
    const { port } = new URL(page.where);
    await assertRejects(
      () => publish(port, metrics.all, note),
      InputError,
      "somebody listens there",
    );
    await page.close();

    const path = join(folder, "run.prom"), file = await publish(path, metrics.all, note);
    metrics.row({ step: 8 });
    for (let i = 0; i < 5; i++) file.changed();
    await file.close();
    assertEquals(await Deno.readTextFile(path), text());
    assertEquals(notes, []);

    // Where the file can no longer be written it is said once, and once again when it could meanwhile.
    const away = join(folder, "away"), inside = join(away, "run.prom");
    await Deno.mkdir(away);
    const moved = await publish(inside, metrics.all, note);
    const row = async (): Promise<void> => {
      moved.changed();
      await moved.close();
    };
    for (const _ of [1, 2]) {
      await Deno.remove(away, { recursive: true });
      for (const _ of [1, 2]) await row();
      await Deno.mkdir(away);
      await row();
    }
    assertEquals(await Deno.readTextFile(inside), text());
    assertEquals(notes.length, 2, notes.join("\n"));
    for (const line of notes) assert(line.startsWith(`Cannot write metrics to ${inside}: `), line);
    await assertRejects(
      () => publish(join(folder, "none", "x.prom"), metrics.all, note),
      InputError,
      "Cannot write metrics to",
    );
  }));

Deno.test("metrics: an operation that ended before its turn took no time", () => {
  const metrics = runMetrics();
  const group = { job: "j", generation: 1, name: "", rank: 0, size: 2 };
  const operation = {
    group,
    operation: "barrier",
    line: "",
    type: "u8",
    reduction: "none",
    shape: [0],
    bytes: 0,
  } as const;
  metrics.observer({ kind: "joined", at: 0, group });
  for (const sequence of [0, 1]) {
    const own = { ...operation, sequence };
    metrics.observer({ kind: "called", at: 1, operation: own });
    if (sequence === 0) metrics.observer({ kind: "begun", at: 2, operation: own });
    metrics.observer({ kind: "ended", at: 1002, operation: own, sent: 0, received: 0 });
  }
  const text = metricsText(metrics.all());
  assertMatch(text, /^motian_operation_seconds_count\{operation="barrier"\} 1$/m);
  assertMatch(text, /^motian_operation_seconds_sum\{operation="barrier"\} 1$/m);
});
