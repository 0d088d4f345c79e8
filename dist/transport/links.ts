/**
 * The links of one group: dialled or waited for when they are first needed, watched, and ended together.
 *
 * @module
 */
import { type Clock, sleep } from "../clock.ts";
import { DistError } from "../error.ts";
import { FrameError } from "../ws/frame.ts";
import type { Socket } from "../ws/socket.ts";
import type { Answer } from "../ws/upgrade.ts";
import { errorFrom, farewellFor } from "./farewell.ts";
import { difference, type Hello, helloOf } from "./hello.ts";
import { incomingEnd, type LinkEnd, type LinkEvents, outgoingEnd } from "./link.ts";
import type { Incoming, Lane, Links, Membership, Outgoing } from "./transport.ts";

/** Asks a rank for a link once: undefined if it is not there yet, and may be later. @throws DistError */
export type Dial = (hello: Hello, address: string) => Promise<Socket | undefined>;

/** How patient links are. Units: milliseconds. */
export interface Patience {
  /** A peer that is silent for so long is taken for stopped or cut off. */
  readonly silence: number;
  /** What happens to a connection without a word may be explained by another one within this time. */
  readonly grace: number;
  /** Goodbyes wait for an answer so long when all is lost, or in good order. */
  readonly linger: { readonly failed: number; readonly closed: number };
}

/** A peer is taken for stopped after so long if nothing else is said: a council's proofs of death count on its links' being the same. Units: milliseconds. */
export const SILENCE = 10_000;

/** Every link is looked after at least so often: however long a silence is borne, it is noticed soon after. Units: milliseconds. */
const LOOK = 250;

/** Links, as the transport sees them. */
export interface OpenLinks extends Links {
  readonly member: Membership;
  /** What to answer to somebody who asks for a link of this group and generation. */
  admit(hello: Hello): Answer;
  /** Takes the link that was admitted. */
  attach(hello: Hello, socket: Socket): void;
  /** What was admitted never came: it may be asked for again. */
  release(hello: Hello): void;
}

interface Live {
  readonly socket: Socket;
  readonly peer: number;
  readonly finish: () => Promise<void>;
  ending: Promise<void> | undefined;
}

const keyOf = (peer: number, lane: Lane): string => `${peer} ${lane}`;

