import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { reference } from "../../core/mod.ts";
import { parameterCount } from "../../nn/mod.ts";
import { expecting, type Runner, WrongResultError } from "../../recipes/bench/bench_case.ts";
import { allCases, isMeasured } from "../../recipes/bench/cases.ts";
import { changes } from "../../recipes/bench/compare.ts";
import { erf64 } from "../../recipes/bench/erf.ts";
import { fill, fillWhole } from "../../recipes/bench/fill.ts";
import { interleave, timingOf } from "../../recipes/bench/measure.ts";
import type { Row } from "../../recipes/bench/row.ts";
import { type Bench, rowsOf } from "../../recipes/bench/run_case.ts";
import { matmulCase } from "../../recipes/bench/sections/matmul.ts";
import { base, medium, small } from "../../recipes/bench/sections/training.ts";
import { stepSpec } from "../../recipes/bench/step.ts";
import { startValues, stepBatch, vectors } from "../../recipes/bench/step_sizes.ts";

const bench: Bench = {
  pace: { rounds: 1, turn: 1e-6, limit: 1 },
  peers: undefined,
  roof: () => Promise.resolve({ flops: 1e9, bytes: 1e9, by: "a test" }),
};

/** A runner that is off by `error` in the last element. */
function offBy(runner: Runner, error: number): Runner {
  return {
    ...runner,
    values: async (at) =>
      (await runner.values(at)).map((x, i) => i === at.length - 1 ? x + error : x),
  };
}

Deno.test("bench: a kernel that computes something else is an error, not a number", async () => {
  const c = matmulCase({ m: 5, k: 7, n: 3, tb: 1 });
  const opened = { name: "cpu", device: reference() } as const;
  const right = await Array.fromAsync(rowsOf(bench, c, opened));
  assertEquals(right.map(({ name, size, peer }) => [name, size, peer]), [[
    "matmul NT",
    "5x7x3",
    null,
  ]]);
  for (const error of [1e-3, NaN, Infinity]) {
    const wrong = { ...c, ours: async (d: typeof opened.device) => offBy(await c.ours(d), error) };
    await assertRejects(
      () => Array.fromAsync(rowsOf(bench, wrong, opened)),
      WrongResultError,
      "Cannot time matmul NT 5x7x3 on cpu: element 14 is",
    );
  }
});

Deno.test("bench: a peer that computes something else gives no ratio, and the reason", async () => {
  const c = matmulCase({ m: 4, k: 4, n: 4 }), device = reference();
  const runner = offBy(await c.ours(device), 1);
  const peers = {
    get: () => Promise.resolve({ name: "liar", open: () => Promise.resolve(runner) }),
    async [Symbol.asyncDispose]() {},
  };
  const rows = await Array.fromAsync(rowsOf({ ...bench, peers }, c, { name: "cpu", device }));
  assertEquals(rows.length, c.peers.cpu.length);
  for (const { ours, peer, ratio, peer_name, reason } of rows) {
    assert(ours! > 0);
    assertEquals([peer, ratio, peer_name], [null, null, "liar"]);
    assert(reason!.startsWith("Cannot time matmul NN 4x4x4 of liar: element 15 is"), reason!);
  }
});

Deno.test("bench: a device or a peer that is not there gives a row with the reason", async () => {
  const c = matmulCase({ m: 2, k: 2, n: 2 });
  const none = await Array.fromAsync(rowsOf(bench, c, { name: "webgpu", reason: "no adapter" }));
  assertEquals(none.map(({ ours, ratio, reason }) => [ours, ratio, reason]), [[
    null,
    null,
    "no adapter",
  ]]);
  const peers = {
    get: () => Promise.resolve({ absent: "not installed" }),
    async [Symbol.asyncDispose]() {},
  };
  const opened = { name: "cpu", device: reference() } as const;
  for await (const row of rowsOf({ ...bench, peers }, c, opened)) {
    assertEquals([row.ratio, row.reason], [null, "not installed"]);
    assertEquals(
      Object.keys(row).slice(0, 10).join(),
      "name,device,size,ours,peer,peer_name,unit,ratio,roof_share,load",
    );
  }
});

Deno.test("bench: every section that was promised is there", () => {
  const firsts = new Set(allCases.map(({ name }) => name.split(" ")[0]));
  // deno-fmt-ignore
  assertEquals([...firsts], [
    "matmul", "elementwise", "reduction", "softmax", "layerNorm", "attention", "cross-entropy", "LAMB", "dispatch", "compile",
    "training", "sequence", "pretraining",
  ]);
  const bert = allCases.find(({ name }) => name === "training step 12x768")!;
  assertEquals(isMeasured(bert, "cpu", { device: "all" }), false);
  assertEquals(isMeasured(bert, "cpu+blas", { device: "cpu+blas" }), true);
  assertEquals(isMeasured(bert, "cpu", { device: "cpu", filter: "12x768" }), true);
});

Deno.test("bench: expecting looks at both ends", async () => {
  const seen: number[] = [];
  const runner: Runner = {
    time: () => Promise.resolve(0),
    values: (at) => Promise.resolve((seen.push(...at), at.map(() => 0))),
    close() {},
  };
  const check = expecting({ results: 1001, values: (at) => at.map(() => 0), tolerance: 0 });
  await check(runner, "zeros");
  assertEquals([seen[0], seen.at(-1)], [0, 1000]);
  assert(seen.length >= 64 && new Set(seen).size === seen.length);
});

