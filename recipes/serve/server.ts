/**
 * A server that listens: deadlines for slow clients, and an end in good order.
 *
 * `node:http`, as it has deadlines for heads and bodies, which `Deno.serve` lacks: there a client that never ends its head holds its
 * connection for ever.
 *
 * @module
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { InputError } from "../cli/input_error.ts";
import type { Facts } from "../predict/model_source.ts";
import type { RunBatch } from "../predict/run_batch.ts";
import { app } from "./app.ts";
import { batchQueue } from "./batch_queue.ts";
import type { Limits } from "./limits.ts";
import { serverMetrics } from "./server_metrics.ts";

/** What is served, and where. */
export interface ServeOptions {
  readonly facts: Facts;
  readonly run: RunBatch;
  readonly limits: Limits;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Told of errors that are nobody's fault outside. */
  readonly report: (error: unknown) => void;
}

/** A server that listens. */
export interface Served {
  readonly url: string;
  /** Resolves when the model has failed. */
  readonly failed: Promise<void>;
  /** Takes nothing new, answers what waits, and ends; gives false where the time for that was not enough. */
  readonly drain: () => Promise<boolean>;
}

/** Bytes of a head at most. */
const HEAD = 16_384;

/** Statuses of requests that are no HTTP, or came too late, by the code of Node's error. */
const UNREADABLE: Readonly<Record<string, readonly [status: number, reason: string, why: string]>> =
  {
    ERR_HTTP_REQUEST_TIMEOUT: [408, "Request Timeout", "the request took too long to arrive"],
    HPE_HEADER_OVERFLOW: [431, "Request Header Fields Too Large", "the head is too large"],
  };

/** Answers what no request could be made of. */
function refuseUnreadable(error: Error & { code?: string }, socket: Socket): number | undefined {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return undefined;
  }
  const found = UNREADABLE[error.code ?? ""] ?? [400, "Bad Request", "the request is no HTTP"];
  const [status, reason, why] = found, body = JSON.stringify({ error: why }) + "\n";
  const head = [
    `HTTP/1.1 ${status} ${reason}`,
    "connection: close",
    "content-type: application/json",
    `content-length: ${body.length}`,
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
  return status;
}

function listening(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once(
      "error",
      (error) => reject(new InputError(`Cannot listen on ${host}, port ${port}: ${error.message}`)),
    );
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

/**
 * Begins to serve.
 *
 * @throws InputError where the port is taken.
 */
export async function serve(options: ServeOptions): Promise<Served> {
  const { facts, run, limits, host, port, report } = options;
  let ready = true, fail = (): void => {};
  const failed = new Promise<void>((resolve) => fail = resolve);
  const metrics = serverMetrics(() => queue.depth());
  const queue = batchQueue({
    run,
    limit: facts.limit,
    ...limits,
    observe: metrics.computed,
    failed() {
      ready = false;
      fail();
    },
  });
  const handle = app({ facts, limits, queue, metrics, isReady: () => ready, report });
  const server = createServer(
    {
      maxHeaderSize: HEAD,
      connectionsCheckingInterval: Math.max(50, Math.min(1000, limits.clientMs / 4)),
      headersTimeout: limits.clientMs,
      requestTimeout: limits.clientMs,
    } as Parameters<typeof createServer>[0] & object,
  );
  server.headersTimeout = server.requestTimeout = limits.clientMs;
  server.maxConnections = limits.connections;
  server.on("request", (request, response) => void handle(request, response).catch(report));
  // Whoever asks before it sends its body is answered by the same rules, before it does.
  server.on("checkContinue", (request, response) => server.emit("request", request, response));
  server.on("clientError", (error: Error & { code?: string }, socket) => {
    const status = refuseUnreadable(error, socket as Socket);
    if (status !== undefined) metrics.answered("none", status, 0);
  });
  const address = await listening(server, port, host);
  server.on("error", report);
  return {
    url: `http://${
      address.family === "IPv6" ? `[${address.address}]` : address.address
    }:${address.port}`,
    failed,
    async drain() {
      ready = false;
      queue.hurry();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<false>((resolve) => {
        timer = setTimeout(() => resolve(false), limits.drainMs);
      });
      const inTime = await Promise.race([closed.then(() => true as const), late]);
      clearTimeout(timer);
      if (!inTime) server.closeAllConnections();
      return inTime;
    },
  };
}
