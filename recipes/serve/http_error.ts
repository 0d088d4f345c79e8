/**
 * A request that is refused.
 *
 * @module
 */

/** The status that a request is answered with, in words why, and headers that go with it. */
export class HttpError extends RangeError {
  override readonly name = "HttpError";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}
