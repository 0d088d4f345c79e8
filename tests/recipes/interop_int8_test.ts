/** Weights in one byte, in runs, folders of Hugging Face's layout and fine-tuned models: written, and read wherever weights are. */
import { assert, assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import {
  type AnyTensor,
  cpu,
  fromArray,
  mapTree,
  paths,
  read,
  readSafetensors,
  SafetensorsError,
  sizesOf,
  type Tensor,
  type Tree,
} from "../../core/mod.ts";
import { type StoredTensor, writeStored } from "../../core/io/safetensors.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { crf } from "../../recipes/clue/heads/crf.ts";
import { startOf } from "../../recipes/clue/task_model.ts";
import { layoutFor } from "../../recipes/interop/model_config.ts";
import {
  type WholeModel,
  writeHuggingFace,
  writeRun,
} from "../../recipes/interop/write_folders.ts";
import type { Model } from "../../recipes/pretrain/model.ts";
import { openModel } from "../../recipes/pretrain/open_model.ts";
import { classify } from "../../recipes/predict/classify.ts";
import { embed } from "../../recipes/predict/embed.ts";
import { openPredictor } from "../../recipes/predict/open_predictor.ts";
import { openWeights } from "../../recipes/run/weights_file.ts";
import { inFolder } from "../in_folder.ts";
import { savedTaskOf } from "./asked_models.ts";
import { bert, randomModel } from "./interop_model.ts";
import { runTask } from "./recipe_command.ts";

/** Wide enough that most weights are in matrices. */
const wide = { width: 96, heads: 3, hidden: 256 };
const leaves = (model: Model) => paths(model as Tree<AnyTensor>);

/** The largest difference of each parameter, as a share of its largest number. */
async function shares(a: Model, b: Model): Promise<ReadonlyMap<string, number>> {
  const other = new Map(leaves(b)), found = new Map<string, number>();
  for (const [path, x] of leaves(a)) {
    const [p, q] = await Promise.all([read(x as Tensor), read(other.get(path) as Tensor)]);
    assertEquals(p!.length, q!.length, path);
    let [most, far] = [0, 0];
    p!.forEach((value, i) => {
      most = Math.max(most, Math.abs(value));
      far = Math.max(far, Math.abs(value - q![i]!));
    });
    found.set(path, far / most);
  }
  return found;
}

/** Of the folder's file: its bytes, and those of F32 and I8. */
async function bytesIn(file: string): Promise<{ readonly size: number; readonly I8: number }> {
  await using open = await readSafetensors(file);
  const small = [...open.entries.values()].filter(({ stored }) => stored === "I8");
  const { size } = await Deno.stat(file);
  return { size, I8: small.reduce((sum, { bytes }) => sum + bytes, 0) };
}

for (const [name, kind] of [["BERT's layout", bert], ["our own", { scheme: "motian" }]] as const) {
  Deno.test(`a model of ${name} in one byte a weight comes back within half a step, as a run too, to the same bits`, () =>
    inFolder(async (folder) => {
      const model = randomModel({ ...kind, ...wide }), { config, vocabulary, params } = model;
      const hf = join(folder, "hf"), run = join(folder, "run"), whole = join(folder, "whole");
      const layout = layoutFor(config.model, vocabulary, "bert");
      await writeHuggingFace(hf, model, layout, true);
      await writeHuggingFace(whole, model, layout);
      const small = (await openModel(hf)).params, found = await shares(params, small);
      const rounded = [...found].filter(([, share]) => share > 0).map(([path]) => path);
      assert(rounded.includes("encoder.embeddings.tokens"), `${rounded}`);
      assert(rounded.includes("encoder.layers.1.attention.wo"), `${rounded}`);
      // Norms, biases, and tables of positions stay as they are.
      assertEquals(
        rounded.filter((path) => /norm|\.b|bias|positions|shared\.rows$/.test(path)),
        [],
      );
      found.forEach((share, path) => assertLess(share, 0.5 / 127 + 1e-6, path));

      const at = join("checkpoints", "step-00000000");
      const [of_hf, of_whole] = await Promise.all([hf, whole]
        .map((path) => bytesIn(join(path, "model.safetensors"))));
      assertLess(of_hf!.size, 0.35 * of_whole!.size);
      assertEquals(of_whole!.I8, 0);

      await writeRun(run, model, true);
      const ofRun = await bytesIn(join(run, at, "model.safetensors"));
      assertEquals(ofRun.I8, of_hf!.I8);
      const again = await shares(small, (await openModel(run)).params);
      // The same channels have the same scales in both layouts.
      assertEquals([...again.values()].filter((share) => share !== 0), []);
    }));
}

Deno.test("convert --int8 writes what predict, export and clue read, and says what it costs", () =>
  inFolder(async (folder) => {
    const model = randomModel({ scheme: "motian", ...wide }), device = cpu();
    await writeRun(join(folder, "run"), model);
    await savedTaskOf(join(folder, "pairs"), "qbqtc", device, [0, 0.5, -0.5]);
    const convert = (...words: string[]) => runTask("convert", folder, words);
    const [small, task, plain] = await Promise.all([
      convert("--from", "run", "--to", "small", "--int8"),
      convert("--from", "pairs", "--to", "small-pairs", "--int8"),
      convert("--from", "pairs", "--to", "x"),
    ]);
    const line = new RegExp(
      "^weights in one byte: \\S+ MB, 0\\.\\d+ of what they take in f32; on random tokens scores differ by \\S+ at most, " +
        "of numbers up to \\S+, and the greatest is the same one \\d+\\.\\d % of the time$",
    );
    for (const { code, out, error } of [small, task]) {
      assertEquals(code, 0, error);
      assertMatch(out.trimEnd().split("\n")[1]!, line);
    }
    assertMatch(small.out, /^small: model_type "motian", /);
    assertMatch(task.out, /^small-pairs: the task qbqtc, /);
    assertEquals([plain.code, plain.out], [2, ""]);
    assertMatch(plain.error, /^Cannot convert pairs: it has learnt the task qbqtc, .*\n$/);

    const text = "天地玄黄宇宙洪荒";
    const [a, b] = await Promise.all(
      ["run", "small"].map(async (name) =>
        (await embed(await openPredictor(join(folder, name), device), [text]))[0]!
      ),
    );
    const cosine = a!.reduce((sum, x, i) => sum + x * b![i]!, 0);
    assert(cosine > 0.99 && cosine < 1 - 1e-9, `${cosine}`);
    const [p, q] = await Promise.all(
      ["pairs", "small-pairs"].map(async (name) =>
        (await classify(await openPredictor(join(folder, name), device), [["一年", "三月"]]))[0]!
      ),
    );
    Object.entries(p!.probabilities).forEach(([label, x]) =>
      assertLess(Math.abs(x - q!.probabilities[label]!), 0.05)
    );
    const exported = await runTask("export", folder, ["--model", "small", "--out", "a.onnx"]);
    assertEquals(exported.code, 0, exported.error);
    const begun = await (await startOf(join(folder, "small"), false)).begin(crf(3), 1, device);
    const tokens = (x: Tree<AnyTensor>) => new Map(paths(x)).get("embeddings.tokens") as Tensor;
    const opened = (await openModel(join(folder, "small"))).params;
    assertEquals(
      await read(tokens(begun.encoder as Tree<AnyTensor>)),
      await read(tokens(opened.encoder as Tree<AnyTensor>)),
    );
  }));

Deno.test("weights that are not finite are not rounded, and nothing is left of them", () =>
  inFolder(async (folder) => {
    const model: WholeModel = randomModel({ ...bert, ...wide });
    const params = mapTree(model.params as Tree<AnyTensor>, (x, path): AnyTensor => {
      if (path !== "encoder.layers.0.feedForward.up.w") return x;
      const shape = sizesOf(x), values = new Float32Array(shape.reduce((a, b) => a * b));
      values[7] = NaN;
      return fromArray(values, [...shape]) as AnyTensor;
    }) as unknown as Model;
    const to = join(folder, "hf"), layout = layoutFor(model.config.model, model.vocabulary, "bert");
    await assertRejects(
      () => writeHuggingFace(to, { ...model, params }, layout, true),
      InputError,
      "Cannot round weights to one byte: one of them is not finite",
    );
    assertEquals([...Deno.readDirSync(folder)], []);
  }));

Deno.test("a file of one byte a weight: scales by any of its axes; those that do not fit are refused", () =>
  inFolder(async (folder) => {
    const path = join(folder, "a.safetensors");
    const write = (scale: readonly number[], shape: readonly number[], stored = "F32") => {
      const count = shape.reduce((a, b) => a * b, 1);
      const factors = Float32Array.from({ length: count }, (_, i) => 2 ** i);
      const bytes = (data: ArrayBuffer) => () => Promise.resolve(new Uint8Array(data));
      const all: readonly StoredTensor[] = [
        {
          name: "w",
          stored: "I8",
          shape: scale,
          bytes: bytes(Int8Array.of(1, -2, 3, -128, 127, 6).buffer),
        },
        { name: "w_scale", stored, shape, bytes: bytes(factors.buffer) },
      ];
      return writeStored(path, all);
    };
    const values = async (): Promise<readonly number[]> => {
      await using file = await openWeights(path);
      assertEquals([...file.entries.keys()], ["w"]);
      assertEquals(file.entries.get("w")!.stored, "F32");
      return [...await read(await file.read("w") as Tensor)];
    };
    await write([2, 3], [2, 1]);
    assertEquals(await values(), [1, -2, 3, -256, 254, 12]);
    await write([2, 3], [1, 3]);
    assertEquals(await values(), [1, -4, 12, -128, 254, 24]);
    await write([1, 2, 3], [1, 2, 3]);
    assertEquals(await values(), [1, -4, 12, -1024, 2032, 192]);
    await write([2, 3], [1, 1]);
    assertEquals(await values(), [1, -2, 3, -128, 127, 6]);
    for (const [shape, stored] of [[[3, 1]], [[2]], [[2, 1], "I32"]] as const) {
      await write([2, 3], shape, stored);
      await assertRejects(
        () => openWeights(path),
        SafetensorsError,
        "'w_scale' must be F32, the sizes of its first or of its last axes and 1 for the others",
      );
    }
  }));
