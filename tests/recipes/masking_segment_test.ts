import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { cut } from "npm:jieba-wasm@2.4.0";
import { SegmentPool } from "../../recipes/masking/segment_pool.ts";
import { loadSegmenter } from "../../recipes/masking/segment_words.ts";
import { testOnShared } from "./shared_data.ts";
import { smallCorpus } from "./small_corpus.ts";
import { fc } from "../property.ts";

const wordStarts = await loadSegmenter();

/** The same from the package's own function. */
function oracle(text: string, newWords: boolean): number[] {
  const starts = new Array<number>(text.length).fill(0);
  let at = 0;
  for (const word of cut(text, newWords)) {
    starts[at] = 1;
    at += word.length;
  }
  return starts;
}

Deno.test("wordStarts agrees with jieba's cut", () => {
  const pieces = "我们在图书馆学习深度学习，deno 2.9版 café 😀𠮷 家 \t、ひらがな 한국어".split(
    /(?<=.)/u,
  );
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...pieces, ...smallCorpus(20)), { maxLength: 12 }),
      fc.boolean(),
      (parts, newWords) => {
        const text = parts.join("");
        assertEquals(
          [...wordStarts(text, { newWords })],
          oracle(text, newWords),
          JSON.stringify(text),
        );
      },
    ),
  );
});

Deno.test("wordStarts goes line by line and copes with half a character", () => {
  const starts = [...wordStarts("我们\n学习\n", { newWords: true })];
  assertEquals(starts, [1, 0, 1, 1, 0, 1]);
  assertEquals([...wordStarts("", { newWords: true })], []);
  assertEquals(wordStarts("我\ud842们", { newWords: true }).length, 3);
});

Deno.test("SegmentPool gives each caller its own answer", async () => {
  using pool = new SegmentPool({ newWords: true }, 2);
  const texts = smallCorpus(20);
  const answers = await Promise.all(texts.map((text) => pool.segment(text)));
  answers.forEach((starts, i) => assertEquals([...starts], oracle(texts[i]!, true)));
});

Deno.test("SegmentPool says what went wrong in a worker", async () => {
  using pool = new SegmentPool({ newWords: true }, 1);
  const noText = undefined as unknown as string;
  await assertRejects(() => pool.segment(noText), RangeError, "Cannot segment text");
  assertEquals([...await pool.segment("我们")], [1, 0], "the worker goes on");
});

testOnShared(
  "wordStarts finds the words of SIGHAN's MSR test set",
  ["segmentation/msr_test_gold.utf8"],
  async (path) => {
    const lines = (await Deno.readTextFile(path!)).split(/\r?\n/).filter((line) =>
      line.trim() !== ""
    );
    let right = 0, found = 0, gold = 0;
    for (const line of lines.slice(0, 1500)) {
      const words = line.trim().split(/\s+/);
      const text = words.join("");
      const starts = wordStarts(text, { newWords: true });
      let at = 0;
      for (const word of words) {
        const end = at + word.length;
        const same = starts[at] === 1 && (end === text.length || starts[end] === 1) &&
          starts.subarray(at + 1, end).every((start) => start === 0);
        if (same) right++;
        at = end;
      }
      found += starts.reduce((sum, start) => sum + start, 0);
      gold += words.length;
    }
    const F1 = 2 * right / (found + gold);
    assertGreater(F1, 0.78); // jieba cuts long names that MSR keeps whole; published figures are near 0.81
    assert(F1 < 1);
  },
);
