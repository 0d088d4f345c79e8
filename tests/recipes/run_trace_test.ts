/** `--trace`: a Chrome trace with both tracks, a page beside it, and a run that is otherwise the same. */
import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { exists } from "@std/fs";
import { join } from "@std/path";
import type { Explanation } from "../../core/mod.ts";
import { cpu } from "../../core/backends/cpu/mod.ts";
import { tracer, WARM_UP } from "../../recipes/pretrain/tracer.ts";
import type { Row } from "../../recipes/run/rows.ts";
import { chromeTrace, type Trace } from "../../recipes/run/trace.ts";
import { kernelGroups, staircase, tracePage } from "../../recipes/run/trace_page.ts";
import { inWorkplace } from "./pretrain_command.ts";
import { tinyRun, trainTiny } from "./tiny_run.ts";

interface Event {
  readonly ph: string;
  readonly name: string;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly args: { readonly name: string; readonly line: string; readonly step: number };
}

/** Events of a trace by the name of their track. */
function tracks(
  text: string,
): { readonly host: readonly Event[]; readonly device: readonly Event[] } {
  const { traceEvents } = JSON.parse(text) as { readonly traceEvents: readonly Event[] };
  const of = (start: string): readonly Event[] => {
    const track = traceEvents.find((e) =>
      e.name === "thread_name" && e.args.name.startsWith(start)
    );
    return traceEvents.filter((e) => e.ph === "X" && e.tid === track!.tid);
  };
  return { host: of("host"), device: of("device: ") };
}

/** Two programs that are made up. */
const example: Trace = {
  title: "a < b",
  device: "a clock",
  phases: [{ name: "input", step: 2, startUs: 0, endUs: 5 }],
  runs: [
    {
      program: "one",
      step: 2,
      startUs: 10,
      times: [
        { kernel: 0, startUs: 0, endUs: 4 },
        { kernel: 1, startUs: 4, endUs: 5 },
        { kernel: 2, startUs: 6, endUs: 10 },
      ],
    },
    { program: "two", step: 3, startUs: 30, times: [{ kernel: 0, startUs: 0, endUs: 7 }] },
  ],
  programs: {
    one: { ...figures(["mul: 1", "add: 2", "mul: 1"]), liveBytes: [2 ** 20, 3 * 2 ** 20, 0] },
    two: { ...figures(["mul: 1"]), liveBytes: [0] },
  },
};

function figures(lines: readonly string[]): Explanation {
  const times = { traceMs: 1, planMs: 2, codegenMs: 3 }, bytes = { peakBytes: 8, scratchBytes: 8 };
  return {
    ...times,
    ...bytes,
    composed: [],
    kernels: lines.length,
    lines,
    liveBytes: [],
    trafficBytes: 8,
    flops: 9,
  };
}

Deno.test("chromeTrace puts phases on one track and kernels on another, by one clock", () => {
  const { host, device } = tracks(chromeTrace(example));
  assertEquals(host.map(({ name, ts, dur }) => [name, ts, dur]), [["input", 0, 5]]);
  assertEquals(device.map(({ name, ts, dur }) => [name, ts, dur]), [
    ["mul", 10, 4],
    ["add", 14, 1],
    ["mul", 16, 4],
    ["mul", 30, 7],
  ]);
});

Deno.test("kernelGroups adds up equal lines of one program, the longest first", () => {
  assertEquals(kernelGroups(example), [
    { program: "one", line: "mul: 1", runs: 2, totalUs: 8 },
    { program: "two", line: "mul: 1", runs: 1, totalUs: 7 },
    { program: "one", line: "add: 2", runs: 1, totalUs: 1 },
  ]);
});

Deno.test("staircase keeps every height, or the highest of each stretch", () => {
  assertEquals(staircase([3, 5]), [[0, 3], [1, 3], [1, 5], [2, 5]]);
  assertEquals(staircase([1, 9, 2, 3], 2), [[0, 9], [2, 9], [2, 3], [4, 3]]);
  assertEquals(staircase([]), []);
});

