/**
 * A WebSocket on a stream of bytes, after the upgrade: messages are read where they belong, sending waits for the peer,
 * and nothing is taken from the network before it is known to be wanted.
 *
 * Source: RFC 6455, sections 5 to 7.
 *
 * @module
 */
import { type Clock, sleep } from "../clock.ts";
import type { ByteStream } from "../net/network.ts";
import { createWriter } from "./writer.ts";
import {
  applyMask,
  FrameError,
  type FrameHead,
  frameHeadLength,
  Opcode,
  readFrameHead,
} from "./frame.ts";
import { EndError, type Reader } from "./reader.ts";

/** How a peer ended a connection: 1000 and no reason is good order. */
export interface Farewell {
  readonly code: number;
  readonly reason: string;
}

/** A WebSocket. One message is read and one is sent at a time. */
export interface Socket {
  /** How the peer said goodbye, once it has. */
  readonly farewell: Farewell | undefined;
  /** How long a read has been waiting for bytes; 0 where nobody reads. Units: milliseconds. */
  silence(): number;
  /** Sends a binary message: these bytes in a row. Resolves when they may change. */
  send(head: Uint8Array, body: Uint8Array): Promise<void>;
  /** Waits for a message; false if the peer has said goodbye instead. @throws FrameError, EndError */
  begin(): Promise<boolean>;
  /** Reads the next bytes of the message. @throws FrameError if it has fewer */
  read(into: Uint8Array): Promise<void>;
  /** Reads the rest of the message, whatever its length up to the limit. */
  rest(): Promise<Uint8Array<ArrayBuffer>>;
  /** The message must end here. @throws FrameError if it has more */
  end(): Promise<void>;
  /** Asks the peer for a sign of life; left out while something is being sent. */
  ping(): void;
  /**
   * Says goodbye after what is being sent, waits for the peer's goodbye for `linger` ms at most, and ends the stream. Where
   * somebody is reading, `reading` is what ends with that; else what still comes is drained.
   */
  close(farewell: Farewell, linger: number, reading?: Promise<unknown>): Promise<void>;
  /** Reads until the peer says goodbye or the stream ends; what comes before is thrown away. */
  drain(): Promise<void>;
  /** Ends the stream at once. */
  drop(): void;
}

/** Which side of the upgrade this is, and what it accepts. */
export interface SocketOptions {
  /** Clients mask what they send, servers must not. */
  readonly role: "client" | "server";
  /** Bytes that a message may have. */
  readonly limit: number;
  readonly clock: Clock;
}

/** Frames that a message may come in. */
const MOST_FRAGMENTS = 4096;

