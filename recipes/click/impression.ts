/**
 * What a search engine showed for a query, and what was clicked.
 *
 * @module
 */

/** A title that was shown. */
export interface Shown {
  readonly title: string;
  /** Where it was shown, from 1. */
  readonly rank: number;
  readonly click: 0 | 1;
  /** Seconds on the page behind it, where they are known. */
  readonly dwell?: number;
  /** How relevant it is, where somebody judged: 0 is not at all. It is never trained on, only evaluated. */
  readonly grade?: number;
}

/** One answer to a query. All that is in it was shown: what was not shown says nothing. */
export interface Impression {
  readonly query: string;
  /** In the order of their ranks. */
  readonly docs: readonly Shown[];
}
