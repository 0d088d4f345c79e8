/** What processes leave when their group fails, and what is read out of it. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { type DistFailure, joinGroup } from "../../dist/mod.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { compareFlights, comparisonLines } from "../../recipes/observe/compare_flights.ts";
import {
  flightObserver,
  hasFlights,
  readFlights,
  writeFlight,
} from "../../recipes/observe/flight.ts";
import { createRecorder } from "../../recipes/observe/recorder.ts";
import { memberOf, simulated } from "../dist/ranks.ts";
import { inFolder } from "../in_folder.ts";

/** Four ranks sum, and then each does something else; the records that they leave in a folder. */
async function crash(
  folder: string,
  deadline: number,
  last: (rank: number, sum: (length: number) => Promise<unknown>) => Promise<unknown>,
): Promise<readonly string[]> {
  const notes: string[] = [];
  await simulated().each(4, async (transports, rank) => {
    const observer = flightObserver(folder, createRecorder(8), (line) => notes.push(line));
    const member = memberOf(transports, rank, { generation: 3 });
    const group = await joinGroup(transports[rank]!, member, { deadline, observer });
    const sum = (length: number) => group.allReduce(new Float32Array(length));
    for (let i = 0; i < 20; i++) await sum(10);
    await last(rank, sum).catch(() => {});
    if (rank === 2) await new Promise((resolve) => group.onFailure(resolve));
  });
  return notes;
}

Deno.test("flight: the rank that did not come is behind, and the others waited for it", () =>
  inFolder(async (folder) => {
    const notes = await crash(
      folder,
      500,
      (rank, sum) => rank === 2 ? Promise.resolve() : sum(1000),
    );
    assertEquals(notes, [`what the processes were doing: deno task doctor --flight ${folder}`]);
    const flights = await readFlights(folder);
    assertEquals(flights.map(({ rank, generation, size }) => [rank, generation, size]), [
      ...[0, 1, 2, 3].map((rank) => [rank, 3, 4]),
    ]);
    // A ring: the last eight operations.
    assertEquals(flights[2]!.operations.map((o) => o.sequence), [13, 14, 15, 16, 17, 18, 19, 20]);
    const found = compareFlights(flights), lines = comparisonLines(found).join("\n");
    assertEquals([found.missing, found.behind], [[], [2]]);
    assertEquals(found.ranks.map(({ finished, inside }) => [finished, inside]), [
      [20, 21],
      [20, 21],
      [20, null],
      [20, 21],
    ]);
    assertStringIncludes(lines, "rank 2 was behind: after allReduce #20 of f32 [10], when ");
    assertStringIncludes(lines, "ranks 0, 1, 3 had come to allReduce #21 of f32 [1000].");
    assertStringIncludes(lines, "ranks 0, 3 waited for rank 2.");

    assert(await hasFlights(folder, flights[0]!.job));
    assert(!await hasFlights(folder, "another"));
    assert(!await hasFlights(join(folder, "none"), flights[0]!.job));

    // What an earlier job left in the same folder is not looked at.
    writeFlight(folder, { ...flights[3]!, job: "old", rank: 9, written: "2020" });
    assertEquals((await readFlights(folder)).length, 4);

    // A rank that was killed leaves none.
    await Deno.remove(join(folder, "flight", "generation-00003", "rank-00001.json"));
    const less = compareFlights(await readFlights(join(folder, "flight")));
    assertEquals(less.missing, [1]);
    assertStringIncludes(less.verdict[0]!, "rank 1 left no record");
  }));

Deno.test("flight: ranks that do different things are put side by side", () =>
  inFolder(async (folder) => {
    await crash(folder, 60_000, (rank, sum) => sum(rank === 3 ? 999 : 1000));
    const { verdict } = compareFlights(await readFlights(folder));
    assertStringIncludes(
      verdict.join(" "),
      "ranks 0, 1, 2: allReduce #21 of f32 [1000], sum; rank 3: allReduce #21 of f32 [999], sum.",
    );
  }));

Deno.test("flight: a group that is left in good order leaves nothing, nor does a full disk end anything", () =>
  inFolder(async (folder) => {
    const notes: string[] = [], failures: DistFailure[] = [];
    await Deno.writeTextFile(join(folder, "full"), "");
    await simulated().each(2, async (transports, rank) => {
      const open = (generation: number, where: string) =>
        joinGroup(transports[rank]!, memberOf(transports, rank, { generation }), {
          observer: flightObserver(where, createRecorder(8), (line) => notes.push(line)),
          deadline: 500,
        });
      const good = await open(1, folder);
      await good.barrier();
      await good.close();
      const bad = await open(2, join(folder, "full"));
      if (rank === 0) {
        await bad.barrier().catch(({ failure }) => failures.push(failure));
      } else await new Promise((resolve) => bad.onFailure(resolve));
    });
    assertEquals(failures, ["deadline"]);
    assert(notes.length > 0 && notes.every((line) => line.startsWith("Cannot leave a flight")));
    await assertRejects(() => readFlights(folder), InputError, "there are none");
    await assertRejects(() => readFlights(join(folder, "full")), InputError, "no folder");
    if (Deno.build.os !== "windows") {
      const loop = join(folder, "loop");
      await Deno.symlink("loop", loop);
      await assertRejects(() => readFlights(loop), InputError, "symbolic links");
    }
    await Deno.mkdir(join(folder, "flight", "generation-00001"), { recursive: true });
    const path = join(folder, "flight", "generation-00001", "rank-00000.json");
    for (const text of ["{", "{}"]) {
      await Deno.writeTextFile(path, text);
      await assertRejects(() => readFlights(folder), InputError, "rank-00000.json");
    }
  }));
