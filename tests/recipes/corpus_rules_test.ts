/** Every cleaning rule fires on what it is for and is silent on what looks like it. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { cleanText } from "../../recipes/corpus/clean_text.ts";
import { htmlText } from "../../recipes/corpus/html_text.ts";
import { documentRules, repeatedShare } from "../../recipes/corpus/rules/document_rules.ts";
import { distinct } from "../../recipes/hash/distinct.ts";
import { figuresOf } from "../../recipes/corpus/rules/figures.ts";
import { lineRules } from "../../recipes/corpus/rules/line_rules.ts";
import { repeatedLine } from "../../recipes/corpus/rules/repeated_line.ts";
import { normalizeText } from "../../recipes/data/clean_document.ts";
import { simplify } from "../../recipes/corpus/simplify.ts";
import { testOnShared } from "./shared_data.ts";
import { fc } from "../property.ts";

Deno.test("the README's table of rules is that of the rules, in the order in which they are asked", async () => {
  const url = new URL("../../recipes/corpus/README.md", import.meta.url);
  const rows = (await Deno.readTextFile(url)).split("\n")
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()))
    .filter((cells) => /^(?:lines|texts)$/.test(cells[1] ?? ""));
  assertEquals(rows, [
    ...[...lineRules, repeatedLine].map(({ name, about }) => [name, "lines", about]),
    ...documentRules.map(({ name, about }) => [name, "texts", about]),
  ]);
});

/** For each line rule: lines that it leaves out, lines that it lets stand. */
const lines: Readonly<Record<string, readonly [dropped: string[], kept: string[]]>> = {
  stamp: [
    ["www.some*book-net/小 说", "wＷw．ｓｏmeＢook.ｎｅｔ", "ｗ w w/s ome boo k. n et 天*堂"],
    ["他说 how are you，我没有听懂。", "版本 2.0 用到了 web 网络技术，发展得很快。"],
  ],
  private: [
    ["联系方式：13812345678", "写信给 li.wei@example.com 即可", "身份证 11010519491231002X"],
    ["圆周率是 3.14159265358979", "他在 @ 之后写了名字。", "编号 20161028123456789"],
  ],
  advert: [
    ["加微信公众号：abcde12 免费领取", "扫描二维码，关注公众号", "客服热线：400-123-4567"],
    ["他用微信和朋友聊天。", "公众号是媒体的一种。", "博物馆的客服热线很忙。"],
  ],
  address: [
    ["见 http://example.com/a", "来源：www.example.com", "更多请看 example.cn"],
    [
      "这家公司的网站是 www.example.com，它卖的东西从书到鞋都有，生意做得很大。",
      "第3.5节讲的是版本2.0.1",
    ],
  ],
  boilerplate: [
    ["上一页 返回目录 下一页", "版权所有 某某公司", "责任编辑：李四", "（本章未完，请翻页）"],
    ["他把书翻到下一页，又看了起来。".repeat(9), "设计首先要考虑读者。"],
  ],
  symbols: [["……", "*** --- ***", "——！"], ["好……", "1. -", "A"]],
};

for (const rule of lineRules) {
  Deno.test(`the rule "${rule.name}" leaves out ${rule.about}`, () => {
    const [dropped, kept] = lines[rule.name]!;
    for (const line of dropped) assert(rule.drops(line), line);
    for (const line of kept) assert(!rule.drops(line), line);
  });
}

const good = "他说的话我都记得，那天下着小雨，路上没有什么人，我们走了很久才到车站。";
const documents: Readonly<Record<string, readonly [dropped: string[], kept: string[]]>> = {
  short: [["", "三个字"], ["四个字了"]],
  broken: [[`坏\uFFFD字符`, "锟斤拷锟斤拷", "□□□缺字"], ["■ 好的字符", "缺□字的诗"]],
  foreign: [["Mostly English 中文", "ひらがなとカタカナ"], [
    "Deno 和中文在一起",
    "第10章 阿甲正传(5)",
  ]],
  punctuation: [[
    "，。！？、，。！？、，。！？、好的好的好的",
    "没有标点".repeat(101),
  ], [good, "“好！”“好！”"]],
  repetition: [["哈".repeat(30), "买一送一快来买吧！".repeat(20)], [
    good,
    "哈哈哈，你真好。",
    Array.from({ length: 300 }, (_, i) => String.fromCodePoint(0x4e00 + 7 * i % 3001)).join(""),
  ]],
  spam: [[], []],
};

for (const rule of documentRules) {
  Deno.test(`the rule "${rule.name}" leaves out documents: ${rule.about}`, () => {
    const [dropped, kept] = documents[rule.name]!;
    const drops = (text: string): boolean =>
      rule.drops(text, { ...figuresOf(text), before: text.length, left: 0 });
    for (const text of dropped) assert(drops(text), text);
    for (const text of kept) assert(!drops(text), text);
  });
}

Deno.test("a document whose lines were mostly spam is left out, one with a stamp is not", () => {
  const stamp = "wwＷ．some bo ok.net", told: string[] = [];
  assertEquals(cleanText(`${good}\n${stamp}\n${good.slice(5)}`), `${good}\n${good.slice(5)}`);
  assertEquals(cleanText(`好的好的\n${stamp}`, (rule) => told.push(rule)), undefined);
  assertEquals(told, ["stamp", "spam"]);
});

