/**
 * One rank as a process of its own, for tests: `rank_process.ts RANK SILENCE [sockets|memory|streams]`. Writes its address as a line, reads everybody's as a
 * line, and sums arrays until something fails; says when it has joined, and when it sums; then writes what failed, as a line of JSON,
 * and ends.
 *
 * @module
 */
import { DistError } from "../../dist/error.ts";
import { joinGroup } from "../../dist/group/group.ts";
import { tcp } from "../../dist/net/tcp.ts";
import { processMemory } from "../../dist/shm/host/network.ts";
import { shareMemory } from "../../dist/shm/host/share_memory.ts";
import { openSockets } from "../../dist/transport/sockets.ts";

const rank = Number(Deno.args[0]), silence = Number(Deno.args[1]);
const network = Deno.args[2] === "streams" ? processMemory() : tcp();
const sockets = openSockets(network, { hostname: "127.0.0.1", port: 0, silence });
const transport = Deno.args[2] === "memory" ? shareMemory(sockets) : sockets;
console.log(transport.address);
const reader = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).getReader();
let line = "";
while (!line.endsWith("\n")) line += (await reader.read()).value ?? "\n";
reader.cancel();
const addresses = line.trim().split(" ");
const member = { job: "kill", generation: 1, group: "", rank, addresses, plan: 0 };
let steps = 0;
try {
  const group = await joinGroup(transport, member);
  console.log("joined");
  for (const array = new Float32Array(2e6);; steps++) {
    await group.allReduce(array.fill(rank + 1));
    const sum = addresses.length * (addresses.length + 1) / 2;
    if (array.some((x) => x !== sum)) throw new RangeError(`Cannot use a sum that is not ${sum}`);
    if (steps === 2) console.log("sums");
  }
} catch (error) {
  const { failure, rank, message } = error instanceof DistError
    ? error
    : { failure: "bug", rank: -1, message: String(error) };
  console.log(JSON.stringify({ failure, rank, message, steps }));
}
await transport.close();
