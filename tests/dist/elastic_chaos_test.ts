/** Elastic members against a few schedules of each kind; `deno task chaos` runs ten thousand. */
import { assertEquals, assertGreater } from "@std/assert";
import { kinds, schedule, type Story } from "./chaos.ts";

const EACH = 24;

for (const [i, kind] of kinds.entries()) {
  Deno.test(`chaos: ${kind}: no hang, no wrong bit, every error typed and naming a rank`, async () => {
    const stories: Story[] = [];
    for (let seed = 1; seed <= EACH; seed++) stories.push(await schedule(1000 * i + seed, kind));
    const faults = stories.flatMap(({ seed, faults }) => faults.map((text) => `${seed}: ${text}`));
    assertEquals(faults, []);
    const ends = stories.flatMap(({ endings }) => endings.map(({ end }) => end));
    // Nearly all come to the end, and somebody was disturbed.
    assertGreater(ends.filter((end) => end === "done").length, EACH);
    if (kind !== "delay") {
      assertGreater(Math.max(...stories.map(({ generations }) => generations)), 1);
    }
  });
}

Deno.test("chaos: a seed is a story", async () => {
  const [one, same, other] = [await schedule(26), await schedule(26), await schedule(35)];
  assertEquals(one, same);
  assertEquals(JSON.stringify(one) === JSON.stringify(other), false);
});

Deno.test("chaos: schedules that had faults once have none", async () => {
  // Who asked for a message of a link that was ended waited for ever; a generation that was over had nobody's rank.
  for (const seed of [6586, 21_499]) assertEquals((await schedule(seed)).faults, []);
});
