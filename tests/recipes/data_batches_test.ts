import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { type Batch, heldOutBatches, trainBatches } from "../../recipes/data/batches.ts";
import { pack, type PackedSet, sequences } from "../../recipes/data/pack.ts";
import { streamBuilder, type TokenStream } from "../../recipes/data/token_stream.ts";
import { unigramLogProbs, unigramPerplexity } from "../../recipes/data/unigram.ts";
import { SPECIAL_TOKENS, type Vocabulary, vocabularyOf } from "../../recipes/text/vocabulary.ts";
import { fc } from "../property.ts";

const WORDS = 50;
const vocabulary: Vocabulary = vocabularyOf([
  ...SPECIAL_TOKENS,
  ...Array.from({ length: WORDS }, (_, i) => String.fromCharCode(0x4e00 + i)),
]);

/** Documents of the given lengths; words have two tokens, ids go round the vocabulary. */
function streamOf(lengths: readonly number[]): TokenStream {
  const stream = streamBuilder(vocabulary.tokens.length, vocabulary.sep);
  let next = 0;
  for (const length of lengths) {
    for (let i = 0; i < length; i++) {
      stream.push(SPECIAL_TOKENS.length + next++ % WORDS, i % 2 === 0);
    }
    stream.close();
  }
  return stream.build();
}

const T = 16;
const set: PackedSet = pack(streamOf([40, 3, 25, 60, 7, 1, 90]), vocabulary, T);
const count = sequences(set);

/** The sequence of row b before it was masked. */
function unmasked(batch: Batch, b: number): number[] {
  const ids = [...batch.ids.subarray(b * T, (b + 1) * T)];
  for (let p = b * batch.P; p < (b + 1) * batch.P; p++) {
    if (batch.weights[p]! > 0) ids[batch.positions[p]! - b * T] = batch.labels[p]!;
  }
  return ids;
}

Deno.test("trainBatches depends on seed and step, and on nothing else", () => {
  const settings = { seed: 7, B: 4 };
  const forward = trainBatches(set, vocabulary, settings);
  const resumed = trainBatches(set, vocabulary, settings);
  const steps = Array.from({ length: 20 }, (_, step) => forward(step));
  for (const step of [19, 3, 12]) assertEquals(resumed(step), steps[step], `step ${step}`);
  const other = trainBatches(set, vocabulary, { ...settings, seed: 8 });
  assert(steps.some(({ ids }, step) => ids.join() !== other(step).ids.join()));
});

Deno.test("trainBatches gives the same rows however a batch is split", () => {
  const B = 6;
  const batches = trainBatches(set, vocabulary, { seed: 1, B });
  fc.assert(
    fc.property(
      fc.nat(30),
      fc.uniqueArray(fc.integer({ min: 1, max: B - 1 })),
      (step, cuts) => {
        const whole = batches(step);
        const bounds = [0, ...cuts.sort((a, b) => a - b), B];
        bounds.slice(1).forEach((to, i) => {
          const from = bounds[i]!;
          const part = batches(step, from, to);
          assertEquals(part.B, to - from);
          assertEquals(part.ids, whole.ids.slice(from * T, to * T));
          assertEquals(part.keep, whole.keep.slice(from * T, to * T));
          assertEquals(part.labels, whole.labels.slice(from * whole.P, to * whole.P));
          assertEquals(part.weights, whole.weights.slice(from * whole.P, to * whole.P));
          part.positions.forEach((at, p) => {
            if (part.weights[p] === 0) return;
            assertEquals(at + from * T, whole.positions[from * whole.P + p]);
          });
        });
      },
    ),
  );
});

Deno.test("trainBatches goes through every sequence once an epoch, with other masks each time", () => {
  const batches = trainBatches(set, vocabulary, { seed: 3, B: 1 });
  const epoch = (n: number): Batch[] =>
    Array.from({ length: count }, (_, i) => batches(n * count + i));
  const texts = (all: readonly Batch[]): string[] => all.map((b) => unmasked(b, 0).join()).sort();
  const [first, second] = [epoch(0), epoch(1)];
  assertEquals(texts(first), texts(second));
  const whole = first.map((b) => unmasked(b, 0).join());
  assert(whole.join("|") !== second.map((b) => unmasked(b, 0).join()).join("|"), "another order");
  const masks = (all: readonly Batch[]): string[] =>
    all.map((b) => `${unmasked(b, 0)}: ${b.positions}`).sort();
  assert(masks(first).join() !== masks(second).join(), "other masks");
});

