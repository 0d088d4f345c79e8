/** Masking: never half a word, labels that are the originals, and every share and length as often as it is meant to be (χ²). */
import { assert, assertAlmostEquals, assertEquals, fail } from "@std/assert";
import { wordsOf } from "../../recipes/masking/choose_units.ts";
import { draws, USES } from "../../recipes/masking/counter_random.ts";
import { type Masked, maskSequence, type MaskTokens } from "../../recipes/masking/mask_sequence.ts";
import {
  MASK_SETTINGS,
  type MaskSettings,
  NGRAM_LENGTHS,
  predictions,
  SPAN_LENGTHS,
} from "../../recipes/masking/mask_settings.ts";
import { phrasesOf } from "../../recipes/masking/phrases.ts";
import { synonymTable } from "../../recipes/masking/synonyms.ts";
import { shared } from "../shared.ts";
import { fc } from "../property.ts";

const V = 1000;
const CLS = 2, SEP = 3, UNK = 1, MASK = 4;
const tokens: MaskTokens = {
  mask: MASK,
  special: Uint8Array.from({ length: V }, (_, id) => id < 5 ? 1 : 0),
  ordinary: Int32Array.from({ length: V - 5 }, (_, i) => i + 5),
};

interface Sequence {
  readonly ids: Int32Array;
  readonly starts: Uint8Array;
}

/** A sequence with words of the given lengths between [CLS] and [SEP]. */
function sequence(lengths: readonly number[], seed = 0): Sequence {
  const { below } = draws(seed, 98, 0, 0), ids = [CLS], starts = [1];
  for (const length of lengths) {
    for (let i = 0; i < length; i++) {
      ids.push(5 + below(V - 5));
      starts.push(i === 0 ? 1 : 0);
    }
  }
  return { ids: Int32Array.from([...ids, SEP]), starts: Uint8Array.from([...starts, 1]) };
}

const kinds = ["word", "phrase", "ngram", "span"] as const;
const only = (kind: typeof kinds[number]) => ({
  word: 0,
  phrase: 0,
  ngram: 0,
  span: 0,
  [kind]: 1,
});
const mix = { word: 0.4, phrase: 0.2, ngram: 0.2, span: 0.2 };

const wordLengths = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 60 });
const unitShares = fc.constantFrom(only("word"), only("ngram"), only("span"), only("phrase"), mix);

Deno.test("masking never cuts a word, and its labels are the originals", () => {
  const cases = fc.record({
    lengths: wordLengths,
    index: fc.nat(),
    units: unitShares,
    dice: fc.constantFrom("unit" as const, "token" as const),
    policy: fc.constantFrom("bert" as const, "random" as const, "mac" as const, "motian" as const),
    share: fc.double({ min: 0.01, max: 0.6, noNaN: true }),
  });
  fc.assert(fc.property(cases, ({ lengths, index, ...given }) => {
    const { ids, starts } = sequence(lengths, index), masked = ids.slice();
    const settings: MaskSettings = { ...MASK_SETTINGS, ...given };
    const phrases = phrasesOf([[...ids.subarray(1, 7)]]);
    const draw = draws(1, USES.mask, 0, index);
    const found = maskSequence(masked, starts, { ...tokens, phrases }, settings, 128, draw);
    const { positions, labels, units } = found, most = predictions(128, settings);
    assertEquals(labels, positions.map((t) => ids[t]!));
    assertEquals(positions, [...positions].sort((a, b) => a - b));
    assert(positions.length <= most);
    assert(positions.length >= 1 || Math.min(...lengths) > most, "one at least where one fits");
    const chosen = new Set(positions);
    assertEquals(chosen.size, positions.length);
    assert(!chosen.has(0) && !chosen.has(ids.length - 1), "[CLS] and [SEP] stay");
    for (let t = 1; t < ids.length; t++) {
      if (starts[t] === 0) assertEquals(chosen.has(t), chosen.has(t - 1), `word at ${t} is split`);
      if (!chosen.has(t)) assertEquals(masked[t], ids[t]);
    }
    const { begins } = wordsOf(ids, starts, tokens.special);
    const places = units.flatMap(({ from, to }) =>
      Array.from({ length: begins[to]! - begins[from]! }, (_, i) => begins[from]! + i)
    );
    assertEquals(positions, places);
  }));
});

/** χ² / its 99.9 % point under the hypothesis, by Wilson and Hilferty: above 1 the counts are not those of the shares. */
function chiSquare(counts: readonly number[], shares: readonly number[]): number {
  const all = counts.reduce((a, b) => a + b, 0), free = counts.length - 1;
  const sum = counts.reduce((x, c, i) => x + (c - all * shares[i]!) ** 2 / (all * shares[i]!), 0);
  const point = free * (1 - 2 / (9 * free) + 3.09 * Math.sqrt(2 / (9 * free))) ** 3;
  return sum / point;
}

