/** A simulated connection that came to a sudden end, at whichever side. */
export class ResetError extends RangeError {
  /** "ResetError" */
  override readonly name = "ResetError";
  /** Always the same words. */
  constructor() {
    super("Cannot go on with a connection: it was reset");
  }
}
