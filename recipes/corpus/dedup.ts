/**
 * `dedup`: leaves out documents that were there before, word for word or nearly.
 *
 * Of equal documents, which share a hash of 64 bits, the first stays; of documents that share most of their pieces the longest. One
 * that is nearly equal is left out only beside one that stays and that it was compared with in full.
 *
 * @module
 */
import { keepDocuments } from "./keep_documents.ts";
import { type HashPart, meeting } from "./meeting.ts";
import { nearDuplicates, type NearOptions, removeBands } from "./near_duplicates.ts";
import type { CorpusReport } from "./report.ts";
import { readHashes, wholeText } from "./shards.ts";
import { stageKey } from "./stage.ts";
import { closeStage, openForStage } from "./stage_folder.ts";

/**
 * What `dedup` needs. `threshold`: documents that share at least so much are near duplicates, at 1 equal ones alone. `shortest`:
 * shorter ones are compared word for word alone; units: UTF-16 of letters, digits and Chinese characters.
 */
export type DedupOptions = NearOptions;

/** To be raised with every change after which the same input gives other documents. */
const FORMAT = 1;

/** Why a document is left out, by the number that is noted for it. */
const RULES = [undefined, "equal", "nearly equal"] as const;
const EQUAL = 1, NEAR = 2;

/** Removes duplicates. Undefined if it was interrupted. */
export async function dedup(o: DedupOptions): Promise<CorpusReport | undefined> {
  const { info, shards } = await wholeText(o.in);
  const key = stageKey(FORMAT, info.key, o.threshold, o.shortest);
  const before = await openForStage(o.out, "dedup", key, [o.in]);
  if (before) return before;
  let count = 0;
  const firsts = shards.map(({ documents }) => (count += documents) - documents);
  const gone = new Uint8Array(count);
  const hashes = async function* (): AsyncGenerator<HashPart> {
    for (const [i, { index }] of shards.entries()) {
      yield { first: firsts[i]!, hashes: await readHashes(o.in, index) };
    }
  };
  const meet = meeting(count);
  await meet(hashes, () => false, (document) => gone[document] = EQUAL);
  if (o.threshold < 1) {
    const skips = (document: number): boolean => gone[document] !== 0;
    const leave = (document: number): void => void (gone[document] = NEAR);
    if (!await nearDuplicates(o, shards, firsts, meet, skips, leave)) return undefined;
  }
  const report = await keepDocuments(o, shards, (i, n) => RULES[gone[firsts[i]! + n]!]);
  if (!report) return undefined;
  await removeBands(o.out, shards);
  return await closeStage(o.out, { stage: "dedup", key, shards: shards.length, report });
}
