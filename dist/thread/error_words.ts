/**
 * Errors on their way between threads, which a structured clone would make plain ones of.
 *
 * @module
 */
import { DistError, type DistFailure } from "../error.ts";

/** An error that can be posted. */
export interface ErrorWords {
  readonly name: string;
  readonly message: string;
  readonly failure?: DistFailure | undefined;
  readonly rank?: number | undefined;
  readonly operation?: string | undefined;
  readonly cause?: ErrorWords | undefined;
}

/** An error as words. */
export function wordsOf(error: unknown): ErrorWords {
  if (!(error instanceof Error)) return { name: "RangeError", message: String(error) };
  const { name, message } = error;
  const cause = error.cause === undefined ? undefined : wordsOf(error.cause);
  if (!(error instanceof DistError)) return { name, message, cause };
  const { failure, rank, operation } = error;
  return { name, message, failure, rank, operation, cause };
}

/** The error that the words say, of the same class where it is one of ours; `cause` stands in the place of a cause of its own. */
export function errorOf(words: ErrorWords, cause?: unknown): Error {
  const { name, message, failure, rank, operation } = words;
  const why = cause ?? (words.cause && errorOf(words.cause));
  const options = why === undefined ? {} : { cause: why };
  if (failure) return new DistError(message, failure, { rank, operation, ...options });
  if (name === "TypeError") return new TypeError(message, options);
  return new RangeError(name === "RangeError" ? message : `${name}: ${message}`, options);
}
