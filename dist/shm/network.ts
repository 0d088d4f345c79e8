/**
 * A network of threads: connections in shared memory, with all that runs on sockets running on them.
 *
 * @module
 */
import { clearInterval, setInterval } from "node:timers";
import { realClock } from "../clock.ts";
import { DistError } from "../error.ts";
import type { ByteStream, Network, Place } from "../net/network.ts";
import { type Ring, ringIn } from "./ring.ts";
import { CONNECTION, HOST, placesOf, RING, type SharedSpace, STATE } from "./space.ts";

/** The only port of a host. */
const PORT = 1;

const LONG = 2 ** 31 - 1;

/** What a thread sees of the others: it is number `host` among those that share the space. */
export function sharedMemory(space: SharedSpace, host: number): Network {
  const { buffer, hosts, connections, window } = space, places = placesOf(space);
  if (!Number.isInteger(host) || host < 0 || host >= hosts) {
    throw new RangeError(`Cannot be host ${host}: there are hosts 0 to ${hosts - 1}`);
  }
  const hostWords = new Int32Array(buffer, 0, HOST.words * hosts);
  const word = (host: number, which: number): number => HOST.words * host + which;
  const connectionWords = (index: number): Int32Array =>
    new Int32Array(buffer, places.connection(index), CONNECTION.words);
  const ring = (index: number, direction: 0 | 1, isOpen = (): boolean => true): Ring =>
    ringIn(
      new Int32Array(buffer, places.ring(index, direction), RING.words),
      new Uint8Array(buffer, places.bytes(index, direction), window),
      isOpen,
    );
  const indices = Array.from({ length: connections }, (_, i) => i);

  function stream(index: number, side: 0 | 1): ByteStream {
    let isOpen = true;
    // Who waits for shared memory keeps no process alive by that, unlike who waits for a socket.
    const alive = setInterval(() => {}, LONG);
    const out = ring(index, side, () => isOpen), back = ring(index, side ? 0 : 1, () => isOpen);
    return {
      write: out.write,
      read: back.read,
      close() {
        if (!isOpen) return;
        isOpen = false;
        clearInterval(alive);
        out.finish();
        back.abandon();
        // Whoever closes last leaves it to others.
        const words = connectionWords(index);
        if (Atomics.add(words, CONNECTION.closed, 1) === 0) return;
        Atomics.store(words, CONNECTION.closed, 0);
        Atomics.store(words, CONNECTION.state, STATE.free);
      },
    };
  }
  function move(index: number, from: number, to: number): boolean {
    return Atomics.compareExchange(connectionWords(index), CONNECTION.state, from, to) === from;
  }
  /** Who calls this host. */
  function caller(): number | undefined {
    return indices.find((i) =>
      Atomics.load(connectionWords(i), CONNECTION.called) === host &&
      move(i, STATE.calling, STATE.taken)
    );
  }
  function connect({ hostname, port }: Place): ByteStream {
    const other = Number(/^shm(\d+)$/.exec(hostname)?.[1] ?? NaN);
    const where = `Cannot connect to ${hostname}:${port}`;
    if (!(other < hosts)) throw new DistError(`${where}: no such host`, "address");
    if (port !== PORT || !Atomics.load(hostWords, word(other, HOST.listens))) {
      throw new DistError(`${where}: nobody listens there`, "refused");
    }
    const index = indices.find((i) => move(i, STATE.free, STATE.claimed));
    if (index === undefined) {
      throw new DistError(`${where}: all ${connections} connections are in use`, "address");
    }
    for (const direction of [0, 1] as const) ring(index, direction).reset();
    Atomics.store(connectionWords(index), CONNECTION.called, other);
    Atomics.store(connectionWords(index), CONNECTION.state, STATE.calling);
    Atomics.add(hostWords, word(other, HOST.bell), 1);
    Atomics.notify(hostWords, word(other, HOST.bell));
    return stream(index, 0);
  }
  return {
    scheme: "shm",
    clock: realClock,
    listen({ hostname }) {
      const listens = word(host, HOST.listens), bell = word(host, HOST.bell);
      if (hostname !== `shm${host}`) {
        throw new DistError(`Cannot listen on ${hostname}: this is shm${host}`, "address");
      }
      if (Atomics.compareExchange(hostWords, listens, 0, 1) !== 0) {
        throw new DistError(`Cannot listen on ${hostname}: another one listens there`, "address");
      }
      let isOpen = true;
      const alive = setInterval(() => {}, LONG);
      return {
        hostname,
        port: PORT,
        async accept() {
          for (;;) {
            const seen = Atomics.load(hostWords, bell);
            if (!isOpen) throw new DistError("Cannot accept: the listener was closed", "closed");
            const index = caller();
            if (index !== undefined) return stream(index, 1);
            await Atomics.waitAsync(hostWords, bell, seen).value;
          }
        },
        close() {
          isOpen = false;
          clearInterval(alive);
          Atomics.store(hostWords, listens, 0);
          Atomics.add(hostWords, bell, 1);
          Atomics.notify(hostWords, bell);
          // Callers that nobody will take.
          for (let index = caller(); index !== undefined; index = caller()) {
            stream(index, 1).close();
          }
        },
      };
    },
    connect: (place) => new Promise((resolve) => resolve(connect(place))),
  };
}
