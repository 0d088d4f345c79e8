/**
 * One growing WebAssembly memory and its allocator: best fit over free blocks in the order of their addresses, neighbours joined.
 *
 * @module
 */
import { DeviceError } from "../../device/error.ts";

/** How large a cpu device's memory may become. */
export type MemorySize = "4GiB" | "16GiB";

/** Units: bytes. */
export const PAGE = 65536;
/** Addresses are multiples of this. */
export const ALIGN = 64;
/** The most pages that engines reserve with addresses of 32 and of 64 bits. */
export const PAGES: { readonly [S in MemorySize]: number } = { "4GiB": 65536, "16GiB": 262144 };
/** Vector loads may read this far past a buffer's end; the last bytes of the memory are never handed out. */
const SPARE = 64;

/**
 * Words that threads share, each in a cache line of its own. Of the barrier: `arrived`, `generation`, `sleeping`. Numbers of programs:
 * the last `submitted`, the last of them `queued` for all of the pool's threads, the last that the calling thread ran with them in the
 * first one's place (`skipped`), the last `completed`, and the one that somebody waits for (`wanted`). Threads that are up: `ready`. Marks:
 * the last that the program which runs has `passed`, and the one of program `wanted` that somebody waits for (`mark`).
 */
export const CONTROL = {
  arrived: 64,
  generation: 128,
  sleeping: 192,
  submitted: 256,
  completed: 320,
  failed: 384,
  wanted: 448,
  queued: 512,
  skipped: 576,
  ready: 640,
  passed: 704,
  mark: 768,
  queue: 1024,
} as const;
/** The mark of a program's end. */
export const END = 0x7fffffff;
/** Entries of the queue: program number and table address each. */
export const QUEUE = 32;
const FIRST_FREE = CONTROL.queue + 8 * QUEUE;

export interface Heap {
  readonly memory: WebAssembly.Memory;
  readonly shared: boolean;
  /** Addresses are 64-bit. */
  readonly wide: boolean;
  /** Pages that the memory may grow to: modules that import it must say the same. */
  readonly maximum: number;
  /** The address of `bytes` new bytes, a multiple of 64. @throws {DeviceError} when the memory is full */
  allocate(bytes: number): number;
  free(address: number): void;
  /** The most bytes that were allocated at once. */
  peak(): number;
  /** Views of the whole memory as it is now; they go stale when it grows. */
  words(): Int32Array<ArrayBufferLike>;
  buffer(): ArrayBufferLike;
}

type Reserved = Pick<Heap, "memory" | "shared" | "wide" | "maximum">;

/** TypeScript's library does not know memories of 64-bit addresses yet, whose sizes are bigints. */
interface WideMemory {
  new (limits: object): WebAssembly.Memory;
  grow(pages: bigint): bigint;
}

function makeMemory(maximum: number, shared: boolean, wide: boolean): WebAssembly.Memory {
  if (!wide) return new WebAssembly.Memory({ initial: 16, maximum, shared });
  const Memory = WebAssembly.Memory as unknown as WideMemory;
  return new Memory({ initial: 16n, maximum: BigInt(maximum), shared, address: "i64" });
}

function growMemory({ memory, wide }: Reserved, pages: number): void {
  if (wide) (memory as unknown as WideMemory).grow(BigInt(pages));
  else memory.grow(pages);
}

/** The largest memory that the engine reserves, less where address space is short; unshared where sharing is refused. */
function reserve(share: boolean, size: MemorySize): Reserved {
  const wide = size === "16GiB";
  for (const shared of share ? [true, false] : [false]) {
    for (let maximum = PAGES[size]; maximum >= 1024; maximum /= 2) {
      try {
        return { memory: makeMemory(maximum, shared, wide), shared, wide, maximum };
      } catch (error) {
        if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
      }
    }
  }
  throw new DeviceError(
    `Cannot start the cpu device: this engine reserves no 64 MiB of memory${
      wide ? " with 64-bit addresses" : ""
    }`,
    "memory",
  );
}

/** A new memory, which threads may share if the engine allows it. */
export function createHeap(share: boolean, size: MemorySize = "4GiB"): Heap {
  const reserved = reserve(share, size), { memory, maximum } = reserved;
  const sizes = new Map<number, number>();
  const starts = [FIRST_FREE], lengths = [memory.buffer.byteLength - FIRST_FREE - SPARE];
  let view = new Int32Array(memory.buffer), used = 0, peak = 0;

  /** The first free block that does not lie before `address`. */
  function after(address: number): number {
    let low = 0, high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle]! < address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  function release(address: number, length: number): void {
    const i = after(address);
    const joinsNext = i < starts.length && address + length === starts[i];
    const joinsLast = i > 0 && starts[i - 1]! + lengths[i - 1]! === address;
    if (joinsLast) {
      lengths[i - 1]! += length + (joinsNext ? lengths[i]! : 0);
      if (joinsNext) {
        starts.splice(i, 1);
        lengths.splice(i, 1);
      }
    } else if (joinsNext) {
      starts[i] = address;
      lengths[i]! += length;
    } else {
      starts.splice(i, 0, address);
      lengths.splice(i, 0, length);
    }
  }
  function grow(missing: number): void {
    const before = memory.buffer.byteLength;
    // A quarter more than there is, so that growing stays rare.
    const wanted = Math.max(Math.ceil(missing / PAGE), Math.ceil(before / PAGE / 4));
    const pages = Math.min(wanted, maximum - before / PAGE);
    try {
      growMemory(reserved, Math.max(pages, Math.ceil(missing / PAGE)));
    } catch (cause) {
      throw new DeviceError(
        `Cannot allocate ${missing} bytes more: the cpu device holds at most ${
          maximum * PAGE
        }, of which ${used} are in use`,
        "memory",
        { cause },
      );
    }
    release(before - SPARE, memory.buffer.byteLength - before);
  }
  function best(length: number): number {
    let found = -1;
    for (let i = 0; i < lengths.length; i++) {
      const n = lengths[i]!;
      if (n === length) return i;
      if (n > length && (found < 0 || n < lengths[found]!)) found = i;
    }
    return found;
  }
  return {
    ...reserved,
    allocate(bytes) {
      const length = Math.max(ALIGN, Math.ceil(bytes / ALIGN) * ALIGN);
      let i = best(length);
      if (i < 0) {
        const end = memory.buffer.byteLength - SPARE, last = starts.length - 1;
        const open = last >= 0 && starts[last]! + lengths[last]! === end ? lengths[last]! : 0;
        grow(length - open);
        i = best(length);
      }
      const address = starts[i]!;
      if (lengths[i] === length) {
        starts.splice(i, 1);
        lengths.splice(i, 1);
      } else {
        starts[i]! += length;
        lengths[i]! -= length;
      }
      sizes.set(address, length);
      used += length;
      peak = Math.max(peak, used);
      return address;
    },
    free(address) {
      const length = sizes.get(address);
      if (length === undefined) {
        throw new RangeError(`Cannot free address ${address}: nothing is allocated there`);
      }
      sizes.delete(address);
      used -= length;
      release(address, length);
    },
    peak: () => peak,
    words() {
      if (view.buffer !== memory.buffer) view = new Int32Array(memory.buffer);
      return view;
    },
    buffer: () => memory.buffer,
  };
}
