/**
 * The header of a safetensors file: 8 bytes for its length, then JSON that says where every tensor stands in the bytes after
 * it. Files come from anywhere, so nothing in it is believed before it is checked.
 *
 * Source: https://github.com/huggingface/safetensors, README and safetensors/src/tensor.rs
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import { sizeOf } from "../graph/node.ts";
import { SafetensorsError } from "./safetensors_error.ts";

/** Longest header that is read, as in the reference implementation. */
export const MAX_HEADER_BYTES = 100_000_000;

/** Bytes of one element of the dtypes that a file may name. */
const widths: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  F8_E8M0: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
  C64: 8,
};
const dtypes: Readonly<Record<string, DType>> = {
  BOOL: "bool",
  F16: "f16",
  BF16: "bf16",
  U32: "u32",
  I32: "i32",
  F32: "f32",
};
const names = Object.fromEntries(Object.entries(dtypes).map(([name, dtype]) => [dtype, name]));

/** The name that files give a dtype. */
export const storedName = (dtype: DType): string => names[dtype]!;
/** Bytes of an element of a dtype by its name in files. */
export const storedWidth = (stored: string): number => widths[stored]!;

/** A tensor in a file, before it is read. */
export interface SafetensorsEntry {
  /** Its name. */
  readonly name: string;
  /** The dtype as the file names it, "F32". */
  readonly stored: string;
  /** The dtype that it is read as; undefined where there is none. */
  readonly dtype: DType | undefined;
  /** Its sizes. */
  readonly shape: readonly number[];
  /** First byte, counted from the end of the header. */
  readonly start: number;
  /** Number of bytes. */
  readonly bytes: number;
}

/** What a header says. */
export interface Header {
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of the file. */
  readonly entries: readonly SafetensorsEntry[];
}

/**
 * The length of the header from the first 8 bytes of a file of `size` bytes.
 *
 * @throws {SafetensorsError} if the file is too short, or the header too long.
 */
export function headerLength(prefix: Uint8Array, size: number, file: string): number {
  if (prefix.length < 8) {
    throw new SafetensorsError(`Cannot read ${file}: it must have 8 bytes or more (${size})`);
  }
  const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw new SafetensorsError(
      `Cannot read ${file}: its header must have at most ${MAX_HEADER_BYTES} bytes (${length})`,
    );
  }
  if (Number(length) > size - 8) {
    throw new SafetensorsError(
      `Cannot read ${file}: its header of ${length} bytes must fit into the file's ${size}`,
    );
  }
  return Number(length);
}

/**
 * What the bytes of a header say; `dataBytes` follow it in the file.
 *
 * @throws {SafetensorsError} if it is no JSON of the format, names a tensor twice or an unknown dtype, or if tensors
 * overlap, leave holes, end before or after the data, or do not fit their shapes.
 */
export function parseHeader(bytes: Uint8Array, dataBytes: number, file: string): Header {
  // Names and broken JSON come from the file: what they quote must not break the line.
  const fail = (must: string): never => {
    throw new SafetensorsError(`Cannot read ${file}: ${must.replace(/\p{Cc}+/gu, " ")}`);
  };
  const { __metadata__: metadata = {}, ...tensors } = parseJson(bytes, fail);
  if (!isRecord(metadata) || !Object.values(metadata).every((v) => typeof v === "string")) {
    return fail("its __metadata__ must map strings to strings");
  }
  const entries = Object.entries(tensors).map(([name, value]) => entryOf(name, value, fail))
    .sort((a, b) => a.start - b.start || a.bytes - b.bytes);
  let end = 0;
  for (const { name, start, bytes } of entries) {
    if (start !== end) {
      const what = start < end ? "overlap another tensor" : "leave a hole before it";
      fail(`the bytes of '${name}' must not ${what} (they start at ${start}, not at ${end})`);
    }
    end += bytes;
  }
  if (end !== dataBytes) fail(`its tensors must fill the ${dataBytes} bytes of data (${end})`);
  return { metadata: metadata as Record<string, string>, entries };
}

