/**
 * Cleans a stream of documents, leaves out the ones already seen, and counts what each rule did.
 *
 * @module
 */
import {
  CLEAN_SETTINGS,
  cleanDocument,
  type CleanSettings,
  type DropRule,
} from "./clean_document.ts";
import { hashText } from "./hash_text.ts";

/** What cleaning did. Units: characters are UTF-16 units of the documents kept. */
export interface CleanReport {
  readonly read: number;
  readonly kept: number;
  readonly characters: number;
  readonly dropped: { readonly [Rule in DropRule]: number };
}

/** A document and its hash. */
export interface CleanText {
  readonly text: string;
  readonly hash: number;
}

/** Cleans documents one after another. */
export interface Cleaner {
  /** The clean document, or undefined where a rule drops it. */
  clean(document: string): CleanText | undefined;
  report(): CleanReport;
}

/** A cleaner that has seen nothing yet. */
export function cleaner(settings: CleanSettings = CLEAN_SETTINGS): Cleaner {
  const seen = new Set<number>();
  const dropped = { short: 0, broken: 0, foreign: 0, duplicate: 0 };
  let read = 0;
  let characters = 0;

  function clean(document: string): CleanText | undefined {
    read++;
    const result = cleanDocument(document, settings);
    if ("dropped" in result) {
      dropped[result.dropped]++;
      return undefined;
    }
    const hash = hashText(result.text);
    if (seen.has(hash)) {
      dropped.duplicate++;
      return undefined;
    }
    seen.add(hash);
    characters += result.text.length;
    return { text: result.text, hash };
  }

  return {
    clean,
    report: () => ({ read, kept: seen.size, characters, dropped: { ...dropped } }),
  };
}
