/**
 * Frames of the WebSocket protocol: their heads, as bytes and as values.
 *
 * Source: RFC 6455, section 5.
 *
 * @module
 */

/** What a frame is. */
export const Opcode = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

/** What stands before a frame's bytes. */
export interface FrameHead {
  /** The last frame of its message. */
  readonly last: boolean;
  readonly opcode: number;
  /** Bytes that follow. */
  readonly length: number;
  /** What they are XORed with, four bytes; undefined if they are as they are. */
  readonly mask: Uint8Array | undefined;
}

/** A frame that the protocol does not allow; `code` is what the connection is closed with. */
export class FrameError extends RangeError {
  /** "FrameError" */
  override readonly name = "FrameError";
  /** 1002: against the protocol, 1009: too long. */
  readonly code: number;
  /** The message and the code. */
  constructor(message: string, code = 1002) {
    super(message);
    this.code = code;
  }
}

/** Bytes of the longest head. */
export const LONGEST_HEAD = 14;
/** Bytes that a control frame may carry. */
export const LONGEST_CONTROL = 125;

/** Writes a frame's head at the start of `into`, and gives its bytes. */
export function writeFrameHead(
  into: Uint8Array,
  { last, opcode, length, mask }: FrameHead,
): number {
  into[0] = (last ? 0x80 : 0) | opcode;
  const masked = mask ? 0x80 : 0;
  let at = 2;
  if (length < 126) into[1] = masked | length;
  else if (length < 0x10000) {
    into[1] = masked | 126;
    into[at++] = length >>> 8;
    into[at++] = length & 255;
  } else {
    into[1] = masked | 127;
    const view = new DataView(into.buffer, into.byteOffset);
    view.setUint32(2, Math.floor(length / 2 ** 32));
    view.setUint32(6, length >>> 0);
    at = 10;
  }
  if (mask) {
    into.set(mask, at);
    at += 4;
  }
  return at;
}

/** How many bytes the head has that begins with these two. */
export function frameHeadLength(second: number): number {
  const length = second & 127;
  return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (second & 128 ? 4 : 0);
}

/**
 * Reads a frame's head.
 *
 * @throws FrameError if the frame could not be legal in any message
 */
export function readFrameHead(bytes: Uint8Array): FrameHead {
  const first = bytes[0]!, second = bytes[1]!, opcode = first & 15;
  if (first & 0x70) {
    throw new FrameError("Cannot read a frame with reserved bits: no extension is in use");
  }
  if (opcode > Opcode.pong || (opcode > Opcode.binary && opcode < Opcode.close)) {
    throw new FrameError(`Cannot read a frame of opcode ${opcode}: it is reserved`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), last = first >= 0x80;
  let length = second & 127, at = 2;
  if (length === 126) {
    length = view.getUint16(2);
    at = 4;
    if (length < 126) {
      throw new FrameError(
        `Cannot read a frame of ${length} bytes: its length is written too long`,
      );
    }
  } else if (length === 127) {
    const high = view.getUint32(2);
    length = high * 2 ** 32 + view.getUint32(6);
    at = 10;
    if (high >= 0x200000) throw new FrameError("Cannot read a frame of 2^53 bytes or more", 1009);
    if (length < 0x10000) {
      throw new FrameError(
        `Cannot read a frame of ${length} bytes: its length is written too long`,
      );
    }
  }
  if (opcode >= Opcode.close && (!last || length > LONGEST_CONTROL)) {
    throw new FrameError(
      `Cannot read a control frame ${
        last ? `of ${length} bytes` : "in fragments"
      }: at most ${LONGEST_CONTROL} bytes in one frame`,
    );
  }
  const mask = second & 128 ? bytes.slice(at, at + 4) : undefined;
  return { last, opcode, length, mask };
}

/**
 * XORs bytes with a mask, where the first of them is byte number `from` of its frame. Masking twice gives the bytes back.
 */
export function applyMask(bytes: Uint8Array, mask: Uint8Array, from: number): void {
  let i = 0;
  const end = bytes.length, key = (at: number): number => mask[(from + at) & 3]!;
  for (; i < end && (bytes.byteOffset + i) & 3; i++) bytes[i]! ^= key(i);
  if (i === end) return;
  // Four at a time: the words of memory are aligned now, the mask is turned to fit.
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset + i, (end - i) >> 2);
  const turned = new Uint8Array([key(i), key(i + 1), key(i + 2), key(i + 3)]);
  const word = new Uint32Array(turned.buffer)[0]!;
  for (let w = 0; w < words.length; w++) words[w]! ^= word;
  for (i += 4 * words.length; i < end; i++) bytes[i]! ^= key(i);
}
