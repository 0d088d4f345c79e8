/** `deno task export` of what `deno task clue --save` leaves: the file gives what the model gives. */
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { type AnyTensor, cpu, jit, read, type Tensor } from "../../core/mod.ts";
import { answerer } from "../../recipes/clue/answer.ts";
import { savedTask } from "../../recipes/clue/saved_task.ts";
import { hiddenOf, type TaskModel } from "../../recipes/clue/task_model.ts";
import type { Unit } from "../../recipes/clue/unit.ts";
import { type RowInputs, rowInputs } from "../../recipes/clue/unit_batches.ts";
import { draws } from "../../recipes/masking/counter_random.ts";
import { encoderOptions } from "../../recipes/pretrain/model.ts";
import { classify } from "../../recipes/predict/classify.ts";
import { openPredictor } from "../../recipes/predict/open_predictor.ts";
import { inFolder } from "../in_folder.ts";
import { savedTaskOf } from "./asked_models.ts";
import { type Numbers, runtimes } from "./onnx_runtime.ts";
import { runTask } from "./recipe_command.ts";

const { native, web } = runtimes, runtime = typeof native === "string" ? web : native;
const T = 16, device = cpu();

/** Units of random tokens and lengths. */
function unitsOf(rows: number, V: number): readonly Unit[] {
  return Array.from({ length: 3 }, (_, u): Unit => ({
    rows: Array.from({ length: rows }, (_, n) => {
      const { below } = draws(4, 1, u, n), length = u === 0 ? T : 3 + below(T - 3);
      const ids = Array.from({ length }, () => below(V));
      return { ids, segments: ids.map((_, t) => t < 3 ? 0 : 1) };
    }),
    target: [],
  }));
}

const bigger = (x: { readonly data: ArrayLike<number> }): BigInt64Array =>
  BigInt64Array.from(Array.from(x.data), (n) => BigInt(Math.round(n)));

/** The best tags by the scores of a file and what it says of tags that follow one another, for so many tokens. */
function bestPath(scores: Float32Array, length: number, crf: readonly Float32Array[]): number[] {
  const [start, between, end] = crf as [Float32Array, Float32Array, Float32Array];
  const L = start.length, from: number[][] = [];
  let best = Array.from(start, (s, k) => s + scores[k]!);
  for (let t = 1; t < length; t++) {
    const next = Array.from(start, (_, k) => {
      const all = best.map((value, j) => value + between[j * L + k]!), top = Math.max(...all);
      (from[t] ??= [])[k] = all.indexOf(top);
      return top + scores[t * L + k]!;
    });
    best = next;
  }
  const last = best.map((value, k) => value + end[k]!), path = [last.indexOf(Math.max(...last))];
  for (let t = length - 1; t > 0; t--) path.unshift(from[t]![path[0]!]!);
  return path;
}

const cases = [
  { name: "qbqtc", tuned: [0, 0.5, -0.5], axes: ["batch", 3], labels: 3 },
  { name: "tnews", axes: ["batch", 15], labels: 15 },
  { name: "cluener", axes: ["batch", "length", 31], labels: 31 },
  { name: "cmrc2018", axes: ["batch", 2, "length"] },
  { name: "c3", axes: ["batch", 4] },
] as const;