Deno.test("tracePage is one page that needs nothing from outside", () => {
  const page = tracePage(example);
  assertEquals(page.match(/\b(?:https?:|src=|@import|url\(|import\()/g), null);
  assertEquals(page.match(/NaN|Infinity|undefined|\[object/g), null);
  assertEquals(page.match(/class="bar"/g)?.length, 3);
  assertStringIncludes(page, "Memory of one, MiB over kernels");
  assertStringIncludes(page, "a &#60; b");
  assertMatch(page, /<dd>0.008 ms<\/dd>/);
});

Deno.test("a traced run records both tracks, every kernel, and learns to the bit what it would have", async () => {
  const config = { ...tinyRun, steps: 6, evalEvery: 6, checkpointEvery: 5, logEvery: 1 };
  const device = cpu(), watch = tracer(device, "tiny");
  const losses = async (trace: boolean): Promise<unknown[]> => {
    const rows: Row[] = [];
    const hooks = { metrics: (row: Row) => rows.push(row), ...trace && { trace: watch } };
    const { evaluation } = await trainTiny(config, device, hooks as never);
    return [...rows.map((r) => r.loss), evaluation!.perplexity];
  };
  assertEquals(await losses(true), await losses(false));
  const trace = watch.trace(), { host, device: kernels } = tracks(chromeTrace(trace));
  const names = new Set(host.map((e) => e.name));
  assertEquals([...names].sort(), ["accumulate", "apply", "checkpoint", "evaluate", "input"]);
  const recorded = [2, 3, 4].map((n) => n + WARM_UP - 2);
  assertEquals([...new Set(kernels.map((e) => e.args.step))], recorded);
  // Two micro-batches a step.
  assertEquals(trace.runs.length, recorded.length * 3);
  for (const { program, times } of trace.runs) {
    assertEquals([...new Set(times.map((t) => t.kernel))], [
      ...trace.programs[program]!.lines.keys(),
    ]);
  }
  const sorted = kernels.toSorted((a, b) => a.ts - b.ts);
  for (const [i, e] of sorted.entries()) {
    assert(e.dur > 0, e.args.line);
    const next = sorted[i + 1];
    if (next) assertLess(e.ts + e.dur, next.ts + 1e-3, "kernels do not overlap");
  }
  for (const phase of host.filter((e) => e.name === "apply")) {
    const within = kernels.filter((k) =>
      k.ts >= phase.ts && k.ts + k.dur <= phase.ts + phase.dur + 1e-3
    );
    assertEquals(within.length, trace.runs.find((r) => r.program === "apply")!.times.length);
  }
  device.destroy();
});

Deno.test("pretrain --trace leaves a trace and its page, and refuses a run that ends while it warms up", () =>
  inWorkplace(async ({ folder, pretrain }) => {
    const base = ["--corpus", "corpus.txt", "--device", "cpu", "--config", "toy.json"];
    const { code, error } = await pretrain([...base, "--out", "run", "--trace", "traces/run.json"]);
    assertEquals(code, 0, error);
    assertStringIncludes(error, "trace in traces/run.json");
    const { host, device } = tracks(await Deno.readTextFile(join(folder, "traces", "run.json")));
    assert(host.some((e) => e.name === "checkpoint"));
    assert(device.some((e) => e.name.startsWith("matmul ")));
    const page = await Deno.readTextFile(join(folder, "traces", "run.json.html"));
    assertStringIncludes(page, "Kernels, per step");
    const short = await pretrain([...base, "--out", "short", "--trace", "t.json", "--steps", "2"]);
    assertEquals(short.code, 2, short.error);
    assertStringIncludes(short.error, "Cannot trace 2 steps: the first 2 warm up; raise --steps");
    assertEquals(await exists(join(folder, "t.json")), false);
  }));
