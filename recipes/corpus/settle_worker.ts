/**
 * A worker of `dedup`: compares the documents of some groups in full.
 *
 * @module
 */
import { answer } from "../run/worker_pool.ts";
import { comparable, pieces } from "./minhash.ts";
import { readDocument } from "./documents_in.ts";
import { settle } from "./settle.ts";

/** Groups one after another. Three words a document: its shard, and where it begins and ends there. */
export interface SettleQuestion {
  readonly folder: string;
  readonly places: Uint32Array<ArrayBuffer>;
  /** Where each group ends, in documents. */
  readonly ends: readonly number[];
  readonly threshold: number;
}

/** 1 for each document that is to be left out. */
export type SettleAnswer = Uint8Array<ArrayBuffer>;

answer(
  ({ folder, places, ends, threshold }: SettleQuestion): SettleAnswer => {
    const gone = new Uint8Array(places.length / 3);
    let first = 0;
    for (const end of ends) {
      const place = (i: number): Uint32Array =>
        places.subarray(3 * (first + i), 3 * (first + i + 1));
      const sizes = Array.from({ length: end - first }, (_, i) => place(i)[2]! - place(i)[1]!);
      const read = (i: number): Set<number> => {
        const [shard, from, to] = place(i);
        return pieces(comparable(readDocument(folder, shard!, from!, to!)));
      };
      settle(sizes, read, threshold).forEach((left, i) => gone[first + i] = left ? 1 : 0);
      first = end;
    }
    return gone;
  },
  (gone) => [gone.buffer],
);
