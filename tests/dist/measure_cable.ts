/**
 * Measures what share of a cable's speed an all-reduce of two processes in network namespaces takes. Needs root.
 *
 *     deno run -A tests/dist/measure_cable.ts [Gbit/s] [MiB] [rounds]
 *
 * @module
 */
import { kill } from "../kill.ts";
import { burstOf, linesOf, plug, startRanks, whyNoCable } from "./namespaces.ts";

const [gbit, mib, rounds] = [1, 100, 5].map((usual, i) => Number(Deno.args[i] ?? usual)) as [
  number,
  number,
  number,
];
const why = await whyNoCable();
if (why) {
  console.error(`Cannot measure a cable: ${why}`);
  Deno.exit(2);
}
await using cable = await plug();
await cable.shape(gbit * 1e9);
const processes = startRanks(cable, "namespace_process.ts", [mib, rounds + 1]);
try {
  const lines = processes.map(linesOf), shares: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const ms = Math.max(...(await Promise.all(lines.map((line) => line()))).map(Number));
    const share = ((mib << 20) - burstOf(gbit * 1e9)) * 8 / (ms / 1000) / (gbit * 1e9);
    if (round > 0) shares.push(share);
  }
  shares.sort((a, b) => a - b);
  const [median, best] = [shares[shares.length >> 1]!, shares.at(-1)!];
  const text = [median, best].map((share) => `${(100 * share).toFixed(1)} %`);
  console.log(`${gbit} Gbit/s, ${mib} MiB: median ${text[0]} of the line, best ${text[1]}`);
} finally {
  processes.forEach((process) => kill(process));
}
