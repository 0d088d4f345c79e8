/** The steps of `deno task data`: the same result for any number of workers, and after any interruption. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { check } from "../../recipes/corpus/check.ts";
import { clean } from "../../recipes/corpus/clean.ts";
import { dedup } from "../../recipes/corpus/dedup.ts";
import { filter } from "../../recipes/corpus/filter.ts";
import { shardTexts, wholeCorpus } from "../../recipes/corpus/shards.ts";
import type { StageOptions } from "../../recipes/corpus/stage.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { contents } from "./data_command.ts";
import { characters, sentence } from "./made_text.ts";
import { inFolder } from "../in_folder.ts";

const view = { show() {}, note() {}, [Symbol.dispose]() {} };

const stage = (out: string, workers = 2): StageOptions => ({
  out,
  workers,
  view,
  interrupt: { requested: false },
});

async function writeRaw(folder: string): Promise<string> {
  const path = join(folder, "raw.txt");
  const lines = Array.from({ length: 600 }, (_, i) => sentence(i % 550, 40 + i % 37));
  lines.splice(100, 0, "wwＷ．some bo ok.net/小*说", "not Chinese at all", "联系 13812345678");
  await Deno.writeTextFile(path, lines.join("\n"));
  return path;
}

const source = (path: string) => [{ name: "raw", path, weight: 1 }];

Deno.test("any number of workers gives the same corpus, byte by byte", async () => {
  await inFolder(async (folder) => {
    const sources = source(await writeRaw(folder)), results: Record<string, string>[] = [];
    for (const workers of [1, 3]) {
      const [a, b] = [join(folder, `a${workers}`), join(folder, `b${workers}`)];
      await clean({ ...stage(a, workers), sources, skipBad: false, block: 10_000 });
      await dedup({ ...stage(b, workers), in: a, threshold: 0.8, shortest: 20 });
      results.push(await contents(a), await contents(b));
    }
    assert(Object.keys(results[0]!).length > 12);
    assertEquals(results[2], results[0]);
    assertEquals(results[3], results[1]);
  });
});

Deno.test("an interrupted step goes on where it was, and ends as if nothing had happened", async () => {
  await inFolder(async (folder) => {
    const sources = source(await writeRaw(folder)), whole = join(folder, "whole");
    const settings = { sources, skipBad: false, block: 10_000 };
    await clean({ ...stage(whole), ...settings });
    const parts = join(folder, "parts");
    let runs = 0;
    for (let done = false; !done; runs++) {
      let left = 2 + 4 * runs;
      const interrupt = {
        get requested(): boolean {
          return left-- === 0;
        },
      };
      done = await clean({ ...stage(parts), ...settings, interrupt }) !== undefined;
      if (!done) {
        await assertRejects(() => wholeCorpus(parts), InputError, "did not come to its end");
      }
      // What a kill leaves behind: a file under its first name, a shard that does not say what it is.
      if (!done) await Deno.writeTextFile(join(parts, "000000.jsonl.part"), "half");
    }
    assert(runs > 2, String(runs));
    await Deno.remove(join(parts, "000000.jsonl.part")).catch(() => {});
    assertEquals(await contents(parts), await contents(whole));
  });
});

Deno.test("a step refuses another's folder, and one made from other input", async () => {
  await inFolder(async (folder) => {
    const path = await writeRaw(folder), a = join(folder, "a"), b = join(folder, "b");
    const settings = { skipBad: false, block: 10_000 };
    await clean({ ...stage(a), sources: source(path), ...settings });
    await dedup({ ...stage(b), in: a, threshold: 0.8, shortest: 20 });
    const other = { ...stage(b), in: a, threshold: 0.7, shortest: 20 };
    await assertRejects(() => dedup(other), InputError, "other input or settings");
    await assertRejects(
      () => clean({ ...stage(folder), sources: source(path), ...settings }),
      InputError,
      "give an --out apart from it",
    );
    const used = join(folder, "used");
    await Deno.mkdir(used);
    await Deno.writeTextFile(join(used, "notes.txt"), "mine");
    await assertRejects(
      () => clean({ ...stage(used), sources: source(path), ...settings }),
      InputError,
      "notes.txt is in it",
    );
    // A step that was killed at once leaves no more than this.
    const begun = join(folder, "begun");
    await Deno.mkdir(begun);
    await Deno.writeTextFile(join(begun, "corpus.json.part"), "{");
    assert(await clean({ ...stage(begun), sources: source(path), ...settings }));
    assertEquals(await contents(begun), await contents(a));
    await assertRejects(() => wholeCorpus(folder), InputError, "no corpus.json");
    // Of the same size, but written since.
    await Deno.utime(path, new Date(), new Date(Date.now() + 5000));
    const changed = clean({ ...stage(a), sources: source(path), ...settings });
    await assertRejects(() => changed, InputError, "other input or settings");
    await Deno.remove(join(a, "000001.jsonl"));
    const broken = dedup({ ...stage(join(folder, "c")), in: a, threshold: 1, shortest: 20 });
    await assertRejects(() => broken, InputError, `make ${a} again`);
  });
});

Deno.test("clean names the line that is no document, or counts it", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "a.jsonl");
    const lines = Array.from({ length: 300 }, (_, i) => JSON.stringify({ text: sentence(i, 30) }));
    lines[222] = "{oops";
    await Deno.writeTextFile(path, lines.join("\n"));
    const sources = source(path);
    await assertRejects(
      () => clean({ ...stage(join(folder, "x")), sources, skipBad: false, block: 4000 }),
      InputError,
      "line 223: it is no JSON",
    );
    const report = await clean({
      ...stage(join(folder, "y")),
      sources,
      skipBad: true,
      block: 4000,
    });
    assertEquals([report!.sources![0]!.bad, report!.kept], [1, 299]);
  });
});

Deno.test("equal documents stay once, near ones once, and the longest of those", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "a.txt"), [one, two] = [sentence(1, 200), sentence(2, 200)];
    const near = `${one.slice(0, -1)}再加几个字。`;
    await Deno.writeTextFile(path, [one, two, one, near, two.slice(0, 100)].join("\n"));
    const a = join(folder, "a"), b = join(folder, "b");
    await clean({ ...stage(a), sources: source(path), skipBad: false });
    const report = await dedup({ ...stage(b), in: a, threshold: 0.8, shortest: 20 });
    assertEquals([report!.rules.equal!.dropped, report!.rules["nearly equal"]!.dropped], [1, 1]);
    assertEquals(await shardTexts(b, 0), [two, near, two.slice(0, 100)]);
  });
});

Deno.test("filter keeps what is most like the good text", async () => {
  await inFolder(async (folder) => {
    const good = join(folder, "good.txt"), mixed = join(folder, "mixed.txt");
    const plain = (i: number): string => sentence(i, 60);
    const odd = (i: number): string =>
      sentence(i, 60).replace(/\p{L}/gu, (c) => characters[2000 + c.codePointAt(0)! % 3000]!);
    await Deno.writeTextFile(good, Array.from({ length: 400 }, (_, i) => plain(i)).join("\n"));
    const lines = Array.from({ length: 90 }, (_, i) => i % 3 === 2 ? odd(i) : plain(500 + i));
    await Deno.writeTextFile(mixed, lines.join("\n"));
    const [g, m, out] = ["g", "m", "f"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await clean({ ...stage(g), sources: source(good), skipBad: false });
    await clean({ ...stage(m), sources: source(mixed), skipBad: false });
    const report = await filter({ ...stage(out), in: m, good: g, keep: ["head", "middle"] });
    assertEquals(await shardTexts(out, 0), lines.filter((_, i) => i % 3 !== 2));
    assertEquals(report!.rules.tail!.dropped, 30);
    assert(report!.bounds![0] < report!.bounds![1]);
  });
});

Deno.test("check leaves out what an evaluation set says", async () => {
  await inFolder(async (folder) => {
    const long = sentence(7, 80), query = "怎么还信用卡", raw = join(folder, "raw.txt");
    const lines = [
      `前言。${long.slice(20, 50)}后记。`,
      `有人问。${query}？没有人答。`,
      `有人问${query}的事，没有人答，这不是整句。`,
      sentence(8, 80),
      "好的好的好",
      "他说，没有。这家的面条很好吃，汤也好喝。真的。",
      `${sentence(11, 60)}真的。`,
      "从前有座山呢。山上有座庙。",
    ];
    await Deno.writeTextFile(raw, lines.join("\n"));
    await Deno.writeTextFile(
      join(folder, "dev.json"),
      JSON.stringify({ passage: long }) + "\n" + JSON.stringify({ passage: "他说" }),
    );
    await Deno.writeTextFile(join(folder, "pairs.tsv"), `${query}？\t0\n好的好的好\t1`);
    await Deno.writeTextFile(
      join(folder, "list.csv"),
      `id,text\n7,"这家的面条很好吃，汤也好喝"\n8,没有`,
    );
    await Deno.writeTextFile(
      join(folder, "odd.json"),
      `{'passage': '${sentence(11, 60)}'}`,
    );
    const a = join(folder, "a"), b = join(folder, "b");
    await clean({ ...stage(a), sources: source(raw), skipBad: false });
    await Deno.mkdir(join(folder, "set", "part"), { recursive: true });
    await Deno.writeTextFile(
      join(folder, "set", "part", "dev.json"),
      JSON.stringify("从前有座山呢"),
    );
    const against = [
      join(folder, "dev.json"),
      join(folder, "pairs.tsv"),
      join(folder, "list.csv"),
      join(folder, "odd.json"),
      join(folder, "set"),
    ];
    const notes: string[] = [], noting = { ...view, note: (line: string) => void notes.push(line) };
    const report = await check({ ...stage(b), view: noting, in: a, against });
    assertEquals(notes, [`${against[3]}: line 1 is no JSON: its lines are read as text`]);
    assertEquals(await shardTexts(b, 0), lines.slice(2, 4));
    assertEquals(
      Object.fromEntries(Object.entries(report!.rules).map(([k, v]) => [k, v.dropped])),
      {
        "dev.json, 13 in a row": 1,
        "pairs.tsv, a sentence": 2,
        "list.csv, a sentence": 1,
        "odd.json, 13 in a row": 1,
        "set/part/dev.json, a sentence": 1,
      },
    );
  });
});
