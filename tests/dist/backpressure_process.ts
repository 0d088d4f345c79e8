/** Sends to a receiver that has stopped, in a process of its own whose memory nobody else uses, and prints what that costs. */
import { DistError } from "../../dist/error.ts";
import { joinGroup } from "../../dist/group/group.ts";
import { mutualTls } from "../../dist/net/mutual_tls.ts";
import type { Network } from "../../dist/net/network.ts";
import { tcp } from "../../dist/net/tcp.ts";
import { openSockets } from "../../dist/transport/sockets.ts";
import { countedNetwork } from "./counted_network.ts";
import { certificate, memberOf } from "./ranks.ts";

const MiB = 1 << 20, here = { hostname: "127.0.0.1", port: 0 };

/** The ways to send. */
export const networks: Readonly<Record<string, () => Promise<Network>>> = {
  ws: () => Promise.resolve(tcp()),
  wss: () => Promise.resolve(tcp(certificate)),
  "wss with certificates of clients": () => mutualTls(certificate, here),
};

/** What a sender saw. */
export interface Cost {
  /** Bytes that the system took. */
  readonly taken: number;
  /** Bytes by which the process grew. */
  readonly grown: number;
  /** Sends of 32 that were refused when the sender gave up. */
  readonly refused: number;
}

async function cost(open: () => Promise<Network>): Promise<Cost> {
  let taken = 0;
  const network = countedNetwork(await open(), (bytes) => taken += bytes);
  const doors = [openSockets(network, here), openSockets(await open(), here)];
  const groups = await Promise.all(
    doors.map((door, rank) => joinGroup(door, memberOf(doors, rank))),
  );
  const array = new Uint8Array(16 * MiB), stop = new AbortController();
  // The link is there, and one message has come.
  await Promise.all([groups[0]!.send(array, 1), groups[1]!.receive(array.slice(), 0)]);
  const before = Deno.memoryUsage().rss, began = taken;
  // 512 MiB, which nobody receives.
  const sends = Array.from(
    { length: 32 },
    () => groups[0]!.send(array, 1, { signal: stop.signal }).then(() => "sent", (error) => error),
  );
  // Signs of life are a few bytes each.
  let last = -1;
  while (taken === began || taken - last > 1000) {
    last = taken;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  const found = { taken: taken - began, grown: Deno.memoryUsage().rss - before };
  stop.abort();
  await Promise.all(doors.map((door) => door.close()));
  const refused = (await Promise.all(sends)).filter((x) => x instanceof DistError).length;
  return { ...found, refused };
}

if (import.meta.main) {
  console.log(JSON.stringify(await cost(networks[Deno.args[0]!]!)));
  Deno.exit();
}
