/**
 * OpenBLAS called directly: the process of the peer "OpenBLAS". Arrays are in plain memory of this process.
 *
 * @module
 */
import type { Task } from "../bench_case.ts";
import { fill } from "../fill.ts";
import { serve, type Served } from "./serve.ts";

const [ROW_MAJOR, PLAIN, TRANSPOSED] = [101, 111, 112];
const names = {
  linux: "libopenblas.so.0",
  darwin: "libopenblas.dylib",
  windows: "libopenblas.dll",
};

await serve(() => {
  const file = names[Deno.build.os as keyof typeof names] ?? "libopenblas.so";
  const { symbols } = Deno.dlopen(file, {
    cblas_sgemm: {
      // deno-fmt-ignore
      parameters: [
        "i32", "i32", "i32", "i32", "i32", "i32", "f32", "buffer", "i32", "buffer", "i32", "f32",
        "buffer", "i32",
      ],
      result: "void",
    },
    openblas_get_corename: { parameters: [], result: "pointer" },
    openblas_get_num_threads: { parameters: [], result: "i32" },
  });
  const core = Deno.UnsafePointerView.getCString(symbols.openblas_get_corename()!);
  const matmul = ({ op, sizes }: Task): Served => {
    const { batch = 1, m = 0, k = 0, n = 0, ta = 0, tb = 0 } = sizes;
    if (op !== "matmul") throw new TypeError(`Cannot compute ${op} with OpenBLAS: it multiplies`);
    const a = fill(1, batch * m * k), b = fill(2, batch * k * n);
    const c = new Float32Array(batch * m * n);
    const part = (x: Float32Array<ArrayBuffer>, i: number, size: number) =>
      x.subarray(i * size, (i + 1) * size);
    const parts = Array.from({ length: batch }, (_, i) => ({
      a: part(a, i, m * k),
      b: part(b, i, k * n),
      c: part(c, i, m * n),
    }));
    const ways = [ta ? TRANSPOSED : PLAIN, tb ? TRANSPOSED : PLAIN] as const;
    const [lda, ldb] = [ta ? m : k, tb ? k : n];
    return {
      run(times) {
        for (let i = 0; i < times; i++) {
          for (const { a, b, c } of parts) {
            symbols.cblas_sgemm(ROW_MAJOR, ...ways, m, n, k, 1, a, lda, b, ldb, 0, c, n);
          }
        }
      },
      results() {
        this.run(1);
        return [c];
      },
      close() {},
    };
  };
  const threads = symbols.openblas_get_num_threads();
  return Promise.resolve({ name: `OpenBLAS (${core}, ${threads} threads)`, open: matmul });
});
