/** Near duplicates, n-gram models and hashes against plain ways to compute the same. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { contamination, evaluationOf, RUN } from "../../recipes/corpus/contamination.ts";
import { groupsOf } from "../../recipes/corpus/groups.ts";
import { hash64 } from "../../recipes/hash/hash64.ts";
import { meeting } from "../../recipes/corpus/meeting.ts";
import { bandHashes, BANDS, jaccard, pieces } from "../../recipes/corpus/minhash.ts";
import { ngramCounter, perplexity } from "../../recipes/corpus/ngram_model.ts";
import { quantiles } from "../../recipes/corpus/quantiles.ts";
import { draws } from "../../recipes/masking/counter_random.ts";
import { evaluationTexts } from "../../recipes/corpus/evaluation_texts.ts";
import { testOnShared } from "./shared_data.ts";
import { fc } from "../property.ts";

/** A text of characters that hardly ever repeat a piece. */
function text(seed: number, length: number): string[] {
  const { below } = draws(seed, 9, 1, 0);
  return Array.from({ length }, () => String.fromCodePoint(0x4e00 + below(20_000)));
}

/** A text and one that shares about so many of its pieces, by a new middle. */
function pair(seed: number, similarity: number): readonly [string, string] {
  const length = 400, a = text(seed, length);
  // Of n pieces each, n s' are common: s = s' / (2 - s').
  const changed = Math.round(length * (1 - 2 * similarity / (1 + similarity)));
  const at = draws(seed, 9, 2, 0).below(length - changed);
  const b = [...a.slice(0, at), ...text(seed + 1e6, changed), ...a.slice(at + changed)];
  return [a.join(""), b.join("")];
}

function meets(a: string, b: string): boolean {
  const [x, y] = [a, b].map((t) => {
    const bands = new Uint32Array(2 * BANDS);
    bandHashes(t, bands, 0, 2);
    return bands;
  }) as [Uint32Array, Uint32Array];
  return Array.from({ length: BANDS }, (_, i) => i).some((i) =>
    x[2 * i] === y[2 * i] && x[2 * i + 1] === y[2 * i + 1]
  );
}

Deno.test("of planted pairs that share 85 % or more at least 95 % meet; few of those that share half", () => {
  const tally = { near: [0, 0], far: [0, 0] };
  for (let seed = 0; seed < 1000; seed++) {
    const wanted = 0.5 + 0.45 * (seed % 100) / 100, [a, b] = pair(seed, wanted);
    const real = jaccard(pieces(a), pieces(b));
    assert(Math.abs(real - wanted) < 0.03, `${real} ${wanted}`);
    const of = real >= 0.85 ? tally.near : real < 0.55 ? tally.far : undefined;
    if (!of) continue;
    of[0]!++;
    if (meets(a, b)) of[1]!++;
  }
  assert(tally.near[0]! > 150 && tally.near[1]! >= 0.95 * tally.near[0]!, `${tally.near}`);
  assert(tally.far[0]! > 50 && tally.far[1]! < 0.3 * tally.far[0]!, `${tally.far}`);
});

Deno.test("jaccard is the share of common pieces", () => {
  const unit = fc.constantFrom(..."甲乙丙");
  fc.assert(fc.property(fc.string({ unit }), fc.string({ unit }), (a, b) => {
    const set = (t: string): Set<string> =>
      new Set(Array.from({ length: Math.max(0, t.length - 4) }, (_, i) => t.slice(i, i + 5)));
    const [x, y] = [set(a), set(b)], union = x.union(y).size;
    const want = union === 0 ? 0 : x.intersection(y).size / union;
    assertAlmostEquals(jaccard(pieces(a), pieces(b)), want, 1e-12);
  }));
});

Deno.test("groupsOf finds what hangs together", () => {
  const edges = fc.array(fc.tuple(fc.nat(19), fc.nat(19)));
  fc.assert(fc.property(edges, (pairs) => {
    const groups = groupsOf(20), label = Array.from({ length: 20 }, (_, i) => i);
    for (const [a, b] of pairs) {
      groups.join(a, b);
      const [x, y] = [label[a]!, label[b]!];
      label.forEach((l, i) => l === y && (label[i] = x));
    }
    const want = Object.values(Object.groupBy(label.keys(), (i) => label[i]!));
    const byFirst = (a: readonly number[], b: readonly number[]): number => a[0]! - b[0]!;
    assertEquals(
      [...groups.groups()],
      want.filter((g) => g!.length > 1).map((g) => g!.sort((a, b) => a - b)).sort(byFirst),
    );
  }));
});

Deno.test("meet finds every equal hash, in one turn or in many", async () => {
  const count = 5000, hashes = new Uint32Array(2 * count), { below } = draws(1, 9, 0, 0);
  for (let i = 0; i < count; i++) hashes.set([below(50), 1 + below(40)], 2 * i);
  async function* parts() {
    for (let first = 0; first < count; first += 700) {
      yield { first, hashes: hashes.subarray(2 * first, 2 * Math.min(count, first + 700)) };
    }
  }
  const firsts = new Map<string, number>(), want: [number, number][] = [];
  for (let i = 0; i < count; i++) {
    if (i % 10 === 0) continue;
    const key = `${hashes[2 * i]} ${hashes[2 * i + 1]}`, first = firsts.get(key);
    if (first === undefined) firsts.set(key, i);
    else want.push([i, first]);
  }
  for (const room of [count, 900]) {
    const found: [number, number][] = [];
    const meet = meeting(count, room);
    for (let again = 0; again < 2; again++) {
      found.length = 0;
      await meet(parts, (i) => i % 10 === 0, (a, b) => found.push([a, b]));
      assertEquals(found.sort(([a], [b]) => a - b), want);
    }
  }
});

