/**
 * Measures how much of an exchange a step hides: two processes of one computing thread each, in network namespaces, whose cable is shaped
 * so that an exchange takes so many times as long as computing. Needs root.
 *
 *     deno run -A tests/dist/measure_overlap.ts [rounds] [ratio, ...]
 *
 * What can be reached is the time until the gradient's first leaf, and an exchange: nothing is sent before.
 *
 * @module
 */
import { kill } from "../kill.ts";
import { linesOf, plug, startRanks, whyNoCable } from "./namespaces.ts";
import type { Measured } from "./overlap_process.ts";

const [rounds = "5", ...given] = Deno.args, ratios = given.length ? given : ["0.5", "0.7", "1"];
const why = await whyNoCable();
if (why) {
  console.error(`Cannot measure an overlap: ${why}`);
  Deno.exit(2);
}
await using cable = await plug();
const processes = startRanks(cable, "overlap_process.ts", [rounds, ...ratios]);
try {
  const line = linesOf(processes[0]!);
  for (const _ of ratios) {
    const { compute, exchange, overlapped, apart, first }: Measured = JSON.parse(await line());
    const most = Math.max(compute, exchange), ms = (x: number): string => `${x.toFixed(0)} ms`;
    const times = (x: number): string => `${(x / most).toFixed(2)} of the longer`;
    console.log(
      `compute ${ms(compute)}, exchange ${ms(exchange)}: step ${ms(overlapped)}, ${
        times(overlapped)
      }; ${times(apart)} one after the other; least ${
        times(Math.max(compute, first + exchange))
      } (first leaf after ${ms(first)})`,
    );
  }
} finally {
  processes.forEach((process) => kill(process));
}
