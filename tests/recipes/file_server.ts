/**
 * A server of files on this machine that can be made to misbehave.
 *
 * @module
 */

/** What was asked. */
export interface Asked {
  readonly path: string;
  readonly range: string | null;
  readonly ifRange: string | null;
}

/** What a test server answers: the file in one piece or from where it is asked, or something else. */
export type Answer = (asked: Asked, request: number) => Response | Promise<Response>;

/** How a file is sent. */
export interface Sending {
  /** Bytes after which the connection breaks. */
  readonly cut?: number;
  /** Instead of breaking, it falls silent. */
  readonly silent?: boolean;
  readonly etag?: string;
  /** From where, and in which status; by default as the range asks. */
  readonly from?: number;
  readonly status?: number;
  /** Says not how long it is. */
  readonly unmeasured?: boolean;
}

/** A response with a file, or with the part of it that is asked for. */
export function sent(file: Uint8Array, { range, ifRange }: Asked, how: Sending = {}): Response {
  const { cut, silent = false, etag, unmeasured = false } = how;
  const asked = Number(range?.match(/^bytes=(\d+)-$/)?.[1] ?? NaN);
  const holds = ifRange === null || ifRange === etag;
  if (asked >= file.length && how.status === undefined) {
    return new Response(null, {
      status: 416,
      headers: { "content-range": `bytes */${file.length}` },
    });
  }
  const partly = !Number.isNaN(asked) && holds && how.status !== 200;
  const from = how.from ?? (partly ? asked : 0), body = file.subarray(from);
  let at = 0;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const end = Math.min(body.length, cut ?? body.length, at + 1000);
      if (at < end) controller.enqueue(body.slice(at, end));
      else if (at >= body.length) controller.close();
      else if (silent) await new Promise(() => {});
      else controller.error(new Error("Cut"));
      at = end;
    },
  });
  return new Response(stream, {
    status: partly ? 206 : how.status ?? 200,
    headers: {
      ...etag !== undefined && { etag },
      ...partly && { "content-range": `bytes ${from}-${file.length - 1}/${file.length}` },
      ...!unmeasured && { "content-length": String(body.length) },
    },
  });
}

/** A server and what it was asked. */
export interface FileServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly asked: readonly Asked[];
}

/** Serves until it is disposed of; connections that stand then are closed. */
export function serveFiles(answer: Answer, port = 0): FileServer {
  const asked: Asked[] = [], end = new AbortController();
  const server = Deno.serve({
    ...{ hostname: "127.0.0.1", port, signal: end.signal },
    onListen() {},
    onError: () => new Response(null, { status: 500 }),
  }, (request) => {
    const { pathname: path } = new URL(request.url);
    const [range, ifRange] = ["range", "if-range"].map((name) => request.headers.get(name));
    const one = { path, range: range!, ifRange: ifRange! };
    asked.push(one);
    return answer(one, asked.length);
  });
  const { port: own } = server.addr;
  return {
    url: `http://127.0.0.1:${own}`,
    port: own,
    asked,
    async [Symbol.asyncDispose]() {
      end.abort();
      await server.finished;
    },
  };
}
