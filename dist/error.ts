/**
 * What goes wrong between processes: the message says what happened, with whom, and in which operation.
 *
 * @module
 */

/**
 * Why: a rank is gone; it is there but silent; an operation took longer than its deadline; the caller took it back; two ranks
 * disagree; bytes are not what they must be; somebody may not come in; an address is of no use; the group was closed; MPI or
 * shared memory is not there, or says no; the others go on without this rank; the group makes room for newcomers.
 */
export type DistFailure =
  | "lost"
  | "stalled"
  | "deadline"
  | "aborted"
  | "mismatch"
  | "corrupt"
  | "refused"
  | "address"
  | "closed"
  | "engine"
  | "fenced"
  | "renewed";

/** Every failure, in the order of the codes that links are closed with. */
export const failures: readonly DistFailure[] = [
  "lost",
  "stalled",
  "deadline",
  "aborted",
  "mismatch",
  "corrupt",
  "refused",
  "address",
  "closed",
  "engine",
  "fenced",
  "renewed",
];

/** Whose fault it is and what it ended, as far as it is known. */
export interface DistErrorOptions extends ErrorOptions {
  /** The rank at fault, in the group that the error comes from. */
  readonly rank?: number | undefined;
  /** The operation, as in "allReduce #17". */
  readonly operation?: string | undefined;
}

/** Something that another process, the network or a disagreement between processes is the cause of. */
export class DistError extends Error {
  /** "DistError" */
  override readonly name = "DistError";
  /** Why. */
  readonly failure: DistFailure;
  /** The rank at fault, where one is. */
  readonly rank: number | undefined;
  /** The operation that it ended, as in "allReduce #17". */
  readonly operation: string | undefined;

  /** The message, the cause among those above, and perhaps the rank at fault. */
  constructor(message: string, failure: DistFailure, options: DistErrorOptions = {}) {
    super(message, options);
    this.failure = failure;
    this.rank = options.rank;
    this.operation = options.operation;
  }
}
