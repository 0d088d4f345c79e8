/** Between runs and Hugging Face's layout: every bit comes back, in every form that weights are found in. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { exists } from "@std/fs";
import { join } from "@std/path";
import {
  type AnyTensor,
  fromArray,
  read,
  readSafetensors,
  sizesOf,
  type Tensor,
  toDevice,
  writeSafetensors,
} from "../../core/mod.ts";
import { toHost } from "../../core/dtype.ts";
import { reference } from "../../core/backends/reference/mod.ts";
import { init } from "../../nn/mod.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { layoutFor } from "../../recipes/interop/model_config.ts";
import { openHuggingFace } from "../../recipes/interop/open_hugging_face.ts";
import { writeHuggingFace, writeRun } from "../../recipes/interop/write_folders.ts";
import { readJson } from "../../recipes/interop/read_json.ts";
import { classes } from "../../recipes/clue/heads/classes.ts";
import { startOf } from "../../recipes/clue/task_model.ts";
import type { ModelConfig } from "../../recipes/pretrain/config.ts";
import { relevance } from "../../recipes/predict/relevance.ts";
import { openPredictor } from "../../recipes/predict/open_predictor.ts";
import { exportModel } from "../../recipes/onnx/export_model.ts";
import { toExport } from "../../recipes/onnx/to_export.ts";
import { positionNames } from "../../recipes/pretrain/positions.ts";
import { openModel } from "../../recipes/pretrain/open_model.ts";
import { checkpointPath, latestCheckpoint } from "../../recipes/run/checkpoint.ts";
import { inFolder } from "../in_folder.ts";
import { bert, randomModel, withClicks } from "./interop_model.ts";
import { runRecipe, runTask } from "./recipe_command.ts";

type Tensors = Readonly<Record<string, AnyTensor>>;

/** All tensors of a file. */
async function tensorsOf(path: string): Promise<Tensors> {
  await using file = await readSafetensors(path);
  const found = await Promise.all(
    [...file.entries.keys()].map(async (name) => [name, await file.read(name)] as const),
  );
  return Object.fromEntries(found);
}

const weightsOf = (run: string): string => join(checkpointPath(run, 0), "model.safetensors");

/** A run, its model in Hugging Face's layout, and the model. */
async function converted(
  folder: string,
  kind: Partial<ModelConfig>,
  names: "bert" | "roberta" = "bert",
) {
  const model = randomModel(kind), run = join(folder, "run"), hf = join(folder, "hf");
  await writeRun(run, model);
  await writeHuggingFace(hf, model, layoutFor(model.config.model, model.vocabulary, names));
  return { model, run, hf, weights: join(hf, "model.safetensors") };
}

const kinds: readonly (readonly [string, Partial<ModelConfig>, "bert" | "roberta"])[] = [
  ["BERT's layout", bert, "bert"],
  ["BERT's layout under RoBERTa's names", { ...bert, segments: 1 }, "roberta"],
  ["Post-LN with relative positions", { ...bert, scheme: "nezha", segments: 0 }, "bert"],
  ...positionNames.map((scheme) => [`scheme ${scheme}`, { scheme }, "bert"] as const),
];

for (const [about, kind, names] of kinds) {
  Deno.test(`convert gives every bit back: ${about}`, () =>
    inFolder(async (folder) => {
      const { run, hf, model, weights } = await converted(folder, kind, names);
      const { config, vocabulary, params } = await openModel(hf);
      assertEquals([config, vocabulary], [model.config, model.vocabulary]);
      const back = join(folder, "back"), again = join(folder, "again");
      await writeRun(back, { config, vocabulary, params });
      for (const name of ["config.json", "vocab.txt", "checkpoints/step-00000000/state.json"]) {
        const [one, other] = [run, back].map((at) => Deno.readTextFile(join(at, name)));
        assertEquals(await one, await other, name);
      }
      assertEquals(await Deno.readFile(weightsOf(back)), await Deno.readFile(weightsOf(run)));
      const layout = layoutFor(config.model, vocabulary, names);
      await writeHuggingFace(again, await openModel(back), layout);
      assertEquals(
        await Deno.readFile(join(again, "model.safetensors")),
        await Deno.readFile(weights),
      );
      assertEquals(
        await readJson(join(again, "config.json")),
        await readJson(join(hf, "config.json")),
      );
    }));
}

