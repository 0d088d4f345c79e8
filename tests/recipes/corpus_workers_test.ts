/** Every reader, and every step of `deno task data` after it: the same files, byte by byte, for any number of workers. */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { cpu } from "../../core/mod.ts";
import { check } from "../../recipes/corpus/check.ts";
import { clean } from "../../recipes/corpus/clean.ts";
import { dedup } from "../../recipes/corpus/dedup.ts";
import { filter } from "../../recipes/corpus/filter.ts";
import { pack } from "../../recipes/corpus/pack.ts";
import { shardTexts } from "../../recipes/corpus/shards.ts";
import type { StageOptions } from "../../recipes/corpus/stage.ts";
import { vocabulary } from "../../recipes/corpus/vocabulary.ts";
import { mineSynonyms } from "../../recipes/synonyms/mine.ts";
import { readVocabulary } from "../../recipes/text/read_vocabulary.ts";
import { contents } from "./data_command.ts";
import { sentence } from "./made_text.ts";
import { inFolder } from "../in_folder.ts";

const encoder = new TextEncoder();
const lines = (texts: readonly string[]): string => texts.join("\n");
const json = (texts: readonly string[]): string =>
  lines(texts.map((text, id) => JSON.stringify({ id, text })));
const plain = (text: string): Uint8Array => encoder.encode(text);
const gz = (text: string): Uint8Array => gzipSync(text);
const zst = (text: string): Uint8Array => zstdCompressSync(text);

/** Names of files, and how documents get into them. */
const readers: Readonly<Record<string, (texts: readonly string[]) => Uint8Array>> = {
  "a.txt": (texts) => plain(lines(texts)),
  "b.txt": (texts) => plain(texts.join("\n\n")),
  "c.jsonl": (texts) => plain(json(texts)),
  "d.txt.gz": (texts) => gz(lines(texts)),
  "e.jsonl.gz": (texts) => gz(json(texts)),
  "f.txt.zst": (texts) => zst(lines(texts)),
  "g.jsonl.zst": (texts) => zst(json(texts)),
};

const view = { show() {}, note() {}, [Symbol.dispose]() {} };
/** Units: bytes. */
const BLOCK = 12_000;

Deno.test("every reader gives the same documents, in order, for any number of workers", () =>
  inFolder(async (folder) => {
    const texts = Array.from({ length: 300 }, (_, i) => sentence(i, 40 + i % 31));
    for (const [name, write] of Object.entries(readers)) {
      const path = join(folder, name);
      await Deno.writeFile(path, write(texts));
      for (const workers of [1, 3]) {
        const out = join(folder, `${name}-${workers}`);
        const sources = [{ name, path, weight: 1 }];
        const given = { out, workers, view, interrupt: { requested: false } };
        await clean({ ...given, sources, skipBad: false, block: BLOCK });
        const shards = Object.keys(await contents(out)).filter((file) => /^\d+\.jsonl$/.test(file));
        assert(shards.length > 2, `${name}: ${shards}`);
        const found = await Promise.all(shards.map((_, i) => shardTexts(out, i)));
        assertEquals(found.flat(), texts, `${name}, ${workers} workers`);
      }
    }
  }));

Deno.test("any number of workers gives the same result of every step, byte by byte", () =>
  inFolder(async (folder) => {
    // A source of each reader; some documents are in two of them, some nearly.
    for (const [n, [name, write]] of Object.entries(readers).entries()) {
      const texts = Array.from({ length: 130 }, (_, i) => {
        const seed = 100 * n + i, text = sentence(seed, 40 + seed % 31);
        return i % 40 === 7 ? `${text.slice(0, -2)}也好。` : text;
      });
      await Deno.writeFile(join(folder, name), write(texts));
    }
    const sources = Object.keys(readers).map((name, n) => ({
      name,
      path: join(folder, name),
      weight: 1 + n % 2,
    }));
    await Deno.writeTextFile(
      join(folder, "eval.txt"),
      lines(Array.from({ length: 30 }, (_, i) => sentence(i, 40 + i))),
    );
    const device = cpu();
    const made = async (workers: number): Promise<readonly (readonly [string, unknown])[]> => {
      const top = join(folder, `${workers}`), all: [string, unknown][] = [];
      const step = async (
        name: string,
        run: (options: StageOptions) => Promise<unknown>,
      ): Promise<string> => {
        const out = join(top, name);
        const report = await run({ out, workers, view, interrupt: { requested: false } });
        const isFile = (await Deno.stat(out)).isFile;
        all.push([name, [report, isFile ? await Deno.readTextFile(out) : await contents(out)]]);
        return out;
      };
      const cleaned = await step(
        "clean",
        (o) => clean({ ...o, sources, skipBad: false, block: BLOCK }),
      );
      const single = await step(
        "dedup",
        (o) => dedup({ ...o, in: cleaned, threshold: 0.8, shortest: 20 }),
      );
      const good = await step(
        "filter",
        (o) => filter({ ...o, in: single, good: cleaned, keep: ["head", "middle"] }),
      );
      const checked = await step(
        "check",
        (o) => check({ ...o, in: good, against: [join(folder, "eval.txt")] }),
      );
      const vocab = await step("vocab.txt", (o) => vocabulary({ ...o, in: checked, size: 3000 }));
      const read = await readVocabulary(vocab);
      await step("pack", (o) => pack({ ...o, in: checked, vocabulary: read, heldOut: 0.05 }));
      await step(
        "synonyms.txt",
        (o) => mineSynonyms({ ...o, in: checked, device, steps: 3, antonyms: new Map() }),
      );
      return all;
    };
    const [one, three] = [await made(1), await made(3)];
    assertEquals(three.map(([name]) => name), one.map(([name]) => name));
    for (const [i, [name, result]] of one.entries()) assertEquals(three[i]![1], result, name);
    // Each step had something to do.
    const reports = new Map(one.map(([name, result]) => [name, (result as [{ kept: number }])[0]]));
    const kept = ["clean", "dedup", "filter", "check"].map((name) => reports.get(name)!.kept);
    kept.slice(1).forEach((n, i) => assert(n < kept[i]!, `${kept}`));
    device.destroy();
  }));
