/** The TF-IDF baseline learns what words give away, in texts and in pairs, and says on which split it was judged; floors are what they say. */
import { assertEquals } from "@std/assert";
import { basename, fromFileUrl } from "@std/path";
import { python } from "../../recipes/bench/peers/environment.ts";
import { skip } from "../skip.ts";
import { linesText, withFiles } from "./clue_fixtures.ts";

const [script, floors] = ["tfidf", "floors"].map((name) =>
  fromFileUrl(new URL(`../../recipes/clue/baselines/${name}.py`, import.meta.url))
) as [string, string];

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
  skip("the TF-IDF baseline and floors", "no python3-sklearn");
} else {
  /** Checks what it says of a folder with these files: floor by floor. */
  const judges = (
    files: Readonly<Record<string, string>>,
    wanted: Readonly<Record<string, unknown>>,
  ) =>
    withFiles(files, async (folder) => {
      const lines = (await said(floors, folder) ?? "").trim().split("\n");
      assertEquals(
        Object.fromEntries(lines.map((line) => {
          const { folder: _, floor, ...scores } = JSON.parse(line);
          return [floor, scores];
        })),
        wanted,
      );
    });

  Deno.test("floors: the most frequent class, and what a second text alone gives away", async () => {
    const line = (i: number, label: string, second: string) => ({
      ...{ id: i, label, sentence1: text(i, "山") },
      sentence2: text(i + 3, second),
    });
    const labels = ["yes", "no", "-", "no"], signs = ["好", "坏", "好", "坏"];
    const rows = (count: number): string =>
      linesText(Array.from({ length: count }, (_, i) => line(i, labels[i % 4]!, signs[i % 4]!)));
    await judges({ "train.json": rows(80), "dev.json": rows(40) }, {
      "most frequent class": { n: 30, accuracy: 66.67, macro_f1: 40 },
      "naive Bayes of the second text": { n: 30, accuracy: 100, macro_f1: 100 },
    });
  });

  Deno.test("floors: of CMRC the part of a sentence that is like the question, of C3 any choice and the likeliest", async () => {
    const qas = [{ id: "Q", question: "谁种了苹果树？", answers: [{ text: "张三种了苹果树" }] }, {
      ...{ id: "R", question: "树在哪里？", answers: [{ text: "在河边" }, { text: "河边" }] },
    }];
    const paragraphs = [{ id: "P", context: "昨天下雨。张三种了苹果树，树在小河边。", qas }];
    const text = JSON.stringify({ version: "v1.0", data: [{ paragraphs }] });
    await judges({ "train.json": text, "dev.json": text, "test.json": text }, {
      // "张三种了苹果树" is right; "树在小河边" has 2 of 5 characters in one stretch with "河边".
      "the part of a sentence most like the question": { n: 2, em: 50, f1: 78.57 },
    });
    const c3 = JSON.stringify([[["女：我买了苹果。", "男：好吃吗？"], [
      { question: "她买了什么？", choice: ["苹果", "香蕉"], answer: "苹果" },
      { question: "他问什么？", choice: ["买了", "贵吗", "重吗", "好吗"], answer: "好吗" },
    ], "1"]]);
    await judges({ "c3-d-dev.json": c3, "c3-m-dev.json": "[]" }, {
      "any choice": { n: 2, accuracy: 37.5 },
      "the choice most like the text": { n: 2, accuracy: 50 },
    });
  });

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
