/**
 * Fetches a file that may be long over a line that may break: what has come stays, and the rest is asked for.
 *
 * Source: RFC 9110, sections 13.1.5 (If-Range) and 14 (Range requests).
 *
 * @module
 */
import { fileHash } from "./file_hash.ts";
import { completePart, dropPart, keepVersion, partOf, partPath, versionOf } from "./part_file.ts";

/** What is fetched, and what is known of it. */
export interface Wanted {
  readonly url: string;
  readonly path: string;
  /** Units: bytes. */
  readonly bytes?: number;
  /** In hexadecimal. */
  readonly sha256?: string;
}

/** What became of it. `unreached`: no server answered. */
export type Fetched =
  | { readonly kind: "done"; readonly sha256: string }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly why: string }
  | { readonly kind: "unreached"; readonly why: string };

/** What fetching tells and asks its surroundings. */
export interface FetchHooks {
  /** Units: bytes. */
  readonly progress: (done: number, total?: number) => void;
  readonly stop: () => boolean;
}

/** How patient fetching is. */
export interface Patience {
  /** Tries in a row that bring nothing. */
  readonly tries: number;
  /** Without a byte for so long, a connection is given up. Units: milliseconds. */
  readonly silence: number;
  /** Before a try; doubled for every further one that brings nothing. Units: milliseconds. */
  readonly pause: number;
}

const PATIENCE: Patience = { tries: 4, silence: 30_000, pause: 1000 };

/** How one try ended. `again`: another may do better; `anew`: but not from where this one began. */
type Try =
  | { readonly kind: "whole" }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly why: string }
  | { readonly kind: "again" | "anew" | "unreached"; readonly why: string };

const n = (bytes: number): string => bytes.toLocaleString("en");

/** Why a request or a body broke, in the words of the innermost cause, without the address. */
function reason(error: unknown): string {
  if (error instanceof DOMException && error.name === "AbortError") return "the server fell silent";
  if (!(error instanceof Error)) return String(error);
  if (error.cause !== undefined) return reason(error.cause);
  return error.message.replace(/^error sending request( for url \(.*?\))?:?\s*/, "")
    .replace(/\s+/g, " ");
}

/** Where a part of a file begins, and the size of all of it, in the server's words. */
function rangeOf(headers: Headers): { readonly from?: number; readonly total?: number } {
  const [, from, total] =
    headers.get("content-range")?.match(/^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/) ?? [];
  return {
    ...from !== undefined && { from: Number(from) },
    ...total !== undefined && total !== "*" && { total: Number(total) },
  };
}

/** One request, and what its answer brings. */
async function attempt(
  { url, path, bytes: known }: Wanted,
  { progress, stop }: FetchHooks,
  silence: number,
): Promise<Try> {
  const part = await partOf(path, url), give = new AbortController();
  let timer = setTimeout(() => give.abort(), silence);
  const heard = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => give.abort(), silence);
  };
  let response: Response | undefined;
  try {
    response = await fetch(url, {
      signal: give.signal,
      headers: {
        // A part of compressed bytes is none of the file's.
        "accept-encoding": "identity",
        ...part.bytes > 0 && {
          range: `bytes=${part.bytes}-`,
          ...part.validator !== undefined && { "if-range": part.validator },
        },
      },
    });
    heard();
    const { status, headers, body } = response, range = rangeOf(headers);
    if (status === 416) {
      return part.bytes > 0 && part.bytes === range.total
        ? { kind: "whole" }
        : { kind: "anew", why: "the server has no such part of it" };
    }
    if (status !== 200 && status !== 206) {
      const why = `the server says ${status} ${response.statusText}`.trimEnd();
      return { kind: status >= 500 || status === 408 || status === 429 ? "again" : "failed", why };
    }
    if (status === 206 && range.from !== part.bytes) {
      return { kind: "anew", why: "the server sends another part than was asked for" };
    }
    const length = headers.has("content-encoding") ? null : headers.get("content-length");
    const total = status === 206 ? range.total : length === null ? undefined : Number(length);
    if (known !== undefined && total !== undefined && total !== known) {
      return {
        kind: part.bytes > 0 ? "anew" : "failed",
        why: `the server has ${n(total)} bytes where the archive has ${n(known)}`,
      };
    }
    let done = status === 206 ? part.bytes : 0;
    await keepVersion(path, versionOf(url, headers));
    using file = await Deno.open(partPath(path), {
      ...{ write: true, create: true, truncate: status === 200 },
    });
    await file.seek(done, Deno.SeekMode.Start);
    const most = known ?? total;
    for await (const piece of body ?? []) {
      heard();
      if (stop()) return { kind: "stopped" };
      for (let at = 0; at < piece.length;) at += await file.write(piece.subarray(at));
      done += piece.length;
      if (most !== undefined && done > most) {
        return { kind: "failed", why: `the server sends more than ${n(most)} bytes` };
      }
      progress(done, most);
    }
    return most !== undefined && done < most
      ? { kind: "again", why: `the connection ended after ${n(done)} of ${n(most)} bytes` }
      : { kind: "whole" };
  } catch (error) {
    // What cannot be written does not become writable.
    if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
    return { kind: response ? "again" : "unreached", why: reason(error) };
  } finally {
    clearTimeout(timer);
    // An answer that is not read to its end would keep its connection.
    give.abort();
  }
}

/**
 * Fetches a file. Parts of an earlier call are taken up where the server still has that version of the file; what comes is under another name
 * until it is whole and has the right checksum.
 */
export async function fetchFile(
  wanted: Wanted,
  hooks: FetchHooks,
  { tries, silence, pause }: Patience = PATIENCE,
): Promise<Fetched> {
  const { path, url, sha256 } = wanted;
  const size = async (): Promise<number> => (await partOf(path, url)).bytes;
  let begun = await size(), fruitless = 0;
  for (;;) {
    const before = await size(), found = await attempt(wanted, hooks, silence);
    if (found.kind === "stopped") return found;
    if (found.kind === "failed") {
      await dropPart(path);
      return { kind: "failed", why: found.why };
    }
    if (found.kind === "whole") {
      const own = (await fileHash(partPath(path)))!;
      if (sha256 === undefined || own === sha256) {
        await completePart(path);
        return { kind: "done", sha256: own };
      }
      await dropPart(path);
      if (begun === 0) return { kind: "failed", why: `its SHA-256 is ${own}, not ${sha256}` };
      begun = 0; // What an earlier call has left may be to blame.
      continue;
    }
    if (found.kind === "anew") {
      await dropPart(path);
      begun = 0;
    }
    fruitless = found.kind === "again" && await size() > before ? 0 : fruitless + 1;
    if (fruitless >= tries || found.kind === "unreached" && fruitless >= 2) {
      const { kind, why } = found;
      return kind === "unreached" ? { kind, why } : { kind: "failed", why };
    }
    if (hooks.stop()) return { kind: "stopped" };
    await new Promise((done) => setTimeout(done, pause * 2 ** Math.max(0, fruitless - 1)));
  }
}
