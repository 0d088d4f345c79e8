/**
 * One operation of a group, as its algorithm sees it: who takes part, and ways to send to them and to hear from them.
 *
 * @module
 */
import {
  type PartReceiver,
  partReceiver,
  type PartSender,
  partSender,
  type Subject,
} from "../message/parts.ts";
import type { Lane, Links } from "../transport/transport.ts";

/** One operation. */
export interface Operation {
  /** This process's number among those who take part. */
  readonly rank: number;
  /** Who takes part. */
  readonly size: number;
  /** Ranks that it waits for now. */
  readonly waiting: ReadonlySet<number>;
  /** To another rank. Links are opened when they are used. */
  to(rank: number, lane?: Lane): PartSender;
  /** From another rank. */
  from(rank: number, lane?: Lane): PartReceiver;
  /** The same over other links. */
  over(links: Ways): Operation;
}

/** The operation among some of its ranks, this one included, numbered by their places in the list. */
export function among(op: Operation, ranks: readonly number[]): Operation {
  return {
    rank: ranks.indexOf(op.rank),
    size: ranks.length,
    waiting: op.waiting,
    to: (place, lane) => op.to(ranks[place]!, lane),
    from: (place, lane) => op.from(ranks[place]!, lane),
    over: (links) => among(op.over(links), ranks),
  };
}

/** What an operation's messages add up to. */
export interface Traffic {
  /** Bytes of arrays, headers aside. */
  sent: number;
  received: number;
  /** Called with every message that has come. */
  readonly heard?: () => void;
}

/** What messages need of links. */
export type Ways = Pick<Links, "outgoing" | "incoming">;

/** An operation about `subject` over these links. */
export function createOperation(
  links: Ways,
  subject: Subject,
  { rank, size }: { readonly rank: number; readonly size: number },
  waiting = new Set<number>(),
  traffic: Traffic = { sent: 0, received: 0 },
): Operation {
  const counts = new Map<number, number>();
  /** Remembers whom it waits for. */
  async function wait<T>(other: number, promise: Promise<T>): Promise<T> {
    counts.set(other, (counts.get(other) ?? 0) + 1);
    waiting.add(other);
    try {
      return await promise;
    } finally {
      const left = counts.get(other)! - 1;
      counts.set(other, left);
      if (left === 0) waiting.delete(other);
    }
  }
  return {
    rank,
    size,
    waiting,
    over: (others) => createOperation(others, subject, { rank, size }, waiting, traffic),
    to(other, lane = "main") {
      let sender: PartSender | undefined;
      const send = async (body: Uint8Array): Promise<void> => {
        sender ??= partSender(await links.outgoing(other, lane), subject);
        await sender.send(body);
        traffic.sent += body.length;
      };
      return { send: (body) => wait(other, send(body)) };
    },
    from(other, lane = "main") {
      let receiver: PartReceiver | undefined;
      const receive = async (into: Uint8Array): Promise<void> => {
        receiver ??= partReceiver(await links.incoming(other, lane), subject);
        await receiver.receive(into);
        traffic.received += into.length;
        traffic.heard?.();
      };
      return { receive: (into) => wait(other, receive(into)) };
    },
  };
}

/**
 * Does several things at once and waits for all of them, failed ones too: nobody writes to the caller's arrays afterwards. `onFirst`
 * hears of the first failure at once, and must see to it that the others end.
 */
export async function together(
  tasks: readonly Promise<void>[],
  onFirst: (error: unknown) => void,
): Promise<void> {
  let first: { readonly error: unknown } | undefined;
  await Promise.all(tasks.map((task) =>
    task.catch((error) => {
      if (first) return;
      first = { error };
      onFirst(error);
    })
  ));
  if (first) throw first.error;
}

/** Counts what is done, for who must wait for it. */
export interface Progress {
  readonly done: number;
  add(): void;
  /** Resolves when so many are done. One waits at a time. */
  reach(count: number): Promise<void>;
  /** Whoever waits gets this error. */
  fail(error: unknown): void;
}

/** Nothing done yet. */
export function createProgress(): Progress {
  let done = 0, failure: { readonly error: unknown } | undefined;
  let waiter: { readonly count: number; readonly gate: PromiseWithResolvers<void> } | undefined;
  return {
    get done() {
      return done;
    },
    add() {
      done++;
      if (waiter && done >= waiter.count) waiter.gate.resolve();
    },
    async reach(count) {
      if (failure) throw failure.error;
      if (done >= count) return;
      waiter = { count, gate: Promise.withResolvers() };
      await waiter.gate.promise;
    },
    fail(error) {
      failure = { error };
      waiter?.gate.reject(error);
    },
  };
}
