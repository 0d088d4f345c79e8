/**
 * The processes that MPI has started, as a transport.
 *
 * @module
 */
import { realClock } from "../clock.ts";
import { DistError, type DistFailure } from "../error.ts";
import { openSockets, placeOf } from "../transport/sockets.ts";
import type { Transport } from "../transport/transport.ts";

import { mpiEngine } from "./engine.ts";
import { openLibrary } from "./library.ts";
import { mpiHost, mpiNetwork, rankAt } from "./network.ts";
import { createProgress } from "./progress.ts";

/** Which MPI, and what to expect of it. */
export interface MpiOptions {
  /** Name or path of its library; the one that belongs to what started this process if left out, or one with MPI-5's ABI. */
  readonly library?: string | undefined;
  /** Processes that there must be. */
  readonly size?: number | undefined;
}

/** All processes that were started together. */
export interface MpiWorld {
  /** This process's number, from 0. */
  readonly rank: number;
  /** Processes. */
  readonly size: number;
  /** What the library calls itself, and where it was found. */
  readonly description: string;
  /** Where all processes are, by rank: a membership's `addresses`, or some of them. */
  readonly addresses: readonly string[];
  /** This process's door to the others; one is open at a time. */
  transport(options?: { readonly silence?: number }): Transport;
  /**
   * Leaves MPI, which waits until all processes do. Transports must be closed before. If a group has failed in a way that leaves an
   * operation waiting in the library, or because a rank is lost or late, and not all come here in five seconds, MPI ends all processes.
   */
  close(): Promise<void>;
}

/** After these a rank may never come to the end. */
const doubts: readonly DistFailure[] = ["lost", "stalled", "deadline"];

/** What was sent has so long to arrive, and who is in doubt to come. Units: milliseconds. */
const LINGER = 5000, SHORT_LINGER = 500;

/**
 * Enters MPI, once in the life of a process, which mpiexec, srun or the like has started; waits until all processes have. Needs
 * `--allow-ffi` and `--allow-env`.
 *
 * @throws DistError "engine" if there is no library that can be used; "mismatch" if the world has another size than it must have
 */
export function openMpi({ library: path, size: expected }: MpiOptions = {}): MpiWorld {
  const library = openLibrary(path, (name) => Deno.env.get(name));
  const { abi, calls, check, objects, description } = library, word = new Int32Array(1);
  check("begin", calls.init(0, 0, abi.multiple, word));
  if (word[0]! < abi.multiple) {
    calls.finalize();
    const text = `Cannot use ${description}: it gives thread level ${
      word[0]
    }, it must be ${abi.multiple}`;
    throw new DistError(`${text} (MPI_THREAD_MULTIPLE)`, "engine");
  }
  check("set the error handler", calls.setErrorHandler(objects.world, objects.errorsReturn));
  check("ask for the rank", calls.rank(objects.world, word));
  const rank = word[0]!;
  check("ask for the size", calls.size(objects.world, word));
  const size = word[0]!;
  const said = Deno.env.get("OMPI_COMM_WORLD_SIZE") ?? Deno.env.get("PMI_SIZE");
  const wanted = expected ?? (said === undefined ? size : Number(said));
  if (size !== wanted) {
    calls.finalize();
    const who = expected === undefined ? "what started this process" : "the caller";
    throw new DistError(
      `Cannot use a world of size ${size}: ${who} says ${wanted}, the library is ${description}; start it by mpiexec -n ${wanted} of the same MPI`,
      "mismatch",
    );
  }
  const counting = { waiting: 0 };
  const progress = createProgress(library, () => counting.waiting > 0);
  let isDoubtful = false;
  const network = mpiNetwork(progress, { rank, size, anySource: abi.anySource });
  return {
    rank,
    size,
    description,
    addresses: Array.from({ length: size }, (_, r) => `mpi://${mpiHost(r)}:1`),
    transport({ silence } = {}) {
      const place = { hostname: mpiHost(rank), port: 0 };
      const sockets = openSockets(network, silence === undefined ? place : { ...place, silence });
      return {
        ...sockets,
        join(member) {
          const links = sockets.join(member);
          links.onFailure(({ failure }) => isDoubtful ||= doubts.includes(failure));
          const members = member.addresses.map((address) =>
            rankAt(placeOf(address, "mpi"), size) ?? -1
          );
          if (size === 1 || members.includes(-1)) return links;
          const { job, group, generation } = member, name = `${job} ${generation} ${group}`;
          const team = { rank: member.rank, members, name };
          return { ...links, engine: mpiEngine(library, team, links, progress, counting) };
        },
      };
    },
    async close() {
      const abort = (): void => void calls.abort(objects.world, 1);
      if (counting.waiting > 0) abort();
      await progress.flush(isDoubtful ? SHORT_LINGER : LINGER);
      const stop = isDoubtful ? realClock.after(LINGER, abort) : undefined;
      // Only when all sends have arrived everywhere does nobody need to listen any more.
      check("wait for all", await calls.barrierWaiting(objects.world));
      stop?.();
      progress.stop();
      check("end", calls.finalize());
    },
  };
}
