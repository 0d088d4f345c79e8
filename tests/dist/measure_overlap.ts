/**
 * Measures how much of an exchange a step hides: two processes of one computing thread each, in network namespaces, whose cable is shaped
 * so that an exchange takes so many times as long as computing. Needs root.
 *
 *     deno run -A tests/dist/measure_overlap.ts [rounds] [sequences of a step] [ratio, ...]
 *
 * The least that can be reached is the time until the gradient's first leaf, before which nothing can be sent, an exchange, and the
 * optimiser, which needs the norm of all.
 *
 * @module
 */
import { kill } from "../kill.ts";
import { linesOf, plug, startRanks, whyNoCable } from "./namespaces.ts";
import type { Measured } from "./overlap_process.ts";

const [rounds = "5", batch = "48", ...given] = Deno.args,
  ratios = given.length ? given : ["0.6", "0.8", "1"];
const why = await whyNoCable();
if (why) {
  console.error(`Cannot measure an overlap: ${why}`);
  Deno.exit(2);
}
await using cable = await plug();
const processes = startRanks(cable, "overlap_process.ts", [rounds, batch, ...ratios]);
try {
  const line = linesOf(processes[0]!);
  for (const _ of ratios) {
    const { compute, exchange, overlapped, apart, first, apply }: Measured = JSON.parse(
      await line(),
    );
    const most = Math.max(compute, exchange), ms = (x: number): string => `${x.toFixed(0)} ms`;
    const times = (x: number): string => `${(x / most).toFixed(2)} of the longer`;
    console.log(
      `compute ${ms(compute)}, exchange ${ms(exchange)}: step ${ms(overlapped)}, ${
        times(overlapped)
      }; ${times(apart)} one after the other; least ${
        times(Math.max(compute, first + exchange + apply))
      } (first leaf after ${ms(first)}, optimiser ${ms(apply)})`,
    );
  }
} finally {
  processes.forEach((process) => kill(process));
}