/** The same model in other clothes. */
const clothes: readonly (readonly [
  about: string,
  change: (tensors: Tensors) => Tensors,
  leftOut: readonly string[],
])[] = [
  ["without the prefix", (tensors) => renamed(tensors, (name) => name.replace(/^bert\./, "")), []],
  [
    "with gamma and beta",
    (tensors) =>
      renamed(
        tensors,
        (name) =>
          name.replace(/LayerNorm\.weight$/, "LayerNorm.gamma").replace(
            /LayerNorm\.bias$/,
            "LayerNorm.beta",
          ),
      ),
    [],
  ],
  ["with the tied rows a second time", (tensors) => ({
    ...tensors,
    "cls.predictions.decoder.weight": tensors["bert.embeddings.word_embeddings.weight"]!,
    "cls.predictions.decoder.bias": tensors["cls.predictions.bias"]!,
  }), []],
  [
    "with its output bias under the decoder's name alone",
    (tensors) =>
      renamed(
        tensors,
        (name) => name === "cls.predictions.bias" ? "cls.predictions.decoder.bias" : name,
      ),
    [],
  ],
  ["with pooler, next-sentence head and position numbers", (tensors) => ({
    ...tensors,
    "bert.pooler.dense.weight": zeros(24, 24),
    "bert.pooler.dense.bias": zeros(24),
    "cls.seq_relationship.weight": zeros(2, 24),
    "cls.seq_relationship.bias": zeros(2),
    "bert.embeddings.position_ids": fromArray(new Int32Array(96), [1, 96], "i32") as AnyTensor,
  }), [
    "bert.pooler.dense.bias",
    "bert.pooler.dense.weight",
    "cls.seq_relationship.bias",
    "cls.seq_relationship.weight",
  ]],
];

const zeros = (...shape: readonly number[]): AnyTensor =>
  fromArray(new Float32Array(shape.reduce((a, b) => a * b)), [...shape]) as AnyTensor;

function renamed(tensors: Tensors, name: (old: string) => string): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([old, tensor]) => [name(old), tensor]));
}

Deno.test("convert gives every bit back: what scores clicks too", () =>
  inFolder(async (folder) => {
    const model = withClicks(randomModel(bert)), run = join(folder, "run"), hf = join(folder, "hf");
    await writeRun(run, model);
    await writeHuggingFace(hf, model, layoutFor(model.config.model, model.vocabulary, "bert"));
    const names = Object.keys(await tensorsOf(join(hf, "model.safetensors")));
    assertEquals(names.filter((name) => name.includes("click")), [
      "cls.click.bias",
      "cls.click.weight",
    ]);
    await writeRun(join(folder, "back"), await openModel(hf));
    assertEquals(
      await Deno.readFile(weightsOf(join(folder, "back"))),
      await Deno.readFile(weightsOf(run)),
    );
  }));

for (const [about, change, leftOut] of clothes) {
  Deno.test(`weights are read ${about}`, () =>
    inFolder(async (folder) => {
      const { run, hf, weights } = await converted(folder, bert);
      await writeSafetensors(weights, change(await tensorsOf(weights)), { format: "pt" });
      assertEquals([...(await openHuggingFace(hf)).leftOut].sort(), leftOut);
      await writeRun(join(folder, "back"), await openModel(hf));
      assertEquals(
        await Deno.readFile(weightsOf(join(folder, "back"))),
        await Deno.readFile(weightsOf(run)),
      );
    }));
}

for (const dtype of ["f16", "bf16"] as const) {
  Deno.test(`weights of ${dtype} are read as the f32 that they stand for`, () =>
    inFolder(async (folder) => {
      const { hf, weights, model } = await converted(folder, bert);
      const narrow: Record<string, AnyTensor> = {};
      for (const [name, tensor] of Object.entries(await tensorsOf(weights))) {
        const values = toHost(await read(tensor as Tensor), dtype);
        narrow[name] = fromArray(values, [...sizesOf(tensor)], dtype) as AnyTensor;
      }
      await writeSafetensors(weights, narrow, { format: "pt" });
      const { params } = await openModel(hf),
        was = model.params.encoder.layers[1]!.feedForward.up.w;
      const [ours, wide] = await Promise.all([
        read(params.encoder.layers[1]!.feedForward.up.w as AnyTensor as Tensor),
        read(was as AnyTensor as Tensor),
      ]);
      const step = dtype === "f16" ? 2 ** -11 : 2 ** -8;
      let moved = 0;
      ours.forEach((x, i) => {
        assert(Math.abs(x - wide[i]!) <= step * Math.abs(wide[i]!) + 2 ** -25);
        moved += Number(x !== wide[i]);
      });
      assert(moved > ours.length / 2, "rounding must have moved most of them");
    }));
}

Deno.test("weights are read from shards", () =>
  inFolder(async (folder) => {
    const { run, hf, weights } = await converted(folder, bert);
    const all = Object.entries(await tensorsOf(weights)), map: Record<string, string> = {};
    for (const shard of [0, 1, 2]) {
      const own = all.filter((_, i) => i % 3 === shard),
        file = `model-0000${shard + 1}-of-00003.safetensors`;
      await writeSafetensors(join(hf, file), Object.fromEntries(own), { format: "pt" });
      for (const [name] of own) map[name] = file;
    }
    await Deno.remove(weights);
    const index = join(hf, "model.safetensors.index.json");
    await Deno.writeTextFile(index, JSON.stringify({ metadata: {}, weight_map: map }));
    await writeRun(join(folder, "back"), await openModel(hf));
    assertEquals(
      await Deno.readFile(weightsOf(join(folder, "back"))),
      await Deno.readFile(weightsOf(run)),
    );

    await Deno.remove(join(hf, "model-00002-of-00003.safetensors"));
    await assertRejects(
      () => openModel(hf),
      InputError,
      "model-00002-of-00003.safetensors is not beside it",
    );
    await Deno.writeTextFile(index, JSON.stringify({ weight_map: { a: "../run/x.safetensors" } }));
    await assertRejects(() => openModel(hf), InputError, "it must name files beside the index");
  }));

