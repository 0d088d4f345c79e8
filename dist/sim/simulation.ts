/**
 * A network of hosts with a clock of its own, on which the real code runs: delays, losses, damage, partitions, crashes and pauses
 * come from a seed, and a program that waits for ever is found out in an instant.
 *
 * Time stands still while code runs. When nothing is left to run it jumps to the next appointment: an arrival or a timer.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { Clock } from "../clock.ts";
import { DistError } from "../error.ts";
import type { ByteStream, Listener, Network, Place } from "../net/network.ts";
import { createAgenda } from "./agenda.ts";
import { createPipe, type Pipe, type Weather } from "./pipe.ts";
import { randomOf } from "./random.ts";

/** What the network is like. */
export interface SimulationOptions {
  readonly seed: number;
  /** Least and most that a piece takes one way. Units: milliseconds; 0.05 to 0.5 if left out. */
  readonly latency?: readonly [number, number];
  /** Units: bytes a millisecond, each way of each connection; 1e6 if left out. */
  readonly bandwidth?: number;
  /** How likely a piece is lost and sent again after 200 ms, then 400, and so on. */
  readonly loss?: number;
  /** How likely one bit of a piece is turned over. */
  readonly damage?: number;
  /** Time by which `run` must be over. Units: milliseconds; ten minutes if left out. */
  readonly limit?: number;
}

/** A program that never ends: nothing will happen any more, or too much time has passed. */
export class HangError extends RangeError {
  /** "HangError" */
  override readonly name = "HangError";
}

/** A simulated network. Hosts are numbers. */
export interface Simulation {
  /** The time of the network, which no host's fate stops. */
  readonly clock: Clock;
  /** What has happened, as a number: the same for the same seed and program. */
  readonly trace: number;
  /** A host's way to others, and its clock. Its name, for addresses, is "simN". */
  host(host: number): Network;
  /** Ends a host's process: its code never runs again, and its connections are reset. */
  crash(host: number): void;
  /** Stops a host's process for a while; its connections stay. Units: milliseconds. */
  pause(host: number, ms: number): void;
  /** Cuts the way from one host to another. */
  cut(from: number, to: number): void;
  /** Mends it. */
  mend(from: number, to: number): void;
  /** Runs a program to its end, and gives its result. @throws HangError if it has none */
  run<T>(program: () => Promise<T>): Promise<T>;
}

interface Host {
  alive: boolean;
  pausedUntil: number;
  readonly listeners: Map<number, (stream: ByteStream) => void>;
  readonly pipes: Set<Pipe>;
}

const RETRANSMIT = 200, RETRY_CONNECT = 1000, CONNECT_LIMIT = 60_000;