/** No links yet. `onEnd` is called when they fail or are closed. */
export function createLinks(
  member: Membership,
  dial: Dial,
  clock: Clock,
  patience: Patience,
  onEnd: () => void,
): OpenLinks {
  const { rank, addresses } = member;
  const asked = new Map<string, PromiseWithResolvers<Outgoing>>(), attached = new Set<string>();
  const dialled = new Map<string, PromiseWithResolvers<Incoming>>(), lives = new Set<Live>();
  const addressesSaid = new Map<number, string>();
  const verdict = Promise.withResolvers<DistError>(),
    listeners: ((error: DistError) => void)[] = [],
    leaveListeners: ((error: DistError) => void)[] = [];
  let failure: DistError | undefined, isClosing = false, stopBeating = beat();

  function fail(error: DistError): void {
    if (failure) return;
    failure = error;
    stopBeating();
    onEnd();
    for (const waiting of [...asked.values(), ...dialled.values()]) waiting.reject(error);
    const { code, reason } = farewellFor(error);
    for (const live of lives) end(live, code, reason, patience.linger.failed);
    verdict.resolve(error);
    for (const f of listeners) f(error);
  }
  function end(live: Live, code: number, reason: string, linger: number): Promise<void> {
    live.ending ??= live.socket.close({ code, reason }, linger, live.finish()).finally(() =>
      lives.delete(live)
    );
    return live.ending;
  }
  /** Looks after every link from time to time. */
  function beat(): () => void {
    const interval = Math.min(patience.silence / 5, LOOK);
    let last = clock.now();
    return clock.after(interval, function again() {
      const late = clock.now() - last > 0.4 * patience.silence;
      last = clock.now();
      stopBeating = clock.after(interval, again);
      for (const { socket, peer } of lives) {
        socket.ping();
        // If this process stood still itself, what came meanwhile has not been read yet.
        if (late || socket.silence() <= patience.silence) continue;
        const text = `Cannot go on with rank ${peer}: it has been silent for ${
          (socket.silence() / 1000).toFixed(1)
        } s`;
        return fail(new DistError(text, "stalled", { rank: peer }));
      }
    });
  }
  function adopt<Side>(
    socket: Socket,
    peer: number,
    make: (socket: Socket, events: LinkEvents) => LinkEnd<Side>,
  ): Side {
    let hasLeft: DistError | undefined;
    const events: LinkEvents = {
      onFarewell(farewell) {
        hasLeft = errorFrom(farewell, peer);
        if (hasLeft.failure !== "closed") fail(hasLeft);
        else {
          end(live, 1000, "", patience.linger.closed);
          for (const f of leaveListeners) f(hasLeft);
        }
      },
      onFault(cause) {
        // A stream that is lost does not know whose it was.
        const isStreams = cause instanceof DistError && cause.failure === "lost" &&
          cause.rank === undefined;
        if (cause instanceof DistError && !isStreams) fail(cause);
        else if (hasLeft) fail(hasLeft);
        else if (cause instanceof FrameError) fail(damaged(peer, cause));
        else if (!isClosing) clock.after(patience.grace, () => fail(lost(peer, cause)));
        return verdict.promise;
      },
    };
    const { side, finish } = make(socket, events);
    const live: Live = { socket, peer, finish, ending: undefined };
    lives.add(live);
    return side;
  }
  async function open(from: number, lane: Lane): Promise<Incoming> {
    const hello = helloOf(member, from, lane);
    for (let wait = 10;; wait = Math.min(300, wait * 1.5)) {
      if (failure) throw failure;
      const socket = await dial(hello, addresses[from]!).catch((error) => {
        fail(error);
        throw failure;
      });
      if (socket && !failure) {
        return adopt(socket, from, (made, events) => incomingEnd(made, { from, to: rank }, events));
      }
      socket?.drop();
      await sleep(clock, wait);
    }
  }
  /** The link of this name, or the place where it will be. */
  function place<Side>(
    links: Map<string, PromiseWithResolvers<Side>>,
    key: string,
    begin?: () => Promise<Side>,
  ): PromiseWithResolvers<Side> {
    const known = links.get(key);
    if (known) return known;
    const made = Promise.withResolvers<Side>();
    made.promise.catch(() => {});
    links.set(key, made);
    if (failure) made.reject(failure);
    else begin?.().then(made.resolve, made.reject);
    return made;
  }
  return {
    member,
    outgoing: (to, lane) => place(asked, keyOf(to, lane)).promise,
    incoming: (from, lane) => place(dialled, keyOf(from, lane), () => open(from, lane)).promise,
    addressOf: (rank) => addressesSaid.get(rank),
    abort: fail,
    onLeave: (f) => void leaveListeners.push(f),
    onFailure(f) {
      if (failure) f(failure);
      else listeners.push(f);
    },
    admit(hello) {
      const differs = difference(hello, member);
      if (differs) {
        const reason = `Cannot work together: ${differs}`;
        fail(new DistError(reason, "mismatch", { rank: hello.to }));
        return { status: 409, reason };
      }
      const key = keyOf(hello.to, hello.lane);
      if (attached.has(key)) {
        return {
          status: 409,
          reason: `Cannot be rank ${hello.to}: rank ${rank} has a link to one`,
        };
      }
      attached.add(key);
      return { status: 101 };
    },
    attach(hello, socket) {
      const { to, lane } = hello;
      if (failure || isClosing) return socket.drop();
      if (hello.address !== undefined) addressesSaid.set(to, hello.address);
      place(asked, keyOf(to, lane)).resolve(
        adopt(socket, to, (made, events) => outgoingEnd(made, { from: rank, to }, events)),
      );
    },
    release: ({ to, lane }) => void attached.delete(keyOf(to, lane)),
    async close() {
      isClosing = true;
      await Promise.all([...lives].map((live) => end(live, 1000, "", patience.linger.closed)));
      fail(new DistError("Cannot go on: this rank has left the group", "closed", { rank }));
    },
  };
}

function damaged(rank: number, cause: FrameError): DistError {
  return new DistError(`Cannot go on with rank ${rank}: ${cause.message}`, "corrupt", {
    rank,
    cause,
  });
}

function lost(rank: number, cause: unknown): DistError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new DistError(`Lost rank ${rank}: ${why}`, "lost", { rank, cause });
}
