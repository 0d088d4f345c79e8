/**
 * Matrix products: c[m, n] = Σₖ a[m, k] · b[k, n], with a or b stored transposed, and many at once.
 *
 * @module
 */
import { type AnyTensor, cast, fromArray, matmul, swapaxes } from "../../../core/mod.ts";
import { fromF16, toF16 } from "../../../core/dtype.ts";
import { type BenchCase, expecting, once } from "../bench_case.ts";
import { fill } from "../fill.ts";
import { ourRunner } from "../ours.ts";

interface Sizes {
  readonly batch: number;
  readonly m: number;
  readonly k: number;
  readonly n: number;
  /** 1: stored as [k, m]. */
  readonly ta: 0 | 1;
  /** 1: stored as [n, k]. */
  readonly tb: 0 | 1;
}

/** One product, or `batch` of them. */
export function matmulCase(given: Partial<Sizes> & Pick<Sizes, "m" | "k" | "n">): BenchCase {
  const sizes: Sizes = { batch: 1, ta: 0, tb: 0, ...given };
  const { batch, m, k, n, ta, tb } = sizes, flops = 2 * batch * m * k * n;
  const data = once(() => [fill(1, batch * m * k), fill(2, batch * k * n)] as const);
  const shape = (rows: number, columns: number, turned: 0 | 1): number[] => [
    ...batch > 1 ? [batch] : [],
    ...turned ? [columns, rows] : [rows, columns],
  ];
  return {
    name: `matmul ${"NT"[ta]}${"NT"[tb]}`,
    size: `${batch > 1 ? `${batch}x` : ""}${m}x${k}x${n}`,
    op: "matmul",
    sizes: { ...sizes },
    unit: "GFLOP/s",
    work: { flops },
    ours: (device) => {
      const [a, b] = data();
      const inputs = [fromArray(a, shape(m, k, ta)), fromArray(b, shape(k, n, tb))];
      const turn = (x: AnyTensor, turned: 0 | 1): AnyTensor => turned ? swapaxes(x, -1, -2) : x;
      return ourRunner(device, (x, y) => [matmul(turn(x!, ta), turn(y!, tb))], inputs);
    },
    check: expecting({
      results: batch * m * n,
      values: (at) => at.map((place) => element(data(), sizes, place)),
      // Rounding of a sum of k products below 1, in any order, is far below this; one product left out is not.
      tolerance: 1e-6 * Math.max(16, k),
    }),
    peers: {
      cpu: ["jax-js wasm", "tfjs wasm", "OpenBLAS"],
      "cpu+blas": ["OpenBLAS"],
      webgpu: ["jax-js webgpu", "tfjs webgpu"],
    },
  };
}

/** A square product in f16, on a GPU whose elements of f16 take two bytes, beside the same in f32. */
function shortCube(n: number): BenchCase {
  const long = matmulCase({ m: n, k: n, n });
  const data = once(() => {
    const rounded = (seed: number): Float32Array => fill(seed, n * n).map((x) => fromF16(toF16(x)));
    return [rounded(1), rounded(2)] as const;
  });
  return {
    ...long,
    name: `${long.name} f16`,
    ours: (device) => {
      const inputs = data().map((x) => cast(fromArray(x, [n, n]), "f16"));
      const product = (x?: AnyTensor, y?: AnyTensor): AnyTensor => matmul(x!, y!);
      return ourRunner(device, (x, y) => [cast(product(x, y), "f32")], inputs);
    },
    check: expecting({
      results: n * n,
      values: (at) => at.map((i) => element(data(), { m: n, k: n, n, batch: 1, ta: 0, tb: 0 }, i)),
      // Half the distance between numbers of f16 below 64, which these sums are, and the error of the sum.
      tolerance: 64 / 2 ** 12 + 1e-6 * n,
    }),
    beside: { name: "our f32", open: (device) => long.ours(device) },
    peers: { cpu: [], "cpu+blas": [], webgpu: [] },
    onlyOn: ["webgpu"],
  };
}

/** One element of the product: a sum in f64. */
function element(
  [a, b]: readonly [Float32Array, Float32Array],
  { m, k, n, ta, tb }: Sizes,
  place: number,
): number {
  const i = Math.floor(place / (m * n)), row = Math.floor(place / n) % m, column = place % n;
  let sum = 0;
  for (let j = 0; j < k; j++) {
    const x = a[i * m * k + (ta ? j * m + row : row * k + j)]!;
    sum += x * b[i * k * n + (tb ? column * k + j : j * n + column)]!;
  }
  return sum;
}

const cube = (n: number): BenchCase => matmulCase({ m: n, k: n, n });

/** The section. */
export const matmulCases: readonly BenchCase[] = [
  cube(64),
  cube(256),
  cube(1024),
  shortCube(1024),
  matmulCase({ m: 1024, k: 1024, n: 1024, tb: 1 }),
  matmulCase({ m: 1024, k: 1024, n: 1024, ta: 1 }),
  matmulCase({ m: 2048, k: 256, n: 64 }),
  matmulCase({ m: 16, k: 1024, n: 1024 }),
  matmulCase({ m: 307, k: 256, n: 8192, tb: 1 }),
  matmulCase({ batch: 64, m: 128, k: 64, n: 128, tb: 1 }),
];
