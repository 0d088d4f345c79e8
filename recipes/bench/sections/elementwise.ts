/**
 * Chains of elementwise ops, which should cost one pass over memory.
 *
 * @module
 */
import { add, fromArray, gelu, mul } from "../../../core/mod.ts";
import { type BenchCase, expecting, once } from "../bench_case.ts";
import { erf64 } from "../erf.ts";
import { fill } from "../fill.ts";
import { ourRunner } from "../ours.ts";

/** gelu(x a + b) + x with x [rows, width]; a and b [width]. */
function chainCase(rows: number, width: number): BenchCase {
  const data = once(() => [fill(1, rows * width, 4), fill(2, width), fill(3, width)] as const);
  return {
    name: "elementwise gelu(x*a+b)+x",
    size: `${rows}x${width}`,
    op: "chain",
    sizes: { rows, width },
    unit: "GB/s",
    work: { bytes: 2 * 4 * rows * width },
    ours(device) {
      const [x, a, b] = data();
      const inputs = [fromArray(x, [rows, width]), fromArray(a, [width]), fromArray(b, [width])];
      return ourRunner(device, (x, a, b) => [add(gelu(add(mul(x!, a!), b!)), x!)], inputs);
    },
    check: expecting({
      results: rows * width,
      values: (at) => {
        const [x, a, b] = data();
        return at.map((i) => {
          const y = x[i]! * a[i % width]! + b[i % width]!;
          return y * (1 + erf64(y / Math.SQRT2)) / 2 + x[i]!;
        });
      },
      tolerance: 1e-5,
    }),
    peers: { cpu: ["PyTorch", "jax-js wasm"], "cpu+blas": [], webgpu: ["jax-js webgpu"] },
  };
}

/** The section. */
export const elementwiseCases: readonly BenchCase[] = [chainCase(4096, 1024)];
