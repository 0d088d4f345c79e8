/**
 * Memory bandwidth: STREAM's triad, a ← b + s c, in WebAssembly on every core at once, over arrays larger than the caches.
 *
 * Each core has its part in a memory of its own. As in STREAM, an element counts 12 bytes: the line that a store first fetches is
 * not counted, so 100 % of this is what code without non-temporal stores can reach.
 *
 * Source: McCalpin, STREAM, https://www.cs.virginia.edu/stream
 *
 * @module
 */
import { Worker } from "node:worker_threads";
import {
  encoded,
  encodeModule,
  f32x4,
  get,
  I32,
  i32,
  loop,
  set,
  V128,
  v128,
} from "../../core/backends/cpu/encoder.ts";

/** Bytes of all three arrays of all cores together. */
const ALL = 384 * 2 ** 20, PAGE = 65_536;
const ROUNDS = 9;

/** run(bytes): over three arrays of so many bytes each, one after another in memory. */
function triadModule(pages: number): Uint8Array<ArrayBuffer> {
  const BYTES = 0, end = 1, p = 2, s = 3;
  const at = (array: number) => i32.add(get(p), i32.mul(get(BYTES), i32.of(array)));
  const step = v128.store(
    get(p),
    f32x4.add(v128.load(at(1)), f32x4.mul(v128.load(at(2)), get(s))),
  );
  const body = [
    set(end, get(BYTES)),
    set(s, v128.i32(0x3f000000, 0x3f000000, 0x3f000000, 0x3f000000)), // 0.5
    loop(p, i32.of(0), get(end), 16, step),
  ];
  const run = encoded({ params: [I32], locals: [I32, I32, V128], body });
  return encodeModule([run], { maximum: pages, shared: false, wide: false });
}

/** Sent to the threads as text: it must not refer to anything outside itself. */
function triadThread(node: typeof import("node:worker_threads")): void {
  const { module, bytes, pages } = node.workerData as {
    readonly module: Uint8Array<ArrayBuffer>;
    readonly bytes: number;
    readonly pages: number;
  };
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  new Float32Array(memory.buffer).fill(1);
  const compiled = new WebAssembly.Module(module);
  const run = new WebAssembly.Instance(compiled, { env: { memory } }).exports.run as (
    n: number,
  ) => void;
  node.parentPort!.on("message", () => {
    run(bytes);
    node.parentPort!.postMessage(new Float32Array(memory.buffer)[bytes / 8]);
  });
}

/** Bytes a second that all cores together read and write; the fastest of some rounds. */
export async function triadBandwidth(
  cores: number = navigator.hardwareConcurrency,
): Promise<number> {
  const bytes = Math.floor(ALL / 3 / cores / PAGE) * PAGE, pages = 3 * bytes / PAGE;
  const workerData = { module: triadModule(pages), bytes, pages };
  const source = `(${triadThread})(require("node:worker_threads"))`;
  const workers = Array.from(
    { length: cores },
    () => new Worker(source, { eval: true, workerData }),
  );
  const round = () =>
    Promise.all(workers.map((worker) =>
      new Promise<number>((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
        worker.postMessage(null);
      })
    ));
  try {
    let best = Infinity;
    for (let i = 0; i < ROUNDS; i++) {
      const start = performance.now(), sums = await round();
      if (i > 0) best = Math.min(best, (performance.now() - start) / 1000);
      if (sums.some((sum) => sum !== 1.5)) {
        throw new RangeError(`Cannot measure the bandwidth: 1 + 0.5 · 1 came out as ${sums}`);
      }
    }
    return 3 * bytes * cores / best;
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
