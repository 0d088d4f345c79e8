/** What a group tells its observer. */
import { assert, assertEquals, assertGreaterOrEqual, assertRejects } from "@std/assert";
import { DistError } from "../../dist/error.ts";
import { joinGroup } from "../../dist/group/group.ts";
import { openThread } from "../../dist/thread/open_thread.ts";
import type { GroupEvent } from "../../dist/observer.ts";
import { memberOf, simulated, valuesOf } from "./ranks.ts";

/** An event in few words. */
function words(event: GroupEvent): string {
  if (event.kind === "joined") return `joined ${event.group.name || "all"}`;
  if (event.kind === "failed") {
    const open = event.open.map((o) => `${o.operation.operation} for ${o.waiting.join()}`);
    return ["failed", event.error.failure, ...open].join(" ");
  }
  const { operation, sequence, line, bytes } = event.operation;
  const moved = event.kind === "ended" ? ` ${event.sent}/${event.received}` : "";
  return `${event.kind} ${line || operation} #${sequence} ${bytes} B${moved}`;
}

Deno.test("observer: operations from call to end, with what they moved, and a group that was left", async () => {
  const way = simulated();
  const all = valuesOf(
    await way.each(2, async (transports, rank) => {
      const events: GroupEvent[] = [], observer = (event: GroupEvent) => void events.push(event);
      const group = await joinGroup(transports[rank]!, memberOf(transports, rank), { observer });
      const sums = [new Float32Array(10), new Float64Array(50_000)].map((a) => group.allReduce(a));
      await Promise.all(sums);
      const shards = [new Float32Array(8)];
      await group.allReduceShards(shards, 2, new Float32Array(8));
      if (rank === 0) await group.send(new Uint8Array(3), 1);
      else await group.receive(new Uint8Array(3), 0);
      await group.close();
      return events;
    }),
  );
  for (const [rank, events] of all.entries()) {
    const said = events.map(words), point = rank === 0 ? "to 1" : "from 0";
    assertEquals(said.slice(0, 2), ["called barrier #0 0 B", "begun barrier #0 0 B"]);
    assertEquals(said.filter((w) => w.startsWith("joined")), ["joined all"]);
    // Both are called before the first one's end, and take turns.
    assertEquals(said.filter((w) => w.startsWith("ended")), [
      "ended barrier #0 0 B 0/0",
      "ended allReduce #1 40 B 40/40",
      "ended allReduce #2 400000 B 400000/400000",
      "ended allReduceShards #3 32 B 32/32",
      `ended ${point} #0 3 B ${rank === 0 ? "3/0" : "0/3"}`,
    ]);
    assert(
      said.indexOf("called allReduce #2 400000 B") < said.indexOf("ended allReduce #1 40 B 40/40"),
    );
    for (const operation of new Set(events.flatMap((e) => "operation" in e ? [e.operation] : []))) {
      const own = events.filter((e) => "operation" in e && e.operation === operation);
      const kinds = own.map(({ kind }) => kind).join(" ");
      assertEquals(
        kinds,
        operation.line === "to 1" ? "called begun ended" : "called begun heard ended",
      );
      own.reduce((last, { at }) => (assertGreaterOrEqual(at, last), at), 0);
    }
    assertEquals(said.at(-1), "failed closed");
  }
});

Deno.test("observer: a failure says which operation was open and for whom it waited, before it ends", async () => {
  const way = simulated();
  const [events = []] = valuesOf(
    await way.each(3, async (transports, rank) => {
      const events: GroupEvent[] = [], observer = (event: GroupEvent) => void events.push(event);
      const options = { deadline: 1000, observer: rank === 0 ? observer : undefined };
      const group = await joinGroup(transports[rank]!, memberOf(transports, rank), options);
      if (rank !== 1) await assertRejects(() => group.allReduce(new Float32Array(6)), DistError);
      else await new Promise((resolve) => group.onFailure(resolve));
      return events;
    }),
  );
  const said = events.map(words);
  assertEquals(said.slice(-2), [
    "failed deadline allReduce for 1",
    "ended allReduce #1 24 B 24/24",
  ]);
});

Deno.test("observer: a group in a thread of its own tells the same, by the clock of who asks", async () => {
  const open = () => openThread({ network: { kind: "tcp" }, hostname: "127.0.0.1", port: 0 });
  const transports = [await open(), await open()], before = performance.now();
  const events: GroupEvent[] = [], observer = (event: GroupEvent) => void events.push(event);
  const [group, other] = await Promise.all([
    joinGroup(transports[0]!, memberOf(transports, 0), { observer }),
    joinGroup(transports[1]!, memberOf(transports, 1)),
  ]);
  const half = new Float32Array(1 << 10);
  await Promise.all([group.allReduce(half), other.allReduce(half.slice())]);
  await assertRejects(
    () => Promise.all([group.allReduce(half), other.allReduce(new Float64Array(4))]),
    DistError,
  );
  await Promise.all(transports.map((transport) => transport.close()));
  const said = events.filter(({ kind }) => kind === "ended").map(words);
  assertEquals(said.slice(0, 2), [
    "ended barrier #0 0 B 0/0",
    "ended allReduce #1 4096 B 4096/4096",
  ]);
  const failed = events.find((event) => event.kind === "failed");
  assert(failed?.kind === "failed" && failed.error instanceof DistError);
  for (const { at } of events) assert(at >= before && at <= performance.now(), `${at}`);
});
