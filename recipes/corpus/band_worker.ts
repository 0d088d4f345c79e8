/**
 * A worker of `dedup`: where the documents of a shard begin, and the hashes of their bands, band by band.
 *
 * @module
 */
import { answer } from "../run/worker_pool.ts";
import { bandHashes, BANDS, comparable } from "./minhash.ts";
import { documentsIn } from "./documents_in.ts";

/** A shard's bytes. */
export interface BandQuestion {
  readonly jsonl: Uint8Array<ArrayBuffer>;
  /** Shorter ones are not compared. Units: UTF-16. */
  readonly shortest: number;
}

/** What is found. Documents that are too short have zeros for hashes. */
export interface BandAnswer {
  /** Where documents begin, and at last where the shard ends. */
  readonly places: Uint32Array<ArrayBuffer>;
  readonly bands: Uint32Array<ArrayBuffer>;
}

answer(
  ({ jsonl, shortest }: BandQuestion): BandAnswer => {
    const { places, texts } = documentsIn(jsonl), count = texts.length;
    const bands = new Uint32Array(2 * BANDS * count);
    texts.forEach((text, i) => {
      const compared = comparable(text);
      if (compared.length >= shortest) bandHashes(compared, bands, 2 * i, 2 * count);
    });
    return { places, bands };
  },
  ({ places, bands }) => [places.buffer, bands.buffer],
);
