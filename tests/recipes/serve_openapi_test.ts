/** What /openapi.json promises is what is held: another validator decides the same, on requests and on answers. */
import { assert, assertEquals } from "@std/assert";
import { Ajv2020 } from "npm:ajv@8.20.0/dist/2020.js";
import { Validator } from "npm:@seriousme/openapi-schema-validator@2.11.0";
import { isRecord } from "../../recipes/cli/schema.ts";
import { routesOf } from "../../recipes/serve/routes.ts";
import { counting, inServer } from "./served.ts";

/** A small stream of numbers from 0 to 1. */
function stream(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const words = ["天", "[MASK]", "", " ", "\ud800", "a\ud83d\ude00", "float", "base64", "run"];
const names = ["input", "query", "titles", "top", "truncate", "model", "encoding_format", "x"];

/** Something that may be a request, or nearly. */
function value(draw: () => number, depth = 0): unknown {
  const pick = Math.floor(draw() * (depth > 2 ? 5 : 8));
  const many = (of: () => unknown): unknown[] => Array.from({ length: Math.floor(draw() * 5) }, of);
  if (pick === 0) return [null, true, false][Math.floor(draw() * 3)];
  if (pick === 1) return [0, 1, 5, 100, 101, 1.5, -1][Math.floor(draw() * 7)];
  if (pick < 5) return words[Math.floor(draw() * words.length)];
  if (pick < 7) return many(() => value(draw, depth + 1));
  return Object.fromEntries(
    many(() => 0).map(() => {
      return [names[Math.floor(draw() * names.length)]!, value(draw, depth + 1)];
    }),
  );
}

/** The body of a request with one field changed, left out or added. */
function nearly(right: Readonly<Record<string, unknown>>, draw: () => number): unknown {
  const name = names[Math.floor(draw() * names.length)]!, turn = draw();
  if (turn < 0.1) return value(draw);
  if (turn < 0.2) return Object.fromEntries(Object.entries(right).slice(1));
  if (turn < 0.6 && isRecord(right.input)) {
    const inner = ["question", "context", "text", "choices", "x"][Math.floor(draw() * 5)]!;
    const changed = { ...right.input, [inner]: value(draw, 1) };
    return { ...right, input: draw() < 0.5 ? changed : [right.input, changed] };
  }
  return { ...right, [name]: value(draw, 1) };
}

const right: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  embed: { input: ["天"] },
  relevance: { query: "天", titles: ["地"] },
  "fill-mask": { input: "[MASK]" },
  classify: { input: [["天", "地"], "天"] },
  entities: { input: ["天"] },
  answer: { input: { question: "天", context: "地" } },
  choose: { input: { text: "天", question: "地", choices: ["天", "地"] } },
};

Deno.test("serve: requests are taken and refused as their schema says", () => {
  const draw = stream(1), ajv = new Ajv2020();
  for (const [ask, { body }] of Object.entries(routesOf(3))) {
    const says = ajv.compile(body.schema), counts = [0, 0];
    for (let n = 0; n < 2000; n++) {
      const one = JSON.parse(JSON.stringify(nearly(right[ask]!, draw)));
      let takes = true;
      try {
        assertEquals(body.check(one, ""), one);
      } catch (error) {
        takes = false;
        assertEquals((error as { status?: number }).status, 400, String(error));
      }
      assertEquals(takes, says(one), `${ask}: ${JSON.stringify(one)}`);
      counts[Number(takes)]!++;
    }
    assert(counts.every((count) => count > 100), `${ask}: ${counts}`);
  }
});

Deno.test("serve: the description is OpenAPI 3.1, names the routes that answer, and answers are as it says", () =>
  inServer(
    (batch) =>
      batch.ask !== "fill-mask" ? counting(batch) : Promise.resolve(
        batch.rows.map(({ masks }) =>
          Float32Array.from(
            { length: 2 * masks!.top * masks!.places.length },
            (_, i) => i % 2 ? 0.5 : 7,
          )
        ),
      ),
    {},
    async ({ url, post, facts }) => {
      const described = await (await fetch(`${url}/openapi.json`)).json();
      const { valid, errors } = await new Validator().validate(structuredClone(described));
      assert(valid, JSON.stringify(errors));
      assertEquals(described.openapi, "3.1.0");
      const ajv = new Ajv2020({ strict: false });
      const bodies: Readonly<Record<string, readonly unknown[]>> = {
        "/v1/embeddings": [
          { input: "天" },
          { input: ["天", "地"], encoding_format: "base64" },
          { input: " " },
        ],
        "/v1/relevance": [{ query: "天", titles: ["地", "天"] }, {}],
        "/v1/fill-mask": [{ input: ["[MASK]天[MASK]", "天[MASK]"], top: 2 }, { input: "天" }],
      };
      const asked = Object.keys(described.paths).filter((path) => path.startsWith("/v1"));
      assertEquals(asked.sort(), Object.keys(bodies).sort());
      assertEquals(facts.asks.length, asked.length);
      for (const [path, all] of Object.entries(bodies)) {
        const { responses } = described.paths[path].post;
        for (const body of all) {
          const response = await post(path, body), answer = await response.json();
          const says = ajv.compile(responses[response.status].content["application/json"].schema);
          assert(says(answer), `${path}: ${JSON.stringify([answer, says.errors])}`);
        }
      }
      const health = await fetch(`${url}/health`);
      const says = ajv.compile(
        described.paths["/health"].get.responses[health.status].content["application/json"].schema,
      );
      assert(says(await health.json()));
      const vectors = await (await post("/v1/embeddings", {
        input: ["天", "地地"],
        encoding_format: "base64",
      })).json();
      const read = (text: string): number =>
        new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer).getFloat32(
          0,
          true,
        );
      assertEquals(vectors.data.map((one: { embedding: string }) => read(one.embedding)), [3, 4]);
    },
  ));
