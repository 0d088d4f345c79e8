/** `serve` on fine-tuned models: names, answers and choices over HTTP are those of `predict`, in the form that is described. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { Ajv2020 } from "npm:ajv@8.20.0/dist/2020.js";
import { cpu } from "../../core/mod.ts";
import { forms } from "../../recipes/predict/forms.ts";
import { type Ask, modelSource } from "../../recipes/predict/model_source.ts";
import { openPredictor } from "../../recipes/predict/open_predictor.ts";
import { answers } from "../../recipes/predict/question.ts";
import { batchRunner } from "../../recipes/predict/run_batch.ts";
import { serve } from "../../recipes/serve/server.ts";
import { inFolder } from "../in_folder.ts";
import { savedTaskOf, vocabulary } from "./asked_models.ts";
import { smallLimits } from "./served.ts";

const text = (n: number, seed = 0): string => {
  const characters = vocabulary.tokens.filter((token) => /^\p{Script=Han}$/u.test(token));
  return Array.from({ length: n }, (_, i) => characters[(i * i + 7 * i + seed) % characters.length])
    .join("");
};

/** What a route sends: answers, or why there are none. */
interface Answer {
  readonly data: unknown;
  readonly error: string;
}

const cases: readonly (readonly [task: string, ask: Ask, input: unknown, bad: unknown])[] = [
  ["cluener", "entities", text(40), ""],
  [
    "cmrc2018",
    "answer",
    { question: text(5), context: text(90, 2) },
    { question: text(5), text: text(9) },
  ],
  [
    "c3",
    "choose",
    { text: text(30), question: text(5), choices: [text(4, 3), text(3, 4)] },
    { text: text(30), question: text(5), choices: [text(4, 3)] },
  ],
];

for (const [task, ask, input, bad] of cases) {
  Deno.test(`serve: ${ask} of a model that has learnt ${task}`, () =>
    inFolder(async (folder) => {
      const device = cpu(), saved = join(folder, "saved");
      await savedTaskOf(saved, task, device);
      const { facts, open } = await modelSource(saved);
      const run = batchRunner(facts, await open(device), device);
      const queue = task === "c3" ? 4 : 2;
      const limits = { ...smallLimits, queue, rows: 2, bodyBytes: 1 << 16 }, path = `/v1/${ask}`;
      const served = await serve({
        ...{ facts, run, limits, host: "127.0.0.1", port: 0 },
        report: (error) => assert(false, String(error)),
      });
      try {
        const post = async (body: unknown) => {
          const response = await fetch(served.url + path, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(body),
          });
          const answer = await response.json() as Answer;
          return { status: response.status, body: answer };
        };
        const described = await (await fetch(`${served.url}/openapi.json`)).json();
        const paths = Object.keys(described.paths).filter((path) => path.startsWith("/v1"));
        assertEquals(paths, ["/v1/embeddings", path]);
        const { status, body } = await post({ input });
        assertEquals(status, 200, JSON.stringify(body));
        const { schema } = described.paths[path].post.responses[200].content["application/json"];
        assert(new Ajv2020({ strict: false }).compile(schema)(body), JSON.stringify(body));
        const form = forms[ask], tools = await openPredictor(saved, device);
        const [found] = await answers(form.question, tools, [input]);
        assertEquals(body.data, [{ index: 0, ...form.output(found) }]);
        assertEquals((await post({ input: bad })).status, 400);
        const { requestBody, responses } = described.paths[path].post;
        const most = task === "c3" ? "" : "128 rows of ";
        assertStringIncludes(responses[422].description, `more than ${most}${facts.limit} tokens`);
        assertStringIncludes(responses[422].description, `more than ${queue} rows.`);
        if (task === "c3") {
          // What is described is what is held: so many choices and no more.
          const says = new Ajv2020().compile(requestBody.content["application/json"].schema);
          for (const count of [4, 5]) {
            const choices = Array.from({ length: count }, (_, i) => text(3, i));
            const body = { input: { ...input as object, choices } };
            const { status, body: { error } } = await post(body);
            assertEquals([status, says(body)], count === 4 ? [200, true] : [400, false], error);
          }
        } else {
          const long = text(3000);
          const many = task === "cluener" ? long : { question: text(5), context: long };
          const refused = await post({ input: many });
          assertEquals(refused.status, 422);
          assertStringIncludes(refused.body.error, "more than the 2 that may wait");
        }
      } finally {
        await served.drain();
      }
    }));
}
