/**
 * What goes wrong on a device: the message says what happened and what to do.
 *
 * @module
 */

/** Why: there is no such device, it went away, it is full, it refused a program, or a tensor is over one of its limits. */
export type DeviceFailure = "absent" | "lost" | "memory" | "program" | "limit";

/** Something that the device, not the caller's arithmetic, is the cause of. */
export class DeviceError extends Error {
  /** "DeviceError" */
  override readonly name = "DeviceError";
  /** Why. */
  readonly failure: DeviceFailure;

  /** The message, the cause among those above, and perhaps the error underneath. */
  constructor(message: string, failure: DeviceFailure, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}
