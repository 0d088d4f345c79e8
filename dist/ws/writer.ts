/**
 * Writing frames to a stream, one after another, whoever asks.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { ByteStream } from "../net/network.ts";
import { applyMask, LONGEST_CONTROL, Opcode, writeFrameHead } from "./frame.ts";
import type { Farewell } from "./socket.ts";

/** Writes frames. */
export interface Writer {
  /** A binary message: these bytes in a row. Resolves when they may change. */
  message(head: Uint8Array, body: Uint8Array): Promise<void>;
  /** Left out while something is being written, as that is sign of life enough. */
  ping(): void;
  /** Answers a ping, after what is being written. Of several that wait, the last is answered, as RFC 6455 has it. */
  pong(bytes: Uint8Array): void;
  close(farewell: Farewell): Promise<void>;
}

/** Room for a frame's head and the first bytes after it, which go out in one write: all of a message of 64 KiB and its header. */
const SCRATCH = (64 << 10) + 256;

/** A writer to a stream; clients mask. */
export function createWriter(stream: ByteStream, masks: boolean): Writer {
  const scratch = new Uint8Array(SCRATCH);
  let busy: Promise<void> | undefined, pongDue: Uint8Array | undefined;

  async function all(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await stream.write(at ? bytes.subarray(at) : bytes);
    }
  }
  async function frame(opcode: number, head: Uint8Array, body: Uint8Array): Promise<void> {
    const mask = masks ? randomBytes(4) : undefined, length = head.length + body.length;
    const start = writeFrameHead(scratch, { last: true, opcode, length, mask });
    scratch.set(head, start);
    const bodyAt = start + head.length;
    let taken = Math.min(body.length, SCRATCH - bodyAt);
    scratch.set(taken < body.length ? body.subarray(0, taken) : body, bodyAt);
    if (mask) applyMask(scratch.subarray(start, bodyAt + taken), mask, 0);
    await all(scratch.subarray(0, bodyAt + taken));
    if (!mask && taken < body.length) return await all(body.subarray(taken));
    for (; mask && taken < body.length; taken += SCRATCH) {
      const part = scratch.subarray(0, Math.min(SCRATCH, body.length - taken));
      part.set(body.subarray(taken, taken + part.length));
      applyMask(part, mask, head.length + taken);
      await all(part);
    }
  }
  /** Runs when nothing else is being written. Without waiting if that is now: a turn costs microseconds, and order is kept. */
  function inTurn(write: () => Promise<void>): Promise<void> {
    const turn = busy ? busy.then(write, write) : write();
    busy = turn;
    const done = (): void => {
      if (busy !== turn) return;
      busy = undefined;
      if (!pongDue) return;
      const bytes = pongDue;
      pongDue = undefined;
      inTurn(() => frame(Opcode.pong, none, bytes)).catch(() => {});
    };
    turn.then(done, done);
    return turn;
  }
  return {
    message: (head, body) => inTurn(() => frame(Opcode.binary, head, body)),
    ping() {
      // What fails here fails the reader too.
      if (!busy) inTurn(() => frame(Opcode.ping, none, none)).catch(() => {});
    },
    pong(bytes) {
      if (busy) pongDue = bytes;
      else inTurn(() => frame(Opcode.pong, none, bytes)).catch(() => {});
    },
    close({ code, reason }) {
      return inTurn(() => frame(Opcode.close, none, closeBytes(code, reason)));
    },
  };
}

const none = new Uint8Array(0);

/** A close frame's bytes; the reason is cut to what fits, between characters. */
function closeBytes(code: number, reason: string): Uint8Array {
  const bytes = new Uint8Array(LONGEST_CONTROL);
  bytes[0] = code >>> 8;
  bytes[1] = code & 255;
  const { written } = new TextEncoder().encodeInto(reason, bytes.subarray(2));
  return bytes.subarray(0, 2 + written);
}