/** Every unit is there as a whole, and the labels are what stood there: what every masked sequence below is held to. */
function assertWhole(
  { positions, labels, units }: Masked,
  ids: Int32Array,
  starts: Uint8Array,
  begins: readonly number[],
): void {
  const chosen = new Uint8Array(ids.length);
  positions.forEach((t, i) => {
    chosen[t] = 1;
    if (labels[i] !== ids[t]) fail(`Label ${i} is ${labels[i]}, not ${ids[t]}`);
  });
  let tokens = 0;
  for (const { from, to } of units) {
    for (let t = begins[from]!; t < begins[to]!; t++, tokens++) {
      if (!chosen[t]) fail(`The unit of words ${from} to ${to} is cut at ${t}`);
    }
  }
  assertEquals(tokens, positions.length);
  const cut = starts.findIndex((start, t) => start === 0 && chosen[t] !== chosen[t - 1]);
  assertEquals(cut, -1, "a word is cut");
}

/** Sequences of a million tokens; words have 1 to 3 tokens as Chinese words have. */
const TOKENS = 1_000_000, T = 512;
function overAll(
  settings: MaskSettings,
  visit: (masked: Masked, before: Int32Array, after: Int32Array, begins: readonly number[]) => void,
  extra: Partial<MaskTokens> = {},
): number {
  let all = 0;
  for (let index = 0; all < TOKENS; index++) {
    const { below } = draws(index, 97, 0, 0), lengths: number[] = [];
    for (let n = 0; n < T - 5;) n += lengths[lengths.push([1, 1, 2, 2, 2, 3][below(6)]!) - 1]!;
    const { ids, starts } = sequence(lengths, index), after = ids.slice();
    const draw = draws(7, USES.mask, 0, index);
    const masked = maskSequence(after, starts, { ...tokens, ...extra }, settings, T, draw);
    const { begins } = wordsOf(ids, starts, tokens.special);
    assertWhole(masked, ids, starts, begins);
    visit(masked, ids, after, begins);
    all += ids.length - 2;
  }
  return all;
}

for (const [kind, lengths] of [["ngram", NGRAM_LENGTHS], ["span", SPAN_LENGTHS]] as const) {
  Deno.test(`the lengths of a ${kind} are drawn as they are meant to be, and 15 % of a million tokens are chosen`, () => {
    const counts = lengths.map(() => 0);
    let chosen = 0;
    const all = overAll({ ...MASK_SETTINGS, units: only(kind) }, ({ positions, units }) => {
      chosen += positions.length;
      for (const { from, to } of units) counts[to - from - 1]!++;
    });
    assertAlmostEquals(chosen / all, 0.15, 0.001);
    assert(chiSquare(counts, lengths) < 1, `${counts}`);
  });
}

Deno.test("kinds of units are chosen as often as their shares say", () => {
  // Phrases are pairs of words that begin with a token of their own.
  const ids = (from: number): readonly number[] => [from, from + 1];
  const phrases = phrasesOf(Array.from({ length: 40 }, (_, i) => ids(10 + 2 * i)));
  const counts = [0, 0];
  for (let index = 0; index < 3000; index++) {
    const words = Array.from({ length: 200 }, (_, i) => i % 4 === 1 ? 10 + 2 * (i % 40) : 200 + i);
    words.forEach((w, i) => i % 4 === 1 && (words[i + 1] = w + 1));
    const row = Int32Array.from([CLS, ...words, SEP]), starts = new Uint8Array(row.length).fill(1);
    const settings = { ...MASK_SETTINGS, units: { word: 0.7, phrase: 0.3, ngram: 0, span: 0 } };
    const draw = draws(3, USES.mask, 0, index);
    const { units } = maskSequence(row, starts, { ...tokens, phrases }, settings, 202, draw);
    for (const { from, to } of units) {
      counts[to - from - 1]!++;
      if (to - from === 2) assertEquals(words[from - 1]! + 1, words[from]);
    }
  }
  assert(chiSquare(counts, [0.7, 0.3]) < 1, `${counts}`);
});

