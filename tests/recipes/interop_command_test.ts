/** Models in Hugging Face's layout where a run is taken: pretraining goes on with one, tasks are learnt from one. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { type AnyTensor, fromArray, readSafetensors, writeSafetensors } from "../../core/mod.ts";
import { readJson } from "../../recipes/interop/read_json.ts";
import { inWorkplace, toyConfig } from "./pretrain_command.ts";
import { runRecipe } from "./recipe_command.ts";

/** BERT's layout, and small. */
const layout = [
  ...["model.scheme=absolute", "model.maxLength=32", "model.segments=2", "model.norm=post"],
  ...["model.embeddingNorm=true", "model.normEpsilon=1e-12", "model.dropout=0"],
].flatMap((change) => ["--set", change]);

/** Puts a pooler beside the weights, as BERT's are published, and takes our own words out of the configuration. */
async function asPublished(folder: string): Promise<void> {
  const path = join(folder, "model.safetensors"), config = join(folder, "config.json");
  const all: Record<string, AnyTensor> = {};
  {
    await using file = await readSafetensors(path);
    for (const name of file.entries.keys()) all[name] = await file.read(name);
  }
  all["bert.pooler.dense.weight"] = fromArray(new Float32Array(256), [16, 16]) as AnyTensor;
  all["bert.pooler.dense.bias"] = fromArray(new Float32Array(16), [16]) as AnyTensor;
  await writeSafetensors(path, all, { format: "pt" });
  const { motian: _, ...rest } = await readJson(config);
  await Deno.writeTextFile(config, JSON.stringify(rest));
}

Deno.test("--init and --model take a model in Hugging Face's layout, as published, for what the run is that it came from", () =>
  inWorkplace(async ({ folder, pretrain, rows }) => {
    await Deno.writeTextFile(join(folder, "toy.json"), JSON.stringify({ ...toyConfig, steps: 20 }));
    const common = ["--corpus", "corpus.txt", "--device", "cpu"];
    const first = await pretrain([...common, "--config", "toy.json", ...layout, "--out", "first"]);
    assertEquals(first.code, 0, first.error);
    const written = await runRecipe("interop", folder, ["--from", "first", "--to", "hf"]);
    assertEquals(written.code, 0, written.error);
    await asPublished(join(folder, "hf"));

    // Held-out text is the same, and so is what both think of it before the first step.
    const small = ["data.length=24", "data.batch=8", "evalSequences=16"]
      .flatMap((change) => ["--set", change]);
    const begun: unknown[] = [];
    for (const init of ["first", "hf"]) {
      const words = ["--init", init, ...small, "--steps", "2", "--out", `from-${init}`];
      const { code, error } = await pretrain([...common, ...words]);
      assertEquals(code, 0, error);
      const left = "not taken from hf: bert.pooler.dense.bias, bert.pooler.dense.weight";
      assertEquals(error.includes(left), init === "hf", error);
      begun.push((await rows(`from-${init}/eval.jsonl`))[0]!.mlm_ppl);
    }
    assertEquals(begun[0], begun[1]);
    const config = await readJson(join(folder, "from-hf", "config.json"));
    assertEquals([config.init, config.name], ["hf", "hf"]);

    const line = (i: number): string =>
      JSON.stringify({ sentence1: "天家"[i % 2], sentence2: `第${i}`, label: `${i % 2}` });
    for (const [name, count] of [["train", 48], ["dev", 16]] as const) {
      const lines = Array.from({ length: count }, (_, i) => line(i));
      await Deno.mkdir(join(folder, "pairs"), { recursive: true });
      await Deno.writeTextFile(join(folder, "pairs", `${name}.json`), lines.join("\n") + "\n");
    }
    const scores: string[] = [];
    for (const model of ["first", "hf"]) {
      const { code, out, error } = await runRecipe("clue", folder, [
        ...["--task", "afqmc", "--data", "pairs", "--model", model, "--length", "16"],
        ...["--epochs", "1", "--batch", "8", "--device", "cpu", "--json"],
      ]);
      assertEquals(code, 0, error);
      assertEquals(error.includes("not taken from hf: "), model === "hf", error);
      scores.push(out);
    }
    assert(scores[0]!.includes('"metric":"accuracy"'), scores[0]);
    assertEquals(scores[0], scores[1]);

    const long = await runRecipe("clue", folder, [
      ...["--task", "afqmc", "--data", "pairs", "--model", "hf", "--length", "64"],
    ]);
    assertEquals(long.code, 2);
    assertStringIncludes(long.error, 'the model\'s scheme "absolute" has 32 positions');
  }));
