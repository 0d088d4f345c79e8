/**
 * Sums along rows, along columns and of everything.
 *
 * @module
 */
import { fromArray, sum } from "../../../core/mod.ts";
import { type BenchCase, expecting, once } from "../bench_case.ts";
import { fill } from "../fill.ts";
import { ourRunner } from "../ours.ts";

/** `axis` -1: all of them. */
function totalCase(rows: number, width: number, axis: -1 | 0 | 1): BenchCase {
  const data = once(() => fill(1, rows * width));
  const element = (x: Float32Array, at: number): number => {
    const [from, step, count] = axis < 0
      ? [0, 1, rows * width]
      : axis === 0
      ? [at, width, rows]
      : [at * width, 1, width];
    let total = 0;
    for (let i = 0; i < count; i++) total += x[from + i * step]!;
    return total;
  };
  return {
    name: `reduction sum ${axis < 0 ? "all" : axis === 0 ? "columns" : "rows"}`,
    size: `${rows}x${width}`,
    op: "total",
    sizes: { rows, width, axis },
    unit: "GB/s",
    work: { bytes: 4 * rows * width },
    ours: (device) =>
      ourRunner(device, (x) => [axis < 0 ? sum(x!) : sum(x!, axis)], [
        fromArray(data(), [rows, width]),
      ]),
    check: expecting({
      results: axis < 0 ? 1 : axis === 0 ? width : rows,
      values: (at) => at.map((i) => element(data(), i)),
      // Sums of n numbers below 1, in f32: their rounding grows with n, a number left out does not hide in it.
      tolerance: axis < 0 ? 0.1 : 1e-3,
    }),
    peers: { cpu: ["PyTorch", "jax-js wasm"], "cpu+blas": [], webgpu: ["jax-js webgpu"] },
  };
}

/** The section. */
export const reductionCases: readonly BenchCase[] = ([1, 0, -1] as const).map((axis) =>
  totalCase(4096, 1024, axis)
);
