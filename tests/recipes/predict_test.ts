/** Questions to models, each answer held to what the model says without batches. */
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { type AnyTensor, cpu, fromArray, read, type Tensor } from "../../core/mod.ts";
import { encode } from "../../nn/mod.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { encoderOptions, predict as mlm } from "../../recipes/pretrain/model.ts";
import { tinyRun } from "./tiny_run.ts";
import { batchesOf, paddedLengths } from "../../recipes/predict/batch.ts";
import { classify } from "../../recipes/predict/classify.ts";
import { embed } from "../../recipes/predict/embed.ts";
import { fillMask } from "../../recipes/predict/fill_mask.ts";
import { modelSource } from "../../recipes/predict/model_source.ts";
import { openPredictor } from "../../recipes/predict/open_predictor.ts";
import { relevance } from "../../recipes/predict/relevance.ts";
import { textRow } from "../../recipes/predict/row.ts";
import { layoutFor } from "../../recipes/interop/model_config.ts";
import { writeHuggingFace, writeRun } from "../../recipes/interop/write_folders.ts";
import { bert, randomModel } from "./interop_model.ts";
import { inModels, savedRunOf, savedTaskOf, vocabulary } from "./asked_models.ts";

const characters = vocabulary.tokens.filter((token) => /^\p{Script=Han}$/u.test(token));
const textOf = (seed: number, length: number): string =>
  Array.from({ length }, (_, i) => characters[(seed * 31 + i * i * 7 + i) % characters.length])
    .join("");

/** Texts of every length that is padded otherwise. */
const texts = Array.from({ length: 70 }, (_, i) => textOf(i, 1 + (i * 13) % 90));

const ids = (row: readonly number[]): AnyTensor =>
  fromArray(Int32Array.from(row), [1, row.length], "i32") as AnyTensor;
const ones = (n: number): AnyTensor => fromArray(new Float32Array(n).fill(1), [1, n]) as AnyTensor;

Deno.test("predict: vectors and scores are those of each row alone, whatever it is batched with", () => {
  const device = cpu();
  return inModels(device, async ({ run }) => {
    const source = await modelSource(run), weights = await source.open(device);
    assertEquals(source.facts.asks, ["embed", "relevance", "fill-mask"]);
    const tools = await openPredictor(run, device), { model } = source.facts;
    const hiddenOf = async (row: readonly number[]): Promise<Float32Array> =>
      await read(
        encode(weights.encoder, { ids: ids(row), keep: ones(row.length) }, encoderOptions(model))
          .hidden as AnyTensor as Tensor,
      );
    const vectors = await embed(tools, texts), C = model.width;
    for (const [i, text] of texts.entries()) {
      if (i % 7 > 0) continue;
      const row = textRow(source.facts, { truncate: false, name: "" }, text).ids;
      assertEquals(row, [vocabulary.cls, ...[...text].map((c) => vocabulary.ids.get(c)!), 3]);
      const hidden = await hiddenOf(row), sums = Array<number>(C).fill(0);
      hidden.forEach((x, n) => sums[n % C]! += x);
      const length = Math.hypot(...sums);
      vectors[i]!.forEach((x, c) => assertAlmostEquals(x, sums[c]! / length, 1e-5));
    }
    const [query, titles] = [textOf(1, 5), texts.slice(0, 20)];
    const scores = await relevance(tools, query, titles), { w, b } = weights.click!;
    const [wide, bias] = [await read(w), (await read(b))[0]!];
    for (const [i, title] of titles.entries()) {
      const row = textRow(source.facts, { truncate: false, name: "" }, query, title);
      const hidden = await hiddenOf(row.ids);
      const score = wide.reduce((sum, x, c) => sum + x * hidden[c]!, bias);
      assertAlmostEquals(scores[i]!, score, 1e-4);
    }
    await assertRejects(() => classify(tools, ["天"]), InputError, "it knows no classes");
  });
});