Deno.test("a line that a document says eight times is its header; a refrain stays", () => {
  const words = (i: number): string =>
    Array.from({ length: 40 }, (_, j) => String.fromCodePoint(0x4e00 + (977 * i + 41 * j) % 20000))
      .join("");
  const pages = (n: number): string =>
    Array.from({ length: n }, (_, i) => `${words(i)}。\n某某小说全集第一卷`).join("\n");
  assertEquals(cleanText(pages(3))!.split("\n").length, 6);
  assertEquals(cleanText(pages(12))!.match(/全集/g)!.length, 7);
});

Deno.test("htmlText shows what a browser shows", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["<div>甲<br>乙</div><div>丙</div>", "甲\n乙\n丙"],
    ["<p>一<b>二</b>&lt;三&#22235;</p>", "一二<三四"],
    ["<style>p{}</style><script>if (a < b) x()</script>好", "好"],
    ["<nav>首页</nav><p>正文</p><footer>版权</footer>", "正文"],
    ["不闭合<p>的<b>标签", "不闭合\n的标签"],
  ];
  for (const [html, text] of cases) assertEquals(htmlText(html), text, html);
  assertEquals(
    cleanText("他写道：a<b 而且 c>d，这不是标签。"),
    "他写道：a<b 而且 c>d，这不是标签。",
  );
});

Deno.test("simplify turns traditional documents and leaves a name in simplified ones", () => {
  assertEquals(simplify(["臺灣的頭髮與發展", "乾燥"]), ["台湾的头发与发展", "干燥"]);
  const long = "这是简体字写的文章".repeat(20) + "乾隆";
  assertEquals(simplify([long]), [long]);
});

Deno.test("figuresOf counts what regular expressions count", () => {
  const count = (text: string, what: RegExp): number => text.match(what)?.length ?? 0;
  const unit = fc.constantFrom(..."中文abc12，。 かナ\u{20000}é\uFFFD\ud800…$한");
  fc.assert(fc.property(fc.string({ unit }), (text) => {
    const { chinese, words, marks, lost } = figuresOf(text);
    assertEquals(chinese, count(text, /\p{Script=Han}/gu));
    assertEquals(words, count(text, /[\p{Script=Hiragana}\p{Script=Katakana}]|[abcé12한]+/gu));
    assertEquals(marks, count(text, /[，。…$]/g));
    assertEquals(lost, count(text, /\uFFFD|\p{Cs}/gu));
  }));
});

Deno.test("distinct counts as a set does", () => {
  const found = distinct();
  fc.assert(fc.property(fc.array(fc.integer({ min: -50, max: 50 })), (numbers) => {
    found.clear(numbers.length);
    const set = new Set<number>();
    for (const n of numbers) {
      assertEquals(found.add(n), !set.has(n));
      set.add(n);
    }
  }));
});

Deno.test("repeatedShare is the share of the pieces of 8 characters that were there before", () => {
  assertEquals(repeatedShare("一二三四五六七八九"), 0);
  assertAlmostEquals(repeatedShare("一二三四五六七八".repeat(2)), 1 / 9, 1e-12);
  const half = Array.from({ length: 3000 }, (_, i) => String.fromCodePoint(0x4e00 + i)).join("");
  const share = repeatedShare(half + half);
  assert(share > 0.49 && share < 0.51, String(share));
});

Deno.test("cleaning what is clean changes nothing", () => {
  const unit = fc.constantFrom(..."中文的话，。！\n abc12臺灣Ａ　<p>&amp;");
  fc.assert(fc.property(fc.string({ unit, minLength: 20, maxLength: 80 }), (text) => {
    const once = cleanText(text);
    if (once !== undefined) assertEquals(cleanText(once), once);
  }));
});

/** Runs of lines that end with a blank one. */
function paragraphs(lines: readonly string[]): readonly (readonly string[])[] {
  const found: string[][] = [[]];
  for (const line of lines) {
    found.at(-1)!.push(line);
    if (line.trim() === "") found.push([]);
  }
  return found;
}

testOnShared(
  "at least 95 % of a book's stamps go, at most 0.5 % of its good characters",
  ["corpus/public_domain/luxun.txt"],
  async (path) => {
    const spam = new Set<number>(
      JSON.parse(await Deno.readTextFile(new URL("./luxun_spam.json", import.meta.url))),
    );
    const lines = (await Deno.readTextFile(path)).split("\n"), left = { spam: 0, good: 0 };
    const chinese = (text: string): number => text.match(/\p{Script=Han}/gu)?.length ?? 0;
    let number = 0, goodCharacters = 0;
    for (const document of paragraphs(lines)) {
      const kept = new Set(cleanText(document.join("\n"))?.split("\n"));
      for (const line of document) {
        const isSpam = spam.has(++number), stays = kept.has(normalizeText(line)), n = chinese(line);
        if (isSpam && stays) left.spam++;
        if (!isSpam) goodCharacters += n;
        if (!isSpam && !stays) left.good += n;
      }
    }
    assert(spam.size > 250, String(spam.size));
    assert(left.spam <= 0.05 * spam.size, `${left.spam} of ${spam.size} stamps stay`);
    assert(left.good <= 0.005 * goodCharacters, `${left.good} of ${goodCharacters} characters go`);
  },
);
