/** The error of training that cannot go on. */

/** A run that diverges whatever is done. Nobody's wrong call, and its message is one line that says what to try. */
export class DivergedError extends RangeError {
  override readonly name = "DivergedError";
}