Deno.test("an encoder without a head is enough for tasks, and not for pretraining", () =>
  inFolder(async (folder) => {
    const { hf, weights, model } = await converted(folder, bert);
    const encoder = Object.entries(await tensorsOf(weights)).filter(([name]) =>
      !name.startsWith("cls.")
    );
    const classifier = { "classifier.weight": zeros(3, 24), "classifier.bias": zeros(3) };
    await writeSafetensors(weights, { ...Object.fromEntries(encoder), ...classifier }, {
      format: "pt",
    });
    const start = await startOf(hf, false), device = reference();
    assertEquals(start.note, `not taken from ${hf}: classifier.bias, classifier.weight`);
    const begun = await start.begin(classes(3), 1, device);
    const values = (x: unknown) => read(x as Tensor);
    assertEquals(
      await values(begun.encoder.layers[0]!.attention.wo),
      await values(model.params.encoder.layers[0]!.attention.wo),
    );
    await assertRejects(() => openModel(hf), InputError, `Cannot start from ${hf}: it has no head`);
  }));

Deno.test("an encoder without a head for masked words is exported and asked for what it has", () =>
  inFolder(async (folder) => {
    const hf = join(folder, "hf"), weights = join(hf, "model.safetensors");
    const model = withClicks(randomModel(bert)), device = reference();
    await writeHuggingFace(hf, model, layoutFor(model.config.model, model.vocabulary, "bert"));
    const rest = Object.entries(await tensorsOf(weights))
      .filter(([name]) => !name.startsWith("cls.predictions."));
    await writeSafetensors(weights, Object.fromEntries(rest), { format: "pt" });
    for (const head of ["embedding", "hidden", "relevance"] as const) {
      const { what } = await toExport({ model: hf, head, length: 16 });
      assertEquals((await exportModel(what)).inputs.length, 3);
    }
    await assertRejects(
      () => toExport({ model: hf, head: "mlm", length: 16 }),
      InputError,
      "it has no head",
    );
    const tools = await openPredictor(hf, device), whole = join(folder, "whole");
    assertEquals(tools.facts.asks, ["embed", "relevance"]);
    await writeRun(whole, model);
    const scores = await relevance(tools, "天地", ["玄", "黄"]);
    assertEquals(scores, await relevance(await openPredictor(whole, device), "天地", ["玄", "黄"]));
  }));

Deno.test("a run of weights alone is no run to resume", () =>
  inFolder(async (folder) => {
    const { run, model } = await converted(folder, bert), device = reference();
    const like = { step: 0, model: await toDevice(model.params, device), optimizer: init(1, {}) };
    await assertRejects(
      () => latestCheckpoint(run, like, device),
      InputError,
      "has weights alone; begin a new run with --init",
    );
  }));

Deno.test("deno task convert goes both ways, and says what it wrote", () =>
  inFolder(async (folder) => {
    await writeRun(join(folder, "run"), randomModel(bert));
    const convert = (...words: readonly string[]) => runRecipe("interop", folder, words);
    const there = await convert("--from", "run", "--to", "new/hf");
    assertEquals([there.code, there.error], [0, ""]);
    assertEquals(there.out, 'new/hf: model_type "bert", 12.5k parameters\n');
    const names = [
      "config.json",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
      "vocab.txt",
    ];
    assertEquals(
      Array.from(Deno.readDirSync(join(folder, "new/hf")), ({ name }) => name).sort(),
      names,
    );
    assertEquals(Array.from(Deno.readDirSync(join(folder, "new")), ({ name }) => name), ["hf"]);
    // The task's own permissions are enough.
    const back = await runTask("convert", folder, ["--from", "new/hf", "--to", "back"]);
    assertEquals([back.code, back.error, back.out], [0, "", "back: a run, 12.5k parameters\n"]);
    assertEquals(
      await Deno.readFile(weightsOf(join(folder, "back"))),
      await Deno.readFile(weightsOf(join(folder, "run"))),
    );
    const wrong: readonly (readonly [words: string, message: string])[] = [
      ["--from run", "Cannot convert without --to; see --help"],
      ["--from run --to back", "Cannot write back: "],
      ["--from none --to x", "Cannot start from none: there is no such folder"],
      ["--from new/hf --to x --names bert", "Cannot convert with --names: new/hf becomes a run"],
    ];
    for (const [words, message] of wrong) {
      const { code, error, out } = await convert(...words.split(" "));
      assertEquals([code, out], [2, ""], error);
      assert(error.startsWith(message) && error.trimEnd().split("\n").length === 1, error);
    }
    assert(!await exists(join(folder, "x")));
  }));
