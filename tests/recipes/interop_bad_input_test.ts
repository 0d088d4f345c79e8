/** Folders that are not what they seem: one line that names what is wrong, before anything is written. */
import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { type AnyTensor, fromArray, readSafetensors, writeSafetensors } from "../../core/mod.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { layoutFor } from "../../recipes/interop/model_config.ts";
import { writeHuggingFace } from "../../recipes/interop/write_folders.ts";
import { readJson } from "../../recipes/interop/read_json.ts";
import { openModel } from "../../recipes/pretrain/open_model.ts";
import type { ModelConfig } from "../../recipes/pretrain/config.ts";
import { inNewFolder } from "../../recipes/interop/new_folder.ts";
import { inFolder } from "../in_folder.ts";
import { bert, randomModel } from "./interop_model.ts";

type Tensors = Record<string, AnyTensor>;

/** A folder with a model that is then changed; what opening it says, without the folder's path. */
async function refusal(
  kind: Partial<ModelConfig>,
  change: (folder: string) => Promise<unknown>,
): Promise<string> {
  let said = "";
  await inFolder(async (folder) => {
    const hf = join(folder, "hf"), model = randomModel(kind);
    await writeHuggingFace(hf, model, layoutFor(model.config.model, model.vocabulary, "bert"));
    await change(hf);
    const error = await assertRejects(() => openModel(hf), InputError);
    assertEquals(error.message.includes("\n"), false, error.message);
    said = error.message.replaceAll(hf, "HF");
  });
  return said;
}

/** Writes the weights again, changed. */
const weights = (change: (tensors: Tensors) => void) => async (folder: string): Promise<void> => {
  const path = join(folder, "model.safetensors"), found: Tensors = {};
  {
    await using file = await readSafetensors(path);
    for (const name of file.entries.keys()) found[name] = await file.read(name);
  }
  change(found);
  await writeSafetensors(path, found, { format: "pt" });
};

/** Writes a JSON file again, changed; a field that becomes undefined is left out. */
const json =
  (file: string, change: Readonly<Record<string, unknown>>) => async (folder: string) => {
    const path = join(folder, file);
    await Deno.writeTextFile(path, JSON.stringify({ ...await readJson(path), ...change }));
  };
const config = (change: Readonly<Record<string, unknown>>) => json("config.json", change);

const remove = (...files: readonly string[]) => async (folder: string): Promise<void> => {
  for (const file of files) await Deno.remove(join(folder, file));
};
const write = (file: string, text: string) => (folder: string): Promise<void> =>
  Deno.writeTextFile(join(folder, file), text);
const both =
  (...changes: readonly ((folder: string) => Promise<unknown>)[]) =>
  async (folder: string): Promise<void> => {
    for (const change of changes) await change(folder);
  };

const zeros = (...shape: readonly number[]): AnyTensor =>
  fromArray(new Float32Array(shape.reduce((a, b) => a * b)), [...shape]) as AnyTensor;
const QUERY = "bert.encoder.layer.1.attention.self.query.weight";
const own = { motian: undefined };

