/** What steps of `deno task data` say that they did. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import type { Breadth } from "../../recipes/corpus/breadth.ts";
import { clean } from "../../recipes/corpus/clean.ts";
import { type CorpusReport, reportLines, reportPage } from "../../recipes/corpus/report.ts";
import { sentence } from "./made_text.ts";
import { smallCorpus } from "./small_corpus.ts";

const none = { read: 1500, kept: 1500, rules: {} };

const cleaned: CorpusReport = {
  read: 1000,
  kept: 700,
  rules: {
    short: { dropped: 60, characters: 90, examples: [] },
    stamp: { dropped: 40, characters: 800, examples: ["www<b>.x.net"] },
  },
  sources: [
    ["news", 1, 400],
    ["novels", 2, 300],
  ].map(([source, weight, kept]) => ({
    source: source as string,
    weight: weight as number,
    bytes: 3e6,
    read: 500,
    kept: kept as number,
    characters: 1000,
    bad: source === "news" ? 3 : 0,
    breadth: { pairs: 54_321, characters: 100_000 },
    rules: {},
  })),
};

Deno.test("a report says what each source holds and what rules left out, most first", () => {
  assertEquals(reportLines({ ...cleaned, seconds: 1.26 }), [
    "news: 3MB, 400 of 500 documents, 1k characters (50.00 %), bad lines skipped: 3",
    "novels: 3MB, 300 of 500 documents, 1k characters (50.00 %)",
    "  stamp: 40 left out, 800 characters",
    "  short: 60 left out, 90 characters",
    "700 of 1k documents stay, 1.3 s",
  ]);
});

Deno.test("a step that leaves nothing out reports what it made", () => {
  const packed = { train: 1_250_000, heldOut: 12_500, unknown: 1262 };
  const last = (report: CorpusReport): string => reportLines(report).at(-1)!;
  assertEquals(
    last({ ...none, packed }),
    "1.25M tokens to train on, 12.5k held out, 0.10 % [UNK]; 1.5k documents",
  );
  assertEquals(last({ ...none, tokens: 3810 }), "3810 tokens; 1.5k documents");
  assertEquals(
    last({ ...none, words: 9, synonyms: 7 }),
    "7 of 9 words have synonyms; 1.5k documents",
  );
});

Deno.test("the page shows examples as text, rules with what they are, and a source's part of an epoch", () => {
  const html = reportPage("clean", cleaned);
  assert(!html.includes("www<b>"), html);
  assertStringIncludes(html, "www&#60;b&#62;.x.net");
  assertStringIncludes(html, "the name of a site, also where it is spelt");
  assertStringIncludes(html, "<td>66.67 %</td>");
  assertStringIncludes(html, "<td>54.3k in 100k</td>");
});

Deno.test("breadth counts pairs of Chinese characters, and tells one mould from many things", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const breadth = async (name: string, texts: readonly string[]): Promise<Breadth> => {
      const path = join(folder, name), out = join(folder, `${name}-clean`);
      await Deno.writeTextFile(path, texts.join("\n"));
      const report = await clean({
        ...{ out, workers: 2, skipBad: false, block: 50_000, interrupt: { requested: false } },
        ...{ view: { show() {}, note() {}, [Symbol.dispose]() {} } },
        sources: [{ name, path, weight: 1 }],
      });
      return report!.sources![0]!.breadth;
    };
    // 好学 学习 天天 天向 向上 学天 上学 学上: "，" parts what it stands between.
    const few = await breadth("few.txt", ["好学习，天天向上。", "abc好学de好学天", "上学上学"]);
    assertEquals(few, { pairs: 8, characters: 16 });
    const [mould, many] = [
      await breadth("mould.txt", smallCorpus(6000)),
      await breadth("many.txt", Array.from({ length: 4000 }, (_, i) => sentence(i, 40))),
    ];
    for (const { characters } of [mould, many]) {
      assert(characters >= 100_000 && characters < 101_000, `${characters}`);
    }
    assert(many.pairs > 20 * mould.pairs, `${many.pairs} ${mould.pairs}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
