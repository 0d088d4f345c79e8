/** What other libraries read of our tokenizer gives them our tokens; what they write is read here. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { Tokenizer } from "npm:@huggingface/tokenizers@0.2.0";
import { readTokenizer } from "../../recipes/interop/read_tokenizer.ts";
import { tokenizerConfig, tokenizerJson } from "../../recipes/interop/tokenizer_files.ts";
import { tokenizer } from "../../recipes/text/tokenize.ts";
import { SPECIAL_TOKENS, vocabularyOf } from "../../recipes/text/vocabulary.ts";
import { inFolder } from "../in_folder.ts";
import { smallCorpus } from "./small_corpus.ts";

const texts = smallCorpus(200);
const characters = [...new Set(texts.join(""))].filter((one) => !/\s/.test(one)).sort();
const vocabulary = vocabularyOf([
  ...["[unused1]", ...SPECIAL_TOKENS.slice(1), "[PAD]"],
  ...new Set([...characters, ..."de", "##n", "##o"]),
]);

Deno.test("tokenizer.json gives Hugging Face's tokenizer the ids of ours, with [CLS] and [SEP]", () => {
  const json = JSON.parse(JSON.stringify(tokenizerJson(vocabulary)));
  const theirs = new Tokenizer(json, tokenizerConfig(512)), ours = tokenizer(vocabulary);
  const { cls, sep } = vocabulary;
  for (const text of [...texts.slice(0, 50), "DENO é [MASK] de，，no", ""]) {
    const { ids } = ours.encode(text, { special: true });
    assertEquals([...theirs.encode(text).ids], [cls, ...ids, sep], text);
    const pair = theirs.encode(text, { text_pair: "天de", return_token_type_ids: true }),
      second = ours.encode("天de").ids;
    assertEquals([...pair.ids], [cls, ...ids, sep, ...second, sep], text);
    const segments = [...Array(ids.length + 2).fill(0), ...Array(second.length + 1).fill(1)];
    assertEquals([...pair.token_type_ids!], segments);
  }
});

Deno.test("a vocabulary is read from tokenizer.json where there is no vocab.txt, added tokens too", () =>
  inFolder(async (folder) => {
    const json = tokenizerJson(vocabulary),
      added = { id: vocabulary.tokens.length, content: "[X]" };
    const all = { ...json, added_tokens: [...json.added_tokens as unknown[], added] };
    await Deno.writeTextFile(join(folder, "tokenizer.json"), JSON.stringify(all));
    assertEquals((await readTokenizer(folder)).tokens, [...vocabulary.tokens, "[X]"]);
  }));
