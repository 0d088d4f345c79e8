/**
 * Vectors of tokens from what stands near them: tokens in like company have like vectors.
 *
 *     M_ij = max(0, log( n_ij n^α / (n_i n_j^α) )),  α = 0.75,     M ≈ U S Vᵀ,     E = U √S
 *
 * n_ij: how often token i stands near context j; n_j^α and its sum n^α take some weight from rare contexts. The C largest singular values come from
 * subspace iteration on MᵀM, whose products a device computes; √S, from the small matrix that is left of it.
 *
 * Source: Levy and Goldberg 2014, Neural Word Embedding as Implicit Matrix Factorization; Levy, Goldberg and Dagan 2015 (TACL 3), sections 3.3 and
 * 5.1, for α and for √S; Halko, Martinsson and Tropp 2011 (arXiv 0909.4061), algorithm 4.4.
 *
 * @module
 */
import { EigenvalueDecomposition, Matrix, QrDecomposition } from "npm:ml-matrix@6.15.1";
import {
  type AnyTensor,
  type Device,
  dispose,
  einsum,
  fromArray,
  jit,
  read,
  type Tensor,
} from "../../core/mod.ts";
import type { NeighbourCounts } from "./neighbour_counts.ts";

/** The exponent on the counts of contexts. */
const SMOOTHING = 0.75;
/** Subspace iterations, and columns beside those that are wanted: more change no vector visibly. */
const ITERATIONS = 6;
const BESIDE = 16;

/** M in place of the counts. */
function weighPairs(counts: Float32Array<ArrayBuffer>, V: number, K: number): void {
  const rows = new Float64Array(V), columns = new Float64Array(K);
  for (let i = 0; i < V; i++) {
    for (let k = 0; k < K; k++) {
      const n = counts[i * K + k]!;
      rows[i]! += n;
      columns[k]! += n;
    }
  }
  const smooth = columns.map((n) => n ** SMOOTHING), sum = smooth.reduce((a, b) => a + b, 0);
  for (let i = 0; i < V; i++) {
    for (let k = 0; k < K; k++) {
      const n = counts[i * K + k]!;
      counts[i * K + k] = n > 0 ? Math.max(0, Math.log(n * sum / (rows[i]! * smooth[k]!))) : 0;
    }
  }
}

/** Orthonormal columns of the same span. Shapes: [N, W]. */
function orthonormal(values: ArrayLike<number>, N: number, W: number): Float32Array<ArrayBuffer> {
  const q = new QrDecomposition(Matrix.from1DArray(N, W, Array.from(values))).orthogonalMatrix;
  return Float32Array.from(q.to1DArray().map((x) => Math.fround(x)));
}

/** B^(-1/4) of a symmetric matrix without negative eigenvalues, on the W largest of them: [N, W]. */
function quarterRoot(values: ArrayLike<number>, N: number, W: number): Float32Array<ArrayBuffer> {
  const own = new EigenvalueDecomposition(Matrix.from1DArray(N, N, Array.from(values)), {
    assumeSymmetric: true,
  });
  const order = own.realEigenvalues.map((value, i) => [value, i] as const)
    .sort(([a], [b]) => b - a).slice(0, W);
  const roots = new Float32Array(N * W), floor = order[0]![0] * 1e-9;
  order.forEach(([value, column], w) => {
    for (let n = 0; n < N; n++) {
      // Where the text has fewer dimensions than are wanted, those beside it say nothing.
      roots[n * W + w] = value > floor ? own.eigenvectorMatrix.get(n, column) * value ** -0.25 : 0;
    }
  });
  return roots;
}

/**
 * Vectors of all tokens; those that stand near nothing have zeros. The counts are written over.
 *
 * Shapes: counts [V, K] -> [V, C], zeros beyond the rank of the counts.
 */
export async function tokenVectors(
  { counts, vocabulary, contexts: { length: K } }: NeighbourCounts,
  C: number,
  random: (length: number) => Float32Array<ArrayBuffer>,
  device: Device,
): Promise<Float32Array> {
  if (counts.every((n) => n === 0)) return new Float32Array(vocabulary * C);
  const V = vocabulary, W = Math.min(C + BESIDE, K);
  weighPairs(counts, V, K);
  const on = { device };
  const squared = jit((m: AnyTensor): AnyTensor => einsum("vk,vl->kl", m, m), on);
  const product = jit((a: AnyTensor, b: AnyTensor): AnyTensor => einsum("nk,kw->nw", a, b), on);
  const projected = jit(
    (q: AnyTensor, g: AnyTensor): AnyTensor =>
      einsum("kw,kx->wx", q, einsum("kl,lx->kx", g, q) as AnyTensor),
    on,
  );
  const m = fromArray(counts, [V, K]) as AnyTensor, gram = squared(m);
  let q = orthonormal(random(K * W), K, W);
  for (let i = 0; i < ITERATIONS; i++) {
    const basis = fromArray(q, [K, W]) as AnyTensor, next = product(gram, basis);
    q = orthonormal(await read(next as Tensor) as Float32Array, K, W);
    dispose([basis, next]);
  }
  const basis = fromArray(q, [K, W]) as AnyTensor, small = projected(basis, gram);
  const roots = fromArray(
    quarterRoot(await read(small as Tensor) as Float32Array, W, Math.min(C, W)),
    [W, Math.min(C, W)],
  ) as AnyTensor;
  const images = product(m, basis), found = product(images, roots);
  const narrow = await read(found as Tensor) as Float32Array;
  dispose([m, gram, basis, small, roots, images, found]);
  const own = Math.min(C, W), vectors = new Float32Array(V * C);
  for (let i = 0; i < V; i++) vectors.set(narrow.subarray(i * own, (i + 1) * own), i * C);
  return vectors;
}
