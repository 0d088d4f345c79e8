/**
 * Groups on a simulated network that counts what is written to it.
 *
 * @module
 */
import { type Group, joinGroup } from "../../dist/group/group.ts";
import { simulate } from "../../dist/sim/simulation.ts";
import { openSockets } from "../../dist/transport/sockets.ts";
import { countedNetwork } from "./counted_network.ts";
import { memberOf } from "./ranks.ts";

/** Runs a program on every rank of a new group. `sent` gives the bytes that all ranks have sent together since they joined. */
export function countedRanks<T>(
  size: number,
  program: (group: Group, rank: number, sent: () => number) => Promise<T>,
): Promise<readonly T[]> {
  const simulation = simulate({ seed: 5, limit: Infinity });
  let sent = 0;
  return simulation.run(async () => {
    const transports = Array.from({ length: size }, (_, r) =>
      openSockets(
        countedNetwork(simulation.host(r), (bytes) => sent += bytes),
        { hostname: `sim${r}`, port: 0 },
      ));
    const groups = await Promise.all(
      transports.map((transport, rank) =>
        joinGroup(transport, memberOf(transports, rank), { deadline: 3_600_000 })
      ),
    );
    const joined = sent;
    const found = await Promise.all(
      groups.map((group, r) => program(group, r, () => sent - joined)),
    );
    await Promise.all(groups.map((group) => group.close()));
    await Promise.all(transports.map((transport) => transport.close()));
    return found;
  });
}
