/** What `deno task data` is given wrongly: one line on standard error that says what and where, and exit code 2. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { gzipSync } from "node:zlib";
import { data } from "./data_command.ts";
import { sentence } from "./made_text.ts";

/** Files of a folder, by name. */
async function writeFiles(folder: string): Promise<void> {
  const lines = Array.from({ length: 200 }, (_, i) => sentence(i % 150, 40));
  const text = lines.join("\n"), source = { name: "a", path: "raw" };
  const files: Readonly<Record<string, string | Uint8Array>> = {
    "raw/a.txt": text,
    "empty.txt": "",
    "blank.txt": "\n \n\n",
    "cut.txt.gz": gzipSync(text).subarray(0, 900),
    "other.jsonl": `{"text":"好好学习，天天向上。"}\n{"content":"没有"}\n`,
    "number.jsonl": `{"text":"好好学习，天天向上。"}\n\n{"text":3}\n`,
    // A separator of lines in Unicode is none in a file: the bad line is the second.
    "separator.txt": new Uint8Array([
      ...new TextEncoder().encode("一行\u2028还是它\n"),
      0xff,
      10,
    ]),
    "gbk.txt": new Uint8Array([0xd6, 0xd0, 0xce, 0xc4, 10]),
    "binary.tsv": new Uint8Array([0x80, 0x81, 0, 0xff]),
    "missing.json": JSON.stringify([source, { name: "b", path: "nowhere" }]),
    "unknown.json": JSON.stringify([{ ...source, wieght: 2 }]),
    "object.json": "{}",
    "vocab.txt": "好\n",
  };
  for (const folderName of ["raw", "none"]) await Deno.mkdir(join(folder, folderName));
  for (const [name, content] of Object.entries(files)) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(join(folder, name), bytes);
  }
}

const wrong: readonly (readonly [words: string, says: RegExp])[] = [
  ["clean", /without --out/],
  ["clean --out x", /without --in/],
  ["clean --in nowhere --out x", /nowhere: no such file or folder/],
  ["clean --in none --out x", /none: no text in it/],
  ["clean --in empty.txt --out x", /empty\.txt: no text in it/],
  ["clean --in cut.txt.gz --out x", /cut\.txt\.gz: its \.gz data is broken or cut off/],
  ["clean --in other.jsonl --out x", /other\.jsonl: line 2: there is no "text" in it/],
  ["clean --in number.jsonl --out x", /number\.jsonl: line 3: there is no "text" in it/],
  ["clean --in separator.txt --out x", /separator\.txt: line 2: it is not UTF-8/],
  ["clean --in gbk.txt --out x", /gbk\.txt: line 1: it is not UTF-8; it reads as GB18030/],
  ["clean --in missing.json --out x", /nowhere: no such file or folder/],
  ["clean --in unknown.json --out x", /\[0\]\.wieght is unknown; did you mean weight\?/],
  ["clean --in object.json --out x", /it must be a list/],
  ["clean --in raw --out raw", /Cannot write raw: raw is read/],
  ["clean --in raw --out raw/clean", /raw\/clean: raw is read; give an --out apart from it/],
  ["clean --in raw/a.txt --out .", /raw\/a\.txt is read/],
  ["clean --in raw --out empty.txt", /Cannot write empty\.txt: .*give a folder/],
  ["clean --in raw --out none --report r.txt", /r\.txt: its name must end in \.html or \.json/],
  ["clean --in raw --out none --worker 2", /no such option; did you mean --workers\?/],
  ["dedup --in raw --out x", /Cannot read raw: no corpus\.json/],
  ["dedup --in made --out made/x", /made is read/],
  ["dedup --in made --out raw", /Cannot write raw: a\.txt is in it/],
  ["dedup --in made --out packed", /it holds the result of "pack"/],
  ["dedup --in packed --out x", /"pack" made tokens of its text/],
  ["dedup --in made --out x --threshold 80", /--threshold 80/],
  ["filter --in made --out x", /without --good/],
  ["filter --in made --good raw --out x", /Cannot read raw: no corpus\.json/],
  ["filter --in made --good blank --out x", /Cannot learn from blank: no text is in it/],
  ["check --in made --against nowhere --out x", /nowhere: no such file or folder/],
  ["check --in made --against none --out x", /Cannot check against none/],
  ["check --in made --against binary.tsv --out x", /binary\.tsv: it is not UTF-8/],
  ["check --in made --against other.jsonl,raw --out raw/x", /raw is read/],
  ["vocab --in packed --out v.txt", /"pack" made tokens of its text/],
  ["vocab --in made --out empty.txt", /empty\.txt: it is there/],
  ["vocab --in made --out empty.txt/v.txt", /Cannot write empty\.txt\/v\.txt/],
  ["synonyms --in made --out empty.txt", /empty\.txt: it is there/],
  ["pack --in made --vocab nowhere --out x", /vocabulary nowhere/],
  ["pack --in made --vocab vocab.txt --out x", /\[PAD\].* missing/],
  ["clena --in raw --out x", /did you mean clean\?/],
];

Deno.test("what data is given wrongly is refused in one line", async () => {
  const folder = await Deno.makeTempDir();
  const run = (words: string) => data(folder, ...words.split(" "));
  try {
    await writeFiles(folder);
    const good = [
      "clean --in raw --out made",
      "clean --in blank.txt --out blank",
      "vocab --in made --out made.vocab --size 300",
      "pack --in made --vocab made.vocab --out packed",
    ];
    for (const words of good) {
      const { code, error } = await run(words);
      assertEquals(code, 0, `${words}: ${error}`);
    }
    for (const [words, says] of wrong) {
      const { code, out, error } = await run(words);
      assertEquals([code, out], [2, ""], `${words}: ${error}`);
      const lines = error.split("\n").filter((line) =>
        /^Cannot/.test(line) || /^\s+at /.test(line)
      );
      assertEquals(lines.length, 1, `${words}: ${error}`);
      assertMatch(lines[0]!, says, words);
    }
    // What was refused is mended, and the same folder taken: nothing was in it.
    const mended = await run("clean --in number.jsonl --skip-bad --out x");
    assertEquals(mended.code, 0, mended.error);
    assert(mended.out.includes("bad lines skipped: 1"), mended.out);
    const doubles = await run("dedup --in made --out deduped --json");
    assertEquals(JSON.parse(doubles.out).rules.equal.dropped, 50);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
