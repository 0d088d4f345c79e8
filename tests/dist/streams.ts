/** Streams of bytes for tests. */
import { realClock } from "../../dist/clock.ts";
import type { ByteStream } from "../../dist/net/network.ts";
import { createReader } from "../../dist/ws/reader.ts";
import { createSocket, type Socket } from "../../dist/ws/socket.ts";

/** A stream on which these bytes come, in pieces of `piece`, and then the end; what is written is kept. */
export function streamOf(
  bytes: Uint8Array,
  piece = bytes.length,
): ByteStream & { readonly written: () => Uint8Array } {
  const written: number[] = [];
  let at = 0;
  return {
    read(into) {
      if (at === bytes.length) return Promise.resolve(null);
      const part = bytes.subarray(at, at + Math.min(piece, into.length));
      into.set(part);
      at += part.length;
      return Promise.resolve(part.length);
    },
    write(part) {
      written.push(...part);
      return Promise.resolve(part.length);
    },
    close() {},
    written: () => Uint8Array.from(written),
  };
}

/** A socket that reads these bytes. */
export function socketOf(
  bytes: Uint8Array,
  { role = "client" as "client" | "server", limit = 1 << 20, piece = Math.max(1, bytes.length) } =
    {},
): { readonly socket: Socket; readonly written: () => Uint8Array } {
  const stream = streamOf(bytes, piece);
  const socket = createSocket(stream, createReader(stream, realClock), {
    role,
    limit,
    clock: realClock,
  });
  return { socket, written: stream.written };
}

/** Bytes in a row. */
export function joined(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Bytes that differ from their neighbours. */
export function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7) & 255);
}
