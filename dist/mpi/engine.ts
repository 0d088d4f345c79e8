/**
 * Whole operations by MPI, in a thread of their own that waits in the library: it is ten times faster there than asked from time to time.
 *
 * @module
 */
import type { DistError } from "../error.ts";
import { chunkOf } from "../group/chunk.ts";
import { part, roomLike, typeOf, type WireArray } from "../message/array.ts";
import { nameHash } from "../message/header.ts";
import type { Engine, Links } from "../transport/transport.ts";
import type { Word } from "./abi.ts";
import type { Library } from "./library.ts";

/** Who does operations together. */
export interface Team {
  /** Of the group, from 0. */
  readonly rank: number;
  /** Numbers of the members in the world. */
  readonly members: readonly number[];
  /** Of the group. */
  readonly name: string;
}

/** The same tag on all members, for as many as every MPI has. */
const TAGS = 32_767;

/**
 * Operations of a team. A failure of the team's links ends them here; the thread that waits in the library is told to `calls`, which counts
 * those that have not come back.
 */
export function mpiEngine(
  { abi, calls, check, objects, room }: Library,
  { rank, members, name }: Team,
  links: Links,
  counting: { waiting: number },
): Engine {
  const size = members.length;
  let made: Promise<Word> | undefined, failure: DistError | undefined;
  let stop: ((error: DistError) => void) | undefined;
  links.onFailure((error) => {
    failure = error;
    stop?.(error);
  });

  /** Makes a communicator of the members when all of them are here for the first time. */
  async function make(): Promise<Word> {
    const all = room(), some = room(), comm = room();
    check("find the world's group", calls.groupOf(objects.world, all));
    check("make a group", calls.groupSome(all[0]!, size, Int32Array.from(members), some));
    const tag = nameHash(name) % TAGS;
    check("make a communicator", await calls.commWaiting(objects.world, some[0]!, tag, comm));
    return comm[0]!;
  }
  async function run(doing: string, go: (comm: Word) => Promise<number>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (failure) throw failure;
    stop = reject;
    async function call(): Promise<void> {
      counting.waiting++;
      try {
        const comm = await (made ??= make());
        check(doing, await go(comm));
        resolve();
      } catch (error) {
        reject(error);
      } finally {
        counting.waiting--;
      }
    }
    call();
    await promise;
    stop = undefined;
  }
  const chunks = Array.from({ length: size }, (_, r) => r);
  const counts = (length: number): Int32Array =>
    steady(chunks.map((r) => {
      const { from, to } = chunkOf(length, r, size);
      return to - from;
    }));
  return {
    allReduce: (array) =>
      run("allReduce", (comm) =>
        calls.allReduceWaiting(
          abi.inPlace,
          array,
          array.length,
          objects.types[typeOf(array)],
          objects.sum,
          comm,
        )),
    async reduceScatter(array) {
      const { from, to } = chunkOf(array.length, rank, size), type = objects.types[typeOf(array)];
      const mine: WireArray = roomLike(array, to - from), lengths = counts(array.length);
      await run(
        "reduceScatter",
        (comm) => calls.reduceScatterWaiting(array, mine, lengths, type, objects.sum, comm),
      );
      part(array, from, to).set(mine);
    },
    async allGather(array) {
      const type = objects.types[typeOf(array)], lengths = counts(array.length);
      const places = steady(chunks.map((r) => chunkOf(array.length, r, size).from));
      await run(
        "allGather",
        (comm) => calls.allGatherWaiting(abi.inPlace, 0, type, array, lengths, places, type, comm),
      );
    },
    broadcast: (array, root) =>
      run(
        "broadcast",
        (comm) =>
          calls.broadcastWaiting(array, array.length, objects.types[typeOf(array)], root, comm),
      ),
  };
}

/** Numbers that do not move while another thread reads them: small arrays otherwise may. */
function steady(numbers: readonly number[]): Int32Array {
  const array = new Int32Array(new ArrayBuffer(4 * numbers.length));
  array.set(numbers);
  return array;
}
