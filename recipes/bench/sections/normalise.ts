/**
 * Softmax and LayerNorm: rows that are read to know what they are divided by.
 *
 * @module
 */
import { type AnyTensor, fromArray, layerNorm, softmax, vjp } from "../../../core/mod.ts";
import { type BenchCase, expecting, once } from "../bench_case.ts";
import { fill } from "../fill.ts";
import { ourRunner } from "../ours.ts";

const peers: BenchCase["peers"] = {
  cpu: ["PyTorch", "jax-js wasm"],
  "cpu+blas": [],
  webgpu: ["jax-js webgpu"],
};

function softmaxCase(rows: number, width: number): BenchCase {
  const data = once(() => fill(1, rows * width, 4));
  return {
    name: "softmax",
    size: `${rows}x${width}`,
    op: "softmax",
    sizes: { rows, width },
    unit: "GB/s",
    work: { bytes: 2 * 4 * rows * width },
    ours: (device) =>
      ourRunner(device, (x) => [softmax(x!, 1)], [fromArray(data(), [rows, width])]),
    check: expecting({
      results: rows * width,
      values: (at) =>
        at.map((i) => {
          const row = data().subarray(i - i % width, i - i % width + width);
          return Math.exp(row[i % width]!) / row.reduce((sum, x) => sum + Math.exp(x), 0);
        }),
      tolerance: 1e-7,
    }),
    peers,
  };
}

const EPS = 1e-5;

/** A row less its mean, over its deviation; and that deviation. */
function standard(row: Float32Array): { readonly y: Float64Array; readonly deviation: number } {
  const mean = row.reduce((a, b) => a + b, 0) / row.length;
  const square = row.reduce((a, b) => a + (b - mean) ** 2, 0) / row.length;
  const deviation = Math.sqrt(square + EPS);
  return { y: Float64Array.from(row, (x) => (x - mean) / deviation), deviation };
}

function layerNormCase(rows: number, width: number): BenchCase {
  const data = once(() => [fill(1, rows * width, 2), fill(2, width), fill(3, width)] as const);
  return {
    name: "layerNorm",
    size: `${rows}x${width}`,
    op: "layerNorm",
    sizes: { rows, width, backward: 0 },
    unit: "GB/s",
    work: { bytes: 2 * 4 * rows * width },
    ours: (device) =>
      ourRunner(device, (x, gain, bias) => [layerNorm(x!, gain!, bias!)], tensors(data(), width)),
    check: expecting({
      results: rows * width,
      values: (at) => {
        const [x, gain, bias] = data();
        return at.map((i) => {
          const { y } = standard(x.subarray(i - i % width, i - i % width + width));
          return y[i % width]! * gain[i % width]! + bias[i % width]!;
        });
      },
      tolerance: 1e-5,
    }),
    peers,
  };
}

const tensors = ([x, ...rows]: readonly Float32Array[], width: number): AnyTensor[] => [
  fromArray(x!, [x!.length / width, width]),
  ...rows.map((row): AnyTensor => fromArray(row, [width])),
];

/** The gradients by x, gain and bias. */
function layerNormGradientCase(rows: number, width: number): BenchCase {
  const data = once(() => [fill(1, rows * width, 2), fill(2, width), fill(3, width)] as const);
  const cotangent = once(() => fill(4, rows * width));
  /** dx = (h - mean h - y mean(h y)) / deviation with h = ct gain. */
  const byX = (i: number): number => {
    const [x, gain] = data(), from = i - i % width;
    const { y, deviation } = standard(x.subarray(from, from + width));
    const h = Float64Array.from(gain, (g, j) => g * cotangent()[from + j]!);
    const mean = h.reduce((a, b) => a + b, 0) / width;
    const along = h.reduce((a, b, j) => a + b * y[j]!, 0) / width;
    return (h[i % width]! - mean - y[i % width]! * along) / deviation;
  };
  const byRows = once(() => {
    const [x] = data(), gain = new Float64Array(width), bias = new Float64Array(width);
    for (let from = 0; from < rows * width; from += width) {
      const { y } = standard(x.subarray(from, from + width));
      for (let j = 0; j < width; j++) {
        gain[j]! += y[j]! * cotangent()[from + j]!;
        bias[j]! += cotangent()[from + j]!;
      }
    }
    return [...gain, ...bias];
  });
  return {
    name: "layerNorm and gradient",
    size: `${rows}x${width}`,
    op: "layerNorm",
    sizes: { rows, width, backward: 1 },
    unit: "GB/s",
    work: { bytes: 3 * 4 * rows * width },
    ours: (device) =>
      ourRunner(device, (x, gain, bias, ct) => {
        const [, back] = vjp(
          (x: AnyTensor, g: AnyTensor, b: AnyTensor): AnyTensor => layerNorm(x, g, b),
          x!,
          gain!,
          bias!,
        );
        return back(ct!);
      }, [...tensors(data(), width), fromArray(cotangent(), [rows, width])]),
    check: expecting({
      results: rows * width + 2 * width,
      values: (at) => at.map((i) => i < rows * width ? byX(i) : byRows()[i - rows * width]!),
      tolerance: 1e-3,
    }),
    peers: { cpu: ["PyTorch"], "cpu+blas": [], webgpu: [] },
  };
}

/** The section. */
export const normaliseCases: readonly BenchCase[] = [
  softmaxCase(4096, 1024),
  softmaxCase(32_768, 128),
  layerNormCase(16_384, 256),
  layerNormCase(4096, 1024),
  layerNormGradientCase(16_384, 256),
];
