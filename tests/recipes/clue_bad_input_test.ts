/** What tasks refuse: each fault is named by its file and line. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { InputError } from "../../recipes/cli/input_error.ts";
import { fixtures, linesText, taskOf, tokens, withFiles } from "./clue_fixtures.ts";

/** Says why a train file is refused. */
async function refusal(
  name: string,
  content: string | Uint8Array,
  file = "train.json",
): Promise<string> {
  let message = "";
  await withFiles({ [file]: content }, async (folder) => {
    const split = file.startsWith("test") ? "test" : "train";
    const load = (): Promise<unknown> => taskOf(name).load(folder, split, tokens, 64);
    message =
      (await assertRejects(load, InputError, `Cannot read ${join(folder, file)}: `)).message;
    message = message.replace(`Cannot read ${join(folder, file)}: `, "");
  });
  return message;
}

const good = {
  afqmc: { sentence1: "怎么还款", sentence2: "还款怎么还", label: "1" },
  tnews: { label: "104", label_desc: "news_finance", sentence: "股市今天大涨" },
  csl: { id: 1, abst: "本文研究水", keyword: ["水", "流"], label: "1" },
  cluewsc: fixtures.cluewsc!.train[0]!,
} as const;
type Name = keyof typeof good;

const target = good.cluewsc.target as Readonly<Record<string, unknown>>;

/** A line that differs from a good one so, stands second, and is refused for this reason. */
const cases: readonly (readonly [Name, Readonly<Record<string, unknown>>, string])[] = [
  ["afqmc", { sentence1: undefined }, 'it has no "sentence1"'],
  ["afqmc", { sentence2: 7 }, '"sentence2" is 7, it must be text'],
  ["afqmc", { sentence2: " " }, '"sentence2" is empty'],
  ["afqmc", { sentence2: "半\ud800" }, '"sentence2" holds half a character (a lone surrogate)'],
  ["afqmc", { label: undefined }, "it has no label"],
  ["afqmc", { label: "2" }, 'label is "2", it must be one of 0, 1'],
  ["afqmc", { label: null }, "label is null"],
  ["afqmc", { id: -1 }, "id is -1, it must be a whole number or text"],
  ["afqmc", { id: [1] }, "id is [1], it must be"],
  ["afqmc", { genre: "gov" }, 'it has "genre", as files of ocnli have'],
  ["afqmc", { title: "x" }, 'it has "title", as files of qbqtc have'],
  ["tnews", { label: "105" }, 'label is "105", it must be one of 100, 101, '],
  ["tnews", { label_desc: "news_car" }, 'label 104 is news_finance, "label_desc" says "news_car"'],
  ["tnews", { label_des: "打车" }, 'it has "label_des", as files of iflytek have'],
  ["csl", { keyword: "水" }, '"keyword" is no list of keywords'],
  ["csl", { keyword: [] }, '"keyword" is no list of keywords'],
  ["csl", { keyword: ["水", ""] }, "keyword 2 is empty"],
  ["csl", { keyword: ["\udc00"] }, "keyword 1 holds half a character"],
  ["cluewsc", { target: undefined }, 'it has no "target" with two spans'],
  ["cluewsc", { target: { ...target, span1_text: undefined } }, 'it has no "span1_text"'],
  [
    "cluewsc",
    { target: { ...target, span1_index: 1 } },
    '"小明" does not stand at place 1 of its text',
  ],
  ["cluewsc", { target: { ...target, span2_text: "你" } }, '"你" does not stand at place 4'],
  ["cluewsc", { target: { ...target, span2_index: "4" } }, '"span2_index" is "4", it must be'],
  ["cluewsc", { target: { ...target, span2_index: 99 } }, '"他" does not stand at place 99'],
];

for (const [name, change, why] of cases) {
  Deno.test(`${name} refuses ${JSON.stringify(change)}`, async () => {
    const first = { ...good[name], id: undefined, idx: undefined };
    const message = await refusal(name, linesText([first, { ...first, ...change }]));
    assertStringIncludes(message, `line 2: ${why}`);
    assertStringIncludes(message, `is it a file of ${name}?`);
    assertEquals(message.includes("\n"), false);
  });
}

const line = JSON.stringify(good.afqmc);

