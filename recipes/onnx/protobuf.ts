/**
 * The four kinds of protobuf field that ONNX files are made of, written.
 *
 * Source: protobuf.dev/programming-guides/encoding.
 *
 * @module
 */

/** Fields one after another, in parts that are not copied: a model's weights are gigabytes. */
export interface Message {
  /** Bytes of all parts. */
  readonly size: number;
  readonly parts: readonly Uint8Array[];
}

/** Parts of fewer bytes are written together. */
const SMALL = 4096;

const WIRE = { varint: 0, delimited: 2, fixed32: 5 } as const;

/** A whole number in groups of seven bits; a negative one as 64 bits. */
function varint(n: number): Uint8Array {
  const groups: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(n));
  for (; rest > 127n; rest >>= 7n) groups.push(Number(rest & 127n) | 128);
  return Uint8Array.from([...groups, Number(rest)]);
}

function field(number: number, wire: keyof typeof WIRE, content: Message): Message {
  const head = [varint(number * 8 + WIRE[wire])];
  if (wire === "delimited") head.push(varint(content.size));
  return joined([...head.map(plain), content]);
}

const plain = (data: Uint8Array): Message => ({ size: data.length, parts: [data] });

/** Fields one after another. */
export function joined(fields: readonly Message[]): Message {
  return {
    size: fields.reduce((sum, { size }) => sum + size, 0),
    parts: fields.flatMap(({ parts }) => parts),
  };
}

/** A whole number. */
export function int(number: number, n: number): Message {
  return field(number, "varint", plain(varint(n)));
}

/** A number of four bytes. */
export function float(number: number, x: number): Message {
  const four = new DataView(new ArrayBuffer(4));
  four.setFloat32(0, x, true);
  return field(number, "fixed32", plain(new Uint8Array(four.buffer)));
}

/** Bytes. */
export function bytes(number: number, data: Uint8Array): Message {
  return field(number, "delimited", plain(data));
}

/** A text. */
export function text(number: number, value: string): Message {
  return bytes(number, new TextEncoder().encode(value));
}

/** A message of these fields. */
export function message(number: number, fields: readonly Message[]): Message {
  return field(number, "delimited", joined(fields));
}

/** Small parts put together, in their order; large ones as they are. */
export function gathered({ parts }: Message): readonly Uint8Array[] {
  const out: Uint8Array[] = [];
  let small: number[] = [];
  const close = (): void => {
    if (small.length > 0) out.push(Uint8Array.from(small));
    small = [];
  };
  for (const part of parts) {
    if (part.length < SMALL) small.push(...part);
    else {
      close();
      out.push(part);
    }
  }
  close();
  return out;
}
