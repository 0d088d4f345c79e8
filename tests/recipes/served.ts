/**
 * A server in this process, whose model is whatever a test says, and clients of it that behave badly.
 *
 * @module
 */
import { assert } from "@std/assert";
import { join } from "@std/path";
import { reference } from "../../core/backends/reference/mod.ts";
import { modelSource } from "../../recipes/predict/model_source.ts";
import type { Facts } from "../../recipes/predict/model_source.ts";
import type { RunBatch } from "../../recipes/predict/run_batch.ts";
import type { Limits } from "../../recipes/serve/limits.ts";
import { serve, type Served } from "../../recipes/serve/server.ts";
import { savedRunOf } from "./asked_models.ts";

/** Limits that tests reach soon. */
export const smallLimits: Limits = {
  bodyBytes: 4096,
  rows: 8,
  queue: 16,
  batch: { rows: 4, tokens: 256 },
  waitMs: 0,
  clientMs: 60_000,
  drainMs: 60_000,
  connections: 1000,
};

/** A server, and what it has reported. */
export interface InServer extends Served {
  readonly facts: Facts;
  readonly port: number;
  readonly reported: readonly unknown[];
  /** Puts a question. */
  readonly post: (path: string, body: unknown, init?: RequestInit) => Promise<Response>;
  /** The text of /metrics. */
  readonly metrics: () => Promise<string>;
}

/** A model that answers with the number of a text's tokens. */
export const counting: RunBatch = ({ rows }) =>
  Promise.resolve(rows.map(({ ids }) => Float32Array.of(ids.length)));

let known: Facts | undefined;

/** What is known of a model with a click head, of at most 64 tokens. */
async function facts(): Promise<Facts> {
  if (known) return known;
  const folder = await Deno.makeTempDir();
  try {
    await savedRunOf(join(folder, "run"), reference());
    known = (await modelSource(join(folder, "run"), 64)).facts;
    return known;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a test beside a server, which ends with it. */
export async function inServer(
  run: RunBatch,
  limits: Partial<Limits>,
  test: (server: InServer) => Promise<void>,
): Promise<void> {
  const reported: unknown[] = [], own = await facts();
  const served = await serve({
    facts: own,
    run,
    limits: { ...smallLimits, ...limits },
    host: "127.0.0.1",
    port: 0,
    report: (error) => reported.push(error),
  });
  try {
    await test({
      ...served,
      facts: own,
      port: Number(new URL(served.url).port),
      reported,
      post: (path, body, init) =>
        fetch(served.url + path, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: typeof body === "string" ? body : JSON.stringify(body),
          ...init,
        }),
      metrics: async () => await (await fetch(`${served.url}/metrics`)).text(),
    });
  } finally {
    await served.drain();
  }
}

/** A connection that sends what it is told, byte for byte, and keeps quiet afterwards. */
export interface RawClient extends Disposable {
  readonly send: (text: string) => Promise<void>;
  /** What comes next. */
  readonly some: () => Promise<string>;
  /** All that comes until the server closes. */
  readonly rest: () => Promise<string>;
}

/** Connects to a server. */
export async function rawClient(port: number): Promise<RawClient> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  let open = true;
  const close = (): void => {
    if (open) connection.close();
    open = false;
  };
  return {
    async send(text) {
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
    },
    async some() {
      const buffer = new Uint8Array(4096), size = await connection.read(buffer);
      return new TextDecoder().decode(buffer.subarray(0, size ?? 0));
    },
    async rest() {
      let text = "";
      const decoder = new TextDecoder(), buffer = new Uint8Array(4096);
      for (;;) {
        const size = await connection.read(buffer).catch(() => null);
        if (size === null) return text;
        text += decoder.decode(buffer.subarray(0, size), { stream: true });
      }
    },
    [Symbol.dispose]: close,
  };
}

/** Waits until something is so, which it will be soon. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const start = performance.now();
  while (!await isSo()) {
    assert(performance.now() - start < 60_000, "Expected it within a minute");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
