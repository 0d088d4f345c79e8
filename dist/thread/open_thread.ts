/**
 * A transport in a thread of its own: links, heartbeats and operations go on while the main thread computes.
 *
 * Arrays in shared memory are worked on where they are, others are copied there and back. Questions are posted and answered by
 * messages, which take some 50 µs where an operation takes a millisecond and more; a ring of commands was turned down.
 *
 * @module
 */
import { realClock } from "../clock.ts";
import { DistError } from "../error.ts";
import type { GroupOptions, GroupTransport } from "../group/group.ts";
import type { SocketTransportOptions } from "../transport/sockets.ts";
import type { Meeting, Membership } from "../transport/transport.ts";
import type { Observer } from "../observer.ts";
import { errorOf, wordsOf } from "./error_words.ts";
import { eventOf } from "./event_words.ts";
import type { GroupWords, NetworkWords, Opening, Order, Question, Report } from "./messages.ts";
import { createSharedRooms } from "./shared_rooms.ts";
import { countTurns, createTurns } from "./turns.ts";
import { type Asking, threadGroup } from "./thread_group.ts";
import { createWatchers } from "./watchers.ts";

/** Where to listen, how patient to be, and how long the main thread may be silent. */
export interface ThreadOptions extends Omit<SocketTransportOptions, "wall"> {
  /** What others are reached by. */
  readonly network: NetworkWords;
  /** Do ranks of one host share memory? As `shareMemory` says. */
  readonly memory?: boolean | undefined;
  /**
   * A main thread that computes for so long without a turn of the event loop is taken for hanging. Units: milliseconds; ten minutes if
   * left out.
   */
  readonly hang?: number | undefined;
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: unknown): void;
}

/**
 * Opens a door for other processes, in a thread of its own.
 *
 * @throws DistError "address" if this is no place to listen on; TypeError for a `wall`
 */
export async function openThread(options: ThreadOptions): Promise<GroupTransport> {
  const { network, memory = false, hang = 600_000, ...place } = options, turns = createTurns();
  if ("wall" in place && place.wall !== undefined) {
    throw new TypeError("Cannot open a thread with a wall clock: a function stays where it is");
  }
  const worker = new Worker(new URL("./worker.ts", import.meta.url), {
    type: "module",
    name: "communication",
  });
  const address = Promise.withResolvers<string>(), waiting = new Map<number, Waiting>();
  const watchers = createWatchers();
  const failures = new Map<number, PromiseWithResolvers<DistError>>();
  const rooms = createSharedRooms(), stopCounting = countTurns(turns, hang);
  let last = 0, over: DistError | undefined;

  function end(why: DistError): void {
    if (over) return;
    over = why;
    stopCounting();
    worker.terminate();
    address.reject(why);
    for (const { reject } of waiting.values()) reject(why);
    for (const failed of failures.values()) failed.resolve(why);
    waiting.clear();
    watchers.end(why, realClock.now());
  }
  const post = (order: Order): void => worker.postMessage(order);
  const failureOf = (group: number): PromiseWithResolvers<DistError> => {
    const known = failures.get(group) ?? Promise.withResolvers<DistError>();
    if (over) known.resolve(over);
    failures.set(group, known);
    return known;
  };
  worker.onmessage = ({ data }: MessageEvent<Report>): void => {
    if ("address" in data) return address.resolve(data.address);
    if ("refused" in data) return end(errorOf(data.refused) as DistError);
    if ("watched" in data) return watchers.tell(data.watched, eventOf(data.seen));
    if ("failed" in data) return failureOf(data.failed).resolve(errorOf(data.error) as DistError);
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if ("error" in data) asked?.reject(data.error);
    else asked?.resolve(data.answer);
  };
  worker.onerror = (event): void => {
    event.preventDefault();
    end(new DistError(`Cannot go on: the thread for links failed: ${event.message}`, "lost"));
  };

  /** Asks the thread, which hears questions in the order in which they are asked. */
  async function ask(
    question: Question,
    signal?: AbortSignal,
    observer?: Observer,
  ): Promise<unknown> {
    if (over) throw over;
    const id = last++, answer = Promise.withResolvers<unknown>();
    const takeBack = (): void => post({ takeBack: id });
    waiting.set(id, answer);
    if (observer) watchers.add(id, observer);
    post({ id, question });
    if (signal?.aborted) takeBack();
    signal?.addEventListener("abort", takeBack);
    try {
      return await answer.promise;
    } catch (words) {
      if (words instanceof Error) throw words;
      throw errorOf(
        words as Parameters<typeof errorOf>[0],
        signal?.aborted ? signal.reason : undefined,
      );
    } finally {
      signal?.removeEventListener("abort", takeBack);
    }
  }
  const asking: Asking = {
    ask,
    lend: rooms.lend,
    failed: (group) => failureOf(group).promise,
    abort(group, error) {
      if (!over) post({ abort: group, error: wordsOf(error) });
    },
  };
  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    if (over) return;
    await ask({ ask: "close" });
    end(new DistError("Cannot go on: this rank has left the group", "closed"));
  }
  const opening: Opening = { network, memory, options: place, turns, hang };
  post({ open: opening });
  return {
    address: await address.promise,
    clock: realClock,
    async joinGroup(member: Membership, { observer, ...options }: GroupOptions = {}) {
      const question = { ask: "join", member, options, watched: observer !== undefined } as const;
      return threadGroup(asking, await ask(question, undefined, observer) as GroupWords);
    },
    meet: async (meeting: Meeting) => await ask({ ask: "meet", meeting }) as readonly string[],
    close: () => closing ??= close(),
  };
}
