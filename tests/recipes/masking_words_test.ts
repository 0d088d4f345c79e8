import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import { draws, USES } from "../../recipes/masking/counter_random.ts";
import {
  type MaskSettings,
  maskSettings,
  type MaskTokens,
  maskWords,
} from "../../recipes/masking/mask_words.ts";

const V = 1000;
const CLS = 2, SEP = 3, UNK = 1, MASK = 4;
const tokens: MaskTokens = {
  mask: MASK,
  special: Uint8Array.from({ length: V }, (_, id) => id < 5 ? 1 : 0),
  ordinary: Int32Array.from({ length: V - 5 }, (_, i) => i + 5),
};

/** A sequence with words of the given lengths between [CLS] and [SEP]. */
function sequence(lengths: readonly number[], seed = 0): { ids: Int32Array; starts: Uint8Array } {
  const { below } = draws(seed, 98, 0, 0);
  const ids = [CLS];
  const starts = [1];
  for (const length of lengths) {
    for (let i = 0; i < length; i++) {
      ids.push(5 + below(V - 5));
      starts.push(i === 0 ? 1 : 0);
    }
  }
  return { ids: Int32Array.from([...ids, SEP]), starts: Uint8Array.from([...starts, 1]) };
}

const wordLengths = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 60 });

Deno.test("maskWords never chooses half a word, and its labels are the originals", () => {
  fc.assert(
    fc.property(wordLengths, fc.nat(), fc.integer({ min: 1, max: 30 }), (lengths, index, most) => {
      const { ids, starts } = sequence(lengths, index);
      const settings = maskSettings(128, { maxPredictions: most });
      const masked = ids.slice();
      const { positions, labels } = maskWords(
        masked,
        starts,
        tokens,
        settings,
        draws(1, USES.mask, 0, index),
      );
      assertEquals(labels, positions.map((t) => ids[t]!));
      assertEquals(positions, [...positions].sort((a, b) => a - b));
      assert(positions.length <= most);
      assert(
        positions.length >= 1 || Math.min(...lengths) > most,
        "at least one where a word fits",
      );
      const chosen = new Set(positions);
      assert(!chosen.has(0) && !chosen.has(ids.length - 1), "[CLS] and [SEP] stay");
      for (let t = 1; t < ids.length; t++) {
        if (starts[t] === 0) {
          assertEquals(chosen.has(t), chosen.has(t - 1), `word at ${t} is split`);
        }
        if (!chosen.has(t)) assertEquals(masked[t], ids[t]);
      }
    }),
  );
});

/** What happened to the chosen tokens over many sequences. */
function count(
  settings: MaskSettings,
): { share: number; masked: number; kept: number; mixed: number } {
  const lengths = [
    1,
    2,
    1,
    3,
    2,
    1,
    1,
    2,
    4,
    1,
    2,
    1,
    1,
    2,
    2,
    1,
    3,
    1,
    1,
    2,
    2,
    1,
    2,
    1,
    1,
    2,
    3,
    1,
    2,
    1,
  ];
  let all = 0, chosen = 0, masked = 0, kept = 0, mixed = 0, words = 0;
  for (let index = 0; index < 4000; index++) {
    const { ids, starts } = sequence(lengths, index);
    const before = ids.slice();
    const { positions } = maskWords(ids, starts, tokens, settings, draws(7, USES.mask, 0, index));
    all += ids.length - 2;
    chosen += positions.length;
    let outcome = "";
    positions.forEach((t, i) => {
      const now = ids[t] === MASK ? "masked" : ids[t] === before[t] ? "kept" : "random";
      if (now === "masked") masked++;
      if (now === "kept") kept++;
      assert(tokens.special[ids[t]!] === 0 || ids[t] === MASK, "no special token is drawn");
      const continues = i > 0 && positions[i - 1] === t - 1 && starts[t] === 0;
      if (!continues) {
        outcome = now;
        words++;
      } else if (now !== outcome) mixed++;
    });
  }
  return {
    share: chosen / all,
    masked: masked / chosen,
    kept: kept / chosen,
    mixed: mixed / words,
  };
}

Deno.test("maskWords chooses 15 % and treats 80, 10 and 10 % of that, a word as one", () => {
  const { share, masked, kept, mixed } = count(maskSettings(128));
  assertAlmostEquals(share, 0.15, 0.003);
  assertAlmostEquals(masked, 0.8, 0.015);
  assertAlmostEquals(kept, 0.1, 0.015);
  assert(mixed < 0.001, "one outcome a word, but where a random token hits the original");
});

Deno.test("maskWords can roll for every token", () => {
  const { masked, kept, mixed } = count(maskSettings(128, { dice: "token" }));
  assertAlmostEquals(masked, 0.8, 0.015);
  assertAlmostEquals(kept, 0.1, 0.015);
  assert(mixed > 0.05);
});

Deno.test("maskWords takes other shares", () => {
  const { share, masked, kept } = count(
    maskSettings(128, { share: 0.3, maskShare: 0, randomShare: 1 }),
  );
  assertAlmostEquals(share, 0.3, 0.005);
  assertEquals(masked, 0);
  assert(kept < 0.005);
});

Deno.test("maskWords leaves words with [UNK] alone, and a sequence of nothing else whole", () => {
  const ids = Int32Array.of(CLS, 10, UNK, UNK, SEP);
  const starts = Uint8Array.of(1, 1, 0, 1, 1);
  const { positions } = maskWords(
    ids,
    starts,
    tokens,
    maskSettings(128),
    draws(1, USES.mask, 0, 0),
  );
  assertEquals(positions, []);
  assertEquals([...ids], [CLS, 10, UNK, UNK, SEP]);
});

Deno.test("maskWords chooses every word of a sequence about as often", () => {
  const lengths = [1, 1, 2, 1, 3, 1, 2, 1, 1, 1, 2, 1, 1, 3, 1, 2, 1, 1, 1, 1];
  const counts = new Float64Array(40);
  for (let index = 0; index < 20_000; index++) {
    const { ids, starts } = sequence(lengths);
    const draw = draws(3, USES.mask, 1, index);
    for (const t of maskWords(ids, starts, tokens, maskSettings(128), draw).positions) counts[t]!++;
  }
  // Long words are passed over a little more often when the budget runs out; single ones are all alike.
  const singles = [1, 2, 5, 9, 12, 13, 14, 17, 18].map((t) => counts[t]! / 20_000);
  for (const share of singles) assertAlmostEquals(share, singles[0]!, 0.02);
});
