/** `data dedup` as a whole, on pairs that were planted: what it must find, and that what it leaves out is there still. */
import { assert, assertEquals } from "@std/assert";
import { dedup } from "../../recipes/corpus/dedup.ts";
import { comparable, jaccard, pieces } from "../../recipes/corpus/minhash.ts";
import { settle } from "../../recipes/corpus/settle.ts";
import { shardTexts, writeShard } from "../../recipes/corpus/shards.ts";
import { closeStage } from "../../recipes/corpus/stage_folder.ts";
import { bytesOf } from "../../recipes/data/bytes_of.ts";
import { hash64 } from "../../recipes/hash/hash64.ts";
import { draws } from "../../recipes/masking/counter_random.ts";

/** A text of characters that hardly ever repeat a piece. */
function text(seed: number, length: number): string[] {
  const { below } = draws(seed, 9, 1, 0);
  return Array.from({ length }, () => String.fromCodePoint(0x4e00 + below(20_000)));
}

/** A text and one that shares about so many of its pieces: some stretches are new. */
function pair(seed: number, similarity: number): readonly [string, string] {
  const length = 300, stretches = 1 + seed % 3, a = text(seed, length), b = [...a];
  const changed = length * (1 - 2 * similarity / (1 + similarity)) / stretches;
  for (let i = 0; i < stretches; i++) {
    const new_ = text(seed + 1e6 + 1e7 * i, Math.max(1, Math.round(changed - 4)));
    b.splice(i * length / stretches + 8, new_.length, ...new_);
  }
  return seed % 2 ? [a.join(""), b.join("")] : [b.join(""), a.join("")];
}

/** Leaves a corpus of some shards as `clean` would. */
async function corpusOf(texts: readonly string[], folder: string, shards: number): Promise<void> {
  await Deno.mkdir(folder);
  const size = Math.ceil(texts.length / shards);
  for (let index = 0; index < shards; index++) {
    const part = texts.slice(index * size, (index + 1) * size);
    const hashes = new Uint32Array(2 * part.length);
    part.forEach((t, i) => hash64(t, hashes, 2 * i));
    const characters = part.join("").length;
    await writeShard(
      folder,
      { index, source: "s", weight: 1, documents: part.length, characters },
      {
        jsonl: new TextEncoder().encode(
          part.map((t) => JSON.stringify({ text: t }) + "\n").join(""),
        ),
        hash64: bytesOf(hashes),
      },
    );
  }
  const report = { read: texts.length, kept: texts.length, rules: {} };
  await closeStage(folder, { stage: "clean", key: "k", shards, report });
}

const THRESHOLD = 0.8;

Deno.test("of planted pairs dedup finds 95 % from 0.85 on; all that it leaves out is like one that stays", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const pairs = Array.from({ length: 900 }, (_, i) => pair(i, 0.5 + 0.45 * (i % 100) / 99));
    // The second ones far from the first; some texts a third time, word for word.
    const texts = [
      ...pairs.map(([a]) => a),
      ...pairs.map(([, b]) => b),
      ...pairs.slice(0, 50).map(([a]) => a),
    ];
    await corpusOf(texts, `${folder}/in`, 7);
    const report = await dedup({
      in: `${folder}/in`,
      out: `${folder}/out`,
      threshold: THRESHOLD,
      shortest: 20,
      workers: 2,
      view: { show() {}, note() {}, [Symbol.dispose]() {} },
      interrupt: { requested: false },
    });
    const left = await Promise.all(
      [0, 1, 2, 3, 4, 5, 6].map((i) => shardTexts(`${folder}/out`, i)),
    );
    const stays = new Set(left.flat()), tally = { near: 0, found: 0, wrong: 0 };
    assertEquals([report!.kept, report!.rules.equal!.dropped], [left.flat().length, 50]);
    assertEquals(stays.size, report!.kept, "equal ones stay");
    for (const [a, b] of pairs) {
      const real = jaccard(pieces(comparable(a)), pieces(comparable(b)));
      const both = stays.has(a) && stays.has(b);
      assert(stays.has(a) || stays.has(b), "one of each pair stays");
      if (real >= 0.85) tally.near++;
      if (real >= 0.85 && !both) tally.found++;
      if (real < THRESHOLD && !both) tally.wrong++;
    }
    assert(tally.near > 150 && tally.found >= 0.95 * tally.near, JSON.stringify(tally));
    assertEquals(tally.wrong, 0);
    const near = pairs.filter(([a, b]) => !stays.has(a) || !stays.has(b)).length;
    assertEquals(report!.rules["nearly equal"]!.dropped, near);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("in a group of hundreds that share half of what they say, settle finds the few that are alike", () => {
  const template = text(1, 150);
  const documents = Array.from({ length: 400 }, (_, i) => [...template, ...text(100 + i, 150)]);
  // Every tenth once more, shorter by a little.
  documents.push(...documents.filter((_, i) => i % 10 === 0).map((d) => d.slice(0, -6)));
  const sets = documents.map((d) => pieces(d.join("")));
  const gone = settle(documents.map(({ length }) => length), (i) => sets[i]!, THRESHOLD);
  const stay = [...gone.keys()].filter((i) => !gone[i]);
  for (const i of gone.keys()) {
    if (gone[i]) assert(stay.some((j) => jaccard(sets[i]!, sets[j]!) >= THRESHOLD), `${i}`);
  }
  const left = [...gone.keys()].filter((i) => gone[i]);
  assertEquals(left.filter((i) => i < 400), []);
  assert(left.length >= 38, `${left.length} of 40`);
});
