/** Tokens in files are the tokens in memory; weights say how often a sequence is seen. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { clean } from "../../recipes/corpus/clean.ts";
import { pack as packStage, packedCorpus } from "../../recipes/corpus/pack.ts";
import { BatchFeed, partsOf } from "../../recipes/data/batch_feed.ts";
import { trainBatches } from "../../recipes/data/batches.ts";
import { epochLength, epochOrder } from "../../recipes/data/epoch_order.ts";
import { pack, type PackedSet, sequences, writeSequence } from "../../recipes/data/pack.ts";
import { tokenCount, type TokenFiles, tokensOf } from "../../recipes/data/token_store.ts";
import type { TokenStream } from "../../recipes/data/token_stream.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { smallCorpus } from "./small_corpus.ts";
import { tinyData } from "./tiny_run.ts";
import { inFolder } from "../in_folder.ts";

const view = { show() {}, note() {}, [Symbol.dispose]() {} };
const stage = (out: string) => ({ out, workers: 2, view, interrupt: { requested: false } });
const { train, vocabulary } = tinyData(24);

/** A stream as files that end where documents do. */
async function inFiles(folder: string, stream: TokenStream, parts: number): Promise<TokenFiles> {
  const ends = [...stream.ids.keys()].filter((i) => stream.ids[i] === vocabulary.sep)
    .map((i) => i + 1);
  const cuts = Array.from(
    { length: parts + 1 },
    (_, i) => i === 0 ? 0 : ends[Math.floor(i * ends.length / parts) - 1]!,
  );
  const files = await Promise.all(
    cuts.slice(1).map(async (to, i) => {
      const from = cuts[i]!, path = join(folder, String(i));
      const part = stream.ids.slice(from, to);
      await Deno.writeFile(`${path}.ids`, new Uint8Array(part.buffer, 0, part.byteLength).slice());
      await Deno.writeFile(`${path}.starts`, Uint8Array.from(stream.starts.subarray(from, to)));
      return { ids: `${path}.ids`, starts: `${path}.starts`, tokens: to - from, weight: 1 };
    }),
  );
  return { files, vocabularySize: vocabulary.tokens.length, documents: stream.documents };
}

const stream = train.store as TokenStream;

function sequence(set: PackedSet, index: number): readonly (readonly number[])[] {
  const ids = new Int32Array(set.T), starts = new Uint8Array(set.T);
  const length = writeSequence(set, index, ids, 0, starts);
  return [[...ids], [...starts.subarray(0, length)]];
}

Deno.test("one file of tokens packs into the sequences of memory, several into the same tokens", async () => {
  await inFolder(async (folder) => {
    for (const parts of [1, 4]) {
      const files = await inFiles(folder, stream, parts), set = pack(files, vocabulary, 24);
      assertEquals(tokenCount(files), stream.ids.length);
      if (parts === 1) assertEquals(set.begins, train.begins);
      const all = Array.from({ length: sequences(set) }, (_, i) => {
        const { ids } = tokensOf(files, set.begins[i]!, set.begins[i + 1]!);
        return [...ids];
      });
      assertEquals(all.flat(), [...stream.ids]);
      for (const i of [0, 7, sequences(set) - 1]) {
        const memory = { ...set, store: stream };
        assertEquals(sequence(set, i), sequence(memory, i));
      }
    }
  });
});

Deno.test("a worker makes the batches of tokens in files", async () => {
  await inFolder(async (folder) => {
    const set = pack(await inFiles(folder, stream, 3), vocabulary, 24);
    const source = { set, vocabulary, settings: { seed: 3, B: 6 } };
    using feed = new BatchFeed(source, partsOf(0, 3, 6, 6), { workers: 1, ahead: 2 });
    const memory = trainBatches({ ...set, store: stream }, vocabulary, source.settings);
    for (const step of [0, 1, 2]) assertEquals(await feed.next(), memory(step));
  });
});

