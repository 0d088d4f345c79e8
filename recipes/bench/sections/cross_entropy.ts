/**
 * The loss over a vocabulary and its gradient by the scores.
 *
 * @module
 */
import {
  type AnyTensor,
  div,
  fromArray,
  ones,
  type Tensor,
  valueAndGrad,
} from "../../../core/mod.ts";
import { crossEntropy } from "../../../nn/mod.ts";
import { type BenchCase, expecting, once } from "../bench_case.ts";
import { fill, fillWhole } from "../fill.ts";
import { ourRunner } from "../ours.ts";

function crossEntropyCase(rows: number, classes: number): BenchCase {
  const data = once(() => [fill(1, rows * classes, 4), fillWhole(2, rows, 0, classes)] as const);
  const row = (x: Float32Array, i: number) => x.subarray(i * classes, (i + 1) * classes);
  const total = (x: Float32Array): number => x.reduce((sum, y) => sum + Math.exp(y), 0);
  const mean = once(() => {
    const [x, labels] = data();
    const each = Array.from(labels, (l, i) => Math.log(total(row(x, i))) - row(x, i)[l]!);
    return each.reduce((a, b) => a + b, 0) / rows;
  });
  return {
    name: "cross-entropy and gradient",
    size: `${rows}x${classes}`,
    op: "crossEntropy",
    sizes: { rows, classes },
    unit: "GB/s",
    work: { bytes: 2 * 4 * rows * classes },
    ours(device) {
      const [x, labels] = data();
      const loss = valueAndGrad((x: AnyTensor, labels: AnyTensor): Tensor<[]> => {
        const { sum, weight } = crossEntropy(x, labels, ones([rows]) as AnyTensor);
        return div(sum, weight);
      });
      return ourRunner(device, (x, labels) => {
        const { value, grads } = loss(x!, labels!);
        return [value, grads];
      }, [fromArray(x, [rows, classes]), fromArray(labels, [rows], "i32")]);
    },
    check: expecting({
      results: 1 + rows * classes,
      values: (at) =>
        at.map((place) => {
          if (place === 0) return mean();
          const [x, labels] = data(), i = Math.floor((place - 1) / classes);
          const column = (place - 1) % classes, hit = labels[i] === column ? 1 : 0;
          return (Math.exp(row(x, i)[column]!) / total(row(x, i)) - hit) / rows;
        }),
      tolerance: 1e-5,
    }),
    peers: { cpu: ["PyTorch"], "cpu+blas": [], webgpu: [] },
  };
}

/** The section. */
export const crossEntropyCases: readonly BenchCase[] = [
  crossEntropyCase(307, 8192),
  crossEntropyCase(76, 21_128),
];