/** A WebSocket on a stream whose upgrade is done; `reader` holds what came after it. */
export function createSocket(
  stream: ByteStream,
  reader: Reader,
  { role, limit, clock }: SocketOptions,
): Socket {
  const writer = createWriter(stream, role === "client");
  let farewell: Farewell | undefined;
  /** The frame that is being read, how much of it is, and of its message. */
  let frame: FrameHead | undefined, inFrame = 0, inMessage = 0, fragments = 0;

  async function nextHead(): Promise<FrameHead> {
    const start = await reader.peek(2), length = frameHeadLength(start[1]!);
    const head = readFrameHead(await reader.peek(length));
    reader.skip(length);
    if ((head.mask !== undefined) !== (role === "server")) {
      throw new FrameError(
        `Cannot read a frame that is ${head.mask ? "" : "not "}masked: ${
          role === "server" ? "a client must mask" : "a server must not mask"
        }`,
      );
    }
    return head;
  }
  /** Takes control frames until a data frame comes; undefined at the peer's goodbye. */
  async function nextData(): Promise<FrameHead | undefined> {
    for (;;) {
      const head = await nextHead();
      if (head.opcode < Opcode.close) return head;
      const bytes = new Uint8Array(head.length);
      await reader.fill(bytes);
      if (head.mask) applyMask(bytes, head.mask, 0);
      if (head.opcode === Opcode.ping) writer.pong(bytes);
      if (head.opcode !== Opcode.close) continue;
      farewell = farewellOf(bytes);
      return undefined;
    }
  }
  /** Begins a frame of the message, the first or another. */
  function enter(head: FrameHead): void {
    const isFirst = frame === undefined;
    if (isFirst === (head.opcode === Opcode.continuation)) {
      throw new FrameError(
        isFirst
          ? "Cannot read a continuation: no message has begun"
          : "Cannot read a new message: the last one has not ended",
      );
    }
    if (isFirst) inMessage = fragments = 0;
    if (inMessage + head.length > limit) {
      throw new FrameError(
        `Cannot read a message of ${inMessage + head.length} bytes: at most ${limit} are accepted`,
        1009,
      );
    }
    if (++fragments > MOST_FRAGMENTS) {
      throw new FrameError(`Cannot read a message of over ${MOST_FRAGMENTS} frames`, 1009);
    }
    inMessage += head.length;
    frame = head;
    inFrame = 0;
  }
  /** Bytes that can be read of the frame; goes on to the message's next one where this one is at its end. 0 at the message's end. */
  async function available(): Promise<number> {
    while (inFrame === frame!.length && !frame!.last) {
      const head = await nextData();
      if (!head) throw new EndError("Cannot read on: the peer closed within a message");
      enter(head);
    }
    return frame!.length - inFrame;
  }
  const isOpen = (): void => {
    if (!frame) throw new FrameError("Cannot read: no message has begun");
  };
  async function begin(): Promise<boolean> {
    if (farewell) return false;
    const head = await nextData();
    if (!head) return false;
    enter(head);
    return true;
  }
  async function read(into: Uint8Array): Promise<void> {
    isOpen();
    for (let at = 0; at < into.length;) {
      const count = Math.min(into.length - at, await available());
      if (count === 0) {
        throw new FrameError(`Cannot read ${into.length} bytes: the message has ${at} left`);
      }
      const part = at || count < into.length ? into.subarray(at, at + count) : into;
      await reader.fill(part);
      if (frame!.mask) applyMask(part, frame!.mask, inFrame);
      inFrame += count;
      at += count;
    }
  }
  async function end(): Promise<void> {
    isOpen();
    const left = await available();
    if (left > 0) throw new FrameError(`Cannot end a message: ${left} more bytes are there`);
    frame = undefined;
  }
  async function drain(): Promise<void> {
    while (!farewell) {
      if (!frame) {
        const head = await nextData();
        if (!head) return;
        enter(head);
      }
      const left = await available();
      if (left === 0) frame = undefined;
      else inFrame += (await reader.some(left)).length;
    }
  }
  return {
    get farewell() {
      return farewell;
    },
    silence: reader.silence,
    send: writer.message,
    begin,
    read,
    end,
    async rest() {
      isOpen();
      const parts: Uint8Array[] = [];
      for (let left = await available(); left > 0; left = await available()) {
        const part = new Uint8Array(Math.min(left, 64 << 10));
        await read(part);
        parts.push(part);
      }
      await end();
      const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
      parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
      return whole;
    },
    ping: () => writer.ping(),
    async close(words, linger, reading) {
      const goodbye = async (): Promise<void> => {
        await writer.close(words);
        await (reading ?? drain());
      };
      await Promise.race([goodbye().catch(() => {}), sleep(clock, linger)]);
      stream.close();
    },
    drain,
    drop: () => stream.close(),
  };
}

function farewellOf(bytes: Uint8Array): Farewell {
  if (bytes.length === 1) throw new FrameError("Cannot read a close frame of 1 byte");
  if (bytes.length === 0) return { code: 1005, reason: "" };
  const code = bytes[0]! << 8 | bytes[1]!;
  const isKnown = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
  if (!isKnown && (code < 3000 || code > 4999)) {
    throw new FrameError(`Cannot read a close frame of code ${code}: it must not be sent`);
  }
  try {
    return { code, reason: new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(2)) };
  } catch {
    throw new FrameError("Cannot read a close frame: its reason is no UTF-8");
  }
}
