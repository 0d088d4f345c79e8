/**
 * What a cleaning rule is.
 *
 * @module
 */
import type { Figures } from "./figures.ts";

/** A line that is left out of its document. */
export interface LineRule {
  readonly kind: "line";
  readonly name: string;
  /** What it leaves out, for the report. */
  readonly about: string;
  /** Is this line to be left out? It is clean text already: see `normalizeText`. */
  readonly drops: (line: string) => boolean;
}

/** A document that is left out. */
export interface DocumentRule {
  readonly kind: "document";
  readonly name: string;
  readonly about: string;
  /** Is this document to be left out? Its bad lines are gone already. */
  readonly drops: (text: string, seen: Seen) => boolean;
}

/** What a document rule may know beside the text that is left. Units: UTF-16. */
export interface Seen extends Figures {
  /** Characters before lines were left out. */
  readonly before: number;
  /** Of these the ones in lines that `stamp`, `advert`, `private` or `boilerplate` left out. */
  readonly left: number;
}
