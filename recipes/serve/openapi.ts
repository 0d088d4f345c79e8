/**
 * What a server answers, as OpenAPI 3.1: made of the shapes that requests are checked by.
 *
 * Source: https://spec.openapis.org/oas/v3.1.0
 *
 * @module
 */
import type { Ask, Facts } from "../predict/model_source.ts";
import { MOST_ROWS } from "../predict/task_question.ts";
import type { Limits } from "./limits.ts";
import { responseSchema, routesOf } from "./routes.ts";
import type { Schema } from "./shape.ts";

/** The version of what is described: paths begin with its first number. */
const VERSION = "1.0.0";

const json = (schema: Schema) => ({ "application/json": { schema } });

const error = (description: string) => ({
  description,
  content: json({
    type: "object",
    properties: { error: { type: "string" } },
    required: ["error"],
    additionalProperties: false,
  }),
});

/** Questions about texts of any length, which are read in several rows. */
const LONG: readonly Ask[] = ["entities", "answer"];

/** What a question may be refused with, and when. */
function refusals(ask: Ask, { bodyBytes, clientMs, queue }: Limits, { limit }: Facts) {
  const long = LONG.includes(ask)
    ? `takes more than ${MOST_ROWS} rows of ${limit} tokens`
    : `has more than ${limit} tokens`;
  return {
    400: error("The body is no JSON, or not of this schema."),
    404: error("The model named is another one."),
    408: error(`The request took more than ${clientMs / 1000} s to arrive.`),
    413: error(`The body has more than ${bodyBytes} bytes.`),
    415: error("The body is not application/json."),
    422: error(
      `A text cannot be read: it is empty, or ${long}; or the request takes more than ${queue} rows.`,
    ),
    500: error("The model failed."),
    503: error(`${queue} texts are waiting, or the server is about to end.`),
  };
}

const plain = (summary: string, responses: Readonly<Record<number, unknown>>) => ({
  get: { summary, responses },
});

const health: Schema = {
  type: "object",
  properties: { live: { const: true }, ready: { type: "boolean" }, model: { type: "string" } },
  required: ["live", "ready", "model"],
};

/** The description of a server of this model. */
export function openapi(facts: Facts, limits: Limits): Schema {
  const routes = routesOf(limits.rows, facts.choices);
  const asked = facts.asks.map((ask) => {
    const route = routes[ask];
    const answered = { description: "The answers.", content: json(responseSchema(route)) };
    return [route.path, {
      post: {
        operationId: ask,
        summary: route.about,
        requestBody: { required: true, content: json(route.body.schema) },
        responses: { 200: answered, ...refusals(ask, limits, facts) },
      },
    }];
  });
  return {
    openapi: "3.1.0",
    info: { title: `Motian: ${facts.name}`, version: VERSION },
    paths: {
      ...Object.fromEntries(asked),
      "/health": plain("Does it live, and does it take questions?", {
        200: { description: "Ready.", content: json(health) },
        503: { description: "Live, and about to end.", content: json(health) },
      }),
      "/metrics": plain("Counts and times, for Prometheus.", {
        200: { description: "Text.", content: { "text/plain": { schema: { type: "string" } } } },
      }),
      "/openapi.json": plain("This.", {
        200: { description: "OpenAPI 3.1.", content: json({ type: "object" }) },
      }),
    },
  };
}