/** A network in which nothing has happened yet. */
export function simulate(options: SimulationOptions): Simulation {
  const { seed, latency = [0.05, 0.5], bandwidth = 1e6 } = options;
  const { loss = 0, damage = 0, limit = 600_000 } = options;
  const random = randomOf(seed), agenda = createAgenda(), hosts = new Map<number, Host>();
  const cuts = new Set<string>(), NETWORK = -1;
  let now = 0, order = 0, trace = 0, nextPort = 1;

  function hostOf(id: number): Host {
    const known = hosts.get(id);
    if (known) return known;
    const host = { alive: true, pausedUntil: 0, listeners: new Map(), pipes: new Set<Pipe>() };
    hosts.set(id, host);
    return host;
  }
  function at(host: number, ms: number, run: () => void): void {
    agenda.add({ time: now + ms, order: order++, host, run });
  }
  function delay(bytes: number): number {
    let ms = latency[0] + random() * (latency[1] - latency[0]) + bytes / bandwidth;
    for (let wait = RETRANSMIT; random() < loss; wait *= 2) ms += wait;
    return ms;
  }
  function touch(bytes: Uint8Array): void {
    if (damage === 0 || random() >= damage) return;
    bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(8 * random());
  }
  const isOpen = (from: number, to: number): boolean => !cuts.has(`${from}>${to}`);
  function pipe(from: number, to: number): Pipe {
    const weather: Weather = {
      now: () => now,
      delay,
      touch,
      random,
      at,
      isOpen: (way) => way === "there" ? isOpen(from, to) : isOpen(to, from),
    };
    const made = createPipe(from, to, weather);
    for (const id of [from, to]) hostOf(id).pipes.add(made);
    return made;
  }
  function stream(out: Pipe, back: Pipe): ByteStream {
    return {
      write: out.write,
      read: back.read,
      close() {
        out.finish();
        back.abandon();
      },
    };
  }
  function clockOf(id: number): Clock {
    return {
      now: () => now,
      after(ms, f) {
        let isOff = false;
        at(id, Math.max(0, ms), () => isOff || f());
        return () => isOff = true;
      },
    };
  }
  function listen(id: number, { hostname, port }: Place): Listener {
    const { listeners } = hostOf(id), taken = port || nextPort++;
    const waiting: ByteStream[] = [];
    let wanted: PromiseWithResolvers<ByteStream> | undefined, isOpen = true;
    if (listeners.has(taken)) {
      throw new DistError(
        `Cannot listen on ${hostname}:${port}: another process listens there`,
        "address",
      );
    }
    listeners.set(taken, (stream) => {
      if (wanted) wanted.resolve(stream);
      else waiting.push(stream);
      wanted = undefined;
    });
    const closed = (): DistError =>
      new DistError("Cannot accept: the listener was closed", "closed");
    return {
      hostname,
      port: taken,
      accept() {
        if (!isOpen) return Promise.reject(closed());
        const first = waiting.shift();
        if (first) return Promise.resolve(first);
        wanted = Promise.withResolvers();
        return wanted.promise;
      },
      close() {
        isOpen = false;
        listeners.delete(taken);
        wanted?.reject(closed());
      },
    };
  }
  function connect(id: number, { hostname, port }: Place): Promise<ByteStream> {
    const other = Number(/^sim(\d+)$/.exec(hostname)?.[1] ?? NaN);
    const { promise, resolve, reject } = Promise.withResolvers<ByteStream>(), start = now;
    const fail = (why: string, failure: "refused" | "address"): void =>
      reject(new DistError(`Cannot connect to ${hostname}:${port}: ${why}`, failure));
    const greet = (): void => {
      if (!isOpen(id, other) || !isOpen(other, id)) {
        if (now - start > CONNECT_LIMIT) return at(id, 0, () => fail("no answer", "address"));
        return at(NETWORK, RETRY_CONNECT, greet);
      }
      const listener = hostOf(other).listeners.get(port);
      if (!listener) return at(id, delay(0), () => fail("nobody listens there", "refused"));
      const there = pipe(id, other), back = pipe(other, id);
      at(other, 0, () => listener(stream(back, there)));
      at(id, delay(0), () => resolve(stream(there, back)));
    };
    if (Number.isNaN(other)) {
      return Promise.reject(
        new DistError(`Cannot connect to ${hostname}: no such host`, "address"),
      );
    }
    at(NETWORK, delay(0), greet);
    return promise;
  }
  return {
    clock: clockOf(NETWORK),
    get trace() {
      return trace;
    },
    host: (id) => ({
      scheme: "ws",
      clock: clockOf(id),
      listen: (place) => listen(id, place),
      connect: (place) => connect(id, place),
    }),
    crash(id) {
      const host = hostOf(id);
      host.alive = false;
      host.listeners.clear();
      for (const pipe of host.pipes) pipe.reset();
    },
    pause(id, ms) {
      hostOf(id).pausedUntil = now + ms;
    },
    cut: (from, to) => void cuts.add(`${from}>${to}`),
    mend: (from, to) => void cuts.delete(`${from}>${to}`),
    async run(program) {
      let isOver = false;
      const over = (): void => void (isOver = true);
      const result = program();
      result.then(over, over);
      for (;;) {
        // A turn of the event loop comes after everything that promises have to do.
        await new Promise<void>((resolve) => void setImmediate(resolve));
        if (isOver) return await result;
        const next = agenda.next();
        if (!next) {
          throw new HangError(
            "Cannot go on: nothing will happen any more, and the program has not ended",
          );
        }
        if (next.time > limit) {
          throw new HangError(`Cannot go on: the program has not ended after ${limit} ms`);
        }
        now = next.time;
        const host = hosts.get(next.host);
        if (host && !host.alive) continue;
        if (host && host.pausedUntil > now) {
          agenda.add({ ...next, time: host.pausedUntil });
          continue;
        }
        trace = (Math.imul(trace, 31) + Math.imul(next.host + 2, 40_503) + Math.floor(now * 1000)) |
          0;
        next.run();
      }
    },
  };
}
