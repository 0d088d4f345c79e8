/**
 * Finds equal hashes among more documents than a table of all would have room for: one part of all hashes after another.
 *
 * @module
 */
import { hashTable } from "../hash/hash_table.ts";

/** Hashes of a part of the documents, two words each, zeros for none; `first` is the number of the part's first document. */
export interface HashPart {
  readonly first: number;
  readonly hashes: Uint32Array;
}

/** Hashes of a table at most: it takes 100 MiB. */
const ROOM = 1 << 22;

/**
 * Calls `met(document, first)` for every document whose hash an earlier one has, which is the first with it; `skips` says which are
 * left out. `parts` is read again for each part of the hashes.
 */
export type Meet = (
  parts: () => AsyncIterable<HashPart> | Iterable<HashPart>,
  skips: (document: number) => boolean,
  met: (document: number, first: number) => void,
) => Promise<void>;

/** For so many documents, with one table for all calls, which wait for one another. */
export function meeting(count: number, room: number = ROOM): Meet {
  const turns = Math.max(1, Math.ceil(count / room));
  // A little more than a turn's share: hashes spread evenly, not exactly.
  const table = hashTable(Math.min(count, Math.ceil(1.1 * count / turns) + 1000));
  return async (parts, skips, met) => {
    for (let turn = 0; turn < turns; turn++) {
      table.clear();
      for await (const { first, hashes } of parts()) {
        for (let i = 0; i < hashes.length / 2; i++) {
          const low = hashes[2 * i]!, high = hashes[2 * i + 1]!, document = first + i;
          if (turns > 1 && high % turns !== turn) continue;
          if (low === 0 && high === 0 || skips(document)) continue;
          const earlier = table.first(low, high, document);
          if (earlier !== document) met(document, earlier);
        }
      }
    }
  };
}
