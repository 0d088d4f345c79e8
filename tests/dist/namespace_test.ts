/** Two ranks in network namespaces of their own, joined by a shaped cable: the kernel's network, and not the loopback device. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { kill } from "../kill.ts";
import { skip } from "../skip.ts";
import { within } from "../within.ts";
import { linesOf, plug, startRanks, whyNoCable } from "./namespaces.ts";

const why = await whyNoCable();
if (why) skip("namespaces", why);
else {
  Deno.test("namespaces: sums over a shaped cable take its time and are right; a cable that is cut is noticed", async () => {
    await using cable = await plug();
    await cable.shape(400e6);
    const mib = 8, rounds = 3, words = [mib, rounds, "endless"];
    const processes = startRanks(cable, "namespace_process.ts", words);
    try {
      const lines = processes.map(linesOf);
      for (let round = 0; round < rounds; round++) {
        for (const [rank, line] of lines.entries()) {
          const ms = Number(await within(`a sum of rank ${rank}`, line()));
          // Half of the array twice, each way; the shaper lets 6 % of that through at once.
          assertGreater(ms, 0.8 * (mib << 20) * 8 / 400e6 * 1000, "it went another way");
        }
      }
      await cable.cut(1);
      for (const [rank, line] of lines.entries()) {
        const { failure, rank: named, message } = JSON.parse(await within("an error", line()));
        assertEquals([failure, named], ["stalled", 1 - rank], message);
      }
      for (const { status } of processes) assert((await within("an end", status)).success);
    } finally {
      processes.forEach((process) => kill(process));
    }
  });
}