Deno.test("predict: guesses for [MASK] are the whole model's, the best first", () => {
  const device = cpu();
  return inModels(device, async ({ run }) => {
    const source = await modelSource(run), weights = await source.open(device);
    const tools = await openPredictor(run, device), { model } = source.facts;
    const a = textOf(3, 9), b = textOf(4, 7);
    // More of them than are read at once.
    const text = `${a}[MASK]${b}[MASK]${"[MASK]".repeat(8)}`;
    const found = await fillMask(tools, text, 4);
    assertEquals(found.map((own) => own.length), Array(10).fill(4));
    const places = [10, 18, 19, 20, 21, 22, 23, 24, 25, 26];
    const row = [2, ...[...a].map((c) => vocabulary.ids.get(c)!), 4];
    row.push(...[...b].map((c) => vocabulary.ids.get(c)!), ...Array(9).fill(4), 3);
    const logits = await read(
      mlm(
        weights as never,
        {
          ids: ids(row),
          keep: ones(row.length),
          positions: fromArray(Int32Array.from(places), [10], "i32") as AnyTensor,
        },
        model,
      ) as AnyTensor as Tensor,
    );
    const V = vocabulary.tokens.length;
    found.forEach((guesses, p) => {
      const own = [...logits.subarray(p * V, (p + 1) * V)], top = Math.max(...own);
      const total = own.reduce((sum, x) => sum + Math.exp(x - top), 0);
      const best = [...own.keys()].sort((i, j) => own[j]! - own[i]!).slice(0, 4);
      guesses.forEach(({ token, probability }, i) => {
        assertEquals(token, vocabulary.tokens[best[i]!]);
        assertAlmostEquals(probability, Math.exp(own[best[i]!]! - top) / total, 1e-5);
      });
    });
    // Every token is a guess where more are asked for than there are.
    assertEquals((await fillMask(tools, "[MASK]", 10 * V))[0]!.length, V);
    const rejects = (text: string, why: string) =>
      assertRejects(() => fillMask(tools, text), InputError, why);
    await rejects("天", "Cannot read input[0]: it has no [MASK]");
    await rejects("[MASK]".repeat(17), "17 times [MASK], the limit is 16");
    await rejects("[mask]", "no [MASK]");
  });
});

Deno.test("predict: a classifier's probabilities follow its scores and biases", () => {
  const device = cpu();
  return inModels(device, async ({ folder, pairs }) => {
    const { facts, open } = await modelSource(pairs), { encoder, task } = await open(device);
    assertEquals(facts.asks, ["embed", "classify"]);
    assertEquals(facts.classes!.biases, [0, 0.5, -0.5]);
    const tools = await openPredictor(pairs, device);
    const asked = texts.filter(({ length }) => length < 50).slice(0, 9).map((
      text,
      i,
    ): [string, string] => [text, textOf(i + 80, 6)]);
    const answers = await classify(tools, asked);
    for (const [i, { label, probabilities }] of answers.entries()) {
      const { ids: row } = textRow(facts, { truncate: false, name: "" }, ...asked[i]!);
      const keep = ones(row.length), options = encoderOptions(tinyRun.model);
      const { hidden } = encode(encoder, { ids: ids(row), keep }, options);
      const scores = await read(
        task!.head.outputs(task!.params, { hidden: hidden as never, keep }) as Tensor,
      );
      const powers = [...scores].map((x, k) => Math.exp(x + [0, 0.5, -0.5][k]!));
      const total = powers.reduce((sum, x) => sum + x, 0);
      powers.forEach((x, k) => assertAlmostEquals(probabilities[k]!, x / total, 1e-5));
      assertEquals(label, String(powers.indexOf(Math.max(...powers))));
    }
    await assertRejects(() => classify(tools, ["天"]), InputError, "qbqtc reads pairs");
    await assertRejects(() => classify(tools, [["天", " "]]), InputError, "an empty text");
    await assertRejects(() => fillMask(tools, "[MASK]"), InputError, "no head for masked words");
    await assertRejects(() => relevance(tools, "天", ["地"]), InputError, "no clicks");
    const single = join(folder, "single");
    await savedTaskOf(single, "tnews", device);
    const one = await openPredictor(single, device);
    assertEquals(one.facts.limit, 128);
    await assertRejects(() => classify(one, [["天", "地"]]), InputError, "reads single texts");
    // What spans are is no class.
    const spans = join(folder, "spans");
    await savedTaskOf(spans, "cmrc2018", device);
    assertEquals((await modelSource(spans)).facts.asks, ["embed", "answer"]);
    // The weights of the epoch before the best are gone.
    const kept = await Array.fromAsync(Deno.readDir(join(pairs, "checkpoints")));
    assertEquals(kept.map(({ name }) => name), ["step-00000002"]);
  });
});

