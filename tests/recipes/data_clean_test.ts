import { assert, assertEquals } from "@std/assert";
import { cleaner } from "../../recipes/data/clean_corpus.ts";
import { cleanDocument, normalizeText } from "../../recipes/data/clean_document.ts";
import { hashText } from "../../recipes/data/hash_text.ts";
import { heldOutLimit } from "../../recipes/data/hold_out.ts";
import { poemText } from "../../recipes/data/default_corpus.ts";
import { testOnShared } from "./shared_data.ts";
import { readCorpus } from "../../recipes/data/read_corpus.ts";
import { fc } from "../property.ts";

Deno.test("normalizeText folds what NFKC folds, but keeps Chinese punctuation", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["ＡＢＣ１２３", "ABC123"],
    ["①㎡ﬁ", "1m2fi"],
    ["你好，世界！（真的？）：；", "你好，世界！（真的？）：；"],
    ["等等……～", "等等……～"],
    ["“引号”《书》、。—·", "“引号”《书》、。—·"],
    ["零\u200b宽\ufeff和\u00ad控\u0007制\u202e符\ufe0f", "零宽和控制符"],
    [" 两　个\t\t空\r\n\n格 ", "两 个 空 格"],
    ["\uf900", "\u8c48"], // a compatibility ideograph
    ["e\u0301", "é"],
  ];
  for (const [text, expected] of cases) assertEquals(normalizeText(text), expected, text);
});

Deno.test("normalizeText changes nothing the second time", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const once = normalizeText(text);
    assertEquals(normalizeText(once), once);
  }));
});

/** For every rule a document on which it fires and one like it on which it does not. */
const rules = [
  ["short", "三个字", "四个字了"],
  ["broken", `坏\uFFFD字符很多`, `好的字符很多`],
  ["broken", `私用\ue000区的字`, `私用区外的字`],
  ["broken", `缺□字的一首诗`, `缺字的一首旧诗`],
  ["foreign", "Mostly English 中文", "Deno 和中文在一起"],
  ["foreign", "12345678 中文", "12 个中文字"],
  ["foreign", "ひらがなとカタカナ文", "的汉字ひら"],
  ["foreign", "，。！？", "说，好。对！"],
] as const;
for (const [rule, dropped, kept] of rules) {
  Deno.test(`cleanDocument drops "${dropped}" as ${rule} and keeps "${kept}"`, () => {
    assertEquals(cleanDocument(dropped), { dropped: rule });
    assertEquals(cleanDocument(kept), { text: kept });
  });
}

Deno.test("cleanDocument takes a few broken characters out of a long document", () => {
  const long = "很长的文章".repeat(100);
  assertEquals(cleanDocument(`${long}\uFFFD\ud800`), { text: long });
});

Deno.test("cleaner drops what it has seen and counts every rule", () => {
  const { clean, report } = cleaner();
  const documents = [
    "一样的文章",
    "一样的文章",
    "　一样的文章 ",
    "另一篇文章",
    "短",
    "English only",
    "\ufffd\ufffd\ufffd\ufffd",
  ];
  const kept = documents.map(clean).filter((found) => found !== undefined);
  assertEquals(kept.map(({ text }) => text), ["一样的文章", "另一篇文章"]);
  assertEquals(report(), {
    read: 7,
    kept: 2,
    characters: 10,
    dropped: { short: 1, broken: 1, foreign: 1, duplicate: 2 },
  });
});

Deno.test("hashText tells apart texts that differ a little", () => {
  const hashes = new Set<number>();
  let count = 0;
  for (let a = 0x4e00; a < 0x4e00 + 300; a++) {
    for (let b = 0x4e00; b < 0x4e00 + 300; b++) {
      const hash = hashText(String.fromCharCode(a, b));
      assert(Number.isSafeInteger(hash) && hash >= 0);
      hashes.add(hash);
      count++;
    }
  }
  assertEquals(hashes.size, count);
  const mean = [...hashes].reduce((sum, hash) => sum + hash / 2 ** 53, 0) / count;
  assert(Math.abs(mean - 0.5) < 0.005, `hashes fill their range: mean ${mean}`);
});

Deno.test("heldOutLimit holds out the share that it is asked for, at least one, never all", () => {
  fc.assert(fc.property(
    fc.uniqueArray(fc.nat(1 << 30), { minLength: 2, maxLength: 200 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    (hashes, share) => {
      const limit = heldOutLimit(hashes, hashes.map(() => 10), share);
      const held = hashes.filter((hash) => hash <= limit).length;
      const wanted = Math.ceil(share * hashes.length);
      assert(Math.abs(held - Math.min(Math.max(1, wanted), hashes.length - 1)) <= 1);
      assert(held >= 1 && held < hashes.length);
    },
  ));
});

Deno.test("poemText takes notes out and marks what is unreadable", () => {
  assertEquals(
    poemText(["（首句闕）秦川雄帝宅，", "函谷壯皇居。〖1〗"]),
    "秦川雄帝宅，函谷壯皇居。",
  );
  assertEquals(poemText(["子曰：「學而時習之」。"]), "子曰：“學而時習之”。");
  for (const mark of ["□", "●", "{亻牛}", "？", "⿰木養", "\ue829", "70x"]) {
    assertEquals(poemText([`春眠${mark}不覺曉。`]).includes("\uFFFD"), true, mark);
  }
});

testOnShared(
  "cleaner leaves real text as it is, but for a few documents",
  ["corpus/CLUECorpusSmall_bert_sampled.txt"],
  async (path) => {
    const { clean, report } = cleaner();
    for await (const documents of readCorpus(path!)) documents.forEach(clean);
    const { read, kept } = report();
    assertEquals(read, 2504); // 2,500 documents, of which one is so long that it is read in five parts
    assert(kept > 0.95 * read, `${kept} kept`);
  },
);
