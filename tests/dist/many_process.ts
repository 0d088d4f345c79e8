/**
 * One of many ranks, for `measure_many.ts`: joins the job that its environment says, sums arrays of so many bytes, each checked, and
 * ends. Rank 0 writes what it took as a line of JSON.
 *
 * @module
 */
import { cpuUsage } from "node:process";
import { jobPlace, joinJob } from "../../dist/mod.ts";
import { median } from "../../recipes/observe/median.ts";

/** Milliseconds of processor time so far. */
function cpu(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
}

const place = jobPlace((name) => Deno.env.get(name))!, { rank, size } = place;
const began = Number(Deno.args[0]),
  rounds = Number(Deno.args[1]),
  sizes = Deno.args.slice(2).map(Number);
const { group, close } = await joinJob(place, { plan: 1, silence: 60_000 });
const seconds = (): number => (Date.now() - began) / 1000;
const joined = seconds(), expected = size * (size + 1) / 2, sums: object[] = [];
let first: number | undefined;
for (const bytes of sizes) {
  const array = new Float32Array(bytes / 4), times: number[] = [], used: number[] = [];
  for (let i = 0; i < rounds; i++) {
    array.fill(rank + 1);
    await group.barrier();
    const start = performance.now(), before = cpu();
    await group.allReduce(array);
    times.push(performance.now() - start);
    used.push(cpu() - before);
    if (array.some((x) => x !== expected)) {
      throw new RangeError(`Cannot use a sum: not ${expected}`);
    }
    first ??= seconds();
  }
  const [all] = await group.allReduce(Float64Array.of(median(used)));
  sums.push({ bytes, ms: median(times), best_ms: Math.min(...times), cpu_ms: all });
}
await group.barrier();
if (rank === 0) {
  console.log(JSON.stringify({ ranks: size, joined_s: joined, first_sum_s: first, sums }));
}
await close();
