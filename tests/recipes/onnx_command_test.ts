/**
 * `deno task export` as a user calls it, and the examples of its README.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { join } from "@std/path";
import { cpu } from "../../core/mod.ts";
import { init } from "../../nn/mod.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { exportOptions } from "../../recipes/onnx/options.ts";
import { configurations, type PretrainConfig } from "../../recipes/pretrain/config.ts";
import { modelSpec } from "../../recipes/pretrain/model.ts";
import { saveCheckpoint } from "../../recipes/run/checkpoint.ts";
import { saveRun } from "../../recipes/run/run_folder.ts";
import { SPECIAL_TOKENS, vocabularyOf } from "../../recipes/text/vocabulary.ts";
import { inFolder } from "../in_folder.ts";
import { skip } from "../skip.ts";
import { runtimes } from "./onnx_runtime.ts";
import { type Ended, runRecipe } from "./recipe_command.ts";

const text = "床前明月光疑是地上霜举头望明月低头思故乡白日依山尽黄河入海流欲穷千里目更上一层楼";
const vocabulary = vocabularyOf([...SPECIAL_TOKENS, ...new Set(text)]);
const { native } = runtimes;

/** A folder with a run that has learnt nothing. */
function inRuns<T>(
  use: (call: (...words: string[]) => Promise<Ended>, folder: string) => Promise<T>,
  own: Partial<PretrainConfig["model"]> = {},
): Promise<T> {
  const tiny = configurations["motian-tiny"]!;
  const model = { ...tiny.model, width: 32, hidden: 128, std: 0.3, ...own };
  return inFolder(async (folder) => {
    const run = join(folder, "run"), device = cpu();
    await Deno.mkdir(run);
    await saveRun(run, { ...tiny, model }, vocabulary);
    const params = init(2, modelSpec(model, vocabulary.tokens.length), device);
    await saveCheckpoint(run, { step: 3, model: params, optimizer: {} });
    device.destroy();
    return await use((...words) => runRecipe("onnx", folder, words), folder);
  }, { "poem.txt": `${text.slice(0, 20)}\n\n${text.slice(20)}\n`, "empty.txt": "\n \n" });
}

Deno.test("export writes a file, and one with weights in one byte that says what it costs", () =>
  inRuns(async (call, folder) => {
    const exact = await call("--model", "run", "--out", "a.onnx", "--json");
    assertEquals([exact.code, exact.error], [0, ""]);
    const { bytes, inputs, output, opset, length } = JSON.parse(exact.out);
    assertEquals({ inputs, output, opset, length }, {
      inputs: ["input_ids", "attention_mask"],
      output: "logits",
      opset: 17,
      length: 512,
    });
    assertEquals((await Deno.stat(join(folder, "a.onnx"))).size, bytes);

    const words = ["--model", "run", "--out", "b.onnx", "--int8", "--text", "poem.txt"];
    const { code, out, error } = await call(...words, "--json");
    assertEquals([code, error], [0, ""]);
    const small = JSON.parse(out);
    assertEquals(small.f32_bytes, bytes);
    assertLess(small.bytes, 0.6 * bytes);
    assertEquals(small.costs.map((cost: { on: string }) => cost.on), ["random tokens", "poem.txt"]);
    for (const { largest, of, cosine, agree } of small.costs) {
      assertGreater(largest, 1e-4);
      assertLess(largest, 0.1 * of);
      assert(cosine > 0.99 && cosine < 1 && agree > 0.8 && agree <= 1, `${cosine}, ${agree}`);
    }
    const told = await call(...words, "--head", "embedding");
    assertEquals(told.code, 0, told.error);
    const lines = told.out.trimEnd().split("\n");
    assertMatch(lines[0]!, /^b\.onnx: .* to sentence_embedding \[batch, 32\], .* opset 17, .* MB$/);
    assertMatch(lines[1]!, /^weights in one byte: 0\.\d+ of .* MB$/);
    assertMatch(lines[3]!, /^on poem\.txt: differs by .* at most.*the smallest cosine is 0\.99/);
  }));

Deno.test("export refuses what it cannot do in one line, and leaves nothing behind", () =>
  inRuns(async (call, folder) => {
    const wrong: readonly (readonly [words: readonly string[], message: RegExp])[] = [
      [["--model", "none", "--out", "a.onnx"], /^Cannot start from none: /],
      [["--model", "run", "--out", "a.onnx", "--head", "relevance"], /learnt from no clicks/],
      [["--model", "run", "--out", "a.onnx", "--length", "65"], /"absolute" has 64 positions/],
      [
        ["--model", "run", "--out", "a.onnx", "--int8", "--text", "no.txt"],
        /no\.txt: no such file/,
      ],
      [["--model", "run", "--out", "a.onnx", "--int8", "--text", "empty.txt"], /it has no text/],
      [["--model", "run", "--out", "none/a.onnx"], /^Cannot write none\/a\.onnx: /],
      [["--model", "run", "--out", "run"], /^Cannot write run: /],
    ];
    const before = Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
    const ended = await Promise.all(wrong.map(([words]) => call(...words)));
    wrong.forEach(([words, message], i) => {
      const { code, out, error } = ended[i]!;
      assertEquals([code, out, error.split("\n").length], [2, "", 2], `${words}: ${error}`);
      assertMatch(error.trimEnd(), message);
    });
    assertEquals(Array.from(Deno.readDirSync(folder), ({ name }) => name).sort(), before);
  }, { scheme: "absolute", maxLength: 64 }));

Deno.test("export refuses calls that mean nothing", () => {
  const wrong: readonly (readonly [words: readonly string[], message: string])[] = [
    [["--out", "a.onnx"], "Cannot export without --model; see --help"],
    [["--model", "run"], "Cannot export without --out; see --help"],
    [["--model", "run", "--out", "a.onnx", "--head", "x"], "--head"],
    [["--model", "run", "--out", "a.onnx", "--length", "15"], "--length"],
    [["--model", "run", "--out", "a.onnx", "--text", "poem.txt"], "without --int8"],
  ];
  for (const [words, message] of wrong) {
    assertThrows(() => exportOptions(words), InputError, message);
  }
});

if (typeof native === "string") skip("onnxruntime-node", native);
else {
  Deno.test("the examples of the README run", () =>
    inRuns(async (call, folder) => {
      for (const head of ["mlm", "embedding"]) {
        const { code, error } = await call(
          ...["--model", "run", "--out", `${head}.onnx`, "--head", head, "--int8"],
        );
        assertEquals(code, 0, error);
      }
      await Deno.copyFile(join(folder, "run", "vocab.txt"), join(folder, "vocab.txt"));
      const path = new URL("../../recipes/onnx/README.md", import.meta.url);
      const blocks = (await Deno.readTextFile(path)).matchAll(/```js ignore\n([^]*?)```/g);
      const examples = Array.from(blocks, ([, code]) => code!);
      assertEquals(examples.length, 2);
      for (const [i, code] of examples.entries()) {
        const name = join(folder, `example_${i}.mjs`);
        const shim = "const fetch = (path) => ({ text: () => Deno.readTextFile(path) });\n";
        const pinned = code.replace(/"(onnxruntime-\w+)"/, '"npm:$1@1.24.3"');
        await Deno.writeTextFile(name, shim + pinned);
        const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
          args: ["run", "--quiet", "--no-lock", "--allow-all", name],
          cwd: folder,
          env: { NO_COLOR: "1" },
        }).output();
        assert(success, new TextDecoder().decode(stderr));
        assertStringIncludes(new TextDecoder().decode(stdout), i === 0 ? "床" : "0.");
      }
    }));
}
