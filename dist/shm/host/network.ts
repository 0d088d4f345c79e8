/**
 * A network of the processes of one host: bytes go through memory that the two of a connection share. A connection of TCP beside it
 * brings them together, wakes who sleeps, and ends when one of them does.
 *
 * @module
 */
import { DistError } from "../../error.ts";
import type { ByteStream, Network } from "../../net/network.ts";
import { tcp } from "../../net/tcp.ts";
import { type RingBell, ringIn } from "../ring.ts";
import { RING } from "../space.ts";
import { type Libc, type Mapping, openLibc } from "./libc.ts";
import { findMemory, offerMemory, TOLD } from "./told.ts";

/** Bytes that may be under way in each direction. */
const WINDOW = 1 << 20;
/** A line for the nonce, two rings, two windows. Units: bytes. */
const FIRST = 64, ROOM = 4 * RING.words + WINDOW, BYTES = FIRST + 2 * ROOM;

/** What is woken by a change of each count. */
const sleeps = new Map<number, number>([
  [RING.toReader, RING.readerSleeps],
  [RING.toWriter, RING.writerSleeps],
]);

/**
 * Connections between processes of this machine and user, found on ports of its own addresses as with TCP. On Linux, with `--allow-ffi`
 * beside `--allow-net`.
 *
 * @throws DistError "engine" if memory cannot be shared
 */
export function processMemory(): Network {
  const network = tcp(), libc = openLibc();
  return {
    scheme: "shm",
    clock: network.clock,
    listen(door) {
      const listener = network.listen(door);
      return {
        ...listener,
        // Who listens makes the memory: a stranger cannot have this process look at anything.
        accept: async () => await offered(libc, await listener.accept()),
      };
    },
    async connect(place) {
      const line = await network.connect(place), told = new Uint8Array(TOLD);
      try {
        for (let at = 0; at < told.length;) {
          const count = await line.read(told.subarray(at));
          if (count === null) throw new DistError("Cannot connect: nobody answers", "refused");
          at += count;
        }
        const stream = streamOf(libc, findMemory(libc, told, BYTES), line, 0);
        await line.write(Uint8Array.of(1));
        return stream;
      } catch (error) {
        line.close();
        throw error;
      }
    },
  };
}

async function offered(libc: Libc, line: ByteStream): Promise<ByteStream> {
  try {
    const { mapping, told, seal } = offerMemory(libc, BYTES);
    // The first byte that comes says that the memory was found; the end of the line that it will not be.
    const stream = streamOf(libc, mapping, line, 1, seal);
    await line.write(told).catch(() => {});
    return stream;
  } catch (error) {
    line.close();
    throw error;
  }
}

/** One side's stream: side 0 writes to ring 0. */
function streamOf(
  libc: Libc,
  mapping: Mapping,
  line: ByteStream,
  side: 0 | 1,
  onFirst?: () => void,
): ByteStream {
  const bell = Uint8Array.of(1), waiting = new Set<() => void>();
  let isOpen = true, isOver = false, isRinging = false, ringAgain = false;
  const place = (ring: number): number => FIRST + ring * ROOM;

  /** Rings once; what is rung meanwhile is rung once more after. */
  async function ring(): Promise<void> {
    ringAgain = isRinging;
    if (isRinging) return;
    isRinging = true;
    try {
      do {
        ringAgain = false;
        await line.write(bell);
      } while (ringAgain && isOpen);
    } catch { /* the listening below finds the end */ }
    isRinging = false;
  }
  const rings: RingBell = {
    wake(words, count) {
      if (Atomics.load(words, sleeps.get(count)!) !== 0) ring();
    },
    async wait(words, count, seen) {
      const flag = sleeps.get(count)!, { promise, resolve } = Promise.withResolvers<void>();
      Atomics.store(words, flag, 1);
      waiting.add(resolve);
      if (isOver || Atomics.load(words, count) !== seen) resolve();
      await promise;
      waiting.delete(resolve);
      if (isOpen) Atomics.store(words, flag, 0);
    },
  };
  const ringAt = (ring: number) =>
    ringIn(
      new Int32Array(mapping.bytes, place(ring), RING.words),
      new Uint8Array(mapping.bytes, place(ring) + 4 * RING.words, WINDOW),
      () => isOpen,
      rings,
    );
  const out = ringAt(side), back = ringAt(1 - side);
  const wakeAll = (): void => {
    for (const resolve of waiting) resolve();
  };
  /** What comes on the line only wakes. */
  async function listen(): Promise<void> {
    const room = new Uint8Array(64);
    let first = onFirst;
    try {
      while (await line.read(room) !== null) {
        first?.();
        first = undefined;
        wakeAll();
      }
    } catch { /* as good as the end */ }
    first?.();
    isOver = true;
    // What the other side wrote before it ended is still there; it takes and says no more.
    if (isOpen) {
      back.finish();
      out.abandon();
    }
    wakeAll();
  }
  listen();
  return {
    write: out.write,
    read: back.read,
    close() {
      if (!isOpen) return;
      out.finish();
      back.abandon();
      isOpen = false;
      line.close();
      wakeAll();
      libc.unmap(mapping);
    },
  };
}
