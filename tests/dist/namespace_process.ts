/**
 * One of two ranks in namespaces of their own: `namespace_process.ts RANK HOST0 HOST1 MIB ROUNDS`. Joins through a thread, sums arrays,
 * checked, and writes the milliseconds of each as a line; then sums until something fails, and writes that as a line of JSON.
 *
 * @module
 */
import { DistError } from "../../dist/error.ts";
import { joinJob } from "../../dist/job/join_job.ts";

const [rank, mib, rounds] = [0, 3, 4].map((i) => Number(Deno.args[i])) as [number, number, number];
const [hostname, other] = [Deno.args[1 + rank]!, Deno.args[1]!];
const master = { hostname: other, port: 29_500 };
const place = { rank, size: 2, localSize: 1, master, hostname, job: "cable", generation: 1 };
const { group, close } = await joinJob(
  { ...place, token: "of the cable" },
  { plan: 0, silence: 2000, thread: {} },
);
const array = new Float32Array(new SharedArrayBuffer(mib << 20));
const sum = async (): Promise<number> => {
  array.fill(rank + 1);
  await group.barrier();
  const start = performance.now();
  await group.allReduce(array);
  const ms = performance.now() - start;
  if (array.some((x) => x !== 3)) throw new RangeError("Cannot use a sum that is not 3");
  return ms;
};
try {
  for (let round = 0; round < rounds; round++) console.log(await sum());
  while (Deno.args[5] === "endless") await sum();
} catch (error) {
  const { failure, rank, message } = error instanceof DistError
    ? error
    : { failure: "bug", rank: -1, message: String(error) };
  console.log(JSON.stringify({ failure, rank, message }));
}
await close();
