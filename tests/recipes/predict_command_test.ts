/** `deno task predict`, as a user runs it. */
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { exists } from "@std/fs";
import { fromFileUrl, join } from "@std/path";
import { cpu } from "../../core/mod.ts";
import { embed } from "../../recipes/predict/embed.ts";
import { LONGEST_LINE, numberedLines } from "../../recipes/predict/numbered_lines.ts";
import { openPredictor } from "../../recipes/predict/open_predictor.ts";
import { inModels, vocabulary } from "./asked_models.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));
const characters = vocabulary.tokens.filter((token) => /^\p{Script=Han}$/u.test(token));
const text = (n: number): string =>
  Array.from(
    { length: 1 + (n * 37) % 60 },
    (_, i) => characters[(n * 7 + i * i) % characters.length],
  )
    .join("");

/** Runs the command of the task in `deno.json`, with its permissions alone. */
async function predict(
  folder: string,
  words: readonly string[],
  input = "",
): Promise<{ readonly code: number; readonly out: string; readonly error: string }> {
  const { tasks } = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  const flags = (tasks.predict as string).split(" ").slice(2, -1);
  const main = join(root, "recipes", "predict", "main.ts");
  const config = `--config=${join(root, "deno.json")}`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", config, ...flags, main, ...words, "--device", "cpu"],
    cwd: folder,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const read = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, out: read(stdout), error: read(stderr) };
}

const rows = (lines: string): readonly Readonly<Record<string, unknown>>[] =>
  lines.trimEnd().split("\n").map((line) => JSON.parse(line));

Deno.test("predict: a file's lines are answered in their order, more than are asked at once", () => {
  const device = cpu();
  return inModels(device, async ({ folder, run }) => {
    const texts = Array.from({ length: 1500 }, (_, n) => text(n));
    await Deno.writeTextFile(join(folder, "in.txt"), texts.join("\r\n"));
    const words = ["--model", "run", "--kind", "embed", "--in", "in.txt", "--out", "out.jsonl"];
    const { code, out, error } = await predict(folder, words);
    assertEquals([code, out], [0, ""], error);
    assertStringIncludes(error, "lines answered: 1500\n");
    const found = rows(await Deno.readTextFile(join(folder, "out.jsonl")));
    const tools = await openPredictor(run, device), expected = await embed(tools, texts);
    assertEquals(found.length, 1500);
    for (const [n, { embedding, ...rest }] of found.entries()) {
      assertEquals(rest, {});
      (embedding as readonly number[]).forEach((x, c) =>
        assertAlmostEquals(x, expected[n]![c]!, 1e-6)
      );
    }
    assert(!await exists(join(folder, "out.jsonl.part")));
  });
});

Deno.test("predict: bad lines are named by number, and leave nothing; with --skip-bad they keep their place", () =>
  inModels(cpu(), async ({ folder }) => {
    const lines = [
      '{"id":"a","query":"天","titles":["地","人"],"more":1}',
      '{"id":"b","query":"天"}',
      "{",
      `{"query":"天","titles":["${"天".repeat(600)}"]}`,
      '{"query":"\\ud800","titles":["地"]}',
      '{"id":"z","query":"天","titles":["地"]}',
    ].join("\n");
    const words = ["--model", "run", "--kind", "relevance", "--in", "-"];
    const bad = await predict(folder, [...words, "--out", "out.jsonl"], lines);
    assertEquals([bad.code, bad.out], [2, ""]);
    assertStringIncludes(
      bad.error,
      'Cannot read standard input: line 2: "titles" is not there; mend it, or go on after such lines with --skip-bad\n',
    );
    assertEquals((await Array.fromAsync(Deno.readDir(folder))).length, 2);
    const skipped = await predict(folder, [...words, "--skip-bad"], lines);
    assertEquals(skipped.code, 0, skipped.error);
    assertStringIncludes(skipped.error, "lines answered: 6, by an error: 4\n");
    const [first, second, third, fourth, fifth, last] = rows(skipped.out);
    assertEquals((first!.scores as unknown[]).length, 2);
    assertEquals([first!.id, last!.id], ["a", "z"]);
    assertEquals(second, { id: "b", error: '"titles" is not there' });
    assertStringIncludes(third!.error as string, "it is no JSON");
    assertStringIncludes(fourth!.error as string, "titles[0]: it has 604 tokens");
    assertStringIncludes(fifth!.error as string, "half a character");
    // The first title of the first line is the title of the last one.
    assertAlmostEquals((first!.scores as number[])[0]!, (last!.scores as number[])[0]!, 1e-5);
    const one = '{"text":"天","pair":"地"}\n';
    const asks = ["--model", "pairs", "--kind", "classify", "--in", "-"];
    const classes = await predict(folder, asks, one);
    assertEquals(Object.keys(rows(classes.out)[0]!), ["label", "probabilities"], classes.error);
  }));

Deno.test("predict: a wrong call is one line and code 2", () =>
  inModels(cpu(), async ({ folder }) => {
    await Deno.writeTextFile(join(folder, "in.txt"), "天\n");
    await Deno.writeTextFile(join(folder, "empty.txt"), "");
    const own = ["--model", "run", "--kind"];
    await Deno.writeTextFile(join(folder, "in.json"), "天\n");
    const cases: readonly (readonly [words: readonly string[], why: string])[] = [
      [[...own, "embed", "--in", "in.json"], "Cannot read in.json: line 1: it is no JSON"],
      [
        ["--model", "none", "--kind", "embed", "--in", "in.txt"],
        "Cannot start from none: there is no such folder",
      ],
      [
        ["--model", "in.txt", "--kind", "embed", "--in", "in.txt"],
        "Cannot start from in.txt: it is a file; pass the folder of a model",
      ],
      [["--kind", "embed", "--in", "in.txt"], "Cannot predict without --model"],
      [[...own, "embed", "--in", "none.txt", "--out", "o"], "Cannot read none.txt: "],
      [
        [...own, "embed", "--in", "run", "--out", "o"],
        "Cannot read run: it is a folder; pass another",
      ],
      [[...own, "embed", "--in", "empty.txt", "--out", "o"], "no line is in it"],
      [[...own, "classify", "--in", "in.txt"], "Cannot ask run for classify: it knows no classes"],
      [[...own, "relevance", "--in", "in.txt"], "in a .jsonl file"],
      [[...own, "embed", "--in", "in.txt", "--out", "no/o"], "Cannot write no/o: "],
    ];
    const ended = await Promise.all(cases.map(([words]) => predict(folder, words)));
    for (const [i, { code, out, error }] of ended.entries()) {
      assertEquals([code, out], [2, ""], error);
      assertStringIncludes(error, cases[i]![1]);
    }
    assert(!await exists(join(folder, "o")) && !await exists(join(folder, "o.part")));
  }));

Deno.test("predict: lines are numbered however they come, and one without an end is not kept", async () => {
  const read = async (...pieces: readonly string[]) =>
    await Array.fromAsync(
      numberedLines((async function* () {
        yield* pieces;
      })()),
      ({ number, text }) => [number, text],
    );
  assertEquals(await read("a\r\nb", "c\n", "\n", "d"), [[1, "a"], [2, "bc"], [3, ""], [4, "d"]]);
  assertEquals(await read("a\n"), [[1, "a"]]);
  assertEquals(await read(), []);
  const long = "x".repeat(LONGEST_LINE / 2 + 1);
  assertEquals(await read(long, long, long, "\nb\n", long), [[1, undefined], [2, "b"], [3, long]]);
});
