/**
 * What stands before the bytes of every message: 88 bytes, little-endian, that say what the bytes are.
 *
 *     0 magic and version   4 operation   5 element type   6 reduction   7 axes   8 job   12 generation   16 group   20 plan
 *     24 number of the operation   28 part   32 sender   36 receiver   40 bytes that follow   44 shape, 8 x u32
 *     76 CRC32 of the bytes that follow   80 zero   84 CRC32 of the header up to here
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { DistError } from "../error.ts";

/** Bytes of a header. */
export const HEADER = 88;
/** Axes that a shape in a header may have. */
export const MOST_AXES = 8;

const MAGIC = 0x314e544d; // "MTN1"
const BODY_CRC = 76, HEAD_CRC = 84;

/** What a group does; the numbers on the wire are the places in this list. */
export const operations = [
  "allReduce",
  "reduceScatter",
  "allGather",
  "broadcast",
  "barrier",
  "send",
  "split",
  "allReduceShards",
] as const;
/** What a group does. */
export type Operation = typeof operations[number];

/** What elements are, as far as summing and moving them goes. */
export const wireTypes = ["u8", "u16", "i32", "u32", "f32", "f64"] as const;
/** Element type of an array that is sent. */
export type WireType = typeof wireTypes[number];

/** How elements of several ranks become one. */
export type Reduction = "none" | "sum" | "min" | "max";
const reductions: readonly Reduction[] = ["none", "sum", "min", "max"];

/** What a message is. */
export interface Header {
  readonly operation: Operation;
  readonly type: WireType;
  readonly reduction: Reduction;
  readonly shape: readonly number[];
  /** 32 bits of hash of the job's name. */
  readonly job: number;
  readonly generation: number;
  /** 32 bits of hash of the group's name. */
  readonly group: number;
  /** 32 bits of what the caller says both sides must agree on, 0 if nothing. */
  readonly plan: number;
  /** Number of the operation in its group. */
  readonly sequence: number;
  /** Number of the message in its operation and link. */
  readonly part: number;
  readonly from: number;
  readonly to: number;
  /** Bytes that follow. */
  readonly bytes: number;
}

/** 32 bits of hash of a name. */
export function nameHash(name: string): number {
  return crc32(name) >>> 0;
}

/** Writes a header, but for what follows from the bytes: see {@linkcode sealHeader}. */
export function writeHeader(into: Uint8Array, h: Header): void {
  if (h.shape.length > MOST_AXES) {
    throw new RangeError(
      `Cannot send a shape of ${h.shape.length} axes: at most ${MOST_AXES} fit a message`,
    );
  }
  const view = new DataView(into.buffer, into.byteOffset, HEADER);
  into.fill(0);
  view.setUint32(0, MAGIC, true);
  into[4] = operations.indexOf(h.operation);
  into[5] = wireTypes.indexOf(h.type);
  into[6] = reductions.indexOf(h.reduction);
  into[7] = h.shape.length;
  const words = [h.job, h.generation, h.group, h.plan, h.sequence, h.part, h.from, h.to, h.bytes];
  words.forEach((word, i) => view.setUint32(8 + 4 * i, word, true));
  h.shape.forEach((size, axis) => view.setUint32(44 + 4 * axis, size, true));
}

/** Makes a header fit the part and the bytes that follow: what differs between the messages of one operation. */
export function sealHeader(head: Uint8Array, part: number, body: Uint8Array): void {
  const view = new DataView(head.buffer, head.byteOffset, HEADER);
  view.setUint32(28, part, true);
  view.setUint32(40, body.length, true);
  view.setUint32(BODY_CRC, crc32(body), true);
  view.setUint32(HEAD_CRC, crc32(head.subarray(0, HEAD_CRC)), true);
}

/**
 * Reads a header.
 *
 * @throws DistError "corrupt" if its bytes are damaged, "mismatch" if another version wrote it
 */
export function readHeader(head: Uint8Array): Header {
  const view = new DataView(head.buffer, head.byteOffset, HEADER);
  if (view.getUint32(HEAD_CRC, true) !== crc32(head.subarray(0, HEAD_CRC))) {
    throw new DistError("Cannot read a message: its header is damaged", "corrupt");
  }
  const magic = view.getUint32(0, true);
  if (magic !== MAGIC) {
    throw new DistError(
      `Cannot read a message of protocol ${name(magic)}: this is ${name(MAGIC)}`,
      "mismatch",
    );
  }
  const operation = operations[head[4]!], type = wireTypes[head[5]!];
  const reduction = reductions[head[6]!], axes = head[7]!;
  if (!operation || !type || !reduction || axes > MOST_AXES) {
    throw new DistError(
      `Cannot read a message: operation ${head[4]}, type ${head[5]}, reduction ${
        head[6]
      } or ${axes} axes are not known`,
      "corrupt",
    );
  }
  const word = (at: number): number => view.getUint32(at, true);
  return {
    operation,
    type,
    reduction,
    shape: Array.from({ length: axes }, (_, axis) => word(44 + 4 * axis)),
    job: word(8),
    generation: word(12),
    group: word(16),
    plan: word(20),
    sequence: word(24),
    part: word(28),
    from: word(32),
    to: word(36),
    bytes: word(40),
  };
}

/** Are these the bytes that the header speaks of? */
export function fits(head: Uint8Array, body: Uint8Array): boolean {
  const view = new DataView(head.buffer, head.byteOffset, HEADER);
  return view.getUint32(BODY_CRC, true) === crc32(body);
}

function name(magic: number): string {
  const text = String.fromCharCode(...[0, 8, 16, 24].map((bits) => (magic >>> bits) & 255));
  return /^[\x20-\x7e]{4}$/.test(text) ? text : `0x${magic.toString(16)}`;
}