type Fail = (must: string) => never;

const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === "object" && x !== null && !Array.isArray(x);
const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;

function parseJson(bytes: Uint8Array, fail: Fail): Readonly<Record<string, unknown>> {
  let text = "", parsed: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    parsed = JSON.parse(text);
  } catch (error) {
    return fail(`its header must be JSON (${(error as Error).message})`);
  }
  if (!isRecord(parsed) || !text.startsWith("{")) return fail("its header must be a JSON object");
  const twice = repeatedKey(text);
  if (twice !== undefined) fail(`its header must name ${twice} once`);
  return parsed;
}

/** A key that an object of the JSON text has twice: `JSON.parse` would keep the last one without a word. */
function repeatedKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (const [_, token, colon] of json.matchAll(/("(?:[^"\\]|\\.)*"|[{}])(\s*:)?/g)) {
    if (token === "{") open.push(new Set());
    else if (token === "}") open.pop();
    else if (colon) {
      const key = JSON.parse(token!) as string;
      if (open.at(-1)!.has(key)) return token;
      open.at(-1)!.add(key);
    }
  }
  return undefined;
}

function entryOf(name: string, value: unknown, fail: Fail): SafetensorsEntry {
  if (!isRecord(value)) return fail(`'${name}' must be an object`);
  const { dtype: stored, shape, data_offsets: offsets } = value;
  if (typeof stored !== "string" || !Object.hasOwn(widths, stored)) {
    return fail(`'${name}' must have a known dtype (${JSON.stringify(stored)})`);
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    return fail(`'${name}' must have a shape of whole numbers (${JSON.stringify(shape)})`);
  }
  if (
    !Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount) ||
    offsets[0]! > offsets[1]!
  ) {
    return fail(`'${name}' must have two offsets in order (${JSON.stringify(offsets)})`);
  }
  const bytes = offsets[1]! - offsets[0]!, want = sizeOf(shape) * widths[stored]!;
  if (bytes !== want) {
    return fail(`'${name}' of ${stored} [${shape.join(", ")}] must have ${want} bytes (${bytes})`);
  }
  return { name, stored, dtype: dtypes[stored], shape, start: offsets[0]!, bytes };
}

/** A tensor to be written. */
export interface Planned {
  readonly name: string;
  /** Its dtype as files name it. */
  readonly stored: string;
  readonly shape: readonly number[];
}

/**
 * The bytes in front of the data of tensors in this order, of a length that is a multiple of 8.
 *
 * @throws {SafetensorsError} if the header would be too long, or a name is the format's own or given twice.
 */
export function formatHeader(
  tensors: readonly Planned[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  let end = 0;
  const entries = tensors.map(({ name, stored, shape }): [string, unknown] => {
    const start = end;
    end += sizeOf(shape) * storedWidth(stored);
    return [name, { dtype: stored, shape, data_offsets: [start, end] }];
  });
  const own: [string, unknown][] = Object.keys(metadata).length ? [["__metadata__", metadata]] : [];
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries([...own, ...entries])));
  const length = Math.ceil(json.length / 8) * 8;
  if (tensors.some(({ name }) => name === "__metadata__")) {
    throw new SafetensorsError(
      "Cannot write a tensor named __metadata__: the format owns the name",
    );
  }
  if (new Set(tensors.map(({ name }) => name)).size < tensors.length) {
    throw new SafetensorsError("Cannot write two tensors under one name: names must differ");
  }
  if (length > MAX_HEADER_BYTES) {
    throw new SafetensorsError(
      `Cannot write a header of ${length} bytes: at most ${MAX_HEADER_BYTES} can be read`,
    );
  }
  const out = new Uint8Array(8 + length).fill(0x20, 8);
  new DataView(out.buffer).setBigUint64(0, BigInt(length), true);
  out.set(json, 8);
  return out;
}
