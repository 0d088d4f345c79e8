/** The same logits from the same weights in plain torch: BERT's layout, under RoBERTa's names too, and ours. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { type AnyTensor, fromArray, read, type Tensor } from "../../core/mod.ts";
import { encode } from "../../nn/mod.ts";
import { peerEnvironment, python } from "../../recipes/bench/peers/environment.ts";
import { layoutFor } from "../../recipes/interop/model_config.ts";
import { type WholeModel, writeHuggingFace } from "../../recipes/interop/write_folders.ts";
import type { ModelConfig } from "../../recipes/pretrain/config.ts";
import { encoderOptions, logitsAt } from "../../recipes/pretrain/model.ts";
import { inFolder } from "../in_folder.ts";
import { skip } from "../skip.ts";
import { bert, noise, randomModel } from "./interop_model.ts";

const script = fromFileUrl(new URL("./interop_torch.py", import.meta.url));

/** What Python prints when it is given a text; undefined where it fails. Its errors show where there is a text. */
async function said(args: readonly string[], input = ""): Promise<string | undefined> {
  try {
    const child = new Deno.Command(python, {
      ...{ args: [...args], stdin: "piped", stdout: "piped", clearEnv: true },
      ...{ env: peerEnvironment(), stderr: input === "" ? "null" : "inherit" },
    }).spawn();
    const written = ReadableStream.from([new TextEncoder().encode(input)]).pipeTo(child.stdin);
    const { success, stdout } = await child.output();
    await written.catch(() => {}); // Python that fails does not read
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

interface Batch {
  readonly ids: readonly (readonly number[])[];
  readonly keep: readonly (readonly number[])[];
  readonly segments: readonly (readonly number[])[];
}

/** Three random rows of T tokens; all but the first are padded. */
function randomBatch(T: number, { vocabulary }: WholeModel, segments: number, seed: number): Batch {
  const next = noise(seed), below = (n: number): number => Math.floor((next() + 1) / 2 * n);
  const lengths = [T, 1 + below(T), 1 + below(T)];
  const rows = (of: (t: number, own: number) => number): readonly (readonly number[])[] =>
    lengths.map((own) => Array.from({ length: T }, (_, t) => of(t, own)));
  return {
    ids: rows((t, own) => t < own ? 5 + below(vocabulary.tokens.length - 5) : vocabulary.pad),
    keep: rows((t, own) => t < own ? 1 : 0),
    segments: rows((t, own) => t < own && t > own / 2 ? below(segments) : 0),
  };
}

const ints = (rows: readonly (readonly number[])[]): AnyTensor =>
  fromArray(Int32Array.from(rows.flat()), [rows.length, rows[0]!.length], "i32") as AnyTensor;

/** Our logits of every position. */
async function logits({ params, config: { model } }: WholeModel, batch: Batch): Promise<number[]> {
  const ids = ints(batch.ids), count = batch.ids.flat().length;
  const shape = [batch.ids.length, batch.ids[0]!.length] as const;
  const keep = fromArray(Float32Array.from(batch.keep.flat()), [...shape]) as AnyTensor;
  const inputs = { ids, keep, segments: ints(batch.segments) } as never;
  const { hidden } = encode(params.encoder, inputs, encoderOptions(model));
  const all = fromArray(Int32Array.from({ length: count }, (_, i) => i), [count], "i32");
  const found = logitsAt(params, hidden as never, all as AnyTensor, model);
  return [...await read(found as AnyTensor as Tensor)];
}

const lengths = [2, 17, 90];
const cases: readonly (readonly [
  about: string,
  kind: Partial<ModelConfig>,
  names: "bert" | "roberta",
])[] = [
  ["BERT", bert, "bert"],
  ["BERT's layout under RoBERTa's names", { ...bert, segments: 1 }, "roberta"],
  ["our scheme under Pre-LN", { segments: 0 }, "bert"],
  ["our scheme with rows for segments", { segments: 2 }, "bert"],
];

if (await said(["-c", "import torch"]) === undefined) {
  skip("logits in torch", "no python3-torch");
} else {
  Deno.test("plain torch gives the same logits from what convert writes, to 1e-4", () =>
    inFolder(async (folder) => {
      const models = cases.map(([, kind], i) => randomModel(kind, i + 1));
      const batches = models.map((model, i) =>
        lengths.map((T) => randomBatch(T, model, Math.max(1, cases[i]![1].segments || 2), T + i))
      );
      const asked: unknown[] = [];
      for (const [i, model] of models.entries()) {
        const own = join(folder, String(i)), { config, vocabulary } = model;
        await writeHuggingFace(own, model, layoutFor(config.model, vocabulary, cases[i]![2]));
        asked.push({ folder: own, batches: batches[i] });
      }
      const answer = await said([script], JSON.stringify(asked));
      assert(answer !== undefined, "the script failed; what it says is above");
      const theirs: readonly (readonly (readonly number[])[])[] = JSON.parse(answer);
      for (const [i, model] of models.entries()) {
        for (const [n, batch] of batches[i]!.entries()) {
          const ours = await logits(model, batch), want = theirs[i]![n]!;
          assertEquals(ours.length, want.length);
          const V = model.vocabulary.tokens.length, kept = batch.keep.flat();
          let most = 0, largest = 0;
          want.forEach((x, at) => {
            if (kept[Math.floor(at / V)] === 0) return;
            most = Math.max(most, Math.abs(ours[at]! - x));
            largest = Math.max(largest, Math.abs(x));
          });
          assertLess(most, 1e-4, `${cases[i]![0]}, ${lengths[n]} tokens`);
          assert(largest > 1, "logits of about 0 would prove nothing");
        }
      }
    }));
}