Deno.test("predict: texts that are too long are refused by name, or cut", () => {
  const device = cpu();
  return inModels(device, async ({ folder, run }) => {
    const tools = await openPredictor(run, device, 20), long = textOf(5, 30);
    const why = "Cannot read input[1]: it has 32 tokens with [CLS] and [SEP], the limit is 20";
    await assertRejects(() => embed(tools, ["天", long]), InputError, why);
    const [cut, same] = await embed(tools, [long, long.slice(0, 18)], { truncate: true });
    cut!.forEach((x, c) => assertAlmostEquals(x, same![c]!, 1e-6));
    await assertRejects(
      () => relevance(tools, "天", ["地", long]),
      InputError,
      "Cannot read titles[1]: it has 34",
    );
    await assertRejects(
      () => embed(tools, ["天", " \n"]),
      InputError,
      "input[1]: it holds an empty",
    );
    await assertRejects(
      () => fillMask(tools, `${long}[MASK]`, 1, { truncate: true }),
      InputError,
      "no [MASK] before its cut",
    );
    const rows = join(folder, "rows");
    await savedRunOf(rows, device, {
      clicks: false,
      model: { scheme: "absolute", maxLength: 40 },
    });
    assertEquals((await modelSource(rows)).facts.limit, 40);
    await assertRejects(() => modelSource(rows, 41), InputError, "has 40 positions");
    // No row is padded beyond what the model has positions for.
    assertEquals((await embed(await openPredictor(rows, device), [textOf(1, 37)])).length, 1);
    assertEquals(paddedLengths(40), [16, 32, 40]);
  });
});

Deno.test("predict: a folder of BERT's answers as the run of the same weights does", () => {
  const device = cpu(), model = randomModel(bert);
  return inModels(device, async ({ folder }) => {
    const [run, other] = [join(folder, "same"), join(folder, "bert")];
    await writeRun(run, model);
    await writeHuggingFace(other, model, layoutFor(model.config.model, model.vocabulary, "bert"));
    const tools = await Promise.all([run, other].map((path) => openPredictor(path, device)));
    assertEquals(tools.map(({ facts }) => [facts.asks, facts.limit]), [
      [["embed", "fill-mask"], 96],
      [["embed", "fill-mask"], 96],
    ]);
    const [a, b] = await Promise.all(tools.map((own) => embed(own, ["天地玄黄", "deno，日月"])));
    assertEquals(a, b);
    const [c, d] = await Promise.all(tools.map((own) => fillMask(own, "天[MASK]玄黄")));
    assertEquals(c, d);
  });
});

Deno.test("predict: batches hold every row once, within their limits", () => {
  const rows = texts.concat(texts, texts).map((text) => ({
    ids: Array(text.length + 2).fill(5),
    segments: [],
  }));
  const found = batchesOf("embed", rows, 512, { rows: 16, tokens: 512 });
  assertEquals(
    found.flatMap(({ numbers }) => numbers).sort((a, b) => a - b),
    [...rows.keys()],
  );
  for (const { batch: { B, T, rows: own }, numbers } of found) {
    assertEquals(own, numbers.map((n) => rows[n]!));
    assert(B <= 16 && B * T <= 512 && own.length <= B && Math.log2(B) % 1 === 0);
    assert(own.every(({ ids }) => ids.length <= T && (T === 16 || ids.length > T / 2)));
  }
});
