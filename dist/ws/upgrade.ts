/**
 * Both sides of the handshake that makes a WebSocket of a stream of bytes. A server may first answer 401 with a challenge, to which
 * the client answers on the same stream: nobody's frames are read before.
 *
 * Source: RFC 6455, section 4.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { ByteStream } from "../net/network.ts";
import {
  acceptOf,
  hasWord,
  HttpError,
  type HttpHead,
  LONGEST_HTTP,
  readHttp,
  writeHttp,
} from "./http.ts";
import type { Reader } from "./reader.ts";

/** Names and values of an HTTP head. */
export type Fields = Readonly<Record<string, string | undefined>>;

/** What a server makes of a request: 101 lets it in, 200 is an answer to a question, and no WebSocket. */
export interface Answer {
  readonly status: 101 | 200 | 401 | 403 | 409 | 503;
  readonly fields?: Fields;
  /** One line that says why not, or the answer. */
  readonly reason?: string;
}

const reasons: Readonly<Record<number, string>> = {
  101: "Switching Protocols",
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  409: "Conflict",
  426: "Upgrade Required",
  503: "Service Unavailable",
};

/** Requests on one stream: the first, and the answer to a challenge. */
const MOST_REQUESTS = 2;

/**
 * The server's side. `admit` is asked once for each request, and its last answer says whether the stream is a WebSocket now.
 *
 * @throws HttpError if the client asks for something else; it has been told so
 */
export async function serveUpgrade(
  stream: ByteStream,
  reader: Reader,
  admit: (request: HttpHead) => Answer | Promise<Answer>,
): Promise<Answer> {
  for (let request = 1;; request++) {
    let head: HttpHead, key: string;
    try {
      head = readHttp(await readHead(reader));
      key = upgradeKey(head);
    } catch (error) {
      if (error instanceof HttpError) {
        await refuse(stream, error.status, error.message).catch(() => {});
      }
      throw error;
    }
    const answer = await admit(head);
    if (answer.status === 101) {
      const fields = {
        Upgrade: "websocket",
        Connection: "Upgrade",
        "Sec-WebSocket-Accept": acceptOf(key),
      };
      await writeText(stream, writeHttp(startOf(101), { ...fields, ...answer.fields }));
      return answer;
    }
    await refuse(stream, answer.status, answer.reason ?? reasons[answer.status]!, answer.fields);
    if (answer.status !== 401 || request === MOST_REQUESTS) return answer;
  }
}

/** What the server made of a client's request. */
export interface Upgraded {
  readonly status: number;
  readonly fields: ReadonlyMap<string, string>;
  /** Why not, or the answer, where it is not 101. */
  readonly reason: string;
}

/**
 * The client's side. `prove` is given a challenge and says what to send with the second request, or undefined to give up.
 *
 * @throws HttpError if the server does not speak WebSocket
 */
export async function askUpgrade(
  stream: ByteStream,
  reader: Reader,
  { host, path, fields }: { readonly host: string; readonly path: string; readonly fields: Fields },
  prove: (challenge: ReadonlyMap<string, string>) => Fields | undefined = () => undefined,
): Promise<Upgraded> {
  let proof: Fields | undefined;
  for (let request = 1;; request++) {
    const key = randomBytes(16).toString("base64");
    await writeText(
      stream,
      writeHttp(`GET ${path} HTTP/1.1`, {
        Host: host,
        Upgrade: "websocket",
        Connection: "Upgrade",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Version": "13",
        ...fields,
        ...proof,
      }),
    );
    const { start, fields: got } = readHttp(await readHead(reader));
    const status = Number(/^HTTP\/1\.1 (\d{3})( |$)/.exec(start)?.[1] ?? NaN);
    if (!status) throw new HttpError(`Cannot upgrade: the server answered "${start.slice(0, 40)}"`);
    if (status === 101) {
      if (
        got.get("sec-websocket-accept") !== acceptOf(key) ||
        !hasWord(got.get("upgrade"), "websocket")
      ) {
        throw new HttpError("Cannot upgrade: the server's 101 is not an answer to this request");
      }
      if (got.has("sec-websocket-extensions") || got.has("sec-websocket-protocol")) {
        throw new HttpError(
          "Cannot upgrade: the server chose an extension or a protocol that was not offered",
        );
      }
      return { status, fields: got, reason: "" };
    }
    const reason = await readBody(reader, got);
    if (status === 401 && request < MOST_REQUESTS) proof = prove(got);
    if (status !== 401 || !proof || request === MOST_REQUESTS) {
      return { status, fields: got, reason };
    }
  }
}

/** The client's key, if the request is for a WebSocket. */
function upgradeKey({ start, fields }: HttpHead): string {
  if (!/^GET \S+ HTTP\/1\.1$/.test(start)) {
    throw new HttpError(`Cannot upgrade "${start.slice(0, 40)}": it must be GET with HTTP/1.1`);
  }
  const asks = hasWord(fields.get("upgrade"), "websocket") &&
    hasWord(fields.get("connection"), "upgrade");
  if (!asks) throw new HttpError("Cannot serve a request that is not for a WebSocket", 426);
  if (fields.get("sec-websocket-version") !== "13") {
    throw new HttpError(
      `Cannot upgrade to version ${fields.get("sec-websocket-version")}: it must be 13`,
      426,
    );
  }
  const key = fields.get("sec-websocket-key") ?? "";
  if (!/^[A-Za-z0-9+/]{22}==$/.test(key)) {
    throw new HttpError("Cannot upgrade: Sec-WebSocket-Key must be 16 bytes in base64");
  }
  if (fields.has("content-length") || fields.has("transfer-encoding")) {
    throw new HttpError("Cannot upgrade: the request must have no body");
  }
  return key;
}

async function readHead(reader: Reader): Promise<string> {
  const [first] = await reader.peek(1);
  if (first !== undefined && first < 0x20) {
    // 0x15 and 0x16 are an alert and a handshake of TLS.
    const what = first === 0x15 || first === 0x16
      ? "TLS: the other side speaks wss, this one ws"
      : "not HTTP";
    throw new HttpError(`Cannot upgrade: what came is ${what}`);
  }
  try {
    return await reader.head(LONGEST_HTTP);
  } catch (error) {
    if (error instanceof RangeError && error.name === "RangeError") {
      throw new HttpError(error.message);
    }
    throw error;
  }
}

/** A short body, by its length: why a server refused. */
async function readBody(reader: Reader, fields: ReadonlyMap<string, string>): Promise<string> {
  const length = Number(fields.get("content-length") ?? 0);
  if (!(length >= 0 && length <= LONGEST_HTTP)) return "";
  const body = new Uint8Array(length);
  await reader.fill(body);
  return new TextDecoder().decode(body).trim();
}

async function refuse(
  stream: ByteStream,
  status: number,
  reason: string,
  fields: Fields = {},
): Promise<void> {
  const body = `${reason}\n`;
  const head = writeHttp(startOf(status), {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": String(new TextEncoder().encode(body).length),
    "Sec-WebSocket-Version": status === 426 ? "13" : undefined,
    ...fields,
  });
  await writeText(stream, head + body);
}

const startOf = (status: number): string => `HTTP/1.1 ${status} ${reasons[status] ?? ""}`;

async function writeText(stream: ByteStream, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await stream.write(bytes.subarray(at));
}
