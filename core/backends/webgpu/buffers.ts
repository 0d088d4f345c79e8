/**
 * The memory of a GPU: one buffer a storage, a bounded pool of freed ones, and scratch that programs share.
 *
 * Everything is submitted the moment it is asked for, and a queue does what it was given in order. So a buffer may be
 * freed while submitted work still uses it: `destroy` waits for that work, and a buffer taken from the pool is written
 * by later submissions (or by writeBuffer, which is one), after all that read its old contents.
 *
 * @module
 */
import { DeviceError } from "../../device/error.ts";
import type { Storage } from "../../device/device.ts";
import { checkAlive, type Faults, guarded } from "./faults.ts";

/** A buffer and its number, by which bind groups are found again. */
export interface Block extends Storage {
  readonly buffer: GPUBuffer;
  readonly id: number;
}

/** Bytes and buffers of one size that the pool keeps. */
const poolBytes = 256 * 2 ** 20, poolCount = 64;

/**
 * Which of these blocks a program takes for its scratch, by their numbers, each once; -1 where it needs a new one. All are bytes; a
 * block is not given to less than half of its size.
 */
export function shared(sizes: readonly number[], blocks: readonly number[]): number[] {
  const out = new Array<number>(sizes.length).fill(-1), free = new Set(blocks.keys());
  const largestFirst = [...sizes.keys()].sort((p, q) => sizes[q]! - sizes[p]!);
  for (const slot of largestFirst) {
    const bytes = sizes[slot]!;
    const fits = [...free].filter((b) => blocks[b]! >= bytes && blocks[b]! <= 2 * bytes);
    const best = fits.sort((p, q) => blocks[p]! - blocks[q]!)[0];
    if (best === undefined) continue;
    free.delete(best);
    out[slot] = best;
  }
  return out;
}

/** owns: GPU buffers. */
export class Memory {
  readonly #gpu: GPUDevice;
  readonly #faults: Faults;
  readonly #live: Set<Block> = new Set();
  readonly #pool: Map<number, Block[]> = new Map();
  readonly #scratch: Map<Block, number> = new Map();
  #pooled = 0;
  #used = 0;
  #held = 0;
  #peak = 0;
  #next = 0;

  constructor(gpu: GPUDevice, faults: Faults) {
    this.#gpu = gpu;
    this.#faults = faults;
  }

  /** Memory for `size` elements of so many bytes each; its contents are not defined. */
  allocate(size: number, bytesEach = 4): Block {
    const bytes = this.bytesFor(size, bytesEach), found = this.#pool.get(bytes)?.pop();
    if (found) this.#pooled -= bytes;
    const block = found ?? this.#create(bytes);
    this.#live.add(block);
    this.#used += bytes;
    return block;
  }

  free(block: Block): void {
    if (!this.#live.delete(block)) return;
    this.#used -= block.bytes;
    const same = this.#pool.get(block.bytes) ?? [];
    if (same.length >= poolCount || this.#pooled + block.bytes > poolBytes) this.#destroy(block);
    else {
      same.push(block);
      this.#pooled += block.bytes;
      this.#pool.set(block.bytes, same);
    }
  }

  /** Scratch for a program, so many words a slot. Programs run one after the other, so they may have the same. */
  takeScratch(sizes: readonly number[]): Block[] {
    const bytes = sizes.map((size) => this.bytesFor(size)), there = [...this.#scratch.keys()];
    const taken = shared(bytes, there.map((b) => b.bytes));
    return taken.map((found, slot) => {
      const block = there[found] ?? this.#create(bytes[slot]!);
      this.#scratch.set(block, (this.#scratch.get(block) ?? 0) + 1);
      return block;
    });
  }

  releaseScratch(blocks: readonly Block[]): void {
    for (const block of blocks) {
      const users = this.#scratch.get(block)! - 1;
      if (users > 0) this.#scratch.set(block, users);
      else {
        this.#scratch.delete(block);
        this.#destroy(block);
      }
    }
  }

  usage(): { readonly bytes: number; readonly storages: number } {
    return { bytes: this.#used, storages: this.#live.size };
  }

  /** The most bytes of buffers that there were at once, in use or kept. */
  peak(): number {
    return this.#peak;
  }

  destroy(): void {
    const all = [...this.#live, ...this.#scratch.keys(), ...[...this.#pool.values()].flat()];
    all.forEach((b) => b.buffer.destroy());
    this.#live.clear();
    this.#scratch.clear();
    this.#pool.clear();
    this.#pooled = this.#used = this.#held = 0;
  }

  /** Bytes of a buffer of `size` elements of so many bytes each: whole vectors of four words, at least one. */
  bytesFor(size: number, bytesEach = 4): number {
    const bytes = 16 * Math.max(1, Math.ceil(size * bytesEach / 16));
    const most = this.#gpu.limits.maxBufferSize;
    if (bytes > most) {
      throw new DeviceError(
        `Cannot put a tensor of ${size} elements on ${this.#faults.adapter}: its buffers have at most ${most} bytes; split it or take a smaller batch`,
        "limit",
      );
    }
    return bytes;
  }

  #create(bytes: number): Block {
    checkAlive(this.#faults);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = guarded(
      this.#gpu,
      this.#faults,
      `an allocation of ${bytes} bytes`,
      () => this.#gpu.createBuffer({ size: bytes, usage }),
    );
    this.#held += bytes;
    this.#peak = Math.max(this.#peak, this.#held);
    return { buffer, bytes, id: this.#next++ };
  }

  #destroy(block: Block): void {
    this.#held -= block.bytes;
    block.buffer.destroy();
  }
}
