/** Batches made ahead in workers: the same ones, in order, however many workers there are; errors and ends. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { BatchFeed, partsOf } from "../../recipes/data/batch_feed.ts";
import type { BatchSource } from "../../recipes/data/batch_worker.ts";
import { trainBatches } from "../../recipes/data/batches.ts";
import { tinyData } from "./tiny_run.ts";

const B = 6, { train: set, vocabulary } = tinyData(24);
const source: BatchSource = { set, vocabulary, settings: { seed: 3, B, mask: { share: 0.15 } } };

Deno.test("partsOf splits every step into parts of so many rows", () => {
  assertEquals([...partsOf(2, 4, 5, 3)], [
    { step: 2, from: 0, to: 3 },
    { step: 2, from: 3, to: 5 },
    { step: 3, from: 0, to: 3 },
    { step: 3, from: 3, to: 5 },
  ]);
});

for (const workers of [0, 1, 3]) {
  for (const begin of [0, 7]) {
    Deno.test(`BatchFeed with ${workers} workers gives the batches of trainBatches from step ${begin} on`, async () => {
      using feed = new BatchFeed(source, partsOf(begin, begin + 6, B, 4), { workers, ahead: 5 });
      const make = trainBatches(set, vocabulary, source.settings);
      for (const { step, from, to } of partsOf(begin, begin + 6, B, 4)) {
        assertEquals(await feed.next(), make(step, from, to));
      }
      await assertRejects(() => feed.next(), RangeError, "all of them were taken");
      assert(feed.waited > 0);
    });
  }
}

Deno.test("BatchFeed says what went wrong in a worker, and what was asked for when it was closed", async () => {
  const broken: BatchSource = { ...source, set: { ...set, store: undefined as never } };
  {
    using feed = new BatchFeed(broken, partsOf(0, 2, B, B), { workers: 1, ahead: 1 });
    await assertRejects(() => feed.next(), RangeError, "Cannot make a batch: ");
  }
  const feed = new BatchFeed(source, partsOf(0, 2, B, B), { workers: 1, ahead: 2 });
  const asked = feed.next();
  feed[Symbol.dispose]();
  await assertRejects(() => asked, RangeError, "Cannot make a batch: the feed was closed");
});
