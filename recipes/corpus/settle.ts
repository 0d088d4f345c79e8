/**
 * Decides which of some documents that may be alike stay.
 *
 * @module
 */
import { jaccard } from "./minhash.ts";

/** A document is compared in full with so many that stay, at most. */
const COMPARED = 16;
/** Of more the ones are taken that share most of the smallest hashes, of which each document shows so many. */
const SHOWN = 32;
/** A hash that so many that stay have is a set phrase, and tells nothing. */
const COMMON = 256;
/** Pieces that are kept in memory at most; those of other documents are read again. */
const ROOM = 1 << 20;

/** The `count` smallest hashes. */
function smallest(pieces: ReadonlySet<number>, count: number): readonly number[] {
  return [...Uint32Array.from(pieces).sort().subarray(0, count)];
}

/** What was read last, as long as there is room. */
function remembering(read: (document: number) => ReadonlySet<number>): typeof read {
  const known = new Map<number, ReadonlySet<number>>();
  let size = 0;
  return (document) => {
    let pieces = known.get(document);
    if (pieces) return pieces;
    known.set(document, pieces = read(document));
    size += pieces.size;
    for (const [oldest, { size: freed }] of known) {
      if (size <= ROOM || oldest === document) break;
      known.delete(oldest);
      size -= freed;
    }
    return pieces;
  };
}

/**
 * Goes through documents, the longest first, and leaves out each that is like one that stays: true for those. `piecesOf` reads a
 * document by its number; sizes are of whatever unit.
 */
export function settle(
  sizes: ArrayLike<number>,
  piecesOf: (document: number) => ReadonlySet<number>,
  threshold: number,
): boolean[] {
  const read = remembering(piecesOf), gone: boolean[] = Array(sizes.length).fill(false);
  const order = [...gone.keys()].sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  const kept: number[] = [], having = new Map<number, number[]>();
  /** Whom a document with these hashes is compared with. */
  const candidates = (shown: readonly number[]): readonly number[] => {
    if (kept.length <= COMPARED) return kept;
    const common = new Map<number, number>();
    for (const hash of shown) {
      const owners = having.get(hash) ?? [];
      if (owners.length >= COMMON) continue;
      for (const owner of owners) common.set(owner, (common.get(owner) ?? 0) + 1);
    }
    const best = [...common].sort(([, a], [, b]) => b - a).slice(0, COMPARED);
    return best.map(([document]) => document);
  };
  for (const document of order) {
    const pieces = read(document), shown = smallest(pieces, SHOWN);
    gone[document] = candidates(shown).some((other) => jaccard(read(other), pieces) >= threshold);
    if (gone[document]) continue;
    kept.push(document);
    for (const hash of shown) {
      const owners = having.get(hash);
      if (!owners) having.set(hash, [document]);
      else if (owners.length < COMMON) owners.push(document);
    }
  }
  return gone;
}
