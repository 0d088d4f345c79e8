/**
 * The process of the peers "tfjs wasm" and "tfjs webgpu".
 *
 * @module
 */
import { availableParallelism } from "node:os";
import type { Task } from "../bench_case.ts";
import { fill } from "../fill.ts";
import { serve } from "./serve.ts";

interface TfTensor {
  dispose(): void;
  data(): Promise<ArrayLike<number>>;
}
interface Tfjs {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  getBackend(): string;
  tensor(data: Float32Array, shape: number[]): TfTensor;
  matMul(a: TfTensor, b: TfTensor, ta: boolean, tb: boolean): TfTensor;
}
interface WasmBackend {
  setWasmPaths(folder: string): void;
  setThreadsCount(threads: number): void;
}

/** Not written out, so that the types of the whole project are checked without the packages. */
const core = "@tensorflow/tfjs-core",
  backend = (name: string) => `@tensorflow/tfjs-backend-${name}`;

await serve(async () => {
  const name = Deno.args[0]!, tf: Tfjs = await import(core);
  await import(backend("cpu")); // the others lean on it
  const loaded: WasmBackend = await import(backend(name));
  if (name === "wasm") {
    loaded.setWasmPaths(new URL(".", import.meta.resolve(backend("wasm"))).href);
    loaded.setThreadsCount(availableParallelism());
  }
  if (!await tf.setBackend(name)) {
    throw new TypeError(`Cannot run tfjs on ${name}: this machine has none`);
  }
  await tf.ready();
  return {
    name: `tfjs 4.22.0 ${tf.getBackend()}`,
    open({ op, sizes }: Task) {
      if (op !== "matmul") {
        throw new TypeError(`Cannot compute ${op} with tfjs: the bench has no such op`);
      }
      const { batch = 1, m = 0, k = 0, n = 0, ta = 0, tb = 0 } = sizes;
      const lead = batch > 1 ? [batch] : [];
      const a = tf.tensor(fill(1, batch * m * k), [...lead, ...ta ? [k, m] : [m, k]]);
      const b = tf.tensor(fill(2, batch * k * n), [...lead, ...tb ? [n, k] : [k, n]]);
      let out: TfTensor | undefined;
      const again = (): TfTensor => {
        out?.dispose();
        return out = tf.matMul(a, b, ta === 1, tb === 1);
      };
      return {
        async run(times) {
          for (let i = 0; i < times; i++) again();
          await out!.data(); // tfjs has no other way to wait
        },
        results: async () => [await again().data()],
        close() {
          for (const x of [a, b, out]) x?.dispose();
        },
      };
    },
  };
});
