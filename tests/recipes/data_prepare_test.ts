import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { InputError } from "../../recipes/cli/input_error.ts";
import type { CorpusSource } from "../../recipes/data/corpus_source.ts";
import { prepareCorpus, type PreparedCorpus } from "../../recipes/data/prepare_corpus.ts";
import { cachedCorpus } from "../../recipes/data/prepared_cache.ts";
import { tokenizer } from "../../recipes/text/tokenize.ts";
import { SPECIAL_TOKENS, vocabularyOf } from "../../recipes/text/vocabulary.ts";
import { smallCorpus } from "./small_corpus.ts";

/** A corpus in memory, which counts how often it is read. */
function memoryCorpus(documents: readonly string[]): CorpusSource & { reads(): number } {
  let reads = 0;
  return {
    name: "a small corpus",
    licence: "ours",
    key: `small ${documents.length}`,
    newWords: true,
    async *documents() {
      reads++;
      yield documents.slice(0, 100);
      yield documents.slice(100);
    },
    reads: () => reads,
  };
}

const documents = smallCorpus(1500);

/** The documents of a stream as text. */
function textsOf({ vocabulary, train, heldOut }: PreparedCorpus, name: "train" | "heldOut") {
  const { ids } = name === "train" ? train : heldOut;
  const { decode } = tokenizer(vocabulary);
  const texts: string[] = [];
  for (let from = 0; from < ids.length;) {
    const to = ids.indexOf(vocabulary.sep, from);
    texts.push(decode(ids.subarray(from, to)));
    from = to + 1;
  }
  return texts;
}

Deno.test("prepareCorpus keeps every document once, in training or held out", async () => {
  const prepared = await prepareCorpus(memoryCorpus(documents));
  const { report } = prepared;
  const expected = new Set(documents.map((text) => text.toLowerCase()));
  const train = textsOf(prepared, "train"), heldOut = textsOf(prepared, "heldOut");
  const all = new Set([...train, ...heldOut]);
  assertEquals(train.length + heldOut.length, all.size, "no document twice");
  assertEquals(all, expected);
  assertEquals(report.trainDocuments, train.length);
  assertEquals(report.heldOutDocuments, heldOut.length);
  assertEquals(report.clean.dropped.duplicate, documents.length - expected.size);
  assertEquals([report.corpus, report.licence], ["a small corpus", "ours"]);
  assertEquals(report.unkShare, 0);
});

Deno.test("prepareCorpus marks where words begin, and no token inside a word", async () => {
  const { vocabulary, train } = await prepareCorpus(memoryCorpus(documents));
  const words = new Set<string>();
  let word: number[] = [];
  train.ids.forEach((id, i) => {
    if (train.starts[i] === 1 && word.length > 0) {
      words.add(tokenizer(vocabulary).decode(word));
      word = [];
    }
    word.push(id);
  });
  for (const known of ["我们", "图书馆", "自行车", "，", "nba"]) assert(words.has(known), known);
});

Deno.test("cachedCorpus prepares once, and gives the same from the cache", async () => {
  const cache = await Deno.makeTempDir();
  const source = memoryCorpus(documents);
  const first = await cachedCorpus(source, cache);
  const second = await cachedCorpus(source, cache);
  assertEquals(source.reads(), 1);
  assertEquals(second, first);
  await cachedCorpus(source, cache, { heldOutShare: 0.1 });
  assertEquals(source.reads(), 2, "other settings, another entry");
  await Deno.remove(cache, { recursive: true });
});

Deno.test("cachedCorpus makes again what is not whole", async () => {
  const cache = await Deno.makeTempDir();
  const source = memoryCorpus(documents);
  const first = await cachedCorpus(source, cache);
  const [{ name }] = Array.from(Deno.readDirSync(cache)) as [Deno.DirEntry];
  await Deno.truncate(join(cache, name, "train.ids"), 10);
  assertEquals((await cachedCorpus(source, cache)).train, first.train);
  await Deno.remove(join(cache, name, "heldOut.starts"));
  assertEquals((await cachedCorpus(source, cache)).heldOut, first.heldOut);
  assertEquals(source.reads(), 3);
  await Deno.remove(cache, { recursive: true });
});

Deno.test("cachedCorpus says when the cache cannot be written", async () => {
  const file = await Deno.makeTempFile();
  await assertRejects(
    () => cachedCorpus(memoryCorpus(documents), join(file, "cache")),
    InputError,
    "Cannot write the cache",
  );
  await Deno.remove(file);
});

Deno.test("prepareCorpus takes a vocabulary as it is, and counts what it does not know", async () => {
  const vocabulary = vocabularyOf([...SPECIAL_TOKENS, ..."今天我们在图书馆学习中文。，"]);
  const prepared = await prepareCorpus(memoryCorpus(documents), { vocabulary });
  assertEquals(prepared.vocabulary, vocabulary);
  assertGreater(prepared.report.unkShare, 0.3);
});

Deno.test("prepareCorpus refuses a corpus that is too small, and says what cleaning dropped", async () => {
  const few = ["只有一篇很短的文章。", "English only", "短", "只有一篇很短的文章。"];
  const error = await assertRejects(() => prepareCorpus(memoryCorpus(few)), InputError);
  assertEquals(
    error.message,
    "Cannot train on a small corpus: 10 characters in 1 documents are left after cleaning (dropped: 1 short, " +
      "0 broken, 1 not Chinese, 1 duplicate); give at least 20000 characters in 2 documents",
  );
});