Deno.test("bench: sides take turns, and medians and quartiles are theirs", async () => {
  const turns: string[] = [];
  const side = (name: string) => ({
    time: (times: number) => (turns.push(name), Promise.resolve(times)),
  });
  await interleave([side("a"), side("b")], { rounds: 3, turn: 1, limit: 60, single: true });
  assertEquals(turns.join(""), "ababab");
  assertEquals(timingOf([4, 1, 2, 3, 5]), { median: 3, spread: 1 / 3, turns: 5 });
});

Deno.test("bench: a side whose run takes long is timed in the fewest turns", async () => {
  let runs = 0;
  const slow = { time: () => (runs++, Promise.resolve(6)) };
  const fast = { time: (times: number) => Promise.resolve(times) };
  const timings = await interleave([fast, slow], { rounds: 7, turn: 1, limit: 60 });
  assertEquals(timings.map(({ median, turns }) => [median, turns]), [[1, 3], [6, 3]]);
  assertEquals(runs, 4, "one run warms it up");
});

Deno.test("bench: runs that are slow only at first do not make turns short", async () => {
  let runs = 0;
  const turns: number[] = [];
  // Ten runs of 20 ms, as while a kernel is compiled; then 1 ms each.
  const side = {
    time(times: number) {
      let seconds = 0;
      for (let i = 0; i < times; i++) seconds += runs++ < 10 ? 0.02 : 0.001;
      turns.push(times);
      return Promise.resolve(seconds);
    },
  };
  await interleave([side], { rounds: 3, turn: 0.15, limit: 60 });
  assertEquals(turns.slice(-3), [150, 150, 150]);
});

Deno.test("bench: a row says that its peer was timed less often, and why", async () => {
  const c = matmulCase({ m: 4, k: 4, n: 4 }), device = reference();
  const slow = async (): Promise<Runner> => ({
    ...await c.ours(device),
    time: () => Promise.resolve(6),
  });
  const peers = {
    get: () => Promise.resolve({ name: "slow", open: slow }),
    async [Symbol.asyncDispose]() {},
  };
  const patient = { ...bench, pace: { ...bench.pace, rounds: 4 }, peers };
  for await (const row of rowsOf(patient, c, { name: "cpu", device })) {
    assertEquals([row.peer_name, row.reason], ["slow", "3 turns of 4: one takes 6.0 s"]);
    assert(row.ratio! > 1);
  }
});

const row = (size: string, ours: number, spread: number, unit: Row["unit"]): Row => ({
  name: "x",
  device: "cpu",
  size,
  ours,
  peer: null,
  peer_name: null,
  unit,
  ratio: null,
  roof_share: null,
  load: null,
  spread,
  reason: null,
});

Deno.test("bench: a comparison names what changed by more than the noise", () => {
  const older = [
    row("a", 100, 0.01, "ms"),
    row("b", 100, 0.1, "ms"),
    row("c", 100, 0.01, "GFLOP/s"),
    row("d", 100, 0, "ms"),
    row("gone", 1, 0, "ms"),
  ];
  const newer = [
    row("a", 120, 0.01, "ms"),
    row("b", 120, 0.1, "ms"),
    row("c", 120, 0.01, "GFLOP/s"),
    row("d", 102, 0, "ms"),
  ];
  assertEquals(changes(older, newer).map(({ verdict }) => verdict), [
    "slower",
    "same",
    "faster",
    "same",
  ]);
});

Deno.test("bench: the model has as many parameters as torch_step.py prints", () => {
  // Printed by the script: --layers 2 --hidden 128 --heads 2 --ffn 512 --vocab 6000, and its defaults.
  const layer = (C: number, F: number) => 4 * C * C + 4 * C + 2 * C * F + F + C + 4 * C;
  const all = (s: typeof medium) =>
    s.vocabulary * (s.width + 1) + 32 * s.heads + s.layers * layer(s.width, s.hidden) +
    2 * s.width + s.width ** 2 + 3 * s.width;
  for (const sizes of [small, medium, base]) {
    assertEquals(parameterCount(stepSpec(sizes)), all(sizes));
  }
  assertEquals(parameterCount(stepSpec(medium)), 5_331_328);
});

/** Printed by NumPy from the formula in torch_ops.py. */
const golden = {
  fill: [-0.5987480878829956, 0.1703472137451172, -0.9031540155410767],
  whole: [68, 97, 55, 34],
};

Deno.test("bench: the numbers that all sides share are a formula", () => {
  assertEquals([...fill(1, 3)], [...golden.fill]);
  assertEquals([...fillWhole(2, 4, 5, 100)], golden.whole);
  const { ids, positions, labels } = stepBatch(small);
  assertEquals([ids.length, positions.length, labels.length], [2048, 307, 307]);
  assert(positions.every((at) => ids[at] === 4) && labels.every((id) => id >= 5));
  assertEquals(startValues("encoder.norm.gain", 2).join(), "1,1");
  assertEquals(startValues("head.bias", 2).join(), "0,0");
  assertEquals(vectors.test("encoder.shared.bias"), false);
});

Deno.test("bench: erf in f64", () => {
  // Abramowitz and Stegun, table 7.1.
  assertAlmostEquals(erf64(0.5), 0.5204998778, 1e-10);
  assertAlmostEquals(erf64(-2), -0.9953222650, 1e-10);
  assertAlmostEquals(erf64(3.5), 0.999999256901628, 1e-14);
});
