/**
 * The few lines of HTTP/1.1 that an upgrade needs: heads without bodies, read strictly.
 *
 * Source: RFC 9112, and RFC 6455, section 4.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** The head of a request or of an answer. */
export interface HttpHead {
  /** Its first line. */
  readonly start: string;
  /** By lower-case name. */
  readonly fields: ReadonlyMap<string, string>;
}

/** A head that is none, or not one that an upgrade needs. */
export class HttpError extends RangeError {
  /** "HttpError" */
  override readonly name = "HttpError";
  /** What a server answers. */
  readonly status: number;
  /** The message and the status. */
  constructor(message: string, status = 400) {
    super(message);
    this.status = status;
  }
}

/** Bytes that a head may have. */
export const LONGEST_HTTP = 8 << 10;

/** Reads a head, up to and with its blank line. @throws HttpError */
export function readHttp(text: string): HttpHead {
  const [start = "", ...lines] = text.slice(0, -4).split("\r\n");
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined) {
      throw new HttpError(`Cannot read an HTTP head: "${line.slice(0, 40)}" is no field`);
    }
    const key = name.toLowerCase();
    if (fields.has(key)) throw new HttpError(`Cannot read an HTTP head: it has two fields ${key}`);
    fields.set(key, value!);
  }
  return { start, fields };
}

/** A head as text. */
export function writeHttp(
  start: string,
  fields: Readonly<Record<string, string | undefined>>,
): string {
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`]
  );
  return [start, ...lines, "", ""].join("\r\n");
}

/** What a server answers to a client's key, to show that it understood. */
export function acceptOf(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

/** Does a list of words, as in "keep-alive, Upgrade", have this one? */
export function hasWord(list: string | undefined, word: string): boolean {
  return (list ?? "").toLowerCase().split(",").some((part) => part.trim() === word);
}
