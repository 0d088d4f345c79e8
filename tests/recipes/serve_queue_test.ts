/** How texts of many requests become batches, and what becomes of them when clients leave, models fail and servers end. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Batch } from "../../recipes/predict/batch.ts";
import { batchQueue } from "../../recipes/serve/batch_queue.ts";
import { within } from "../within.ts";
import { counting, inServer, rawClient, smallLimits, until } from "./served.ts";

/** A model that stands still until it is let go on. */
function gated(): { readonly run: typeof counting; readonly batches: Batch[]; release(): void } {
  const batches: Batch[] = [];
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => release = resolve);
  const run: typeof counting = async (batch) => {
    batches.push(batch);
    await gate;
    return counting(batch);
  };
  return { run, batches, release: () => release() };
}

const lengths = ({ rows }: Batch): readonly number[] => rows.map(({ ids }) => ids.length);

Deno.test("serve: texts of many requests are computed together, each with others of its length", () => {
  const { run, batches, release } = gated();
  return inServer(run, {}, async ({ post, metrics }) => {
    const ask = async (n: number): Promise<number> => {
      const response = await post("/v1/embeddings", { input: "天".repeat(n) });
      return (await response.json()).data[0].embedding[0];
    };
    const first = ask(1);
    await until(() => batches.length === 1);
    const counts = [2, 40, 3, 41, 4, 5, 6, 42];
    const rest: Promise<number>[] = [];
    for (const [i, n] of counts.entries()) {
      rest.push(ask(n));
      await until(async () => (await metrics()).includes(`motian_queue_rows ${i + 1}\n`));
    }
    release();
    assertEquals(await Promise.all([first, ...rest]), [3, ...counts.map((n) => n + 2)]);
    assertEquals(batches.map(lengths), [[3], [4, 5, 6, 7], [42, 43, 44], [8]]);
    assertEquals(batches.map(({ B, T }) => [B, T]), [[1, 16], [4, 16], [4, 48], [1, 16]]);
    const text = await metrics();
    assertMatch(text, /motian_batch_rows_sum\{ask="embed"\} 9\n/);
    assertMatch(text, /motian_tokens_total\{of="text"\} 162\n/);
    assertMatch(text, /motian_tokens_total\{of="padding"\} 126\n/);
  });
});

Deno.test("serve: a request of many texts lets others in between", async () => {
  const { run, batches, release } = gated(), never = new AbortController().signal;
  const row = (n: number) => ({ ids: Array(n).fill(5), segments: [] });
  let first = true;
  const queue = batchQueue({
    ...smallLimits,
    limit: 64,
    async run(batch) {
      if (!first) return await run(batch);
      first = false;
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return await counting(batch);
    },
    observe: () => {},
    failed: () => {},
  });
  await queue.submit("embed", [row(1)], never); // a row is thought to take a fifth of a second now
  const blocks = queue.submit("embed", [row(2)], never);
  const many = queue.submit("embed", Array(8).fill(row(3)), never);
  const one = queue.submit("embed", [row(4)], never);
  release();
  assertEquals((await one)[0], Float32Array.of(4));
  await Promise.all([blocks, many]);
  assertEquals(batches.map(lengths), [[2], [3, 4, 3, 3], [3, 3, 3, 3], [3]]);
});

Deno.test("serve: texts of a client that is gone leave the queue", () => {
  const { run, batches, release } = gated();
  return inServer(run, {}, async ({ post, metrics, reported }) => {
    const first = post("/v1/embeddings", { input: "天" });
    await until(() => batches.length === 1);
    const leaving = new AbortController();
    const gone = assertRejects(() =>
      post("/v1/embeddings", { input: Array(8).fill("天天") }, { signal: leaving.signal })
    );
    const stays = post("/v1/relevance", { query: "天", titles: ["地"] });
    await until(async () => (await metrics()).includes("motian_queue_rows 9\n"));
    leaving.abort();
    await gone;
    await until(async () => (await metrics()).includes("motian_queue_rows 1\n"));
    release();
    assertEquals((await (await stays).json()).scores, [5]);
    await (await first).body?.cancel();
    assertEquals(batches.map(({ ask, rows }) => [ask, rows.length]), [["embed", 1], [
      "relevance",
      1,
    ]]);
    assertMatch(await metrics(), /status="499"\} 1\n/);
    assertEquals(reported, []);
  });
});

Deno.test("serve: what waits is answered before the end, and nothing new is taken", () => {
  const { run, batches, release } = gated();
  return inServer(run, {}, async ({ post, url, metrics, drain }) => {
    const answers = [1, 2, 3, 4, 5, 6].map((n) =>
      post("/v1/embeddings", { input: "天".repeat(n) })
    );
    await until(async () => (await metrics()).includes("motian_queue_rows 5\n"));
    const drained = drain();
    await assertRejects(() => fetch(`${url}/health`));
    release();
    const found = await Promise.all(answers.map(async (one) => (await (await one).json()).data));
    assertEquals(found.map(([{ embedding }]) => embedding), [[3], [4], [5], [6], [7], [8]]);
    assert(batches.length > 1);
    assertEquals(await drained, true);
  });
});

Deno.test("serve: an end that takes too long is an end all the same", () => {
  const { run, batches } = gated();
  return inServer(run, { drainMs: 200 }, async ({ post, drain }) => {
    const lost = assertRejects(() => post("/v1/embeddings", { input: "天" }));
    await until(() => batches.length === 1);
    assertEquals(await drain(), false);
    await lost;
  });
});

Deno.test("serve: a model that fails is said to whoever waits, and ends the service", () =>
  inServer(
    () => Promise.reject(new RangeError("Out of memory")),
    {},
    async ({ post, failed, url, reported }) => {
      const response = await post("/v1/embeddings", { input: "天" });
      assertEquals([response.status, await response.json()], [500, {
        error: "the model failed; the server's log says why",
      }]);
      await failed;
      assertEquals(reported.map((error) => (error as Error).message), ["Out of memory"]);
      const health = await fetch(`${url}/health`);
      assertEquals([health.status, await health.json()], [503, {
        live: true,
        ready: false,
        model: "run",
      }]);
      assertEquals((await post("/v1/embeddings", { input: "天" })).status, 503);
    },
  ));

Deno.test("serve: whoever still sent its text when the model failed is told too", () =>
  inServer(
    () => Promise.reject(new RangeError("Out of memory")),
    {},
    async ({ post, port, failed }) => {
      using slow = await rawClient(port);
      const head = "POST /v1/embeddings HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
      await slow.send(`${head}content-length: 15\r\nexpect: 100-continue\r\n\r\n`);
      assertMatch(await slow.some(), /^HTTP\/1.1 100 Continue/);
      await slow.send('{"input"');
      const response = await post("/v1/embeddings", { input: "天" });
      assertEquals(response.status, 500);
      await response.body?.cancel();
      await failed;
      await slow.send(':"abc"}');
      assertMatch(await within("an answer", slow.rest()), /^HTTP\/1.1 500 /);
    },
  ));
