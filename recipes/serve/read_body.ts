/**
 * The JSON of a request, read no further than it may go.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { HttpError } from "./http_error.ts";

/** Refuses what is known to be wrong before the body comes. */
export function refuseHeaders({ headers }: IncomingMessage, most: number): void {
  const [type = ""] = (headers["content-type"] ?? "").split(";");
  const charset = /charset="?([\w-]+)/i.exec(headers["content-type"] ?? "")?.[1] ?? "utf-8";
  if (type.trim().toLowerCase() !== "application/json" || !/^utf-?8$/i.test(charset)) {
    throw new HttpError(
      415,
      `content-type is ${
        JSON.stringify(headers["content-type"] ?? "")
      }, it must be application/json`,
    );
  }
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    throw new HttpError(415, `content-encoding is ${encoding}; send the body as it is`);
  }
  if (Number(headers["content-length"] ?? 0) > most) throw tooLarge(most);
}

const tooLarge = (most: number): HttpError =>
  new HttpError(413, `the body is too large, the limit is ${most} bytes`);

/** The bytes of a body of unknown length, up to a limit. A request that is too large is left as it is: its reply is still to be sent. */
function bytesOf(request: IncomingMessage, most: number): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    const take = (part: Buffer): void => {
      size += part.length;
      if (size <= most) return void parts.push(part);
      request.off("data", take).pause();
      reject(tooLarge(most));
    };
    request.on("data", take);
    request.on("end", () => resolve(Buffer.concat(parts)));
    request.on("error", reject);
    request.on("close", () => reject(new HttpError(499, "the client is gone")));
  });
}

/**
 * The value in a body.
 *
 * @throws HttpError 413 where it is too large, 400 where it is no JSON in UTF-8.
 */
export async function readBody(request: IncomingMessage, most: number): Promise<unknown> {
  const bytes = await bytesOf(request, most);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new HttpError(400, "the body is not UTF-8");
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HttpError(400, `the body is no JSON: ${(error as Error).message}`);
  }
}
