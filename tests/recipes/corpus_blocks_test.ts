/** Raw files to blocks and documents: nothing lost, nothing cut, whatever the pieces that a file comes in. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { type Block, blocksOf, layoutOf, linesBefore } from "../../recipes/corpus/blocks.ts";
import { documentsOf } from "../../recipes/corpus/documents_of.ts";
import { sourceFiles, sourcesOf } from "../../recipes/corpus/sources.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { inFolder } from "../in_folder.ts";
import { fc } from "../property.ts";

const encoder = new TextEncoder(), decoder = new TextDecoder("utf-8", { fatal: true });

function blocks(path: string, size: number): Promise<readonly Block[]> {
  return Array.fromAsync(blocksOf([{ source: "s", path, bytes: 0, changed: 0 }], size));
}

const piece = fc.constantFrom("甲乙", "\n", "\n\n", "abc", "　", " \n", "很长的一行文字");
const texts = fc.array(piece, { minLength: 1, maxLength: 60 }).map((parts) => parts.join(""));

Deno.test("blocks are the file in order, and hold the documents that the whole file has", async () => {
  await inFolder((folder) =>
    fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 8, max: 200 }), async (text, size) => {
        const path = `${folder}/a.txt`, bytes = encoder.encode(text);
        await Deno.writeFile(path, bytes);
        const found = await blocks(path, size);
        assertEquals(found.map(({ bytes }) => decoder.decode(bytes)).join(""), text);
        const nonBlank = (b: Pick<Block, "bytes" | "layout">): readonly string[] =>
          documentsOf(b).texts.map((t) => t.replace(/\s+/g, " ").trim()).filter((t) => t !== "");
        const layout = layoutOf(path, bytes);
        const longest = Math.max(...text.split(/\n\s*\n/).map((t) => encoder.encode(t).length));
        if (layout === "lines" || longest < 7 * size) {
          assertEquals(found.flatMap(nonBlank), nonBlank({ bytes, layout }), JSON.stringify(text));
        }
        for (const { index, at } of found) {
          const before = found.slice(0, index).reduce((sum, { bytes }) => sum + bytes.length, 0);
          assertEquals(at, before);
          assertEquals(
            await linesBefore(path, at),
            text.slice(0, decoder.decode(bytes.subarray(0, at)).length).split("\n").length - 1,
          );
        }
      }),
      { numRuns: 60 },
    )
  );
});

Deno.test("a file gives the same blocks packed and plain", async () => {
  await inFolder(async (folder) => {
    const text = Array.from({ length: 20_000 }, (_, i) => `第${i}行，有${i % 97}个字。`).join("\n");
    await Deno.writeTextFile(`${folder}/a.txt`, text);
    await Deno.writeFile(`${folder}/a.txt.gz`, gzipSync(text));
    await Deno.writeFile(`${folder}/a.txt.zst`, zstdCompressSync(text));
    const plain = await blocks(`${folder}/a.txt`, 100_000);
    assert(plain.length > 4);
    for (const kind of ["gz", "zst"]) {
      const packed = await blocks(`${folder}/a.txt.${kind}`, 100_000);
      assertEquals(packed.map(({ bytes }) => bytes), plain.map(({ bytes }) => bytes), kind);
    }
    await Deno.writeFile(`${folder}/b.txt.gz`, gzipSync(text).subarray(0, 5000));
    await assertRejects(() => blocks(`${folder}/b.txt.gz`, 1000), InputError, "broken or cut off");
  });
});

Deno.test("a line without an end is cut between characters", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/a.txt`, text = "没有尽头".repeat(3000);
    await Deno.writeTextFile(path, text);
    const found = await blocks(path, 1000);
    assert(found.length > 20);
    assertEquals(found.map(({ bytes }) => decoder.decode(bytes)).join(""), text);
  });
});

Deno.test("documentsOf says which lines are none", () => {
  const bytes = new Uint8Array([
    ...encoder.encode('{"text": "甲"}\n'),
    0xff,
    10,
    ...encoder.encode('{"no": 1}\n[\n\n{"text": "乙\u2028丙"}'),
  ]);
  const { texts, bad } = documentsOf({ bytes, layout: "json" });
  assertEquals(texts, ["甲", "乙\u2028丙"]);
  assertEquals(bad.map(({ line }) => line), [1, 2, 3]);
});

Deno.test("sources are files, folders or a list; what is wrong with a list is said", async () => {
  await inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/news/.hidden`, { recursive: true });
    for (const name of ["b.txt", "a.jsonl.gz", "c.pdf", ".hidden/d.txt"]) {
      await Deno.writeTextFile(`${folder}/news/${name}`, "x");
    }
    const list = `${folder}/list.json`;
    const write = (value: unknown): Promise<void> =>
      Deno.writeTextFile(list, JSON.stringify(value));
    await write([{ name: "news", path: `${folder}/news`, weight: 2 }]);
    const [source] = await sourcesOf(list);
    assertEquals(source, { name: "news", path: `${folder}/news`, weight: 2 });
    const files = await sourceFiles([source!]);
    assertEquals(files.map(({ path }) => path.slice(folder.length)), [
      "/news/a.jsonl.gz",
      "/news/b.txt",
    ]);
    const wrong: readonly (readonly [unknown, string])[] = [
      [{}, "it must be a list"],
      [[{ path: "x" }], "[0].name"],
      [[{ name: "a", path: "x", weight: -1 }], "[0].weight"],
      [[{ name: "a", path: "x" }, { name: "a", path: "y" }], 'two sources are called "a"'],
    ];
    for (const [value, why] of wrong) {
      await write(value);
      await assertRejects(() => sourcesOf(list), InputError, why);
    }
    await assertRejects(() => sourcesOf(`${folder}/no.json`), InputError, "no such file");
    await Deno.mkdir(`${folder}/empty`);
    const empty = [{ name: "e", path: `${folder}/empty`, weight: 1 }];
    await assertRejects(() => sourceFiles(empty), InputError, "no text in it");
  });
});
