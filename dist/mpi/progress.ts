/**
 * Sends and receives that are under way. MPI moves them only while it is called, and wakes nobody: so it is asked again and again, in
 * every turn of the event loop while something goes on, and more and more seldom when nothing does.
 *
 * @module
 */
import { clearTimeout, setImmediate, setTimeout } from "node:timers";
import type { Word } from "./abi.ts";
import type { Library, Memory } from "./library.ts";

/** Sends and receives between the processes of the world. */
export interface Progress {
  /** Sends bytes, which must not change or move until it resolves: when the receiver has begun to take them. */
  send(bytes: Uint8Array, to: number, tag: number): Promise<void>;
  /** Sends bytes that the receiver need not wait for. */
  post(bytes: Uint8Array, to: number, tag: number, comm?: Word): Promise<void>;
  /** Receives a message of at most so many bytes as fit, which must not move, and gives how many came. */
  receive(into: Uint8Array, from: number, tag: number): Promise<number>;
  /** The same on another communicator, where a message is expected now: it is waited for a moment without a turn of the event loop. */
  await(into: Uint8Array, from: number, tag: number, comm: Word): Promise<number>;
  /** Resolves when all sends are done, or `linger` milliseconds are over. */
  flush(linger: number): Promise<void>;
  /** Gives up what is not done: what waits then waits for ever. */
  stop(): void;
}

interface Pending {
  readonly request: Memory;
  /** Kept from the garbage collector. */
  readonly bytes: Uint8Array;
  readonly isSend: boolean;
  readonly done: PromiseWithResolvers<number>;
}

/** After the last move: so long without a pause, then so long with short ones, then long ones. Units: milliseconds. */
const HOT = 1, WARM = 200, SHORT = 1, LONG = 4;
/** The moment that is waited for what is expected now. Units: milliseconds. */
const MOMENT = 0.2;

/** Nothing under way. */
export function createProgress({ abi, calls, objects, check, room }: Library): Progress {
  const pending = new Set<Pending>();
  const flag = new Int32Array(1), status = new Int32Array(16), count = new Int32Array(1);
  let last = performance.now(), isStopped = false, isSpinning = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  /** Looks whether it is done. */
  function look(each: Pending): boolean {
    try {
      check("go on", calls.test(each.request, flag, status));
      if (!flag[0]) return false;
      check("count bytes", calls.count(status, objects.byte, count));
      each.done.resolve(count[0]!);
    } catch (error) {
      each.done.reject(error);
    }
    return pending.delete(each);
  }
  function turn(): void {
    isSpinning = false;
    timer = undefined;
    if (isStopped) return;
    let moved = false;
    for (const each of pending) moved = look(each) || moved;
    const now = performance.now();
    if (moved) last = now;
    if (isStopped || pending.size === 0) return;
    const idle = now - last;
    if (idle < HOT) spin();
    else timer = setTimeout(turn, idle < WARM ? SHORT : LONG);
  }
  function spin(): void {
    if (isSpinning) return;
    clearTimeout(timer);
    isSpinning = true;
    setImmediate(turn);
  }
  function start(
    bytes: Uint8Array,
    isSend: boolean,
    begin: (request: Memory) => number,
    moment = 0,
  ): Promise<number> {
    const request = room(), done = Promise.withResolvers<number>();
    try {
      check(isSend ? "send" : "receive", begin(request));
    } catch (error) {
      return Promise.reject(error);
    }
    const each = { request, bytes, isSend, done };
    pending.add(each);
    last = performance.now();
    let isDone = look(each);
    while (!isDone && performance.now() - last < moment) isDone = look(each);
    if (!isDone) spin();
    return done.promise;
  }
  const { world, byte } = objects;
  return {
    async send(bytes, to, tag) {
      await start(bytes, true, (r) => calls.issend(bytes, bytes.length, byte, to, tag, world, r));
    },
    async post(bytes, to, tag, comm = world) {
      await start(bytes, true, (r) => calls.isend(bytes, bytes.length, byte, to, tag, comm, r));
    },
    receive: (into, from, tag) =>
      start(into, false, (r) => calls.irecv(into, into.length, byte, from, tag, world, r)),
    await: (into, from, tag, comm) =>
      start(into, false, (r) => calls.irecv(into, into.length, byte, from, tag, comm, r), MOMENT),
    async flush(linger) {
      const end = performance.now() + linger;
      while ([...pending].some(({ isSend }) => isSend) && performance.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, SHORT));
      }
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
      for (const { isSend, request } of pending) {
        if (isSend) continue;
        calls.cancel(request);
        calls.wait(request, abi.statusIgnore);
      }
    },
  };
}