Deno.test("batches mark padding, and predict only tokens that are there", () => {
  const batches = trainBatches(set, vocabulary, { seed: 2, B: 5 });
  let padding = 0;
  for (let step = 0; step < 20; step++) {
    const { ids, keep, positions, labels, weights, B, P } = batches(step);
    for (let i = 0; i < B * T; i++) {
      if (keep[i] === 0) padding++;
      assertEquals(ids[i] === vocabulary.pad, keep[i] === 0);
    }
    for (let b = 0; b < B; b++) {
      const row = weights.subarray(b * P, (b + 1) * P);
      const known = row.indexOf(0) < 0 ? P : row.indexOf(0);
      assert(known > 0, "every row predicts something");
      for (let p = b * P; p < (b + 1) * P; p++) {
        if (p - b * P >= known) {
          assertEquals([positions[p], labels[p], weights[p]], [0, 0, 0]);
          continue;
        }
        assertEquals(Math.floor(positions[p]! / T), b, "a row predicts its own tokens");
        assertEquals(keep[positions[p]!], 1);
        assert(labels[p]! >= SPECIAL_TOKENS.length, "no special token is predicted");
      }
    }
  }
  assert(padding > 0, "some rows are padded");
});

Deno.test("pack loses no token, and cuts only where a word begins", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 }),
    fc.integer({ min: 4, max: 40 }),
    (lengths, length) => {
      const stream = streamOf(lengths);
      const packed = pack(stream, vocabulary, length);
      const batch = heldOutBatches(packed, vocabulary, 1);
      for (const { ids, positions, labels, weights } of batch) {
        weights.forEach((weight, p) => weight && (ids[positions[p]!] = labels[p]!));
      }
      const found = batch.flatMap(({ ids, keep }) =>
        [...ids].filter((id, t) => keep[t] && id >= SPECIAL_TOKENS.length)
      );
      assertEquals(found, [...stream.ids].filter((id) => id >= SPECIAL_TOKENS.length));
      for (const begin of packed.begins.subarray(0, -1)) assertEquals(stream.starts[begin], 1);
      for (const { ids, keep } of batch) {
        assertEquals(ids[0], vocabulary.cls);
        assertEquals(ids[keep.lastIndexOf(1)], vocabulary.sep);
      }
    },
  ));
});

Deno.test("heldOutBatches are the same ones always, and count every sequence once", () => {
  for (const [B, limit] of [[4, Infinity], [5, 7], [64, Infinity]] as const) {
    const batches = heldOutBatches(set, vocabulary, B, { limit });
    assertEquals(batches, heldOutBatches(set, vocabulary, B, { limit }));
    const texts = batches.flatMap((batch) =>
      Array.from({ length: B }, (_, b) => b)
        .filter((b) => batch.weights.subarray(b * batch.P, (b + 1) * batch.P).includes(1))
        .map((b) => unmasked(batch, b).join())
    );
    assertEquals(texts.length, Math.min(limit, count));
    for (const batch of batches) assertEquals(batch.B, B, "the last batch is filled up");
  }
});

Deno.test("trainBatches refuses an empty set, and pack a length without room", () => {
  const empty = pack(streamOf([]), vocabulary, T);
  assertThrows(
    () => trainBatches(empty, vocabulary, { seed: 1, B: 1 }),
    RangeError,
    "Cannot make batches of no sequences",
  );
  assertThrows(
    () => pack(streamOf([5]), vocabulary, 2),
    RangeError,
    "Cannot pack sequences of 2 tokens: at least 3 are needed",
  );
});

Deno.test("unigramLogProbs are add-one counts of ordinary tokens and sum to 1", () => {
  const stream = streamBuilder(vocabulary.tokens.length, vocabulary.sep);
  for (const id of [5, 5, 5, 6, vocabulary.unk]) stream.push(id, true);
  stream.close();
  const logProbs = unigramLogProbs(stream.build(), vocabulary);
  const p = [...logProbs].map(Math.exp);
  assertAlmostEquals(p[5]!, 4 / (WORDS + 4), 1e-12);
  assertAlmostEquals(p[6]!, 2 / (WORDS + 4), 1e-12);
  assertAlmostEquals(p[7]!, 1 / (WORDS + 4), 1e-12);
  assertEquals(p.slice(0, SPECIAL_TOKENS.length), [0, 0, 0, 0, 0]);
  assertAlmostEquals(p.reduce((sum, x) => sum + x, 0), 1, 1e-12);
});

Deno.test("unigramPerplexity of equally likely tokens is their number", () => {
  const logProbs = unigramLogProbs(streamOf([]), vocabulary);
  const batches = heldOutBatches(set, vocabulary, 4);
  assertAlmostEquals(unigramPerplexity(logProbs, batches), WORDS, 1e-9);
  assertThrows(() => unigramPerplexity(logProbs, []), RangeError, "there are no predictions");
});
