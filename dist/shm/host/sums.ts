/**
 * Operations of the ranks of one host, straight through memory: every rank sums its chunk from all others' pieces, in the fixed tree of
 * shards, and all copy the sums.
 *
 * @module
 */
import { chunkOf, type Span } from "../../group/chunk.ts";
import { createShardSum, type ShardNode } from "../../group/shard_tree.ts";
import { part, roomLike, type WireArray } from "../../message/array.ts";
import type { Combine } from "../../message/combine.ts";
import type { Steps } from "./steps.ts";

/** What is summed, and where it goes. */
export interface Sum {
  /** Subtrees whose sums each rank gives. */
  readonly nodes: readonly (readonly ShardNode[])[];
  /** This rank's, used up. */
  readonly arrays: readonly WireArray[];
  /** Where results go, on ranks that get more than their chunk; every rank's own chunk goes there in any case. */
  readonly into: readonly WireArray[];
  readonly combine: Combine;
  /** Who gets the others' chunks too. */
  readonly getters: "all" | "none" | "first";
  /** One result, the sum of all; else those of whole subtrees, as many as `into` has. */
  readonly isTotal: boolean;
}

/** Operations of a rank, which all ranks of its host call in the same order. @throws DistError when the group fails */
export interface Sums {
  sum(what: Sum): Promise<void>;
  /** Everybody gets each rank's chunk. */
  gather(array: WireArray): Promise<void>;
  /** Everybody gets one rank's array. */
  broadcast(array: WireArray, root: number): Promise<void>;
}

/** Piece k of a chunk in pieces of `step` elements; it may be empty. */
function pieceOf({ from, to }: Span, k: number, step: number): Span {
  const at = (k: number): number => Math.min(to, from + k * step);
  return { from: at(k), to: at(k + 1) };
}

/** Operations by steps. */
export function createSums(
  steps: Steps,
  { rank, size }: { readonly rank: number; readonly size: number },
): Sums {
  const ranks = Array.from({ length: size }, (_, r) => r);
  const others = ranks.filter((r) => r !== rank);

  /** How an array is cut: `pieces` at a time in a window, each of so many elements; chunk c's k-th; and how many there are. */
  function cut({ length, BYTES_PER_ELEMENT }: WireArray, pieces: number) {
    const step = steps.pieceBytes(pieces) / BYTES_PER_ELEMENT;
    const longest = Math.ceil(length / size);
    return {
      count: Math.ceil(longest / step),
      at: (chunk: number, k: number): Span => pieceOf(chunkOf(length, chunk, size), k, step),
    };
  }
  return {
    async sum({ nodes, arrays, into, combine, getters, isTotal }) {
      const like = into[0]!, most = nodes.reduce((n, { length }) => Math.max(n, length), 1);
      // A piece for each node and each rank that sums it. Results are no more than nodes.
      const pieces = Math.max(most * size, into.length), { count, at } = cut(like, pieces);
      const given = (from: number, to: number, k: number, i: number, length: number): WireArray =>
        steps.piece(like, from, 0, k, to * most + i, pieces, length);
      const result = (of: number, k: number, i: number, length: number): WireArray =>
        steps.piece(like, of, 1, k, i, pieces, length);
      const free: WireArray[] = [];

      function make(k: number): void {
        const { from, to } = at(rank, k), length = to - from;
        if (length === 0) return;
        const results = into.map((_, i) => result(rank, k, i, length));
        // Sums are made where they are published, as far as there is room.
        const rooms = [...results], own = new Set<WireArray>();
        const room = (): WireArray => {
          const found = rooms.shift() ?? free.pop();
          const made = found?.length === length ? found : roomLike(like, length);
          own.add(made);
          return made;
        };
        const tree = createShardSum<WireArray>((left, right) => {
          const sum = own.has(left) ? left : own.has(right) ? right : room();
          combine(sum, left, right);
          for (const used of [left, right]) {
            if (used !== sum && own.delete(used)) {
              (results.includes(used) ? rooms : free).push(used);
            }
          }
          return sum;
        });
        for (const r of ranks) {
          for (const [i, node] of nodes[r]!.entries()) {
            tree.add(node, r === rank ? part(arrays[i]!, from, to) : given(r, rank, k, i, length));
          }
        }
        const sums = isTotal ? [tree.total()] : tree.sums();
        // First to their own places: a result may have been made where another one belongs.
        sums.forEach((sum, i) => part(into[i]!, from, to).set(sum));
        if (getters === "none") return;
        results.forEach((place, i) => sums[i] !== place && place.set(part(into[i]!, from, to)));
      }
      await steps.run(count, {
        copyIn(k) {
          for (const r of others) {
            const { from, to } = at(r, k);
            if (from === to) continue;
            arrays.forEach((array, i) =>
              given(rank, r, k, i, to - from).set(part(array, from, to))
            );
          }
        },
        make,
        copyOut(k) {
          if (getters === "none" || (getters === "first" && rank > 0)) return;
          for (const r of others) {
            const { from, to } = at(r, k);
            if (from === to) continue;
            into.forEach((array, i) => part(array, from, to).set(result(r, k, i, to - from)));
          }
        },
      });
    },
    async gather(array) {
      const { count, at } = cut(array, 1);
      const piece = (r: number, k: number, { from, to }: Span): WireArray =>
        steps.piece(array, r, 1, k, 0, 1, to - from);
      await steps.run(count, {
        make(k) {
          const own = at(rank, k);
          piece(rank, k, own).set(part(array, own.from, own.to));
        },
        copyOut(k) {
          for (const r of others) {
            const span = at(r, k);
            part(array, span.from, span.to).set(piece(r, k, span));
          }
        },
      });
    },
    async broadcast(array, root) {
      const step = steps.pieceBytes(1) / array.BYTES_PER_ELEMENT, { length } = array;
      const whole = { from: 0, to: length };
      const piece = (k: number, { from, to }: Span): WireArray =>
        steps.piece(array, root, 1, k, 0, 1, to - from);
      await steps.run(Math.ceil(length / step), {
        make(k) {
          if (rank !== root) return;
          const span = pieceOf(whole, k, step);
          piece(k, span).set(part(array, span.from, span.to));
        },
        copyOut(k) {
          if (rank === root) return;
          const span = pieceOf(whole, k, step);
          part(array, span.from, span.to).set(piece(k, span));
        },
      });
    },
  };
}
