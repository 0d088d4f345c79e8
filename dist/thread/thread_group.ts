/**
 * A group whose links are in another thread.
 *
 * @module
 */
import type { DistError } from "../error.ts";
import { chunkOf } from "../group/chunk.ts";
import type { Group, OperationOptions } from "../group/group.ts";
import { part, typeOf, type WireArray } from "../message/array.ts";
import type { GroupWords, OperationWords, OptionWords, Question } from "./messages.ts";
import type { SharedRooms } from "./shared_rooms.ts";

/** What a group needs of the thread. */
export interface Asking extends SharedRooms {
  ask(question: Question, signal?: AbortSignal): Promise<unknown>;
  /** Resolves when the group of this number fails. */
  failed(group: number): Promise<DistError>;
  abort(group: number, error: DistError): void;
}

/** An operation but for its options, and the arrays that it needs and changes. */
type Bare<W = OperationWords> = W extends unknown ? Omit<W, "options"> : never;

/** The group of that number. */
export function threadGroup(asking: Asking, { group, rank, size }: GroupWords): Group {
  /** Posts an operation before it returns for the first time, so that operations keep their order. */
  async function operate(
    { signal, deadline, shape, ...others }: OperationOptions & OptionWords,
    arrays: readonly WireArray[],
    wordsFor: (lent: readonly WireArray[]) => Bare,
    changed = arrays,
  ): Promise<unknown> {
    arrays.forEach(typeOf);
    const lent = arrays.map(asking.lend);
    const options: OptionWords = { ...others, deadline, shape };
    const operation = { ...wordsFor(lent.map(({ array }) => array)), options } as OperationWords;
    try {
      const answer = await asking.ask({ ask: "operate", group, operation }, signal);
      arrays.forEach((array, i) => changed.includes(array) && lent[i]!.bring());
      return answer;
    } finally {
      for (const { release } of lent) release();
    }
  }
  return {
    rank,
    size,
    prefersShared: true,
    async allReduce(array, options = {}) {
      await operate(options, [array], ([array]) => ({ name: "allReduce", array: array! }));
      return array;
    },
    async allReduceShards(arrays, total, into, options = {}) {
      await operate(options, [...arrays, into], (lent) => ({
        name: "allReduceShards",
        arrays: lent.slice(0, -1),
        total,
        into: lent.at(-1)!,
      }), [into]);
      return into;
    },
    async reduceScatter(array, options = {}) {
      await operate(options, [array], ([array]) => ({ name: "reduceScatter", array: array! }));
      const { from, to } = chunkOf(array.length, rank, size);
      return part(array, from, to);
    },
    async allGather(array, options = {}) {
      await operate(options, [array], ([array]) => ({ name: "allGather", array: array! }));
      return array;
    },
    async broadcast(array, root, options = {}) {
      await operate(options, [array], ([array]) => ({ name: "broadcast", array: array!, root }));
      return array;
    },
    async barrier(options = {}) {
      await operate(options, [], () => ({ name: "barrier" }));
    },
    async send(array, peer, options = {}) {
      await operate(options, [array], ([array]) => ({ name: "send", array: array!, peer }), []);
    },
    async receive(array, peer, options = {}) {
      await operate(options, [array], ([array]) => ({ name: "receive", array: array!, peer }));
      return array;
    },
    async split(color, options = {}) {
      const made = await operate(options, [], () => ({ name: "split", color }));
      return threadGroup(asking, made as GroupWords);
    },
    onFailure: (f) => void asking.failed(group).then(f),
    abort: (error) => asking.abort(group, error),
    async close() {
      await asking.ask({ ask: "leave", group });
    },
  };
}
