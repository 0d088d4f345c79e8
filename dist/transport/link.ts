/**
 * Both ends of a link on a WebSocket. Each is read from all the time, so that a peer's end shows at once; but no message is taken
 * before somebody wants it.
 *
 * @module
 */
import type { DistError } from "../error.ts";
import { FrameError } from "../ws/frame.ts";
import { EndError } from "../ws/reader.ts";
import type { Farewell, Socket } from "../ws/socket.ts";
import { errorFrom } from "./farewell.ts";
import type { Incoming, Outgoing } from "./transport.ts";

/** What a link tells its group. */
export interface LinkEvents {
  /** The peer said goodbye. */
  onFarewell(farewell: Farewell): void;
  /** The connection failed; what that means is the group's to say, and it says so to whoever waits. */
  onFault(cause: unknown): Promise<DistError>;
}

/** One end of a link. */
export interface LinkEnd<Side> {
  readonly side: Side;
  /** Takes no more messages, throws away those that come, and resolves when the peer has said goodbye or the stream has ended. */
  finish(): Promise<void>;
}

/** The sender's end. */
export function outgoingEnd(
  socket: Socket,
  { from, to }: { readonly from: number; readonly to: number },
  events: LinkEvents,
): LinkEnd<Outgoing> {
  const watch = async (): Promise<void> => {
    try {
      if (await socket.begin()) throw new FrameError("Cannot take a message from a receiver");
      events.onFarewell(socket.farewell!);
    } catch (error) {
      events.onFault(error);
    }
  };
  const watching = watch();
  const side: Outgoing = {
    from,
    to,
    async send(head, body) {
      try {
        await socket.send(head, body);
      } catch (error) {
        throw await events.onFault(error);
      }
    },
  };
  return { side, finish: () => watching };
}

/** The receiver's end. */
export function incomingEnd(
  socket: Socket,
  { from, to }: { readonly from: number; readonly to: number },
  events: LinkEvents,
): LinkEnd<Incoming> {
  const over = Promise.withResolvers<void>();
  // Wanted is a message from when it is asked for until its body is read: one reads at a time, who asks or who drains.
  let isFinishing = false, isParked = false, isWanted = false;
  const fault = async (error: unknown): Promise<never> => {
    over.resolve();
    throw await events.onFault(error);
  };
  /** Waits for a message's head, whether somebody wants it yet or not. A peer that leaves is a fault only to who waits for it. */
  const ahead = async (): Promise<void> => {
    try {
      isParked = await socket.begin() && !isFinishing;
      if (isParked) return;
      if (isFinishing) await socket.drain();
    } catch (error) {
      return await fault(error);
    }
    over.resolve();
    events.onFarewell(socket.farewell!);
    throw errorFrom(socket.farewell!, from);
  };
  const look = (): Promise<void> => {
    const head = ahead();
    head.catch(() => {});
    return head;
  };
  let next = look();
  const side: Incoming = {
    from,
    to,
    async receive(head) {
      // What is being drained is nobody's any more.
      if (isFinishing && isParked) await fault(new EndError("Cannot receive: the link is ending"));
      isWanted = true;
      try {
        await next;
        isParked = false;
        await socket.read(head);
      } catch (error) {
        await fault(error);
      }
    },
    async body(into) {
      try {
        await socket.read(into);
        await socket.end();
      } catch (error) {
        await fault(error);
      }
      isWanted = false;
      next = look();
    },
  };
  return {
    side,
    async finish() {
      isFinishing = true;
      // A stream that ends instead is as good.
      if (isParked && !isWanted) await socket.drain().catch(() => {});
      else await over.promise;
    },
  };
}