Deno.test("every policy replaces as its shares say", () => {
  const synonyms = synonymTable(
    Array.from({ length: V - 5 }, (_, i) => ({
      word: [i + 5],
      others: [{ word: [5 + (i + 1) % (V - 5)], weight: 3 }, {
        word: [5 + (i + 2) % (V - 5)],
        weight: 1,
      }],
    })).filter((_, i) => i % 2 === 0),
  );
  const shares: Readonly<Record<MaskSettings["policy"], readonly number[]>> = {
    // [MASK], the two synonyms, as it was, anything else
    bert: [0.8, 0, 0, 0.1, 0.1],
    random: [0, 0, 0, 0, 1],
    "random-unigram": [0, 0, 0, 0, 1],
    mac: [0, 0.3, 0.1, 0.1, 0.5],
    motian: [0.4, 0.3, 0.1, 0.1, 0.1],
  };
  for (const [policy, want] of Object.entries(shares)) {
    const counts = [0, 0, 0, 0, 0], settings = { ...MASK_SETTINGS, policy } as MaskSettings;
    overAll({ ...settings, dice: "unit" }, ({ units }, before, after, begins) => {
      for (const { from, to } of units) {
        if (begins[to]! - begins[from]! !== 1) continue;
        const t = begins[from]!, was = before[t]! - 5, is = after[t]! - 5, n = V - 5;
        const kind = after[t] === MASK
          ? 0
          : is === was
          ? 3
          : is === (was + 1) % n && was % 2 === 0
          ? 1
          : is === (was + 2) % n && was % 2 === 0
          ? 2
          : 4;
        counts[kind]!++;
      }
    }, { synonyms });
    // A random token is each other one once in V: that much the others have.
    const random = want[4]!, stray = random / (V - 5);
    const exact = want.map((w, i) =>
      i === 4 ? w - 2 * stray : i === 3 ? w + stray : i === 0 ? w : w + stray / 2
    );
    const used = exact.map((w, i) => [counts[i]!, w] as const).filter(([, w]) => w > 0);
    const sum = used.reduce((s, [, w]) => s + w, 0);
    assert(counts.every((c, i) => c === 0 || exact[i]! > 0), `${policy}: ${counts}`);
    assert(
      chiSquare(used.map(([c]) => c), used.map(([, w]) => w / sum)) < 1,
      `${policy}: ${counts}`,
    );
  }
});

Deno.test("random tokens come as count^0.75 where the policy says so", () => {
  const few = [5, 6, 7, 8],
    weights = few.map((id) => (id - 4) ** 2),
    total = weights.reduce((s, w) => s + w ** 0.75, 0);
  let sum = 0;
  const unigram = Float64Array.from(weights, (w) => (sum += w ** 0.75) / total);
  const counts = few.map(() => 0);
  overAll({ ...MASK_SETTINGS, policy: "random-unigram" }, ({ positions }, _, after) => {
    for (const t of positions) counts[few.indexOf(after[t]!)]!++;
  }, { ordinary: Int32Array.from(few), unigram });
  assert(chiSquare(counts, weights.map((w) => w ** 0.75 / total)) < 1, `${counts}`);
});

Deno.test("words: exactly the share on average, one outcome a word, or one a token", () => {
  for (const dice of ["unit", "token"] as const) {
    let chosen = 0, words = 0, mixed = 0;
    const outcomes = [0, 0, 0];
    const all = overAll(
      { ...MASK_SETTINGS, dice },
      ({ positions, units }, before, after, begins) => {
        chosen += positions.length;
        for (const { from, to } of units) {
          const found = new Set<number>();
          for (let t = begins[from]!; t < begins[to]!; t++) {
            const outcome = after[t] === MASK ? 0 : after[t] === before[t] ? 1 : 2;
            outcomes[outcome]!++;
            found.add(outcome);
          }
          words++;
          if (found.size > 1) mixed++;
        }
      },
    );
    assertAlmostEquals(chosen / all, 0.15, 0.0005);
    if (dice === "token") {
      assert(chiSquare(outcomes, [0.8, 0.1 + 0.1 / 995, 0.1 - 0.1 / 995]) < 1, `${outcomes}`);
    }
    assert(dice === "unit" ? mixed / words < 0.001 : mixed / words > 0.05);
  }
});

Deno.test("a word with [UNK] in it is not chosen, and a sequence of them alone is left as it is", () => {
  const ids = Int32Array.from([CLS, UNK, UNK, SEP]), starts = Uint8Array.from([1, 1, 0, 1]);
  for (const units of [only("word"), only("ngram"), mix]) {
    const found = maskSequence(
      ids,
      starts,
      tokens,
      { ...MASK_SETTINGS, units },
      16,
      draws(1, 2, 0, 0),
    );
    assertEquals(found, { positions: [], labels: [], units: [] });
  }
});

Deno.test("lengths of spans and n-grams are those of the papers", async () => {
  const text = await shared("golden/span_length.json");
  if (text === undefined) return;
  const golden = JSON.parse(text);
  golden.probs.forEach((p: number, i: number) => assertAlmostEquals(SPAN_LENGTHS[i]!, p, 1e-12));
  const mean = SPAN_LENGTHS.reduce((sum, p, i) => sum + p * (i + 1), 0);
  assertAlmostEquals(mean, golden.mean, 1e-12);
  NGRAM_LENGTHS.forEach((p, i) => assertEquals(p, golden.macbert_ngram[i + 1]));
});
