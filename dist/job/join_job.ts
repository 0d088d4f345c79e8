/**
 * From a place in a job to a group of all its ranks.
 *
 * @module
 */
import { type Group, joinGroup } from "../group/group.ts";
import type { Observer } from "../observer.ts";
import { shareMemory } from "../shm/host/share_memory.ts";
import { openThread } from "../thread/open_thread.ts";
import { SILENCE } from "../transport/links.ts";
import { openSockets } from "../transport/sockets.ts";
import type { Transport } from "../transport/transport.ts";
import type { JobPlace } from "./place.ts";
import { meet } from "./meet.ts";
import { joinMpi } from "./join_mpi.ts";
import { jobNetwork } from "./network.ts";

/** What a job's ranks must agree on, and how patient they are. */
export interface JobOptions {
  /** 32 bits that must be equal on all ranks, such as `planHash` of all that they are told. */
  readonly plan: number;
  /** Time that all have to come. Units: milliseconds; two minutes if left out. */
  readonly patience?: number | undefined;
  /** Time that an operation may take. Units: milliseconds; five minutes if left out. */
  readonly deadline?: number | undefined;
  /** A rank that is silent for so long is taken for stopped. Units: milliseconds; 10,000 if left out. */
  readonly silence?: number | undefined;
  /** Is told of everything that the group does. */
  readonly observer?: Observer | undefined;
  /** What carries and sums: sockets of our own, if left out, or the MPI that has started the processes. */
  readonly engine?: "ws" | "mpi" | undefined;
  /**
   * Communicate in a thread of its own, so that a main thread that computes is not taken for stopped? Needs to read this library's
   * files, as a `Worker` does.
   */
  readonly thread?: JobThread | undefined;
}

/** A job's own thread. */
export interface JobThread {
  /** A main thread that has no turn of the event loop for so long hangs. Units: milliseconds; ten minutes if left out. */
  readonly hang?: number | undefined;
}

/** A member of a job. */
export interface JobMember {
  /** All ranks. */
  readonly group: Group;
  /** Leaves in good order. */
  close(): Promise<void>;
}

/**
 * Becomes a rank of a job, over TCP or TLS, and waits until all are there. Rank 0 listens where the place says, and tells the others of each
 * other. Ranks of one machine share memory where the place says so, for which they need `--allow-ffi`.
 *
 * @throws DistError
 */
export async function joinJob(
  place: JobPlace,
  options: JobOptions,
): Promise<JobMember> {
  if (options.engine === "mpi") return await joinMpi(place, options);
  const { rank, size, master, hostname, job: name, generation, token, tls, memory } = place;
  const { plan, patience = 120_000, deadline, silence = SILENCE, thread, observer } = options;
  // Ranks that do not agree in this are not of the same job.
  const shared = memory === "shared", job = shared ? name : `${name}.apart`;
  const port = rank === 0 ? master.port : 0;
  const door = { hostname, port, silence, ...token && { token } };
  const sockets = async (): Promise<Transport> =>
    openSockets(await jobNetwork(tls, { ...door, guarded: token !== undefined }), door);
  const transport = thread
    ? await openThread({ ...door, ...thread, network: { kind: "tcp", tls }, memory: shared })
    : shared
    ? shareMemory(await sockets())
    : await sockets();
  try {
    const host = master.hostname.includes(":") ? `[${master.hostname}]` : master.hostname;
    const [scheme] = transport.address.split("://"),
      first = `${scheme}://${host}:${master.port}`,
      member = { job, generation, rank, plan };
    const addresses = await meet(transport, { ...member, size, first, patience });
    const group = await joinGroup(transport, { ...member, group: "", addresses }, {
      deadline,
      observer,
    });
    return {
      group,
      async close() {
        await group.close();
        await transport.close();
      },
    };
  } catch (error) {
    await transport.close();
    throw error;
  }
}
