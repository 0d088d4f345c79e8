/** Which optimiser a configuration names, and how fast it may go. */
import { assertAlmostEquals, assertEquals, assertLess, assertRejects } from "@std/assert";
import { type AnyTensor, leaves, read, type Tensor, type Tree } from "../../core/mod.ts";
import { reference } from "../../core/backends/reference/mod.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { configurations } from "../../recipes/pretrain/config.ts";
import { lambRule } from "../../recipes/pretrain/lamb_rule.ts";
import { changed, loadConfig } from "../../recipes/pretrain/load_config.ts";
import { stagesOf } from "../../recipes/pretrain/stages.ts";
import { initialState } from "../../recipes/pretrain/train.ts";
import { tinyData, tinyRun, trainTiny } from "./tiny_run.ts";

/** Table 4 of the paper: exponents of the rate's denominator, and the warm-up's. */
const table = [
  [512, 3, 320],
  [1024, 2.5, 160],
  [2048, 2, 80],
  [4096, 1.5, 40],
  [8192, 1, 20],
  [16_384, 0.5, 10],
  [32_768, 0, 5],
] as const;

Deno.test("lambRule is the table of LAMB's paper, and keeps the longest warm-up beyond it", () => {
  for (const [batch, exponent, warmup] of table) {
    const found = lambRule(batch);
    assertAlmostEquals(found.rate, 5 / (2 ** exponent * 1e3), 1e-15, `rate of ${batch}`);
    assertAlmostEquals(found.warmup, 1 / warmup, 1e-15, `warm-up of ${batch}`);
  }
  assertEquals(lambRule(131_072).warmup, 0.2);
  assertAlmostEquals(lambRule(65_536).rate, 0.005 * Math.SQRT2, 1e-15);
});

Deno.test("a rule sets the rates of every stage by its batch, also of a batch that is changed", () => {
  const billion = configurations["motian-1b"]!;
  const rates = (config: typeof billion): unknown =>
    stagesOf(config).map(({ config: { optimizer: { rate, warmup } } }) => ({ rate, warmup }));
  assertEquals(rates(billion), [lambRule(65_536), lambRule(32_768)]);
  assertEquals(rates(changed(billion, ["data.batch=1024"])), [lambRule(1024), lambRule(32_768)]);
  const fixed = changed(billion, ["optimizer.rule=fixed", "optimizer.rate=0.5"]);
  assertEquals(fixed.optimizer.rate, 0.5);
  assertEquals(changed(fixed, ["optimizer.rule=lamb-sqrt"]).optimizer.rate, billion.optimizer.rate);
});

Deno.test("a rate that a rule would set otherwise is refused", async () => {
  const { message } = await assertRejects(
    () => loadConfig("motian-1b", ["optimizer.warmup=0.1"]),
    InputError,
  );
  assertEquals(
    message,
    'Cannot use --set optimizer.warmup=0.1: optimizer.warmup is 0.1, optimizer.rule "lamb-sqrt" makes it 0.2; ' +
      'leave it out, or set optimizer.rule to "fixed" to choose it',
  );
  const stage = { length: 512, batch: 512, microBatch: 2, steps: 9 };
  const set = (one: object): Promise<typeof configurations[string]> =>
    loadConfig("motian-1b", [`then=${JSON.stringify([one])}`]);
  for (const [name, value] of [["rate", 0.5], ["warmup", 0.1]] as const) {
    await assertRejects(
      () => set({ ...stage, [name]: value }),
      InputError,
      `then[0].${name} is ${value}, optimizer.rule "lamb-sqrt" makes it ${
        lambRule(512)[name]
      }; leave it out`,
    );
  }
  // What the rule says may be said, or left out; without a rule it must be said.
  for (const one of [stage, { ...stage, ...lambRule(512) }]) {
    assertEquals((await set(one)).then, [{ ...stage, ...lambRule(512) }]);
  }
  await assertRejects(
    () => loadConfig("motian-base", [`then=${JSON.stringify([stage])}`]),
    InputError,
    "then[0].rate is missing",
  );
});

/** How far the first step moves the number that it moves most, for each parameter that it moves. */
async function firstMoves(name: "lamb" | "adamw"): Promise<readonly number[]> {
  const optimizer = { ...tinyRun.optimizer, name, rate: 0.02, warmup: 0 };
  const config = { ...tinyRun, optimizer, steps: 1e6, evalEvery: 0, checkpointEvery: 0 };
  const device = reference(), data = tinyData(config.data.length);
  const start = await initialState(config, data.vocabulary.tokens.length, device);
  const valuesOf = (tree: unknown): Promise<number[][]> =>
    Promise.all(leaves(tree as Tree<AnyTensor>).map(async (x) => [...await read(x as Tensor)]));
  const before = await valuesOf(start.model);
  let steps = 0;
  const { model } = await trainTiny(config, device, { stop: () => steps++ > 0 });
  const after = await valuesOf(model);
  return after
    .map((row, i) => Math.max(...row.map((x, j) => Math.abs(x - before[i]![j]!))))
    .filter((move) => move > 0);
}

Deno.test("optimizer.name adamw trains by AdamW: its first step moves all weights by the rate, LAMB's by their norm", async () => {
  const adamw = await firstMoves("adamw"), lamb = await firstMoves("lamb");
  assertEquals(adamw.length, lamb.length);
  // All but a parameter whose gradient is hardly more than ε.
  const sorted = [...adamw].sort((a, b) => a - b);
  for (const move of sorted.slice(Math.floor(sorted.length / 4))) {
    assertAlmostEquals(move, 0.02, 1e-3);
  }
  assertLess(Math.min(...lamb), 0.005);
});
