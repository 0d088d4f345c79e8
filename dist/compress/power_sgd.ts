/**
 * PowerSGD: of every matrix of gradients the best few columns, by one step of the power method that goes on from the last exchange.
 *
 * P = Σ M Q over ranks, its columns made orthonormal; Q = Σ Mᵀ P; the sum is P Qᵀ, and each rank remembers what of its own M is not in it.
 * P and Q travel in a byte an element, or half of one: four or eight times the columns for the bytes of f32. What Q loses by that is
 * remembered too, as what it would have said by P; P needs only be the same everywhere.
 *
 * Source: Vogels, Karimireddy and Jaggi 2019, arXiv 1905.13727, algorithms 1 and 2.
 *
 * @module
 */
import { combines } from "../message/combine.ts";
import type { Bucket } from "../parallel/buckets.ts";
import type { Collective } from "../parallel/alone.ts";
import { randomOf } from "../sim/random.ts";
import type { Codec } from "./codec.ts";
import { codedSum } from "./coded_sum.ts";
import { int8 } from "./int8.ts";
import {
  addProduct,
  leftProduct,
  norm,
  orthonormalize,
  rightProduct,
  type Sizes,
} from "./low_rank.ts";
import { type Compression, freshMemory } from "./memory.ts";

/** A leaf as a matrix: its last axis are the columns. */
export function matrixOf(shape: readonly number[], rank: number): Sizes {
  const cols = shape.at(-1) ?? 1, rows = shape.slice(0, -1).reduce((n, axis) => n * axis, 1);
  return { rows, cols, rank: Math.min(rank, rows, cols) };
}

/** Is it a matrix whose factors of so many columns have a quarter of its bytes at most in a byte an element, an eighth in half of one? */
export function isLowRank(shape: readonly number[], rank: number): boolean {
  const { rows, cols, rank: r } = matrixOf(shape, rank);
  return shape.length > 1 && r * (rows + cols) <= rows * cols;
}

/** A matrix in its bucket, and its factors among those of the bucket. */
interface Place extends Sizes {
  readonly leaf: number;
  readonly at: number;
  readonly pAt: number;
  readonly qAt: number;
}

/** Sums of matrices by `rank` columns of each; `shapes` are those of all leaves. A rank alone sends nothing, and says all. */
export function powerSgd(
  shapes: readonly (readonly number[])[],
  rank: number,
  codec: Codec = int8,
): Compression {
  const placesOf = ({ parts }: Bucket): { places: readonly Place[]; ps: number; qs: number } => {
    let ps = 0, qs = 0;
    const places = parts.map(({ leaf, at }) => {
      const sizes = matrixOf(shapes[leaf]!, rank), place = { ...sizes, leaf, at, pAt: ps, qAt: qs };
      ps += sizes.rows * sizes.rank;
      qs += sizes.cols * sizes.rank;
      return place;
    });
    return { places, ps, qs };
  };
  const views = ({ rows, cols, rank, at, pAt, qAt }: Place) => ({
    m: (x: Float32Array) => x.subarray(at, at + rows * cols),
    p: (x: Float32Array) => x.subarray(pAt, pAt + rows * rank),
    q: (x: Float32Array) => x.subarray(qAt, qAt + cols * rank),
  });
  return {
    chunk: () => ({ from: 0, to: 0 }),
    basis(bucket) {
      const { places, qs } = placesOf(bucket), all = new Float32Array(qs);
      for (const place of places) {
        for (let k = 0; k < place.rank; k++) chance(views(place).q(all), place, k);
      }
      return all;
    },
    async sum(group, array, bucket, { worker, server, basis }) {
      const { places, ps, qs } = placesOf(bucket);
      // A code's scale is of one column alone: they differ in size.
      const bucketOf = (length: number, which: "pAt" | "qAt", of: "rows" | "cols"): Bucket => ({
        length,
        parts: places.flatMap(({ leaf, rank, [which]: first, [of]: length }) =>
          Array.from({ length: rank }, (_, k) => ({ leaf, at: first + k * length, length }))
        ),
      });
      const pBucket = bucketOf(ps, "pAt", "rows"), qBucket = bucketOf(qs, "qAt", "cols");
      const left = new Float32Array(array.length);
      combines.sum(left, array, worker);
      if (group.size === 1) {
        array.set(left);
        return { worker: left.fill(0), server, basis };
      }
      const allP = new Float32Array(ps), allQ = new Float32Array(qs);
      for (const place of places) {
        const { m, p, q } = views(place);
        rightProduct(m(left), q(basis), place, p(allP));
      }
      await sumFactors(group, codec, allP, pBucket);
      for (const place of places) {
        const { m, p, q } = views(place);
        orthonormalize(p(allP), place.rows, place.rank);
        leftProduct(m(left), p(allP), place, q(allQ));
        addProduct(m(left), p(allP), q(allQ), place, -1);
      }
      const unsaid = await sumFactors(group, codec, allQ, qBucket);
      array.fill(0);
      for (const place of places) {
        const { m, p, q } = views(place);
        addProduct(m(array), p(allP), q(allQ), place, 1);
        addProduct(m(left), p(allP), q(unsaid), place, 1);
        for (let k = 0; k < place.rank; k++) chanceIfNothing(q(allQ), place, k);
      }
      return { worker: left, server, basis: allQ };
    },
  };
}

/** Sums factors over ranks, in codes. Gives what this rank's codes did not say. */
async function sumFactors(
  group: Collective,
  codec: Codec,
  factors: Float32Array,
  bucket: Bucket,
): Promise<Float32Array> {
  const compression = codedSum(codec), memory = freshMemory(compression, bucket, group);
  const { worker, server } = await compression.sum(group, factors, bucket, memory);
  const { from, to } = compression.chunk(bucket, group), chunk = worker.subarray(from, to);
  combines.sum(chunk, chunk, server);
  return worker;
}

/** A column without any direction, equal on all ranks. */
function chance(q: Float32Array, { leaf, cols }: Place, k: number): void {
  const random = randomOf(7919 * leaf + k + 1);
  for (let j = 0; j < cols; j++) q[k * cols + j] = 2 * random() - 1;
}

/** Directions alone go into the next exchange; a matrix that was nothing, or had fewer, begins again. */
function chanceIfNothing(q: Float32Array, place: Place, k: number): void {
  const { cols } = place, column = q.subarray(k * cols, (k + 1) * cols), size = norm(column);
  if (size === 0) chance(q, place, k);
  else for (let j = 0; j < cols; j++) column[j]! /= size;
}
