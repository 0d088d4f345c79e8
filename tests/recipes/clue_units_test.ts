/** What the encoder reads of examples, in which batches, and which split an example falls into. */
import { assert, assertEquals } from "@std/assert";
import { read } from "../../core/mod.ts";
import { classes } from "../../recipes/clue/heads/classes.ts";
import { someUnits } from "../../recipes/clue/some_units.ts";
import { splitOf } from "../../recipes/clue/split.ts";
import type { TaskData } from "../../recipes/clue/run_task.ts";
import { rowOf, type Unit } from "../../recipes/clue/unit.ts";
import {
  epochBatches,
  rowInputs,
  sortedBatches,
  targetInputs,
} from "../../recipes/clue/unit_batches.ts";
import { tokensOf, workOf } from "../../recipes/clue/work.ts";
import { tokenizer } from "../../recipes/text/tokenize.ts";
import { SPECIAL_TOKENS, vocabularyOf } from "../../recipes/text/vocabulary.ts";
import { fc } from "../property.ts";

const characters = [..."天地玄黄宇宙洪荒日月盈昃辰宿列张"];
const vocabulary = vocabularyOf([...SPECIAL_TOKENS, ...characters]);
const tokens = tokenizer(vocabulary);
const text = fc.array(fc.constantFrom(...characters), { maxLength: 40 }).map((all) => all.join(""));

Deno.test("rowOf takes tokens from the longer text, one at a time, as BERT's baselines do", () =>
  fc.assert(fc.property(text, text, fc.integer({ min: 4, max: 50 }), (first, second, length) => {
    const a = [...tokens.encode(first).ids], b = [...tokens.encode(second).ids];
    while (a.length + b.length > length - 3) (a.length > b.length ? a : b).pop();
    const { cls, sep } = vocabulary, row = rowOf(tokens, length, first, second);
    assertEquals(row.ids, [cls, ...a, sep, ...b, sep]);
    assertEquals(row.segments, [
      ...Array(a.length + 2).fill(0),
      ...Array(b.length + 1).fill(1),
    ]);
  })));

Deno.test("rowOf cuts a single text at its end", () => {
  const { ids, segments } = rowOf(tokens, 5, "天地玄黄宇宙");
  const [cls, sep] = [vocabulary.cls, vocabulary.sep];
  assertEquals(ids, [cls, ...tokens.encode("天地玄").ids, sep]);
  assertEquals(segments, [0, 0, 0, 0, 0]);
});

const unitOf = (length: number, target: number): Unit => ({
  rows: [{ ids: Array(length).fill(7), segments: Array(length).fill(0) }],
  target: [target],
});
const lengths = fc.array(fc.integer({ min: 2, max: 70 }), { minLength: 1, maxLength: 300 });

Deno.test("batches hold every unit once, none longer than its batch, in another order every epoch", () =>
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 9 }), fc.nat(99), (all, U, seed) => {
      const units = all.map((length) => unitOf(length, 0));
      for (const batches of [sortedBatches(units, U), epochBatches(units, U, seed, 1)]) {
        const seen = batches.flatMap((batch) => batch.units);
        assertEquals(seen.toSorted((a, b) => a - b), units.map((_, n) => n));
        for (const { units: own, T } of batches) {
          assert(own.length >= 1 && own.length <= U);
          assertEquals(T % 16, 0);
          const longest = Math.max(...own.map((n) => all[n]!));
          assert(longest <= T && T < longest + 16);
        }
      }
      assertEquals(epochBatches(units, U, seed, 1), epochBatches(units, U, seed, 1));
      if (all.length > 30) {
        const orders = [1, 2].map((epoch) =>
          epochBatches(units, U, seed, epoch).flatMap((b) => b.units)
        );
        assert(orders[0]!.some((n, i) => n !== orders[1]![i]));
      }
    }),
    { numRuns: 40 },
  ));

Deno.test("a batch that is not full is filled with rows of one token that weigh nothing", async () => {
  const units = [unitOf(3, 2), unitOf(5, 1)], batch = { units: [1, 0], T: 16 };
  const head = classes(3), rows = rowInputs(units, batch, 4, head, vocabulary.pad);
  const keep = [...await read(rows.keep)];
  const kept = (n: number) => Array.from({ length: 16 }, (_, t) => t < n ? 1 : 0);
  assertEquals(keep, [5, 3, 1, 1].flatMap(kept));
  const { targets, weights } = targetInputs(units, batch, 4, head);
  assertEquals([...await read(targets)], [1, 2, 0, 0]);
  assertEquals([...await read(weights)], [1, 1, 0, 0]);
});

Deno.test("a group falls into one split, by its text alone, about one in ten into dev and into test", () => {
  const found = { train: 0, dev: 0, test: 0 }, N = 5000;
  for (let i = 0; i < N; i++) found[splitOf(`query ${i}`)]++;
  for (const part of [found.dev, found.test]) {
    // Four standard deviations of a binomial count.
    assert(Math.abs(part - N / 10) < 4 * Math.sqrt(N * 0.1 * 0.9), `${part} of ${N}`);
  }
  assertEquals(splitOf("ＱＱ 浏览器 "), splitOf("QQ 浏览器"));
});

Deno.test("a part of the units is the same for every call, in their order, and all where there are no more", () => {
  const units = Array.from({ length: 50 }, (_, i): Unit => ({
    rows: [{ ids: [i, 0, 0], segments: [0, 0, 0] }],
    target: [],
  }));
  const data = { train: { units, count: 50 }, dev: { units }, tests: [] } as unknown as TaskData;
  const some = someUnits(data, 20).train, places = some.units.map((unit) => units.indexOf(unit));
  assertEquals([some.count, new Set(places).size], [20, 20]);
  assertEquals(places, places.toSorted((a, b) => a - b));
  assertEquals(someUnits(data, 20).train, some);
  assert(places.at(-1)! > 20, "they are no prefix");
  assertEquals([someUnits(data, 50), someUnits(data)], [data, data]);

  assertEquals(tokensOf(units), 150);
  assertEquals(tokensOf([]), 0);
  assertEquals(tokensOf(Array.from({ length: 7 }, () => units).flat()), 1050);
  assertEquals(workOf(data, 2), 2 * (3 * 150 + 150));
});
