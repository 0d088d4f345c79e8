/**
 * Streams of bytes between the processes of an MPI world, with all that runs on sockets running on them.
 *
 * Who connects sends its rank and the number of a channel, and is answered with one byte; a stream is two tags. A message without bytes
 * is its end. Messages are sent so that they are done when they are received: nothing piles up at a receiver.
 *
 * @module
 */
import { clearInterval, setInterval } from "node:timers";
import { realClock } from "../clock.ts";
import { DistError } from "../error.ts";
import type { ByteStream, Network, Place } from "../net/network.ts";
import type { Progress } from "./progress.ts";

/** Bytes of a message at most. */
const FRAGMENT = 128 << 10;
/** Bytes up to which they are copied before they are sent: small arrays may be moved by the garbage collector. */
const COPIED = 4 << 10;

/** The only port of a process, and the tag of those who connect. */
const PORT = 1, CONNECT = 1;
/** Channels between two processes that one of them opened; four tags each, below the 32,767 that every MPI has. */
const CHANNELS = 8000;
const LONG = 2 ** 31 - 1;

/** Where a process of the world is found. */
export function mpiHost(rank: number): string {
  return `mpi${rank}`;
}

/** The rank that a place names; undefined if it is none of the world's. */
export function rankAt({ hostname, port }: Place, size: number): number | undefined {
  const rank = Number(/^mpi(\d+)$/.exec(hostname)?.[1] ?? NaN);
  return rank < size && port === PORT ? rank : undefined;
}

/** Who this process is in the world. */
export interface WorldPlace {
  readonly rank: number;
  readonly size: number;
  readonly anySource: number;
}

/** What process `rank` sees of the world. */
export function mpiNetwork(progress: Progress, { rank, size, anySource }: WorldPlace): Network {
  const open = new Set<string>(), next = new Map<number, number>();
  let caller: ((stream: () => ByteStream, refuse: () => void) => void) | undefined;

  async function answerCalls(): Promise<never> {
    for (;;) {
      const words = new Int32Array(new ArrayBuffer(8));
      await progress.receive(new Uint8Array(words.buffer), anySource, CONNECT);
      const [from, channel] = words as unknown as readonly [number, number];
      const tags = tagsOf(channel, from < rank), answer = new Uint8Array(new ArrayBuffer(1));
      const refuse = (): void => void progress.post(answer, from, tags.back).catch(() => {});
      if (!caller) refuse();
      else {
        caller(() => {
          answer[0] = 1;
          progress.post(answer, from, tags.back).catch(() => {});
          return streamOf(progress, from, tags.back, tags.there, () => {});
        }, refuse);
      }
    }
  }
  // It ends with the world.
  answerCalls().catch(() => {});

  function channelTo(other: number): number {
    let channel = next.get(other) ?? 0;
    for (let tries = 0; open.has(`${other} ${channel}`); tries++) {
      if (tries === CHANNELS) {
        throw new DistError(`Cannot connect to rank ${other}: all channels are in use`, "address");
      }
      channel = (channel + 1) % CHANNELS;
    }
    next.set(other, (channel + 1) % CHANNELS);
    open.add(`${other} ${channel}`);
    return channel;
  }
  return {
    scheme: "mpi",
    clock: realClock,
    listen({ hostname }) {
      if (hostname !== mpiHost(rank)) {
        throw new DistError(`Cannot listen on ${hostname}: this is ${mpiHost(rank)}`, "address");
      }
      if (caller) {
        throw new DistError(`Cannot listen on ${hostname}: another one listens there`, "address");
      }
      const waiting: { readonly stream: () => ByteStream; readonly refuse: () => void }[] = [];
      let bell = Promise.withResolvers<void>(), isOpen = true;
      const alive = setInterval(() => {}, LONG);
      caller = (stream, refuse) => {
        waiting.push({ stream, refuse });
        bell.resolve();
      };
      return {
        hostname,
        port: PORT,
        async accept() {
          while (isOpen) {
            const first = waiting.shift();
            if (first) return first.stream();
            bell = Promise.withResolvers();
            await bell.promise;
          }
          throw new DistError("Cannot accept: the listener was closed", "closed");
        },
        close() {
          if (!isOpen) return;
          isOpen = false;
          caller = undefined;
          clearInterval(alive);
          for (const { refuse } of waiting) refuse();
          bell.resolve();
        },
      };
    },
    async connect(place) {
      const other = rankAt(place, size),
        where = `Cannot connect to ${place.hostname}:${place.port}`;
      if (other === undefined || other === rank) {
        const why = other === rank ? "it is this process" : `the world has ranks 0 to ${size - 1}`;
        throw new DistError(`${where}: ${why}`, "address");
      }
      const channel = channelTo(other), tags = tagsOf(channel, rank < other);
      const words = Int32Array.of(rank, channel), answer = new Uint8Array(new ArrayBuffer(1));
      const free = (): void => void open.delete(`${other} ${channel}`);
      const heard = progress.receive(answer, other, tags.back);
      await progress.post(new Uint8Array(words.buffer), other, CONNECT);
      await heard;
      if (answer[0] === 1) return streamOf(progress, other, tags.there, tags.back, free);
      free();
      throw new DistError(`${where}: nobody listens there`, "refused");
    },
  };
}