Deno.test("hash64 tells texts apart that differ in one place, and finds equal parts", () => {
  const seen = new Set<string>(), out = new Uint32Array(2);
  for (let i = 0; i < 20_000; i++) {
    hash64(`文${String.fromCharCode(i)}字`, out, 0);
    seen.add(`${out[0]} ${out[1]}`);
  }
  assertEquals(seen.size, 20_000);
  hash64("甲乙丙丁", out, 0, 1, 3);
  const part = [...out];
  hash64("乙丙", out, 0);
  assertEquals([...out], part);
});

Deno.test("the n-gram model's probabilities are Witten and Bell's, and of a next character they sum to one", () => {
  const unit = fc.constantFrom(..."甲乙丙");
  const corpora = fc.array(fc.string({ unit, minLength: 1, maxLength: 8 }), { minLength: 1 });
  fc.assert(
    fc.property(corpora, fc.string({ unit, maxLength: 6 }), (corpus, text) => {
      const counter = ngramCounter();
      corpus.forEach(counter.add);
      const model = counter.model(), grams = new Map<string, number>();
      const note = (gram: string): void => void grams.set(gram, (grams.get(gram) ?? 0) + 1);
      for (const line of corpus) {
        const padded = `\x01\x01\x01${line}\x02`;
        for (let i = 3; i < padded.length; i++) {
          for (let n = 0; n < 4; n++) note(padded.slice(i - n, i + 1));
        }
      }
      const total = corpus.reduce((sum, line) => sum + line.length + 1, 0);
      const singles = [...grams.keys()].filter((gram) => gram.length === 1).length;
      const probability = (history: string, w: string): number => {
        let p = ((grams.get(w) ?? 0) + singles / 65536) / (total + singles);
        for (let n = 1; n <= 3; n++) {
          const h = history.slice(-n);
          const after = [...grams].filter(([gram]) => gram.length === n + 1 && gram.startsWith(h));
          const count = after.reduce((sum, [, c]) => sum + c, 0);
          if (count > 0) p = ((grams.get(h + w) ?? 0) + after.length * p) / (count + after.length);
        }
        return p;
      };
      const padded = `\x01\x01\x01${text}\x02`;
      let bits = 0;
      for (let i = 3; i < padded.length; i++) {
        bits -= Math.log2(probability(padded.slice(0, i), padded[i]!));
      }
      const want = 2 ** (bits / (text.length + 1));
      assertAlmostEquals(perplexity(model, text) / want, 1, 1e-9);
      const known = [...grams.keys()].filter((g) => g.length === 1), h = `\x01\x01\x01${text}`;
      const sum = known.reduce((all, w) => all + probability(h, w), 0);
      assertAlmostEquals(sum + (65536 - known.length) * probability(h, "?"), 1, 1e-9);
    }),
    { numRuns: 60 },
  );
});

Deno.test("quantiles are those of all numbers, to 0.3 %", () => {
  const numbers = Array.from({ length: 999 }, (_, i) => 1 + (i * 7919) % 999), marks = quantiles();
  for (const n of numbers) marks.add(n, 1);
  for (const share of [0.1, 1 / 3, 0.5, 0.9]) {
    assertAlmostEquals(marks.at(share) / (share * 999), 1, 0.02);
  }
});

Deno.test("contamination finds 13 characters in a row wherever they are, and nothing else", () => {
  const unit = fc.constantFrom(..."甲乙");
  fc.assert(
    fc.property(
      fc.string({ unit, minLength: 14, maxLength: 40 }),
      fc.string({ unit, maxLength: 60 }),
      (evaluation, document) => {
        const runs = new Set(
          Array.from(
            { length: evaluation.length - RUN + 1 },
            (_, i) => evaluation.slice(i, i + RUN),
          ),
        );
        const want = Array.from(
          { length: Math.max(0, document.length - RUN + 1) },
          (_, i) => document.slice(i, i + RUN),
        ).some((run) => runs.has(run));
        const found = contamination(document, evaluationOf([{ name: "e", texts: [evaluation] }]));
        assertEquals(found?.rule === "run", want);
      },
    ),
  );
});

testOnShared(
  "check finds the sentences of AFQMC and OCNLI that stand in SimCLUE's pairs",
  ["pairs/simclue/train_rank_1w.json", "clue/afqmc/train.tsv", "clue/ocnli/train.10k.json"],
  async (pairs, afqmc, ocnli) => {
    const files = await evaluationTexts([afqmc, ocnli]), evaluation = evaluationOf(files);
    const found = files.map(() => 0);
    for (const { texts } of await evaluationTexts([pairs])) {
      for (const text of texts) {
        const hit = contamination(text, evaluation);
        if (hit) found[hit.file]!++;
      }
    }
    files.forEach(({ name }, i) => assert(found[i]! > 20, `${name}: ${found[i]}`));
  },
);