Deno.test("an epoch shows sequences as often as the weights of their sources say", () => {
  const set = {
    ...train,
    parts: [{ end: 20, weight: 2 }, { end: 60, weight: 0.5 }, { end: 70, weight: 0 }],
  };
  assertEquals(epochLength(set), 40 + 20);
  const seen = new Map<number, number>();
  for (let epoch = 0; epoch < 200; epoch++) {
    const order = epochOrder(set, 1, epoch), counts = new Map<number, number>();
    assertEquals(order.length, 60);
    for (const index of order) {
      counts.set(index, (counts.get(index) ?? 0) + 1);
      seen.set(index, (seen.get(index) ?? 0) + 1);
    }
    for (const [index, count] of counts) assertEquals(count, index < 20 ? 2 : 1);
  }
  for (const [index, count] of seen) {
    assert(index < 20 ? count === 400 : Math.abs(count - 100) < 40, `${index}: ${count}`);
  }
  assertEquals(seen.size, 60);
  assert(`${epochOrder(set, 1, 0)}` !== `${epochOrder(set, 1, 1)}`);
});

Deno.test("a sequence that is seen twice in an epoch has two masks", () => {
  const set = {
    ...train,
    begins: train.begins.subarray(0, 2),
    parts: [{ end: 1, weight: 40 }],
  };
  const batch = trainBatches(set, vocabulary, { seed: 1, B: 40 })(0), T = batch.T;
  const rows = Array.from({ length: 40 }, (_, b) => batch.ids.subarray(b * T, (b + 1) * T).join());
  assert(new Set(rows).size > 20);
});

Deno.test("data pack holds out the same documents whatever is around them, and opens again", async () => {
  await inFolder(async (folder) => {
    const held = async (name: string, documents: readonly string[]): Promise<Set<string>> => {
      const [raw, a, b] = [`${name}.txt`, name, `${name}.packed`].map((n) => join(folder, n));
      await Deno.writeTextFile(raw!, documents.join("\n"));
      const sources = [{ name: "raw", path: raw!, weight: 2 }];
      await clean({ ...stage(a!), sources, skipBad: false, block: 8000 });
      await packStage({ ...stage(b!), in: a!, vocabulary, heldOut: 0.1 });
      const corpus = await packedCorpus(b!);
      assertEquals(corpus.vocabulary.tokens, vocabulary.tokens);
      assert(corpus.train.files.length > 1 && corpus.train.files.every((f) => f.weight === 2));
      assertEquals(corpus.train.documents + corpus.heldOut.documents, documents.length);
      const text = corpus.heldOut.files.flatMap((file, i, files) => {
        const before = files.slice(0, i).reduce((sum, { tokens }) => sum + tokens, 0);
        return [...tokensOf(corpus.heldOut, before, before + file.tokens).ids];
      });
      const documentsOf = text.map((id) => vocabulary.tokens[id]).join("").split("[SEP]");
      return new Set(documentsOf.slice(0, -1));
    };
    const all = [...new Set(smallCorpus(600))], some = all.slice(0, 300);
    const [few, many] = [await held("few", some), await held("many", all)];
    assert(few.size > 10 && few.size < 60, String(few.size));
    assert([...few].every((document) => many.has(document)));
    await assertRejects(
      () => packedCorpus(join(folder, "few")),
      InputError,
      'the result of "clean"',
    );
    const vocab = join(folder, "few.packed", "vocab.txt"), tokens = await Deno.readTextFile(vocab);
    await Deno.writeTextFile(vocab, tokens.replace(/\n(.+)\n(.+)\n$/, "\n$2\n$1\n"));
    await assertRejects(
      () => packedCorpus(join(folder, "few.packed")),
      InputError,
      "packed with another vocabulary",
    );
    // Packing it again mends it.
    await packStage({
      ...stage(join(folder, "few.packed")),
      in: join(folder, "few"),
      vocabulary,
      heldOut: 0.1,
    });
    assertEquals((await packedCorpus(join(folder, "few.packed"))).vocabulary, vocabulary);
  });
});
