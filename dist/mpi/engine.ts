/**
 * Whole operations by MPI, in a thread of their own that waits in the library: it is ten times faster there than asked from time to time.
 *
 * @module
 */
import { realClock } from "../clock.ts";
import type { DistError } from "../error.ts";
import { chunkOf } from "../group/chunk.ts";
import { bytesOf, part, roomLike, typeOf, type WireArray } from "../message/array.ts";
import { nameHash, type Reduction } from "../message/header.ts";
import type { Engine, Links } from "../transport/transport.ts";
import type { Word } from "./abi.ts";
import type { Library } from "./library.ts";
import type { Progress } from "./progress.ts";

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
/** The tag of what ranks agree by. */
const AGREE = 1;
/** What a rank sent before it left may come so long after. Units: milliseconds. */
const GRACE = 100;

/**
 * Operations of a team. A failure of the team's links ends them here, but not in the library: `counting` says how many calls have not come
 * back from it.
 */
export function mpiEngine(
  { abi, calls, check, objects, room }: Library,
  { rank, members, name }: Team,
  links: Links,
  progress: Progress,
  counting: { waiting: number },
): Engine {
  const size = members.length;
  let comm: Word | undefined, failure: DistError | undefined;
  const waiting = new Set<(error: DistError) => void>();
  links.onFailure((error) => {
    failure = error;
    for (const stop of waiting) stop(error);
  });

  const left = new Map<number, DistError>(),
    leaving = new Map<number, (error: DistError) => void>();
  links.onLeave((error) => {
    left.set(error.rank!, error);
    leaving.get(error.rank!)?.(error);
  });

  /** Waits for something, or for the failure of the links. */
  async function unlessLost<T>(what: Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    what.then(resolve, reject);
    waiting.add(reject);
    try {
      if (failure) throw failure;
      return await promise;
    } finally {
      waiting.delete(reject);
    }
  }
  /** Calls the library, which comes back when all have called it. */
  async function call(doing: string, go: () => Promise<number>): Promise<void> {
    counting.waiting++;
    try {
      check(doing, await go());
    } finally {
      counting.waiting--;
    }
  }
  async function run(doing: string, go: (comm: Word) => Promise<number>): Promise<void> {
    if (failure) throw failure;
    await unlessLost(call(doing, () => go(comm!)));
  }
  const chunks = Array.from({ length: size }, (_, r) => r);
  const counts = (length: number): Int32Array =>
    steady(chunks.map((r) => {
      const { from, to } = chunkOf(length, r, size);
      return to - from;
    }));
  /** MPI's least and most lose NaN, and it counts in 32 bits. */
  const does = ({ length }: WireArray, reduction: Reduction = "none"): boolean =>
    (reduction === "none" || reduction === "sum") && length < 2 ** 31;
  async function reduceScatter(array: WireArray): Promise<void> {
    const { from, to } = chunkOf(array.length, rank, size), type = objects.types[typeOf(array)];
    const mine: WireArray = roomLike(array, to - from), lengths = counts(array.length);
    await run(
      "reduceScatter",
      (comm) =>
        calls.reduceScatterWaiting(bytesOf(array), bytesOf(mine), lengths, type, objects.sum, comm),
    );
    part(array, from, to).set(mine);
  }
  return {
    async begin() {
      const all = room(), some = room(), made = room();
      check("find the world's group", calls.groupOf(objects.world, all));
      check("make a group", calls.groupSome(all[0]!, size, steady(members), some));
      await unlessLost(
        call(
          "make a communicator",
          () => calls.commWaiting(objects.world, some[0]!, nameHash(name) % TAGS, made),
        ),
      );
      comm = made[0]!;
      return true;
    },
    outgoing: (to) =>
      Promise.resolve({
        from: rank,
        to,
        async send(head) {
          const steadyHead = new Uint8Array(new ArrayBuffer(head.length));
          steadyHead.set(head);
          await unlessLost(progress.post(steadyHead, to, AGREE, comm!));
        },
      }),
    incoming: (from) =>
      Promise.resolve({
        from,
        to: rank,
        async receive(head) {
          const steadyHead = new Uint8Array(new ArrayBuffer(head.length));
          const gone = Promise.withResolvers<never>(), error = left.get(from);
          const leave = (error: DistError): unknown =>
            realClock.after(GRACE, () => gone.reject(error));
          if (error) leave(error);
          else leaving.set(from, leave);
          const heard = progress.await(steadyHead, from, AGREE, comm!);
          await unlessLost(Promise.race([heard, gone.promise]));
          leaving.delete(from);
          head.set(steadyHead);
        },
        body: () => Promise.resolve(),
      }),
    allReduce: (array, reduction) =>
      does(array, reduction)
        ? run("allReduce", (comm) =>
          calls.allReduceWaiting(
            abi.inPlace,
            bytesOf(array),
            array.length,
            objects.types[typeOf(array)],
            objects.sum,
            comm,
          ))
        : undefined,
    // Its order is ours.
    allReduceShards: () => undefined,
    reduceScatter: (array, reduction) => does(array, reduction) ? reduceScatter(array) : undefined,
    allGather(array) {
      if (!does(array)) return undefined;
      const type = objects.types[typeOf(array)], lengths = counts(array.length);
      const places = steady(chunks.map((r) => chunkOf(array.length, r, size).from));
      return run(
        "allGather",
        (comm) =>
          calls.allGatherWaiting(abi.inPlace, 0, type, bytesOf(array), lengths, places, type, comm),
      );
    },
    broadcast: (array, root) =>
      does(array)
        ? run(
          "broadcast",
          (comm) =>
            calls.broadcastWaiting(
              bytesOf(array),
              array.length,
              objects.types[typeOf(array)],
              root,
              comm,
            ),
        )
        : undefined,
  };
}

/**
 * Numbers that do not move while another thread reads them. Small arrays otherwise may, until somebody has asked for their buffer, as
 * `bytesOf` does.
 */
function steady(numbers: readonly number[]): Int32Array {
  const array = new Int32Array(new ArrayBuffer(4 * numbers.length));
  array.set(numbers);
  return array;
}
