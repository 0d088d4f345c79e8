/** The TF-IDF baseline learns what words give away, in texts and in pairs, and says on which split it was judged. */
import { assertEquals } from "@std/assert";
import { basename, fromFileUrl } from "@std/path";
import { python } from "../../recipes/bench/peers/environment.ts";
import { skip } from "../skip.ts";
import { linesText, withFiles } from "./clue_fixtures.ts";

const script = fromFileUrl(new URL("../../recipes/clue/baselines/tfidf.py", import.meta.url));

/** What a call of Python prints; undefined where it fails. */
async function said(...args: readonly string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(python, { args: [...args], stderr: "null" })
      .output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const characters = [..."天地玄黄宇宙洪荒日月"];
const text = (i: number, sign: string): string =>
  characters[i % 10]! + sign + characters[i * 7 % 10]! + characters[(i >> 3) % 10]!;

/** Texts with one of two signs; pairs of texts with the same sign or not. */
const texts = (count: number) =>
  Array.from(
    { length: count },
    (_, i) => ({ label: `${i % 2}`, sentence: text(i, "好坏"[i % 2]!) }),
  );
const pairs = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    ...{ label: i % 2, query: text(i, "山水"[(i >> 1) % 2]!) },
    title: text(i + 3, "山水"[((i >> 1) + i) % 2]!),
  }));

if (await said("-c", "import sklearn") === undefined) {
  skip("the TF-IDF baseline", "no python3-sklearn");
} else {
  for (
    const [about, lines, metric] of [["texts", texts, "accuracy"], [
      "pairs",
      pairs,
      "macro_f1",
    ]] as const
  ) {
    Deno.test(`the TF-IDF baseline learns ${about} that one character decides`, () => {
      const files = { "train.json": linesText(lines(120)), "dev.json": linesText(lines(40)) };
      const judged = async (folder: string): Promise<Readonly<Record<string, unknown>>> =>
        JSON.parse(await said(script, folder, metric) ?? "null");
      return withFiles({ ...files, "test.json": linesText(lines(30)) }, async (folder) => {
        const about = { folder: basename(folder), train: 120, accuracy: 100, macro_f1: 100 };
        const { C: _, weight: __, ...found } = await judged(folder);
        assertEquals(found, { ...about, split: "test", n: 30 });
        await Deno.writeTextFile(`${folder}/test.json`, '{"id":0,"sentence":"天"}\n');
        const { C: ___, weight: ____, ...onDev } = await judged(folder);
        assertEquals(onDev, { ...about, split: "dev", n: 40 });
      });
    });
  }
}
