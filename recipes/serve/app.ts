/**
 * What becomes of a request.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { InputError } from "../cli/input_error.ts";
import { type Facts, whyNot } from "../predict/model_source.ts";
import { answersTo, rowsOf } from "../predict/question.ts";
import type { BatchQueue } from "./batch_queue.ts";
import { HttpError } from "./http_error.ts";
import type { Limits } from "./limits.ts";
import { metricsText } from "../observe/metrics.ts";
import { openapi } from "./openapi.ts";
import { readBody, refuseHeaders } from "./read_body.ts";
import { type AnyRoute, routesOf } from "./routes.ts";
import type { ServerMetrics } from "./server_metrics.ts";

/** What requests are answered with. */
export interface AppParts {
  readonly facts: Facts;
  readonly limits: Limits;
  readonly queue: BatchQueue;
  readonly metrics: ServerMetrics;
  /** Does it take questions still? */
  readonly isReady: () => boolean;
  /** Told of errors that are nobody's fault outside. */
  readonly report: (error: unknown) => void;
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const JSON_TYPE = "application/json", TEXT = "text/plain; version=0.0.4; charset=utf-8";

const jsonReply = (status: number, value: unknown, headers = {}): Reply => ({
  status,
  type: JSON_TYPE,
  body: JSON.stringify(value) + "\n",
  headers,
});

/** The reply to what went wrong. */
function errorReply(error: unknown, report: (error: unknown) => void): Reply {
  if (error instanceof HttpError) {
    return jsonReply(error.status, { error: error.message }, error.headers);
  }
  // A text that the model cannot read: "Cannot read input[1]: why" says it in few words already.
  if (error instanceof InputError) return jsonReply(422, { error: error.message });
  report(error);
  return jsonReply(500, { error: "the model failed; the server's log says why" });
}

/** Answers a request. */
export type App = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Makes the function that answers requests. */
export function app({ facts, limits, queue, metrics, isReady, report }: AppParts): App {
  const all = Object.values(routesOf(limits.rows, facts.choices));
  const routes = new Map(all.map((route) => [route.path, route]));
  const description = openapi(facts, limits);
  const pages: Readonly<Record<string, () => Reply>> = {
    "/health": () => {
      const ready = isReady();
      return jsonReply(ready ? 200 : 503, { live: true, ready, model: facts.name });
    },
    "/metrics": () => ({ status: 200, type: TEXT, body: metricsText(metrics.all) }),
    "/openapi.json": () => jsonReply(200, description),
  };
  const known = [...routes.keys(), ...Object.keys(pages)];

  async function ask(
    route: AnyRoute,
    request: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<Reply> {
    const { question, body: { check }, inputs: inputsOf, name } = route;
    const why = whyNot(facts, question.ask);
    if (why !== undefined) throw new HttpError(404, why);
    if (!isReady()) throw new HttpError(503, "the server is about to end", { "retry-after": "1" });
    refuseHeaders(request, limits.bodyBytes);
    queue.refuseFull(1);
    if (request.headers.expect !== undefined) response.writeContinue();
    const body = check(await readBody(request, limits.bodyBytes), "");
    if (body.model !== undefined && body.model !== facts.name) {
      throw new HttpError(
        404,
        `there is no model ${JSON.stringify(body.model)}, only ${facts.name}`,
      );
    }
    const inputs = inputsOf(body), { truncate = false } = body;
    const rows = rowsOf(question, facts, inputs, truncate, (i) => name(body, i));
    if (rows.flat().length > limits.queue) {
      throw new HttpError(
        422,
        `its texts take ${rows.flat().length} rows, more than the ${limits.queue} that may wait; ask for fewer at once`,
      );
    }
    const tokens = rows.flat().reduce((sum, { ids }) => sum + ids.length, 0);
    const tools = {
      facts,
      compute: (own: typeof question.ask, all: Parameters<BatchQueue["submit"]>[1]) =>
        queue.submit(own, all, signal),
    };
    const answers = await answersTo(question, tools, inputs, rows);
    return jsonReply(200, {
      model: facts.name,
      ...route.response(body, answers),
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    });
  }

  function found(
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<Reply> {
    const { method = "" } = request, page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    const route = routes.get(path);
    if (!page && !route) {
      throw new HttpError(404, `there is no ${path}; there are ${known.join(", ")}`);
    }
    const allowed = route ? ["POST"] : ["GET", "HEAD"];
    if (!allowed.includes(method)) {
      const allow = allowed.join(", ");
      throw new HttpError(405, `${path} does not take ${method}, it takes ${allow}`, { allow });
    }
    return route ? ask(route, request, response, signal) : Promise.resolve(page!());
  }

  return async (request, response) => {
    const start = performance.now(), [path = "/"] = (request.url ?? "/").split("?");
    const gone = new AbortController();
    response.on("close", () => gone.abort(new HttpError(499, "the client is gone")));
    let reply: Reply;
    try {
      reply = await found(path, request, response, gone.signal);
    } catch (error) {
      // Whoever is gone gets no reply, and is nobody's fault.
      const isGone = gone.signal.aborted || request.destroyed && !request.complete;
      reply = isGone ? jsonReply(499, {}) : errorReply(error, report);
    }
    const seconds = (performance.now() - start) / 1000;
    metrics.answered(known.includes(path) ? path : "other", reply.status, seconds);
    if (reply.status === 499 || response.destroyed) return;
    const { status, type, body, headers } = reply;
    response.writeHead(status, {
      "content-type": type,
      "content-length": new TextEncoder().encode(body).length,
      // What was not read of a request is not waited for.
      ...!request.complete || !isReady() ? { connection: "close" } : {},
      ...headers,
    });
    response.end(body);
    // A client that does not take its answer is not waited for either.
    const timer = setTimeout(() => response.destroy(), limits.clientMs);
    response.on("close", () => clearTimeout(timer));
  };
}
