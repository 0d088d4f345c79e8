/** Folders in Hugging Face's layout as they lie about: what works, and what is refused in one line with exit code 2. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { InputError } from "../../recipes/cli/input_error.ts";
import { layoutFor } from "../../recipes/interop/model_config.ts";
import { openHuggingFace } from "../../recipes/interop/open_hugging_face.ts";
import { readJson } from "../../recipes/interop/read_json.ts";
import { writeHuggingFace } from "../../recipes/interop/write_folders.ts";
import { inFolder } from "../in_folder.ts";
import { bert, randomModel } from "./interop_model.ts";
import { runTask } from "./recipe_command.ts";

type Json = Readonly<Record<string, unknown>>;

/** Runs on a folder `hf` with a model in BERT's layout. */
const withModel = (test: (hf: string, folder: string) => Promise<void>): Promise<void> =>
  inFolder(async (folder) => {
    const hf = join(folder, "hf"), model = randomModel(bert);
    await writeHuggingFace(hf, model, layoutFor(model.config.model, model.vocabulary, "bert"));
    await test(hf, folder);
  });

const rewrite = async (path: string, change: (json: Json) => Json): Promise<void> =>
  await Deno.writeTextFile(path, JSON.stringify(change(await readJson(path))));

const vocabOf = (json: Json): Readonly<Record<string, number>> =>
  (json.model as { readonly vocab: Readonly<Record<string, number>> }).vocab;

Deno.test("vocab.txt and tokenizer.json may stand beside each other where they agree, one longer than the other", () =>
  withModel(async (hf) => {
    const path = join(hf, "tokenizer.json"), { vocabulary } = randomModel(bert);
    assertEquals((await openHuggingFace(hf)).vocabulary, vocabulary);
    await rewrite(path, (json) => ({
      ...json,
      added_tokens: [{ id: vocabulary.tokens.length, content: "[NEW]" }],
    }));
    assertEquals((await openHuggingFace(hf)).vocabulary, vocabulary);
    await rewrite(path, (json) => {
      const vocab = { ...vocabOf(json), 天: vocabOf(json).地!, 地: vocabOf(json).天! };
      return { ...json, model: { ...json.model as Json, vocab } };
    });
    const error = await assertRejects(() => openHuggingFace(hf), InputError);
    assertEquals(
      error.message.replaceAll(hf, "HF"),
      'Cannot read HF: token 5 is "天" in vocab.txt and "地" in tokenizer.json; remove the one that is not the model\'s',
    );
  }));

Deno.test("a tokenizer.json that does not name the type of its model is WordPiece by its prefix, or refused", () =>
  withModel(async (hf) => {
    const path = join(hf, "tokenizer.json"), { vocabulary } = randomModel(bert);
    await rewrite(path, (json) => ({ ...json, model: { ...json.model as Json, type: undefined } }));
    await Deno.remove(join(hf, "vocab.txt"));
    assertEquals((await openHuggingFace(hf)).vocabulary, vocabulary);
    const without = { type: undefined, continuing_subword_prefix: undefined };
    await rewrite(path, (json) => ({ ...json, model: { ...json.model as Json, ...without } }));
    await assertRejects(() => openHuggingFace(hf), InputError, "its model is undefined");
  }));

Deno.test("flags for case stand in either file; tokenizer.json's count where both have them", () =>
  withModel(async (hf) => {
    const config = join(hf, "tokenizer_config.json"), full = join(hf, "tokenizer.json");
    const normal = (change: Json) => (json: Json): Json => ({
      ...json,
      normalizer: { ...json.normalizer as Json, ...change },
    });
    await rewrite(config, (json) => ({ ...json, strip_accents: false }));
    await assertRejects(() => openHuggingFace(hf), InputError, "strip_accents is false");
    await rewrite(full, normal({ strip_accents: true }));
    await openHuggingFace(hf);
    await rewrite(full, normal({ handle_chinese_chars: false }));
    await assertRejects(() => openHuggingFace(hf), InputError, "tokenize_chinese_chars is false");
    await Deno.remove(full);
    await Deno.remove(config);
    await openHuggingFace(hf);
  }));

const write = (name: string, text: string | Uint8Array) => (hf: string): Promise<void> =>
  typeof text === "string"
    ? Deno.writeTextFile(join(hf, name), text)
    : Deno.writeFile(join(hf, name), text);

/** What `convert` says of a folder after a change. */
const broken: readonly (readonly [
  about: string,
  change: (hf: string) => Promise<void>,
  says: RegExp,
])[] = [
  [
    "no config.json",
    (hf) => Deno.remove(join(hf, "config.json")),
    /^Cannot start from hf: it is neither a run's folder \(with config\.json\), /,
  ],
  ["a config.json that is no JSON", write("config.json", "{"), /config\.json is no JSON/],
  [
    "a config.json of nothing",
    write("config.json", "{}"),
    /^Cannot start from hf: its config\.json has neither model_type nor hidden_size; /,
  ],
  [
    "weights of no bytes",
    write("model.safetensors", ""),
    /^Cannot read hf\/model\.safetensors: it must have 8 bytes or more \(0\)$/,
  ],
  [
    "weights that were cut off",
    async (hf) => {
      const path = join(hf, "model.safetensors"), bytes = await Deno.readFile(path);
      await Deno.writeFile(path, bytes.subarray(0, bytes.length - 100));
    },
    /^Cannot read hf\/model\.safetensors: its tensors must fill/,
  ],
  [
    "a pointer in the place of weights",
    write(
      "model.safetensors",
      "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    ),
    /^Cannot read hf\/model\.safetensors: it is a pointer of Git LFS, not the file itself; /,
  ],
  [
    "an index without a map",
    async (hf) => {
      await Deno.remove(join(hf, "model.safetensors"));
      await write("model.safetensors.index.json", "{}")(hf);
    },
    /weight_map must say which file every tensor is in$/,
  ],
  [
    "one tensor in two shards",
    async (hf) => {
      const path = join(hf, "model.safetensors");
      await Deno.copyFile(path, join(hf, "a.safetensors"));
      await Deno.rename(path, join(hf, "b.safetensors"));
      const map = { weight_map: { x: "a.safetensors", y: "b.safetensors" } };
      await write("model.safetensors.index.json", JSON.stringify(map))(hf);
    },
    /^Cannot read hf\/b\.safetensors: '.*' is in hf\/a\.safetensors too; keep one$/,
  ],
  ["a vocabulary of no lines", write("vocab.txt", ""), /^Cannot .*hf\/vocab\.txt/],
];

Deno.test("a broken folder ends convert in one line, with exit code 2, and leaves nothing", () =>
  inFolder(async (folder) => {
    const model = randomModel(bert);
    const layout = layoutFor(model.config.model, model.vocabulary, "bert");
    const ended = await Promise.all(broken.map(async ([about, change], i) => {
      const own = join(folder, String(i)), hf = join(own, "hf");
      await Deno.mkdir(own);
      await writeHuggingFace(hf, model, layout);
      await change(hf);
      const { code, out, error } = await runTask("convert", own, ["--from", "hf", "--to", "to"]);
      assertEquals([...Deno.readDirSync(own)].map(({ name }) => name), ["hf"], about);
      return { code, out, error };
    }));
    for (const [i, { code, out, error }] of ended.entries()) {
      const [about, , says] = broken[i]!;
      assertEquals([code, out, error.split("\n").length], [2, "", 2], `${about}: ${error}`);
      assert(says.test(error.trimEnd()), `${about}: ${error}`);
    }
  }));
