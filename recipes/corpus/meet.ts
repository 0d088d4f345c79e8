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

/** Hashes of a table at most: it takes 200 MiB. */
const ROOM = 1 << 23;

/**
 * Calls `met(document, first)` for every document whose hash an earlier one has, which is the first with it; `skips` says which are
 * left out. `parts` is read again for each part of the hashes.
 */
export async function meet(
  count: number,
  parts: () => AsyncIterable<HashPart> | Iterable<HashPart>,
  skips: (document: number) => boolean,
  met: (document: number, first: number) => void,
  room: number = ROOM,
): Promise<void> {
  const turns = Math.max(1, Math.ceil(count / room));
  for (let turn = 0; turn < turns; turn++) {
    // A little more than its share: hashes spread evenly, not exactly.
    const table = hashTable(Math.min(count, Math.ceil(1.1 * count / turns) + 1000));
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
}