/** Whole files. */
const files: readonly (readonly [about: string, string, string | Uint8Array, string, string?])[] = [
  ["an empty file", "afqmc", "", "no example is in it"],
  ["a file of empty lines", "afqmc", "\n \n", "no example is in it"],
  ["a list", "afqmc", `[${line}]`, "line 1: it is no object"],
  [
    "JSON over several lines",
    "afqmc",
    JSON.stringify(good.afqmc, null, 1),
    "line 1: it is no JSON",
  ],
  [
    "a line that was broken at U+2028",
    ...["iflytek", '{"label":"1","sentence":"一\n二"}\n', "line 1: it is no JSON"] as const,
  ],
  ["a file that is cut off", "afqmc", `${line}\n${line.slice(0, 30)}`, "line 2: it is no JSON"],
  [
    "ids that stand twice",
    "afqmc",
    linesText([5, 6, 5].map((id) => ({ ...good.afqmc, id }))),
    "line 3: id 5 is that of line 1",
  ],
  [
    "ids that are the same number",
    "bustm",
    linesText([{ ...good.afqmc, id: 5 }, { ...good.afqmc, id: "5" }]),
    "line 2: id 5 is that of line 1",
  ],
  [
    "bytes that are no UTF-8",
    "afqmc",
    new Uint8Array([0x7b, 0x0a, 0xcc, 0xec]),
    "line 2 is not UTF-8",
  ],
  [
    "another task's labels",
    "afqmc",
    linesText([{ ...good.afqmc, label: "neutral" }]),
    'line 1: label is "neutral"',
  ],
  [
    "another task's file",
    "iflytek",
    linesText([good.tnews]),
    'line 1: it has "label_desc", as files of tnews have',
  ],
  [
    "a test with some labels",
    "afqmc",
    linesText([{ ...good.afqmc, label: undefined }, good.afqmc]),
    "line 2: it has a label, unlike the first line",
    "test.json",
  ],
  [
    "a test without some labels",
    "afqmc",
    linesText([good.afqmc, { ...good.afqmc, label: undefined }]),
    "line 2: it has no label, unlike the first line",
    "test.json",
  ],
  [
    "too many columns",
    "afqmc",
    "甲\t乙\t0\t丁\n",
    "line 1: it has 4 columns between tabs, it must have 2 or 3",
    "train.tsv",
  ],
  [
    "a line with too few columns",
    "afqmc",
    "甲\t乙\t0\n甲\t乙\n",
    "line 2: it has 2 columns between tabs, the first line has 3",
    "train.tsv",
  ],
  [
    "a line with more columns than the header",
    "lcqmc",
    "text_a\ttext_b\tlabel\n甲\t乙\t0\t丁\n",
    "line 2: it has 4 columns between tabs, the first line has 3",
    "train.tsv",
  ],
  [
    "a header of other names",
    "chnsenticorp",
    "label\ttext\n1\t好\n",
    'line 1: label is "label"',
    "train.tsv",
  ],
  ["a header alone", "chnsenticorp", "label\ttext_a\n", "no example is in it", "train.tsv"],
  ["an empty column", "afqmc", "甲\t\t0\n", 'line 1: "sentence2" is empty', "train.tsv"],
];

for (const [about, name, content, why, file] of files) {
  Deno.test(`${name} refuses ${about}`, async () => {
    assertStringIncludes(await refusal(name, content, file), why);
  });
}

Deno.test("U+2028 within a line is text; the line is named", () => {
  const [first] = fixtures.iflytek!.train;
  const lines = linesText([{ ...first, sentence: "一" }, first!, {
    ...first,
    sentence: "二\u0085",
  }]);
  return withFiles({ "train.json": lines }, async (folder) => {
    const { count, notes } = (await taskOf("iflytek").load(folder, "train", tokens, 64))!;
    assertEquals(count, 3);
    assertEquals(notes.length, 1);
    assertStringIncludes(notes[0]!, `${join(folder, "train.json")}: line 2 and 1 more`);
  });
});

Deno.test("tasks without tab-separated files refuse one by its name", async () => {
  assertEquals(
    await refusal("tnews", "甲\t100\n", "train.tsv"),
    "files of tnews are lines of JSON",
  );
});
