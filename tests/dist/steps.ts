/** Steps whose bits are those of one process alone, whoever takes them. */
import { crc32 } from "node:zlib";
import { chunkOf } from "../../dist/group/chunk.ts";
import { alone, type Collective } from "../../dist/parallel/alone.ts";

const SHARDS = 8;

/** The gradient of one shard: it depends on the parameters, so that one wrong bit is in all later steps. */
function gradient(
  parameters: Float32Array,
  step: number,
  shard: number,
): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    parameters,
    (p, i) => Math.fround(Math.sin(p + 0.37 * i + step) / (shard + 1.5)),
  );
}

/** One step of all shards, in place. */
export async function takeStep(
  group: Collective,
  parameters: Float32Array,
  step: number,
): Promise<void> {
  const { from, to } = chunkOf(SHARDS, group.rank, group.size);
  const own = Array.from({ length: to - from }, (_, i) => gradient(parameters, step, from + i));
  const sum = await group.allReduceShards(own, SHARDS, new Float32Array(parameters.length));
  for (let i = 0; i < parameters.length; i++) {
    parameters[i] = 0.9 * parameters[i]! + 0.1 * sum[i]!;
  }
}

/** Parameters before the first step. */
export function begin(length: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, (_, i) => Math.sin(i));
}

/** All bits, as a checksum. */
export function bitsOf(x: Float32Array<ArrayBuffer>): number {
  return crc32(new Uint8Array(x.buffer, x.byteOffset, x.byteLength));
}

const known = new Map<string, Promise<number>>();

/** What one process alone gets. */
export function alonesBits(length: number, steps: number): Promise<number> {
  const key = `${length} ${steps}`;
  const run = async (): Promise<number> => {
    const parameters = begin(length);
    for (let step = 0; step < steps; step++) await takeStep(alone(), parameters, step);
    return bitsOf(parameters);
  };
  const found = known.get(key) ?? run();
  known.set(key, found);
  return found;
}
