import { assertEquals, assertRejects } from "@std/assert";
import { ensureDir } from "@std/fs";
import { dirname, join } from "@std/path";
import { InputError } from "../../recipes/cli/input_error.ts";
import { corpusFiles } from "../../recipes/data/corpus_files.ts";
import { fileCorpus } from "../../recipes/data/corpus_source.ts";
import { readCorpus } from "../../recipes/data/read_corpus.ts";

/** Runs a test with files in a folder of its own. */
async function withFiles(
  files: Readonly<Record<string, string | Uint8Array>>,
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, content] of Object.entries(files)) {
      const path = join(folder, name);
      await ensureDir(dirname(path));
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(path, bytes);
    }
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function documentsOf(path: string): Promise<string[]> {
  return (await Array.fromAsync(readCorpus(path))).flat();
}

Deno.test("readCorpus takes a line for a document", () =>
  withFiles({ "a.txt": "第一篇\n第二篇\r\n\n\n" }, async (folder) => {
    assertEquals(await documentsOf(join(folder, "a.txt")), ["第一篇", "第二篇"]);
  }));

Deno.test("readCorpus takes paragraphs for documents where blank lines part them", () =>
  withFiles({ "a.txt": "\n第一行\n第二行\r\n\r\n\n  \n另一篇\n" }, async (folder) => {
    assertEquals(await documentsOf(join(folder, "a.txt")), ["第一行\n第二行", "另一篇"]);
  }));

Deno.test("readCorpus keeps U+2028 inside a line and leaves a byte-order mark out", () =>
  withFiles({ "a.txt": "\uFEFF第一\u2028篇\n第二篇" }, async (folder) => {
    assertEquals(await documentsOf(join(folder, "a.txt")), ["第一\u2028篇", "第二篇"]);
  }));

Deno.test("readCorpus reads JSON lines by their text", () =>
  withFiles({ "a.jsonl": '{"text": "一\\n二", "id": 3}\n\n{"text": "三"}\n' }, async (folder) => {
    assertEquals(await documentsOf(join(folder, "a.jsonl")), ["一\n二", "三"]);
  }));

Deno.test("readCorpus goes through a folder in sorted order and passes other files over", () =>
  withFiles({
    "b.txt": "乙",
    "a/z.text": "甲",
    "c.jsonl": '{"text": "丙"}',
    "notes.md": "no",
    "a/.hidden.txt": "no",
    ".git/x.txt": "no",
  }, async (folder) => {
    assertEquals(await documentsOf(folder), ["甲", "乙", "丙"]);
    assertEquals((await corpusFiles(folder)).map(({ bytes }) => bytes), [3, 3, 15]);
  }));

Deno.test("readCorpus reads files larger than its buffer, characters over the edge too", () => {
  const lines = Array.from({ length: 60_000 }, (_, i) => `第${i}行的中文𠮷`);
  return withFiles({ "a.txt": lines.join("\n") }, async (folder) => {
    assertEquals(await documentsOf(folder), lines);
  });
});

Deno.test("readCorpus cuts a document that is too long, never inside a character", () => {
  const long = "𠮷".repeat(10_000);
  const lines = `${"长".repeat(5000)}\n${"文".repeat(5000)}`;
  return withFiles({ "a.txt": long, "b.txt": `\n\n${lines}\n\n短文` }, async (folder) => {
    const first = await documentsOf(join(folder, "a.txt"));
    assertEquals(first.join(""), long);
    assertEquals(first.every((piece) => piece.isWellFormed() && piece.length <= 8192), true);
    assertEquals(await documentsOf(join(folder, "b.txt")), [
      "长".repeat(5000),
      `\n${"文".repeat(5000)}`,
      "短文",
    ]);
  });
});

const gbk = Uint8Array.of(0xd6, 0xd0, 0xce, 0xc4, 0x0a); // 中文 in GBK
const utf16 = Uint8Array.of(0xff, 0xfe, 0x2d, 0x4e, 0x87, 0x65);
const wrong: readonly (readonly [
  name: string,
  file: string,
  content: string | Uint8Array,
  message: string,
])[] = [
  ["empty", "a.txt", "", "it is empty"],
  [
    "binary",
    "a.txt",
    Uint8Array.of(0xe4, 0xb8, 0xad, 0, 1, 2),
    "it is binary (it holds a NUL byte)",
  ],
  ["GBK", "a.txt", gbk, "line 1 is not UTF-8; it reads as GB18030 (GBK): convert it with iconv"],
  ["UTF-16", "a.txt", utf16, "it is UTF-16; convert it with iconv -f UTF-16 -t UTF-8"],
  [
    "wrong later",
    "a.txt",
    Uint8Array.of(0x61, 0x0a, 0x0a, 0xff, 0x0a),
    "line 3 is not UTF-8; convert it",
  ],
  ["cut off", "a.txt", Uint8Array.of(0xe4, 0xb8), "line 1 is not UTF-8"],
  ["no JSON", "a.jsonl", '{"text": "一"}\n{"text": \n', "line 2: it is not JSON"],
  ["no text in JSON", "a.jsonl", '{"txt": "一"}', 'line 1: no "text" in it'],
  ["JSON null", "a.jsonl", "null", 'line 1: no "text" in it'],
];
for (const [name, file, content, message] of wrong) {
  Deno.test(`readCorpus refuses a corpus that is wrong: ${name}`, () =>
    withFiles({ [file]: content }, async (folder) => {
      const path = join(folder, file);
      const error = await assertRejects(() => documentsOf(path), InputError, message);
      assertEquals(error.message.includes(path), true, "says where");
      assertEquals(error.message.split("\n").length, 1, "is one line");
    }));
}

Deno.test("readCorpus refuses what is not there, and a folder without text", () =>
  withFiles({ "picture.png": Uint8Array.of(1, 2, 3) }, async (folder) => {
    const path = join(folder, "none.txt");
    await assertRejects(() => documentsOf(path), InputError, `${path}: no such file or folder`);
    await assertRejects(() => documentsOf(folder), InputError, "no .txt, .text, .jsonl file in it");
  }));

Deno.test("fileCorpus has a key for its content, not for where it lies", () =>
  withFiles({ "a/x.txt": "甲\n乙", "b/x.txt": "甲\n乙", "c/x.txt": "甲\n丙" }, async (folder) => {
    const keyOf = async (name: string): Promise<string> =>
      (await fileCorpus(join(folder, name))).key;
    assertEquals(await keyOf("a"), await keyOf("b"));
    assertEquals(await keyOf("a") === await keyOf("c"), false);
  }));
