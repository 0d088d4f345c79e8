/** Programs for several ranks, on every transport. */
import { type Group, type GroupOptions, joinGroup } from "../../dist/group/group.ts";
import { tcp, type TlsFiles } from "../../dist/net/tcp.ts";
import { sharedMemory } from "../../dist/shm/network.ts";
import { createSharedSpace } from "../../dist/shm/space.ts";
import { simulate, type SimulationOptions } from "../../dist/sim/simulation.ts";
import { openSockets } from "../../dist/transport/sockets.ts";
import type { Membership, Transport } from "../../dist/transport/transport.ts";

/** What a rank does. */
export type Program<T> = (group: Group, rank: number) => Promise<T>;

/** One way to connect ranks. */
export interface Way {
  readonly name: string;
  /** Runs something with a transport for each rank, and closes them. */
  use<T>(size: number, f: (transports: readonly Transport[]) => Promise<T>): Promise<T>;
}

async function closing<T>(
  transports: readonly Transport[],
  f: (transports: readonly Transport[]) => Promise<T>,
): Promise<T> {
  try {
    return await f(transports);
  } finally {
    await Promise.all(transports.map((transport) => transport.close()));
  }
}

/** A simulated network. */
export function simulated(options: Partial<SimulationOptions> = {}): Way {
  return {
    name: "mem",
    use(size, f) {
      const simulation = simulate({ seed: 1, ...options });
      return simulation.run(() =>
        closing(
          Array.from({ length: size }, (_, r) =>
            openSockets(simulation.host(r), { hostname: `sim${r}`, port: 0 })),
          f,
        )
      );
    },
  };
}

/** A certificate for this machine. */
export const certificate: TlsFiles = {
  cert: text("cert.pem"),
  key: text("key.pem"),
  ca: text("ca.pem"),
};

function text(name: string): string {
  return Deno.readTextFileSync(new URL(`tls/${name}`, import.meta.url));
}

/** Sockets of this machine. */
function sockets(name: string, tls?: TlsFiles): Way {
  const open = (): Transport => openSockets(tcp(tls), { hostname: "127.0.0.1", port: 0 });
  return { name, use: (size, f) => closing(Array.from({ length: size }, open), f) };
}

/** Shared memory, here of one thread with itself. */
const shared: Way = {
  name: "shm",
  use(size, f) {
    const space = createSharedSpace({ hosts: size, connections: 8 * size * size, window: 1 << 16 });
    const open = (_: unknown, host: number): Transport =>
      openSockets(sharedMemory(space, host), { hostname: `shm${host}`, port: 0 });
    return closing(Array.from({ length: size }, open), f);
  },
};

/** Every way. */
export const ways: readonly Way[] = [
  simulated(),
  shared,
  sockets("ws"),
  sockets("wss", certificate),
];

/** A member of a group of all. */
export function memberOf(
  transports: readonly Transport[],
  rank: number,
  other: Partial<Membership> = {},
): Membership {
  const addresses = transports.map(({ address }) => address);
  return { job: "test", generation: 1, group: "", rank, addresses, plan: 0, ...other };
}

/** Runs a program on every rank of a new group; the results by rank. */
export function ranks<T>(
  way: Way,
  size: number,
  program: Program<T>,
  options: GroupOptions = { deadline: 60_000 },
): Promise<readonly T[]> {
  return way.use(size, (transports) =>
    Promise.all(transports.map(async (transport, rank) => {
      const group = await joinGroup(transport, memberOf(transports, rank), options);
      const result = await program(group, rank);
      await group.close();
      return result;
    })));
}
