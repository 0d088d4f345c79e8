import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { InputError } from "../../recipes/cli/input_error.ts";
import { buildVocabulary } from "../../recipes/text/build_vocabulary.ts";
import { textCounter } from "../../recipes/text/count_text.ts";
import { mergePieces } from "../../recipes/text/merge_pieces.ts";
import { readVocabulary } from "../../recipes/text/read_vocabulary.ts";
import { tokenizer } from "../../recipes/text/tokenize.ts";
import { formatVocabulary, SPECIAL_TOKENS, vocabularyOf } from "../../recipes/text/vocabulary.ts";
import { testOnShared } from "./shared_data.ts";
import { smallCorpus } from "./small_corpus.ts";

Deno.test("buildVocabulary begins with the special tokens and knows every frequent character", () => {
  const counter = textCounter();
  for (const text of smallCorpus(500)) counter.add(text);
  const { tokens, ids, mask } = buildVocabulary(counter.counts());
  assertEquals(tokens.slice(0, 5), [...SPECIAL_TOKENS]);
  assertEquals(mask, 4);
  for (const character of "我们今天在图书馆学习中文，。！") assert(ids.has(character), character);
  assert(ids.has("nba") && ids.has("deno"), "words of letters get pieces of their own");
});

Deno.test("buildVocabulary gives the same tokens whatever the order of the texts", () => {
  const build = (texts: readonly string[]): readonly string[] => {
    const counter = textCounter();
    texts.forEach(counter.add);
    return buildVocabulary(counter.counts()).tokens;
  };
  const texts = smallCorpus(200);
  assertEquals(build(texts), build([...texts].reverse()));
});

Deno.test("buildVocabulary keeps to its size and takes the most frequent first", () => {
  const counter = textCounter();
  counter.add("天天天地地人");
  const { tokens } = buildVocabulary(counter.counts(), { size: 79 });
  assertEquals(tokens.length, 79);
  assertEquals(tokens.slice(5, 7), ["天", "地"]);
  assertThrows(
    () => buildVocabulary(counter.counts(), { size: 77 }),
    RangeError,
    "Cannot build a vocabulary of 77 tokens: it needs more than 77",
  );
});

const real = ["corpus/CLUECorpusSmall_bert_sampled.txt"];
testOnShared("buildVocabulary leaves at most 0.5 % of real text unknown", real, async (path) => {
  const text = await Deno.readTextFile(path!);
  const counter = textCounter();
  counter.add(text);
  const vocabulary = buildVocabulary(counter.counts());
  let unknown = 0;
  let all = 0;
  tokenizer(vocabulary).tokenize(text, (id) => {
    all++;
    if (id === vocabulary.unk) unknown++;
  });
  assertLess(unknown / all, 0.005);
});

Deno.test("mergePieces merges the most frequent neighbours first", () => {
  const alphabet = new Set(["l", "##o", "##w", "##e", "##r", "n"]);
  const words = new Map([["low", 5], ["lower", 2], ["new", 1], ["x", 9]]);
  assertEquals(mergePieces(words, alphabet, 10, 2), ["##ow", "low", "##er", "lower"]);
  assertEquals(mergePieces(words, alphabet, 1, 2), ["##ow"]);
  assertEquals(mergePieces(words, alphabet, 10, 8), []);
});

Deno.test("readVocabulary reads what formatVocabulary writes", async () => {
  const path = await Deno.makeTempFile();
  const vocabulary = vocabularyOf([...SPECIAL_TOKENS, "摩", "天", "##s"]);
  await Deno.writeTextFile(path, formatVocabulary(vocabulary));
  assertEquals(await readVocabulary(path), vocabulary);
  await Deno.writeTextFile(path, vocabulary.tokens.join("\r\n"));
  assertEquals((await readVocabulary(path)).tokens, vocabulary.tokens);
  await Deno.remove(path);
});

Deno.test("readVocabulary refuses what is no vocabulary, in one line", async (t) => {
  const path = await Deno.makeTempFile();
  const whole = SPECIAL_TOKENS.join("\n");
  const cases: readonly (readonly [name: string, content: string | Uint8Array, message: string])[] =
    [
      ["without special tokens", "摩\n天\n", "[PAD], [UNK], [CLS], [SEP], [MASK] missing"],
      ["without [MASK]", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n天\n", "[MASK] missing"],
      ["a token twice", `${whole}\n天\n地\n天\n`, `line 8 of ${path}: "天" is on line 6 already`],
      ["an empty line", `${whole}\n\n天\n`, `line 6 of ${path}: it is empty`],
      ["a space", `${whole}\n天 地\n`, `line 6 of ${path}: "天 地" holds a space`],
      ["wrong encoding", Uint8Array.of(0xcc, 0xec, 10), "it is not UTF-8 text"],
      ["empty", "", "missing"],
    ];
  for (const [name, content, message] of cases) {
    await t.step(name, async () => {
      if (typeof content === "string") await Deno.writeTextFile(path, content);
      else await Deno.writeFile(path, content);
      const error = await assertRejects(() => readVocabulary(path), InputError, message);
      assertEquals(error.message.split("\n").length, 1);
    });
  }
  await Deno.remove(path);
  await assertRejects(() => readVocabulary(path), InputError, `Cannot read the vocabulary ${path}`);
});