const cases: readonly (readonly [
  about: string,
  change: (folder: string) => Promise<unknown>,
  said: string,
])[] = [
  [
    "a missing tensor",
    weights((t) => delete t[QUERY]),
    `Cannot read HF: '${QUERY}' must be [24, 24], and is missing`,
  ],
  [
    "a tensor of another shape",
    weights((t) => t[QUERY] = zeros(24, 16)),
    `Cannot read HF: '${QUERY}' must be [24, 24], it is [24, 16]`,
  ],
  [
    "a tensor of whole numbers",
    weights((t) => t[QUERY] = fromArray(new Int32Array(576), [24, 24], "i32") as AnyTensor),
    `Cannot read HF: '${QUERY}' must be F32, F16 or BF16, it is I32`,
  ],
  [
    "a tensor too many",
    weights((t) => t["bert.encoder.layer.2.output.dense.bias"] = zeros(24)),
    "Cannot read HF: 'bert.encoder.layer.2.output.dense.bias' [24] has no place in this model; is it another's?",
  ],
  [
    "one parameter under two names",
    weights((t) => t["bert.embeddings.LayerNorm.gamma"] = zeros(24)),
    "Cannot read HF: 'bert.embeddings.LayerNorm.gamma' and 'bert.embeddings.LayerNorm.weight' are one parameter; keep one",
  ],
  [
    "half a head",
    weights((t) => delete t["cls.predictions.transform.dense.bias"]),
    "Cannot read HF: 'cls.predictions.transform.dense.bias' must be [24], and is missing",
  ],
  [
    "output rows that are not tied",
    weights((t) => t["cls.predictions.decoder.weight"] = zeros(21, 24)),
    "Cannot read HF: 'cls.predictions.decoder.weight' differs from 'bert.embeddings.word_embeddings.weight'; they must be tied, as BERT's are",
  ],
  [
    "a model of another kind",
    config({ model_type: "albert", ...own }),
    'Cannot use HF/config.json: model_type is "albert", it must be "bert", "roberta" or "motian"',
  ],
  [
    "another activation",
    config({ hidden_act: "gelu_new", ...own }),
    'Cannot use HF/config.json: hidden_act is "gelu_new", it must be "gelu"',
  ],
  [
    "relative positions of Hugging Face's own",
    config({ position_embedding_type: "relative_key", ...own }),
    'Cannot use HF/config.json: position_embedding_type is "relative_key", it must be "absolute"',
  ],
  [
    "a decoder",
    config({ is_decoder: true }),
    "Cannot use HF/config.json: is_decoder is true, it must be an encoder",
  ],
  [
    "heads that do not divide the width",
    config({ num_attention_heads: 5, ...own }),
    "Cannot use HF/config.json: model.heads is 5, it must divide model.width 24",
  ],
  [
    "a size that is missing",
    config({ hidden_size: undefined, ...own }),
    "Cannot use HF/config.json: hidden_size is missing",
  ],
  [
    "sizes that contradict each other",
    config({ intermediate_size: 48 }),
    'Cannot use HF/config.json: intermediate_size is 48, "motian" says 40; make them agree, or leave "motian" out',
  ],
  [
    "a vocabulary of another size",
    config({ vocab_size: 30 }),
    "Cannot use HF/config.json: vocab_size is 30, the vocabulary beside it has 21 tokens; append tokens that no text has, such as [unused1]",
  ],
  [
    "a pickle",
    both(remove("model.safetensors"), write("pytorch_model.bin", "")),
    'Cannot read HF/pytorch_model.bin: a pickle is a program, only safetensors are read; save it as such where transformers is installed: AutoModelForMaskedLM.from_pretrained("HF").save_pretrained("NEW_DIR")',
  ],
  [
    "no weights",
    remove("model.safetensors"),
    "Cannot read HF: it has neither model.safetensors nor model.safetensors.index.json; fetch the weights as safetensors",
  ],
  [
    "no vocabulary",
    remove("vocab.txt", "tokenizer.json"),
    "Cannot read HF: it has neither vocab.txt nor tokenizer.json; fetch the model's vocab.txt",
  ],
  [
    "a vocabulary of byte pairs",
    both(remove("vocab.txt", "tokenizer.json"), write("merges.txt", "")),
    "Cannot read HF: its tokenizer is BPE (merges.txt), only WordPiece is read here; take a model with BERT's vocab.txt",
  ],
  [
    "a tokenizer of byte pairs",
    both(remove("vocab.txt"), json("tokenizer.json", { model: { type: "BPE", vocab: {} } })),
    'Cannot read HF/tokenizer.json: its model is "BPE", only "WordPiece" is read here; take a model with BERT\'s vocabulary',
  ],
  [
    "ids with a hole",
    both(
      remove("vocab.txt"),
      json("tokenizer.json", { model: { type: "WordPiece", vocab: { 天: 30 } } }),
    ),
    "Cannot read HF/tokenizer.json: no token has the id 5; ids must be 0, 1, 2 …",
  ],
  [
    "a tokenizer that leaves Chinese characters in words",
    both(
      remove("tokenizer.json"),
      json("tokenizer_config.json", { tokenize_chinese_chars: false }),
    ),
    "Cannot use the tokenizer of HF: tokenize_chinese_chars is false, every Chinese character is a token here; take another model",
  ],
];

for (const [about, change, said] of cases) {
  Deno.test(`a folder in Hugging Face's layout is refused for ${about}`, async () => {
    assertEquals(await refusal(bert, change), said);
  });
}

Deno.test("a vocabulary with capitals is refused only where its tokenizer keeps them", async () => {
  await inFolder(async (folder) => {
    const { config: own, vocabulary, params } = randomModel(bert), hf = join(folder, "hf");
    await writeHuggingFace(
      hf,
      { config: own, vocabulary, params },
      layoutFor(own.model, vocabulary, "bert"),
    );
    await remove("tokenizer.json")(hf);
    await json("tokenizer_config.json", { do_lower_case: false })(hf);
    assertEquals((await openModel(hf)).vocabulary, vocabulary);
    await write("vocab.txt", vocabulary.tokens.join("\n").replace("de\n", "De\n"))(hf);
    await assertRejects(
      () => openModel(hf),
      InputError,
      'do_lower_case is false, and the vocabulary has "De"',
    );
  });
});

Deno.test("our own layout needs our configuration", async () => {
  const said = await refusal({ scheme: "motian" }, config({ motian: undefined }));
  assertEquals(said, "Cannot use HF/config.json: motian is missing; it must be a configuration");
});

Deno.test("names are RoBERTa's only where its layout can express the model", () => {
  const { config: { model }, vocabulary } = randomModel({ scheme: "motian" });
  let said = "";
  try {
    layoutFor(model, vocabulary, "roberta");
  } catch (error) {
    said = (error as Error).message;
  }
  assertEquals(said.startsWith("Cannot use --names roberta for this model: "), true, said);
});

Deno.test("a folder that is to be made is there whole or not at all, and never in the place of another", () =>
  inFolder(async (folder) => {
    const to = join(folder, "to"),
      names = () => Array.from(Deno.readDirSync(folder), (one) => one.name);
    const fill = (at: string) => Deno.writeTextFile(join(at, "a.txt"), "a");
    const broken = async (at: string): Promise<void> => {
      await fill(at);
      throw new InputError("Cannot go on");
    };
    await assertRejects(() => inNewFolder(to, broken), InputError, "Cannot go on");
    assertEquals(names(), []);
    await Deno.mkdir(to);
    await inNewFolder(to, fill);
    assertEquals(names(), ["to"]);
    assertEquals(await Deno.readTextFile(join(to, "a.txt")), "a");
    await assertRejects(
      () => inNewFolder(to, fill),
      InputError,
      "a.txt is in it; pass an empty or new --to",
    );
    const file = join(to, "a.txt");
    await assertRejects(
      () => inNewFolder(file, fill),
      InputError,
      "it is a file; pass another --to",
    );
    await assertRejects(() => inNewFolder(join(file, "b"), fill), InputError, "pass another --to");
  }));
