/**
 * Files of weights, some of them in one byte where that was asked for: a matrix stands there as NAME, of I8, and its scales as NAME_scale,
 * of F32 and as many axes, of which those have size 1 that the scales do not differ along. It is read as the f32 that both stand for.
 *
 * @module
 */
import {
  type AnyTensor,
  fromArray,
  paths,
  read,
  readSafetensors,
  SafetensorsError,
  sizesOf,
  type Tensor,
  type Tree,
} from "../../core/mod.ts";
import { sizeOf } from "../../core/graph/node.ts";
import { type StoredTensor, writeStored } from "../../core/io/safetensors.ts";
import { type SafetensorsEntry, storedName } from "../../core/io/safetensors_header.ts";
import { FEWEST, type Rounded, rounded, wideValues } from "./int8.ts";

/** An open file of weights. */
export interface WeightsFile extends AsyncDisposable {
  /** What is in it, weights in one byte as the F32 that they are read as. */
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  /** Reads one tensor. @throws {SafetensorsError} as `readSafetensors` does. */
  readonly read: (name: string) => Promise<AnyTensor>;
}

const scaleName = (name: string): string => `${name}_scale`;

/** A matrix in one byte. */
interface Small {
  readonly entry: SafetensorsEntry;
  readonly scale: SafetensorsEntry;
  /** The scale of an element, by their numbers. */
  readonly channel: (i: number) => number;
}

function channelOf(
  { name, shape }: SafetensorsEntry,
  scale: SafetensorsEntry,
  path: string,
): (i: number) => number {
  const own = scale.shape, isOne = (n: number): boolean => n === 1;
  const inner = own.findIndex((n) => n > 1),
    fits = own.length === shape.length &&
      own.every((n, k) => n === 1 || n === shape[k]);
  const [first = 1, ...rest] = own, size = sizeOf(own);
  if (scale.stored === "F32" && fits && rest.every(isOne)) {
    const stretch = sizeOf(shape) / first;
    return (i) => Math.floor(i / stretch);
  }
  if (scale.stored === "F32" && fits && own.slice(inner).every((n, k) => n === shape[inner + k])) {
    return (i) => i % size;
  }
  throw new SafetensorsError(
    `Cannot read '${name}' of ${path}: '${scale.name}' must be F32, the sizes of its first or of its last axes and 1 for the others (${scale.stored} [${
      own.join(", ")
    }] for [${shape.join(", ")}])`,
  );
}

/**
 * Opens a file of weights.
 *
 * @throws {SafetensorsError} if it is no valid safetensors file. Errors of the file system pass through.
 */
export async function openWeights(path: string): Promise<WeightsFile> {
  const file = await readSafetensors(path), all = file.entries;
  const small = new Map<string, Small>();
  try {
    for (const [name, entry] of all) {
      const scale = entry.stored === "I8" ? all.get(scaleName(name)) : undefined;
      if (scale) small.set(name, { entry, scale, channel: channelOf(entry, scale, path) });
    }
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
  const scales = new Set([...small.values()].map(({ scale }) => scale.name));
  const shown = [...all].filter(([name]) => !scales.has(name)).map(([name, entry]) =>
    [name, small.has(name) ? { ...entry, stored: "F32", dtype: "f32" as const } : entry] as const
  );
  return {
    entries: new Map(shown),
    async read(name) {
      const own = small.get(name);
      if (!own) return await file.read(name);
      const { entry, scale, channel } = own;
      const factors = await read(await file.read(scale.name) as Tensor);
      const q = new Int8Array((await file.bytes(name)).buffer);
      return fromArray(wideValues(q, factors, channel), [...entry.shape]) as AnyTensor;
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}

/** Which axes of a weight have a scale: its first, or those after the first so many; undefined where it stays as it is. */
export type Scaled = (name: string) => "first" | number | undefined;

/** A tensor as it is stored. */
function plain(name: string, tensor: AnyTensor): StoredTensor {
  const bytes = async (): Promise<Uint8Array> => {
    const { buffer, byteOffset, byteLength } = await read(tensor as Tensor);
    return new Uint8Array(buffer, byteOffset, byteLength);
  };
  return { name, stored: storedName(tensor.dtype as "f32"), shape: sizesOf(tensor), bytes };
}

/** The same in one byte, with its scales. */
function small(name: string, tensor: AnyTensor, axes: "first" | number): readonly StoredTensor[] {
  const shape = sizesOf(tensor), before = axes === "first" ? 1 : axes;
  const dims = [sizeOf(shape.slice(0, before)), sizeOf(shape.slice(before))];
  let made: Promise<Rounded> | undefined;
  const once = (): Promise<Rounded> =>
    made ??= read(tensor as Tensor).then((w) => rounded(w, dims, axes === "first" ? 0 : 1));
  const scaleShape = shape.map((n, k) => (k < before) === (axes === "first") ? n : 1);
  return [
    {
      name: scaleName(name),
      stored: "F32",
      shape: scaleShape,
      bytes: async () => new Uint8Array((await once()).scales.buffer),
    },
    { name, stored: "I8", shape, bytes: async () => new Uint8Array((await once()).q.buffer) },
  ];
}

/**
 * Writes a file of weights, matrices of some size in one byte where `scaled` says so.
 *
 * @throws InputError where one of these is not finite. Errors of the file system pass through.
 */
export async function writeWeights(
  path: string,
  tensors: Tree<AnyTensor>,
  scaled: Scaled,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const stored = paths(tensors).flatMap(([name, tensor]) => {
    const axes = scaled(name), shape = sizesOf(tensor);
    const isLarge = shape.length > 1 && sizeOf(shape) >= FEWEST && tensor.dtype === "f32";
    return axes !== undefined && isLarge ? small(name, tensor, axes) : [plain(name, tensor)];
  });
  await writeStored(path, stored, metadata);
}
