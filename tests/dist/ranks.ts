/** Programs for several ranks, on every transport. */
import { DistError } from "../../dist/error.ts";
import {
  type Group,
  type GroupOptions,
  type GroupTransport,
  joinGroup,
} from "../../dist/group/group.ts";
import { tcp } from "../../dist/net/tcp.ts";
import type { TlsFiles } from "../../dist/net/tls.ts";
import { processMemory } from "../../dist/shm/host/network.ts";
import { shareMemory } from "../../dist/shm/host/share_memory.ts";
import { sharedMemory } from "../../dist/shm/network.ts";
import { createSharedSpace } from "../../dist/shm/space.ts";
import { simulate, type SimulationOptions } from "../../dist/sim/simulation.ts";
import { openThread } from "../../dist/thread/open_thread.ts";
import { openSockets } from "../../dist/transport/sockets.ts";
import type { Membership, Transport } from "../../dist/transport/transport.ts";
import { skip } from "../skip.ts";
import { MPI_VARIABLE } from "./mpi.ts";
import { mpiWay } from "./mpi_way.ts";

/** What a rank does. */
export type Program<T> = (group: Group, rank: number) => Promise<T>;

/** One way to connect ranks. */
export interface Way {
  readonly name: string;
  /** Ranks of a group at most, as tests choose them. */
  readonly most: number;
  /**
   * Runs something for each rank, and gives what came of it, by rank. Ranks may be processes, which all run the test: each one runs its
   * own rank, knows of the others' transports only the address, and gets everybody's outcome as a copy.
   */
  each<T>(size: number, f: RankProgram<T>): Promise<readonly PromiseSettledResult<T>[]>;
  /** After all tests. */
  end?(): Promise<void>;
}

/** A way in, whose links may be in another thread. */
type Door = Transport | GroupTransport;

/** What a rank does with its transport. */
export type RankProgram<T> = (transports: readonly Door[], rank: number) => Promise<T>;

/** A way to connect ranks of this process. */
export interface LocalWay extends Way {
  /** Runs something with a transport for each rank, and closes them. */
  use<T>(size: number, f: (transports: readonly Transport[]) => Promise<T>): Promise<T>;
}

async function closing<T, D extends Door>(
  transports: readonly D[],
  f: (transports: readonly D[]) => Promise<T>,
): Promise<T> {
  try {
    return await f(transports);
  } finally {
    await Promise.all(transports.map((transport) => transport.close()));
  }
}

type Use = LocalWay["use"];

/** Ranks of this process, by what gives each of them a transport. */
export function localWay(name: string, most: number, use: Use): LocalWay {
  return {
    name,
    most,
    use,
    each: (size, f) =>
      use(
        size,
        (transports) => Promise.allSettled(transports.map((_, rank) => f(transports, rank))),
      ),
  };
}

/** A simulated network. */
export function simulated(options: Partial<SimulationOptions> = {}): LocalWay {
  return localWay("mem", 8, (size, f) => {
    const simulation = simulate({ seed: 1, ...options });
    return simulation.run(() =>
      closing(
        Array.from({ length: size }, (_, r) =>
          openSockets(simulation.host(r), { hostname: `sim${r}`, port: 0 })),
        f,
      )
    );
  });
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
function sockets(name: string, most: number, tls?: TlsFiles): LocalWay {
  const open = (): Transport => openSockets(tcp(tls), { hostname: "127.0.0.1", port: 0 });
  return localWay(name, most, (size, f) => closing(Array.from({ length: size }, open), f));
}

/** Shared memory, here of one thread with itself. */
const shared = localWay("shm", 4, (size, f) => {
  const space = createSharedSpace({ hosts: size, connections: 8 * size * size, window: 1 << 16 });
  const open = (_: unknown, host: number): Transport =>
    openSockets(sharedMemory(space, host), { hostname: `shm${host}`, port: 0 });
  return closing(Array.from({ length: size }, open), f);
});

/** Sockets of this machine, each rank's in a thread of its own. */
const threads: Way = {
  name: "thread",
  most: 2,
  async each(size, f) {
    const open = (): Promise<GroupTransport> =>
      openThread({ network: { kind: "tcp" }, hostname: "127.0.0.1", port: 0 });
    const transports = await Promise.all(Array.from({ length: size }, open));
    return await closing(
      transports,
      () => Promise.allSettled(transports.map((_, rank) => f(transports, rank))),
    );
  },
};
/** Sockets, and memory that all ranks share, or those of each of several hosts: here one process sees it at as many places. */
function memory(name: string, most: number, hosts: number): LocalWay {
  return localWay(name, most, (size, f) => {
    const open = (_: unknown, rank: number): Transport =>
      shareMemory(openSockets(tcp(), { hostname: "127.0.0.1", port: 0 }), {
        host: String(Math.floor(rank * hosts / size)),
        window: 64 << 10,
        // What is waited for is this thread itself.
        moment: 0,
      });
    return closing(Array.from({ length: size }, open), f);
  });
}

/** Memory between processes. */
function processWays(): readonly LocalWay[] {
  return [
    localWay("memory between processes", 3, (size, f) => {
      const open = (): Transport =>
        openSockets(processMemory(), { hostname: "127.0.0.1", port: 0 });
      return closing(Array.from({ length: size }, open), f);
    }),
    memory("memory", 4, 1),
    memory("two hosts", 5, 2),
  ];
}

const isLinux = Deno.build.os === "linux";
if (!isLinux) skip("memory between processes", "it takes Linux");

/** Every way to connect ranks of this process. */
export const localWays: readonly LocalWay[] = [
  simulated(),
  shared,
  sockets("ws", 4),
  sockets("wss", 3, certificate),
  ...isLinux ? processWays() : [],
];

/** Every way; in a process that mpiexec has started for it (see mpi_test.ts), MPI. */
export const ways: readonly Way[] = Deno.env.has(MPI_VARIABLE)
  ? [mpiWay()]
  : [...localWays, threads];

/** A member of a group of all. */
export function memberOf(
  transports: readonly Door[],
  rank: number,
  other: Partial<Membership> = {},
): Membership {
  const addresses = transports.map(({ address }) => address);
  return { job: "test", generation: 1, group: "", rank, addresses, plan: 0, ...other };
}

/** What all ranks gave; the first error that is more than a consequence, if one failed. */
export function valuesOf<T>(outcomes: readonly PromiseSettledResult<T>[]): readonly T[] {
  const errors = outcomes.flatMap((o) => o.status === "rejected" ? [o.reason as unknown] : []);
  if (errors.length) throw errors.find((error) => !(error instanceof DistError)) ?? errors[0];
  return outcomes.flatMap((o) => o.status === "fulfilled" ? [o.value] : []);
}

/** Runs a program on every rank of a new group; the results by rank. */
export async function ranks<T>(
  way: Way,
  size: number,
  program: Program<T>,
  options: GroupOptions = { deadline: 60_000 },
): Promise<readonly T[]> {
  const outcomes = await way.each(size, async (transports, rank) => {
    const group = await joinGroup(transports[rank]!, memberOf(transports, rank), options);
    const result = await program(group, rank);
    await group.close();
    return result;
  });
  return valuesOf(outcomes);
}