for (const { name, axes, ...own } of cases) {
  Deno.test(`a model saved by clue for ${name} is exported, and gives the same in ONNX Runtime`, () =>
    inFolder(async (folder) => {
      const tuned = "tuned" in own ? own.tuned : undefined, saved = join(folder, "saved");
      await savedTaskOf(saved, name, device, tuned);
      const words = ["--model", "saved", "--out", "task.onnx", "--length", "64"];
      const { code, out, error } = await runTask("export", folder, [...words, "--json"]);
      assertEquals(code, 0, error);
      const facts = JSON.parse(out);
      assertEquals([facts.head, facts.output, facts.length], ["task", "logits", 64]);
      assertEquals(facts.inputs, ["input_ids", "attention_mask", "token_type_ids"]);
      assertEquals(facts.labels?.length, "labels" in own ? own.labels : undefined);

      const { task: { head }, config, vocabulary, open } = await savedTask(saved);
      const model = await open(device), options = encoderOptions(config.model);
      const V = vocabulary.tokens.length, units = unitsOf(head.rows, V);
      const batch = { units: units.map((_, u) => u), T };
      const inputs = rowInputs(units, batch, units.length, head, vocabulary.pad);
      const program = jit(
        (own: TaskModel, x: RowInputs) => head.outputs(own.head, hiddenOf(own, x, options)),
        { device },
      );
      const want = await read(program(model, inputs) as Tensor);
      const session = await runtime.load(await Deno.readFile(join(folder, "task.onnx")));
      const dims = head.rows === 1 ? [3, T] : [3, head.rows, T];
      const given = async (x: AnyTensor): Promise<Numbers> => ({
        dims,
        data: bigger({ data: await read(x as Tensor) }),
      });
      const { logits, ...more } = await session.run({
        input_ids: await given(inputs.ids as AnyTensor),
        attention_mask: await given(inputs.keep as AnyTensor),
        token_type_ids: await given(inputs.segments as AnyTensor),
      });
      await session.close();
      assertEquals(
        logits!.dims,
        axes.map((axis) => axis === "batch" ? 3 : axis === "length" ? T : axis),
      );
      const L = axes.at(-1) as number, have = logits!.data as Float32Array;
      want.forEach((x, i) => {
        // Padding of spans has a score that says so.
        assertLess(
          Math.abs(have[i]! - (x + (tuned?.[i % L] ?? 0))) / Math.max(1, Math.abs(x)),
          1e-4,
        );
      });
      if (tuned) {
        const text = vocabulary.tokens.filter((token) => /^\p{Script=Han}$/u.test(token)).slice(
          0,
          4,
        ).join("");
        const [found] = await classify(await openPredictor(saved, device), [[text, text]]);
        assertEquals(Object.keys(found!.probabilities), facts.labels);
      }
      if (name === "cluener") {
        assertEquals(facts.more, ["crf_start", "crf_transitions", "crf_end"]);
        const crf = (facts.more as string[])
          .map((key) => more[key]!.data as Float32Array);
        const ask = answerer(head, options, units.length, vocabulary.pad, device);
        const answers = await ask(model, units);
        units.forEach(({ rows: [row] }, u) =>
          assertEquals(
            bestPath(have.subarray(u * T * L), row!.ids.length, crf),
            Array.from(answers[u]!.subarray(0, row!.ids.length)),
          )
        );
      }
    }));
}

Deno.test("export of a saved model: weights in one byte say their cost, other heads and wrong ones", () =>
  inFolder(async (folder) => {
    await savedTaskOf(join(folder, "saved"), "cmrc2018", device);
    const call = (...words: string[]) =>
      runTask("export", folder, ["--model", "saved", "--out", "a.onnx", ...words]);
    const [small, vector, wrong] = await Promise.all([
      call("--int8"),
      call("--head", "embedding", "--json", "--out", "b.onnx"),
      call("--head", "mlm", "--out", "c.onnx"),
    ]);
    assertEquals(small.code, 0, small.error);
    const cost = small.out.trimEnd().split("\n").at(-1)!;
    assertMatch(
      cost,
      /^on random tokens: differs by \S+ at most, of numbers up to \d\S*, the greatest is the same one in \d+\.\d % of the lists$/,
    );
    // What padding scores is no number of the model's.
    assert(Number(/up to (\S+),/.exec(cost)![1]) < 1e6, cost);
    const { output, inputs } = JSON.parse(vector.out);
    // A model that has learnt a question with its text must be told which is which.
    assertEquals([output, inputs.at(-1)], ["sentence_embedding", "token_type_ids"]);
    assertEquals([wrong.code, wrong.out], [2, ""]);
    assertEquals(
      wrong.error,
      'Cannot export saved with the head "mlm": it has learnt the task cmrc2018 and has task, embedding, hidden; pass one of them\n',
    );
  }));
