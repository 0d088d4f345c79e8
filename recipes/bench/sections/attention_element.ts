/**
 * Elements of attention's result and gradients by the definition, in f64: what every way to compute it is checked against.
 *
 * @module
 */

/** Sizes of one attention. */
export interface AttentionSizes {
  readonly batch: number;
  readonly heads: number;
  readonly length: number;
  readonly width: number;
}

/** Its operands, row-major, and the cotangent of its result. */
export interface AttentionData {
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
  readonly ct: Float32Array;
  /** [heads, rows] */
  readonly bias: Float32Array;
  /** The row of each offset j - i, from 1 - length up. */
  readonly index: Int32Array;
  /** [batch, length]: 1 where a key may be seen. */
  readonly keep: Float32Array;
}

/** One element of the result, then the gradients by q, k and v, and with `biased` by the bias, all in a row. */
export function attentionElement(
  data: AttentionData,
  sizes: AttentionSizes,
  biased: boolean,
  place: number,
): number {
  const { q, k, v, ct } = data, { length, width } = sizes;
  const size = q.length, which = Math.floor(place / size), at = place % size;
  if (which === 4) return biasElement(data, sizes, at);
  const from = at - at % (length * width), row = Math.floor((at - from) / width);
  const column = at % width, { weights, slopes } = headAt(data, sizes, biased, from);
  const mix = (coefficients: Float64Array, x: Float32Array): number =>
    coefficients.reduce((sum, c, j) => sum + c * x[from + j * width + column]!, 0);
  const scale = 1 / Math.sqrt(width), every = Float64Array.from({ length }, (_, i) => i);
  switch (which) {
    case 0:
      return mix(weights(row), v);
    case 1:
      return scale * mix(slopes(row), k);
    case 2:
      return scale * mix(every.map((i) => slopes(i)[row]!), q);
    default:
      return mix(every.map((i) => weights(i)[row]!), ct);
  }
}

/** The gradient by one element of the bias. */
function biasElement(data: AttentionData, sizes: AttentionSizes, at: number): number {
  const { batch, heads, length, width } = sizes, rows = data.bias.length / heads;
  const head = Math.floor(at / rows), row = at % rows;
  let sum = 0;
  for (let b = 0; b < batch; b++) {
    const { slopes } = headAt(data, sizes, true, (b * heads + head) * length * width);
    for (let i = 0; i < length; i++) {
      const g = slopes(i);
      for (let j = 0; j < length; j++) {
        if (data.index[j - i + length - 1] === row) sum += g[j]!;
      }
    }
  }
  return sum;
}

/** The head that begins at element `from` of q. */
function headAt(
  { q, k, v, ct, bias, index, keep }: AttentionData,
  { heads, length, width }: AttentionSizes,
  biased: boolean,
  from: number,
): {
  /** softmax over j of the scores of query i. */
  readonly weights: (i: number) => Float64Array;
  /** The gradient by the scores of query i. */
  readonly slopes: (i: number) => Float64Array;
} {
  const number = from / (length * width), head = number % heads, rows = bias.length / heads;
  const firstKey = Math.floor(number / heads) * length, scale = 1 / Math.sqrt(width);
  const dot = (a: Float32Array, i: number, b: Float32Array, j: number): number => {
    let sum = 0;
    for (let c = 0; c < width; c++) sum += a[from + i * width + c]! * b[from + j * width + c]!;
    return sum;
  };
  const added = (i: number, j: number): number =>
    biased ? bias[head * rows + index[j - i + length - 1]!]! - 1e9 * (1 - keep[firstKey + j]!) : 0;
  const weights = (i: number): Float64Array => {
    const scores = Float64Array.from({ length }, (_, j) => scale * dot(q, i, k, j) + added(i, j));
    const top = scores.reduce((a, b) => Math.max(a, b), -Infinity);
    const e = scores.map((s) => Math.exp(s - top)), total = e.reduce((a, b) => a + b, 0);
    return e.map((x) => x / total);
  };
  const slopes = (i: number): Float64Array => {
    const w = weights(i), g = Float64Array.from({ length }, (_, j) => dot(ct, i, v, j));
    const mean = g.reduce((sum, x, j) => sum + x * w[j]!, 0);
    return g.map((x, j) => w[j]! * (x - mean));
  };
  return { weights, slopes };
}