/** Both ways of a channel, which either of the two processes may have opened. */
function tagsOf(
  channel: number,
  isLower: boolean,
): { readonly there: number; readonly back: number } {
  const first = CONNECT + 1 + 4 * (channel % CHANNELS) + (isLower ? 0 : 2);
  return { there: first, back: first + 1 };
}

function streamOf(
  progress: Progress,
  other: number,
  outTag: number,
  inTag: number,
  onOver: () => void,
): ByteStream {
  const room = new Uint8Array(FRAGMENT), copy = new Uint8Array(COPIED);
  let from = 0, to = 0, isOpen = true, isTaking = false, hasEnded = false;
  let failure: { readonly error: unknown } | undefined;
  let gate = Promise.withResolvers<void>(), stopWrite: ((error: unknown) => void) | undefined;

  /** Takes the next message. What comes after this side was closed is thrown away, so that the other side's sends come to an end. */
  async function take(): Promise<void> {
    gate = Promise.withResolvers();
    isTaking = true;
    try {
      do {
        const bytes = await progress.receive(room, other, inTag);
        [from, to, hasEnded] = [0, bytes, bytes === 0];
      } while (!isOpen && !hasEnded);
    } catch (error) {
      failure = { error };
    }
    isTaking = false;
    gate.resolve();
  }
  let taking = take();

  return {
    async read(into) {
      while (isOpen && from === to && !hasEnded && !failure) await gate.promise;
      if (failure) throw failure.error;
      if (!isOpen || from === to) return null;
      const bytes = Math.min(into.length, to - from);
      into.set(room.subarray(from, from + bytes));
      from += bytes;
      if (from === to) taking = take();
      return bytes;
    },
    async write(bytes) {
      if (!isOpen) throw new DistError("Cannot write: the stream was closed", "closed");
      if (bytes.length === 0) return 0;
      let part = bytes.subarray(0, FRAGMENT);
      if (part.length <= COPIED) {
        copy.set(part);
        part = copy.subarray(0, part.length);
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      stopWrite = reject;
      progress.send(part, other, outTag).then(resolve, reject);
      await promise;
      stopWrite = undefined;
      return part.length;
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      stopWrite?.(new DistError("Cannot write on: the stream was closed", "closed"));
      gate.resolve();
      if (!isTaking && !hasEnded && !failure) taking = take();
      const said = progress.send(new Uint8Array(new ArrayBuffer(0)), other, outTag);
      Promise.all([said, taking]).then(onOver, () => {});
    },
  };
}
