/** What a server refuses, with which status, and that it costs the model nothing. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { counting, inServer, rawClient, until } from "./served.ts";

const long = "天".repeat(63);

Deno.test("serve: every wrong request has its status, a line that says why, and reaches no model", async () => {
  let batches = 0;
  const run: typeof counting = (batch) => (batches++, counting(batch));
  await inServer(run, {}, async ({ url, post, reported }) => {
    const json = { "content-type": "application/json" };
    type Case = readonly [status: number, path: string, body: unknown, why: string, RequestInit?];
    const embeddings = "/v1/embeddings";
    const cases: readonly Case[] = [
      [400, embeddings, '{"input":', "the body is no JSON"],
      [400, embeddings, "", "the body is no JSON"],
      [400, embeddings, "[]", "the body is [], it must be an object with input"],
      [400, embeddings, "null", "the body is null"],
      [400, embeddings, {}, "input is missing"],
      [400, embeddings, { inptu: "天" }, '"inptu" is unknown; did you mean input?'],
      [400, embeddings, { input: [] }, "input has 0 items, it must have 1 to 8"],
      [400, embeddings, { input: Array(9).fill("天") }, "input has 9 items"],
      [400, embeddings, { input: ["天", 5] }, "input[1] is 5, it must be text"],
      [400, embeddings, { input: "" }, 'input is "", it must be text'],
      [400, embeddings, '{"input":"\\ud800"}', "of whole characters"],
      [400, embeddings, { input: "天", truncate: 1 }, "truncate is 1, it must be true or false"],
      [400, embeddings, { input: "天", encoding_format: "hex" }, "it must be float or base64"],
      [400, "/v1/fill-mask", { input: "[MASK]", top: 0 }, "top is 0, it must be a whole number"],
      [400, "/v1/relevance", { query: "天" }, "titles is missing"],
      [400, embeddings, "", "the body is not UTF-8", { body: Uint8Array.of(0x22, 0xff, 0x22) }],
      [404, embeddings, { input: "天", model: "gpt" }, 'there is no model "gpt", only run'],
      [404, "/v1/classify", { input: "天" }, "it knows no classes"],
      [404, "/v2", {}, "there is no /v2; there are /v1/embeddings"],
      [404, "/toString", {}, "there is no /toString"],
      [405, "/health", {}, "/health does not take POST, it takes GET, HEAD"],
      [405, embeddings, {}, "does not take PUT, it takes POST", { method: "PUT" }],
      [413, embeddings, { input: "x".repeat(5000) }, "the limit is 4096 bytes"],
      [415, embeddings, {}, 'content-type is "text/plain"', {
        headers: { "content-type": "text/plain" },
      }],
      [415, embeddings, {}, "it must be application/json", {
        headers: { "content-type": "application/json; charset=gbk" },
      }],
      [415, embeddings, {}, "content-encoding is gzip", {
        headers: { ...json, "content-encoding": "gzip" },
      }],
      [422, embeddings, { input: ["天", long] }, "input[1]: it has 65 tokens"],
      [422, embeddings, { input: " " }, "Cannot read input: it holds an empty text"],
      [422, "/v1/fill-mask", { input: "天" }, "it has no [MASK]"],
      [422, "/v1/relevance", { query: "天", titles: [long] }, "titles[0]: it has 67 tokens"],
    ];
    for (const [status, path, body, why, init] of cases) {
      const response = await post(path, body, init), text = await response.text();
      assertEquals([response.status, path], [status, path], text);
      const { error, ...rest } = JSON.parse(text);
      assertEquals(rest, {});
      assertStringIncludes(error, why);
      assert(!/\n/.test(error) && text.endsWith("}\n"), text);
      if (status === 405) assertMatch(response.headers.get("allow")!, /^(POST|GET, HEAD)$/);
    }
    assertEquals([batches, reported], [0, []]);
    const good = await post(embeddings, { input: ["天", long], truncate: true, model: "run" });
    assertEquals((await good.json()).usage, { prompt_tokens: 67, total_tokens: 67 });
    const head = await fetch(`${url}/health`, { method: "HEAD" });
    assertEquals([head.status, await head.text()], [200, ""]);
  });
});

Deno.test("serve: a body is not read beyond its limit, whether its length is told or not", () =>
  inServer(counting, {}, async ({ port, metrics }) => {
    const head = "POST /v1/embeddings HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
    using told = await rawClient(port);
    await told.send(`${head}content-length: 100000\r\n\r\n{`);
    assertMatch(await told.rest(), /^HTTP\/1.1 413 .*connection: close.*the limit is 4096/si);
    using chunked = await rawClient(port);
    await chunked.send(`${head}transfer-encoding: chunked\r\n\r\n`);
    const answer = chunked.rest(), piece = "x".repeat(1000);
    for (let n = 0; n < 6; n++) {
      await chunked.send(`3e8\r\n${piece}\r\n`).catch(() => {}); // it may have hung up already
    }
    assertMatch(await answer, /^HTTP\/1.1 413 .*connection: close.*the limit is 4096/si);
    // Whoever asks first need not send it at all.
    using asks = await rawClient(port);
    await asks.send(`${head}content-length: 100000\r\nexpect: 100-continue\r\n\r\n`);
    assertMatch(await asks.rest(), /^HTTP\/1.1 413 /);
    using allowed = await rawClient(port);
    await allowed.send(
      `${head}content-length: 15\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n`,
    );
    await allowed.send('{"input":"abc"}');
    assertMatch(await allowed.rest(), /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/);
    assertMatch(await metrics(), /requests_total\{route="\/v1\/embeddings",status="413"\} 3\n/);
  }));

Deno.test("serve: slow clients are answered 408 and let go, and others meanwhile as ever", () =>
  inServer(counting, { clientMs: 2000 }, async ({ port, post, metrics }) => {
    const head = "POST /v1/embeddings HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
    const texts = [head, `${head}content-length: 20\r\n\r\n{"input"`];
    const slow = await Promise.all(
      Array.from({ length: 40 }, async (_, n) => {
        const client = await rawClient(port);
        await client.send(texts[n % 2]!);
        return client;
      }),
    );
    const answers = slow.map((client) => client.rest());
    const quick = await post("/v1/embeddings", { input: "天" });
    assertEquals([quick.status, (await quick.json()).data[0].embedding], [200, [3]]);
    for (const answer of await Promise.all(answers)) {
      assertMatch(answer, /^HTTP\/1.1 408 Request Timeout\r\n.*took too long to arrive"\}\n$/s);
    }
    for (const client of slow) client[Symbol.dispose]();
    assertMatch(await metrics(), /requests_total\{route="none",status="408"\} 40\n/);
  }));

Deno.test("serve: what is no HTTP is answered too", () =>
  inServer(counting, {}, async ({ port }) => {
    for (
      const [text, status] of [
        ["hello\r\n\r\n", 400],
        [`GET / HTTP/1.1\r\nhost: a\r\nx: ${"a".repeat(20_000)}\r\n\r\n`, 431],
      ] as const
    ) {
      using client = await rawClient(port);
      await client.send(text).catch(() => {});
      assertMatch(await client.rest(), new RegExp(`^HTTP/1.1 ${status} .*\\{"error":"`, "s"));
    }
  }));

Deno.test("serve: a model may take longer than a client's time", () => {
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => release = resolve);
  const run: typeof counting = async (batch) => (await gate, counting(batch));
  return inServer(run, { clientMs: 1500 }, async ({ post }) => {
    const answer = post("/v1/embeddings", { input: "天" });
    setTimeout(release, 3000);
    assertEquals((await answer).status, 200);
    await (await answer).body?.cancel();
  });
});

Deno.test("serve: a full queue is said so at once, with when to come again; what waits is answered", () => {
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => release = resolve);
  const run: typeof counting = async (batch) => (await gate, counting(batch));
  return inServer(run, {}, async ({ post, metrics }) => {
    const eight = { input: Array(8).fill("天") };
    // Four are computed, 12 wait: eight more do not fit.
    const waiting = [post("/v1/embeddings", eight), post("/v1/embeddings", eight)];
    await until(async () => (await metrics()).includes("motian_queue_rows 12\n"));
    const refused = await post("/v1/embeddings", eight);
    assertEquals(refused.status, 503);
    assertMatch(refused.headers.get("retry-after")!, /^[1-9]\d*$/);
    assertStringIncludes((await refused.json()).error, "12 texts of at most 16");
    const more = [post("/v1/embeddings", { input: Array(4).fill("天") })];
    await until(async () => (await metrics()).includes("motian_queue_rows 16\n"));
    // Now it is said before the body is read.
    assertEquals((await (await post("/v1/embeddings", "{")).json()).error.slice(0, 8), "too much");
    release();
    for (const response of await Promise.all([...waiting, ...more])) {
      assertEquals(response.status, 200);
      await response.body?.cancel();
    }
  });
});
