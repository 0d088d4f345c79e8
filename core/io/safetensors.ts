/**
 * Tensors in safetensors files, one at a time: a file may be larger than memory.
 *
 * @module
 */
import { fromArray } from "../create.ts";
import { bytesOf, type DType, hostArray } from "../dtype.ts";
import { read } from "../read.ts";
import { type AnyTensor, isTensor, sizesOf } from "../tensor.ts";
import { paths, type Tree } from "../tree.ts";
import { blobSource, type ByteSource, fileSource } from "./byte_source.ts";
import { files } from "./files.ts";
import { SafetensorsError } from "./safetensors_error.ts";
import {
  formatHeader,
  headerLength,
  parseHeader,
  type Planned,
  type SafetensorsEntry,
  storedName,
  storedWidth,
} from "./safetensors_header.ts";

/** An open safetensors file. */
export interface SafetensorsFile extends AsyncDisposable {
  /** Texts that the writer added. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What is in the file, by name. */
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  /**
   * Reads one tensor.
   *
   * @throws {SafetensorsError} if there is no such tensor, its dtype has none of ours, or the file has been cut short.
   */
  read(name: string): Promise<AnyTensor>;
  /**
   * The bytes of one tensor, of whatever dtype, the low ones first.
   *
   * @throws {SafetensorsError} if there is no such tensor, or the file has been cut short.
   */
  bytes(name: string): Promise<Uint8Array<ArrayBuffer>>;
}

/** A tensor to be written as its bytes, of whatever dtype the format has. */
export interface StoredTensor extends Planned {
  /** The low bytes first. */
  readonly bytes: () => Promise<Uint8Array>;
}

const bytesIn = (data: ArrayBufferView): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/**
 * Opens a safetensors file, or one that is in memory. The whole header is checked now; tensors are read when asked for.
 *
 * F32, F16, BF16, I32, U32 and BOOL are read as what they are. Other dtypes of the format are listed, but not read.
 *
 * @throws {SafetensorsError} if it is no valid safetensors file. Errors of the file system pass through.
 *
 * @example
 * ```ts
 * import { read, readSafetensors, tensor, writeSafetensors } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
 * writeSafetensors(writable, { layer: { w: tensor([1, 2]) } }, { step: "7" });
 * await using file = await readSafetensors(await new Response(readable).blob());
 * assertEquals(file.metadata, { step: "7" });
 * assertEquals([...file.entries.keys()], ["layer.w"]);
 * assertEquals([...await read(await file.read("layer.w"))], [1, 2]);
 * ```
 */
export async function readSafetensors(source: string | URL | Blob): Promise<SafetensorsFile> {
  const isBlob = source instanceof Blob, label = isBlob ? "the bytes" : String(source);
  const from = isBlob ? blobSource(source) : await fileSource(source);
  try {
    const prefix = await take(from, 0, Math.min(8, from.size), label);
    const length = headerLength(prefix, from.size, label), data = 8 + length;
    const header = parseHeader(await take(from, 8, length, label), from.size - data, label);
    const entries = new Map(header.entries.map((entry) => [entry.name, entry]));
    const found = (name: string): SafetensorsEntry => {
      const entry = entries.get(name);
      if (entry) return entry;
      throw new SafetensorsError(`Cannot read '${name}': ${label} has no such tensor`);
    };
    return {
      metadata: header.metadata,
      entries,
      async read(name): Promise<AnyTensor> {
        const { dtype, shape, start, bytes, stored } = found(name);
        if (!dtype) {
          throw new SafetensorsError(
            `Cannot read '${name}' of ${label}: ${stored} must be converted to F32, F16, BF16, I32, ` +
              "U32 or BOOL first",
          );
        }
        const values = hostArray<DType>(dtype, bytes / bytesOf(dtype));
        await fill(from, data + start, bytesIn(values), label);
        return fromArray(values, shape, dtype);
      },
      async bytes(name) {
        const { start, bytes } = found(name);
        return await take(from, data + start, bytes, label);
      },
      [Symbol.asyncDispose]: () => from[Symbol.asyncDispose](),
    };
  } catch (error) {
    await from[Symbol.asyncDispose]();
    throw error;
  }
}

async function fill(
  from: ByteSource,
  offset: number,
  target: Uint8Array,
  label: string,
): Promise<void> {
  if (await from.read(offset, target)) return;
  throw new SafetensorsError(`Cannot read ${label}: it ends before byte ${offset + target.length}`);
}

async function take(
  from: ByteSource,
  offset: number,
  length: number,
  label: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  await fill(from, offset, bytes, label);
  return bytes;
}

/**
 * Writes a tree of tensors: to a stream, or to a file under a temporary name, which is synced and then renamed, so that a
 * file of this name is always whole. Names are the paths of the tree, "layers.0.wq". Tensors are read one at a time, those
 * of wider elements first, so that all are aligned.
 *
 * @throws {SafetensorsError} if a leaf is no tensor, two have one name, or the header would be too long. Errors of the file system pass through.
 *
 * @example
 * ```ts
 * import { tensor, writeSafetensors } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
 * writeSafetensors(writable, { w: tensor([1, 2]) });
 * const bytes = await new Response(readable).bytes();
 * assertEquals([...new Float32Array(bytes.buffer, bytes.length - 8)], [1, 2]);
 * ```
 */
export async function writeSafetensors(
  target: string | URL | WritableStream<Uint8Array>,
  tensors: Tree<AnyTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const found = paths(tensors).map(([name, tensor]): StoredTensor => {
    if (!isTensor(tensor)) {
      throw new SafetensorsError(`Cannot write '${name}': it must be a tensor (${typeof tensor})`);
    }
    const stored = storedName(tensor.dtype as DType), shape = sizesOf(tensor);
    return { name, stored, shape, bytes: async () => bytesIn(await read(tensor)) };
  });
  await writeStored(target, found, metadata);
}

/**
 * Writes tensors that are bytes already, or will be when they are asked for, as `writeSafetensors` does.
 *
 * @throws {SafetensorsError} if two have one name, or the header would be too long. Errors of the file system pass through.
 */
export async function writeStored(
  target: string | URL | WritableStream<Uint8Array>,
  tensors: readonly StoredTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const widthOf = ({ stored }: Planned): number => storedWidth(stored);
  const sorted = tensors.toSorted((a, b) => widthOf(b) - widthOf(a));
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    yield formatHeader(sorted, metadata);
    for (const { bytes } of sorted) yield await bytes();
  };
  if (target instanceof WritableStream) await ReadableStream.from(chunks()).pipeTo(target);
  else await writeFile(target, chunks());
}

async function writeFile(path: string | URL, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const temporary = path instanceof URL ? new URL(path) : `${path}.part`,
    { open, rename, rm } = files();
  if (temporary instanceof URL) temporary.pathname += ".part";
  const file = await open(temporary, "w");
  try {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length;) {
        at += (await file.write(chunk.subarray(at))).bytesWritten;
      }
    }
    await file.sync();
    await file.close();
    await rename(temporary, path);
  } catch (error) {
    await file.close().catch(() => {});
    await rm(temporary, { force: true });
    throw error;
  }
}
