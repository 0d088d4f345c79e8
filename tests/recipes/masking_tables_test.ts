/** Tables of synonyms, antonyms and phrases: what is read, what is refused and by which line, what is mined. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { areAntonyms, readAntonyms } from "../../recipes/masking/antonyms.ts";
import { draws } from "../../recipes/masking/counter_random.ts";
import { isPhrase, phrasesOf } from "../../recipes/masking/phrases.ts";
import { readSynonyms, type SynonymOptions } from "../../recipes/masking/read_synonyms.ts";
import { synonymsOf, synonymTable } from "../../recipes/masking/synonyms.ts";
import { effortOf, pairsOf } from "../../recipes/synonyms/effort.ts";
import { nearestWords } from "../../recipes/synonyms/nearest_words.ts";
import { skipGrams } from "../../recipes/synonyms/skip_grams.ts";
import { trainVectors, VECTOR_SETTINGS } from "../../recipes/synonyms/train_vectors.ts";
import { wordCollector } from "../../recipes/synonyms/word_stream.ts";
import { cpu } from "../../core/mod.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { tokenizer } from "../../recipes/text/tokenize.ts";
import { SPECIAL_TOKENS, vocabularyOf } from "../../recipes/text/vocabulary.ts";
import { testOnShared } from "./shared_data.ts";

const characters = [..."高兴开心愉快悲伤大小人士物很不满意老张阿拉伯数字"];
const tokens = tokenizer(vocabularyOf([...SPECIAL_TOKENS, ...new Set(characters)]));
const options: SynonymOptions = { tokens, antonyms: new Map(), skipBad: false };
const ids = (word: string): readonly number[] => tokens.encode(word).ids;
const word = (found: readonly number[]): string => tokens.decode(found);

async function withFile<T>(text: string, test: (path: string) => Promise<T>): Promise<T> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, text);
    return await test(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("a synonym is drawn as often as its weight says", () => {
  const others = [{ word: ids("开心"), weight: 3 }, { word: ids("愉快"), weight: 1 }];
  const table = synonymTable([{ word: ids("高兴"), others }]), draw = draws(1, 9, 0, 0);
  const counts = new Map<string, number>();
  for (let i = 0; i < 8000; i++) {
    const found = word(synonymsOf(table, Int32Array.from(ids("高兴")), draw)!);
    counts.set(found, (counts.get(found) ?? 0) + 1);
  }
  assertEquals(counts.size, 2);
  assert(Math.abs(counts.get("开心")! / 8000 - 0.75) < 0.02);
  assertEquals(synonymsOf(table, Int32Array.from(ids("悲伤")), draw), undefined);
});

Deno.test("groups and weighted lines are read; other lengths and other codes give nothing", async () => {
  const text = "Aa01A01= 人 士 人物\nGb04A01= 高兴 开心 愉快\nAa01B01# 大 小\n\n老张\t阿拉 0.5\n";
  await withFile(text, async (path) => {
    const { synonyms, skipped, unused } = await readSynonyms(path, options);
    assertEquals([skipped, unused.unequal], [0, 4]);
    const of = (w: string): readonly string[] | undefined =>
      synonyms.get(ids(w).join(" "))?.words.map(word);
    assertEquals(of("人"), ["士"]);
    assertEquals(of("高兴"), ["开心", "愉快"]);
    assertEquals(of("老张"), ["阿拉"]);
    for (const none of ["人物", "大", "阿拉"]) assertEquals(of(none), undefined);
  });
});

Deno.test("a group's words are drawn as count^0.75", async () => {
  await withFile("Gb04A01= 高兴 开心 愉快\n", async (path) => {
    const count = (tokens: readonly number[]): number => word(tokens) === "开心" ? 16 : 1;
    const { synonyms } = await readSynonyms(path, { ...options, count });
    assertEquals(synonyms.get(ids("高兴").join(" "))!.shares, [8 / 9, 1]);
  });
});

Deno.test("what is wrong with a table is said by line, or counted", async () => {
  const wrong: readonly (readonly [string, string])[] = [
    ["Aa01A01= 人 士 人", "人 is in its group twice"],
    ["高兴\t高兴 1", "高兴 is its own synonym"],
    ["高兴\t愉 1", "愉 has 1 characters, 高兴 has 2"],
    ["高兴\t开心", '"开心" is no synonym and weight'],
    ["高兴\t开心 -1", '"开心 -1" is no synonym and weight'],
    ["高兴\t开心 Infinity", '"开心 Infinity" is no synonym and weight'],
    ["高兴\t开心 1\t愉快 1\t开心 2", "开心 is there twice"],
    ["高兴 开心", "it is no group"],
  ];
  for (const [line, why] of wrong) {
    await withFile(`Gb04A01= 高兴 开心\n${line}\n`, async (path) => {
      await assertRejects(() => readSynonyms(path, options), InputError, `line 2: ${why}`);
      const { synonyms, skipped } = await readSynonyms(path, { ...options, skipBad: true });
      assertEquals([synonyms.size, skipped], [2, 1]);
    });
  }
  await withFile("高兴\t开心 1\n愉快\t高兴 1\n高兴\t愉快 1\n", async (path) => {
    const why = "line 3: 高兴 has its synonyms in line 1";
    await assertRejects(() => readSynonyms(path, options), InputError, why);
    const { synonyms, skipped } = await readSynonyms(path, { ...options, skipBad: true });
    assertEquals(skipped, 1);
    assertEquals(synonyms.get(ids("高兴").join(" "))!.words.map(word), ["开心"]);
  });
});

Deno.test("pairs that nothing can be done with are counted by reason", async () => {
  // 人 and 人物, 士 and 人物, 大 and 小 both ways; no 龘 is in the vocabulary.
  await withFile("Aa01A01= 人 士 人物\n高兴\t开心 1\t开龘 1\nAb01A01= 大 小 人\n", async (path) => {
    const { unused } = await readSynonyms(path, options);
    assertEquals(unused, { antonyms: 2, unknown: 1, unequal: 4 });
  });
});

Deno.test("antonyms are never synonyms: by the table, by a negation, by opposite characters", async () => {
  await withFile("高兴——悲伤\n开心―愉快\n大-小", async (path) => {
    const table = await readAntonyms(path);
    for (const [a, b] of [["高兴", "悲伤"], ["悲伤", "高兴"], ["开心", "愉快"], ["大", "小"]]) {
      assert(areAntonyms(table, a!, b!));
    }
    await withFile("Gb04A01= 高兴 开心 悲伤\n", async (synonyms) => {
      const read = await readSynonyms(synonyms, { ...options, antonyms: table });
      assertEquals(read.synonyms.get(ids("高兴").join(" "))!.words.map(word), ["开心"]);
    });
  });
  const none = new Map();
  for (const [a, b] of [["满意", "不满意"], ["上升", "下降"], ["增加", "减少"], ["有用", "无用"]]) {
    const are = areAntonyms(none, a!, b!);
    assertEquals(are, a !== "增加", `${a} ${b}`);
  }
  assert(!areAntonyms(none, "高兴", "开心"));
  await withFile(
    "大——小\n只有一个\n",
    (path) => assertRejects(() => readAntonyms(path), InputError, "line 2 is no pair"),
  );
});

Deno.test("phrases are found by all of their tokens", () => {
  const phrases = phrasesOf([ids("阿拉伯数字"), ids("老张"), ids("人")]);
  const text = ids("很阿拉伯数字不老张人");
  assertEquals(phrases.longest, 5);
  assert(isPhrase(phrases, text, 1, 6) && isPhrase(phrases, text, 7, 9));
  for (const [from, to] of [[0, 5], [1, 5], [2, 6], [6, 8], [9, 10]] as const) {
    assert(!isPhrase(phrases, text, from, to), `${from} ${to}`);
  }
});

Deno.test("words get numbers by how often they are, and other text parts them", () => {
  const collector = wordCollector();
  collector.add(
    "大人大人小人，大人abc小人",
    Uint8Array.from([1, 0, 1, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0]),
  );
  const { words, counts, ids } = collector.stream({ most: 9, least: 2 });
  assertEquals([words, counts, [...ids]], [["大人", "小人"], [3, 2], [0, 0, 1, -1, 0, -1, 1, -1]]);
});

Deno.test("skip-grams pair words of one sentence within the window", () => {
  const ids = Int32Array.from([0, 1, 2, -1, 3, 4]), words = ["a", "b", "c", "d", "e"];
  const stream = { ids, words, counts: [9, 9, 9, 9, 9] };
  const settings = { window: 2, negatives: 1, frequent: 1 }, seen = new Set<string>();
  const batches = skipGrams(stream, 500, settings, draws(1, 9, 0, 0));
  const { centers, others } = batches.next().value;
  centers.forEach((center, i) => seen.add(`${center}${others[2 * i]}`));
  assertEquals([...seen].sort(), ["01", "02", "10", "12", "20", "21", "34", "43"]);
});

Deno.test("vectors learn as long as their corpus is worth, and no longer than they are told", () => {
  const ids = Int32Array.from([0, 1, 2, -1, 3, 4]);
  // 01, 12, 34 always, 02 in half of all windows; from both sides.
  assertEquals(pairsOf({ ids }, 2), 7);
  const of = (sentences: number) => {
    const ids = Int32Array.from({ length: 5 * sentences }, (_, i) => i % 5 === 4 ? -1 : i % 5);
    return { pairs: pairsOf({ ids }, 4), ...effortOf({ ids }, VECTOR_SETTINGS) };
  };
  let before = 0;
  for (const sentences of [1, 10, 1000, 10_000, 100_000]) {
    const { pairs, steps, batch } = of(sentences), passes = steps * batch / pairs;
    assertEquals(batch % 64, 0);
    assert(steps <= VECTOR_SETTINGS.steps && batch <= VECTOR_SETTINGS.batch);
    assert(steps * batch >= before);
    before = steps * batch;
    if (sentences >= 10) assert(passes > 1, `${sentences}: ${passes}`);
  }
  // Two sentences cost next to nothing, and a large corpus what it did.
  assert(of(2).steps < 10, `${of(2).steps}`);
  const { steps, batch } = of(1_000_000);
  assertEquals([steps, batch], [VECTOR_SETTINGS.steps, VECTOR_SETTINGS.batch]);
});

Deno.test("words that stand in the same places have vectors that point the same way", async () => {
  // Two classes of words; each stands between words of its own surroundings.
  const { below } = draws(5, 9, 0, 0), ids: number[] = [];
  for (let i = 0; i < 20_000; i++) {
    const kind = below(2);
    ids.push(10 + 5 * kind + below(5), kind * 5 + below(5), 10 + 5 * kind + below(5), -1);
  }
  const counts = Array.from({ length: 20 }, () => 2000), words = counts.map(String);
  const device = cpu();
  const settings = {
    ...VECTOR_SETTINGS,
    width: 8,
    steps: 200,
    batch: 512,
    rate: 0.02,
    frequent: 1,
  };
  const losses: number[] = [];
  const stream = { ids: Int32Array.from(ids), counts, words };
  const progress = (_: number, loss: number): void => void losses.push(loss);
  const vectors = (await trainVectors(stream, device, settings, progress))!;
  let asked = 0;
  const stop = (): boolean => ++asked === 20;
  assertEquals(await trainVectors(stream, device, settings, progress, stop), undefined);
  assertEquals(asked, 20);
  device.destroy();
  assert(losses.at(-1)! < 0.9 * losses[0]!, `${losses}`);
  const group = Array.from({ length: 10 }, (_, i) => i);
  const nearest = await nearestWords(vectors, 8, [group], { most: 4, least: -1 }, () => true);
  for (const a of group) {
    assertEquals(nearest![a]!.map(({ word }) => word < 5), [a < 5, a < 5, a < 5, a < 5], `${a}`);
  }
  const many = { most: 9, least: -1 };
  const barred = await nearestWords(vectors, 8, [group], many, (a, b) => a + b !== 5);
  assert(barred![2]!.every(({ word }) => word !== 3) && barred![2]!.length === 8);
});

Deno.test("comparing words says how far it is, and stops when it is to", async () => {
  const vectors = new Float32Array(100).map((_, i) => Math.sin(i)), told: number[] = [];
  const group = [...vectors.keys()], progress = (done: number): void => void told.push(done);
  const of = (stop: () => boolean) =>
    nearestWords(vectors, 1, [group], { most: 2, least: 0, progress, stop }, () => true);
  assertEquals((await of(() => false))!.length, 100);
  assertEquals(told, [32, 64, 96, 100]);
  assertEquals(await of(() => told.length === 6), undefined);
  assertEquals(told.length, 6);
});

testOnShared(
  "the extended Cilin is read whole, and no antonym of a table of antonyms is a synonym in it",
  [
    "lexicon/synonyms/cilin_ext_dict_synonym.txt",
    "lexicon/synonyms/dict_antonym.txt",
    "vocab/google_zh_vocab.txt",
  ],
  async (cilin, opposite, vocab) => {
    const lines = (await Deno.readTextFile(vocab)).trimEnd().split("\n");
    const tokens = tokenizer(vocabularyOf(lines)), antonyms = await readAntonyms(opposite);
    const { synonyms } = await readSynonyms(cilin, { tokens, antonyms, skipBad: true });
    assert(synonyms.size > 30_000, String(synonyms.size));
    for (const [key, { words }] of synonyms) {
      const length = key.split(" ").length;
      for (const other of words) assertEquals(other.length, length);
    }
    const of = (word: string): readonly string[] =>
      synonyms.get(tokens.encode(word).ids.join(" "))?.words.map((w) => tokens.decode(w)) ?? [];
    assert(of("高兴").includes("开心") || of("高兴").length > 3, `${of("高兴")}`);
    for (const [a, others] of antonyms) {
      for (const b of others) assert(!of(a).includes(b), `${a} ${b}`);
    }
  },
);
