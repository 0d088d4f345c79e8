/**
 * Models of ours in ONNX Runtime: every position scheme and head, over random tokens and lengths.
 *
 * @module
 */
import { assert, assertEquals, assertLess } from "@std/assert";
import { type AnyTensor, cpu, fromArray, jit, read, sizesOf, type Tensor } from "../../core/mod.ts";
import { isTensor } from "../../core/tensor.ts";
import { init, type TensorsOf } from "../../nn/mod.ts";
import { choice } from "../../recipes/clue/heads/choice.ts";
import { classes } from "../../recipes/clue/heads/classes.ts";
import { crf } from "../../recipes/clue/heads/crf.ts";
import type { Head, HeadSpec } from "../../recipes/clue/heads/head.ts";
import { ngrams } from "../../recipes/clue/heads/ngrams.ts";
import { span } from "../../recipes/clue/heads/span.ts";
import { tags } from "../../recipes/clue/heads/tags.ts";
import type { TaskModel } from "../../recipes/clue/task_model.ts";
import { exportFunction } from "../../recipes/onnx/export_function.ts";
import { exportModel, roundedModel } from "../../recipes/onnx/export_model.ts";
import {
  type Exportable,
  exportable,
  exportableTask,
  type HeadName,
  headNames,
} from "../../recipes/onnx/heads.ts";
import type { OnnxModel } from "../../recipes/onnx/model.ts";
import { configurations, type ModelConfig } from "../../recipes/pretrain/config.ts";
import { type Model, modelSpec } from "../../recipes/pretrain/model.ts";
import { positionNames } from "../../recipes/pretrain/positions.ts";
import { draws } from "../../recipes/masking/counter_random.ts";
import { skip } from "../skip.ts";
import { fileOf, type Numbers, runtimes } from "./onnx_runtime.ts";

const TOLERANCE = 1e-4;
const V = 60, LONGEST = 40;
/** Rows by tokens, one token and the longest text among them. */
const SHAPES = [[1, 1], [2, 2], [1, LONGEST], [5, 24]] as const;

const device = cpu();
const { native, web } = runtimes;
if (typeof native === "string") skip("onnxruntime-node", native);
const all = typeof native === "string" ? [web] : [native, web];

const configOf = (own: Partial<ModelConfig>): ModelConfig => ({
  ...configurations["motian-tiny"]!.model,
  width: 32,
  heads: 4,
  hidden: 64,
  std: 0.2,
  maxLength: LONGEST,
  ...own,
});

/** A model whose every weight is drawn, biases and gains too: what starts as 0 or 1 would hide what is left out. */
function modelOf(config: ModelConfig, click = false): Model {
  const model = init(3, modelSpec(config, V, click), device);
  return varied(model) as Model;
}

function varied(tree: unknown): unknown {
  const { uniform } = draws(9, 1, 0, 0);
  const walk = (x: unknown): unknown => {
    const shape = isTensor(x) ? sizesOf(x) : undefined;
    if (shape && shape.length < 3) {
      const count = shape.reduce((a, b) => a * b, 1);
      return fromArray(Float32Array.from({ length: count }, () => 0.6 * uniform() - 0.2), [
        ...shape,
      ]);
    }
    if (shape || typeof x !== "object") return x;
    const entries = Object.entries(x as object).map(([k, v]) => [k, walk(v)] as const);
    return Array.isArray(x) ? entries.map(([, v]) => v) : Object.fromEntries(entries);
  };
  return walk(tree);
}

/** Random tokens, and an end of every row but the first that is padding. */
function feedsOf({ inputs }: Exportable, B: number, T: number): Readonly<Record<string, Numbers>> {
  const { below } = draws(5, 1, B, T), rows = inputs[0]!.axes.length === 3 ? inputs[0]!.axes[1] : 1;
  const dims = rows === 1 ? [B, T] : [B, rows as number, T], count = B * T * (rows as number);
  const kept = Array.from({ length: count / T }, (_, b) => b === 0 ? T : 1 + below(T));
  const values: readonly ((i: number) => number)[] = [
    () => below(V + 1), // the last one is no token
    (i) => i % T < kept[Math.floor(i / T)]! ? 1 : 0,
    (i) => i % T < T / 3 ? 0 : 1,
  ];
  return Object.fromEntries(inputs.map(({ name }, k) => [
    name,
    { dims, data: BigInt64Array.from({ length: count }, (_, i) => BigInt(values[k]!(i))) },
  ]));
}

async function ours(
  { f, inputs }: Exportable,
  feeds: Readonly<Record<string, Numbers>>,
): Promise<Numbers> {
  const tensors = inputs.map(({ name, dtype }): AnyTensor => {
    const { dims, data } = feeds[name]!, numbers = Array.from(data, Number);
    return dtype === "i32"
      ? fromArray(Int32Array.from(numbers), [...dims], "i32")
      : fromArray(Float32Array.from(numbers), [...dims]);
  });
  const run = jit((...xs: AnyTensor[]) => Object.values(f(...xs))[0]!, { device });
  const result = run(...tensors);
  return { dims: sizesOf(result), data: await read(result as Tensor) };
}

/** The largest difference over shapes, of every runtime. */
async function differences(
  what: Exportable,
  model: OnnxModel,
  shapes: readonly (readonly [number, number])[] = SHAPES,
): Promise<readonly number[]> {
  const file = fileOf(model), name = model.outputs[0]!.name;
  const sessions = await Promise.all(all.map((runtime) => runtime.load(file)));
  const largest = all.map(() => 0);
  for (const [B, T] of shapes) {
    const feeds = feedsOf(what, B, T), want = await ours(what, feeds);
    assert(want.data.some((x) => x !== 0));
    for (const [k, session] of sessions.entries()) {
      const have = (await session.run(feeds))[name]!;
      assertEquals([...have.dims], [...want.dims]);
      want.data.forEach((x, i) => {
        const distance = Math.abs(Number(x) - Number(have.data[i]));
        largest[k] = Number.isNaN(distance) ? Infinity : Math.max(largest[k]!, distance);
      });
    }
  }
  await Promise.all(sessions.map((session) => session.close()));
  return largest;
}

async function assertRuns(
  what: Exportable,
  model: OnnxModel,
  shapes: readonly (readonly [number, number])[] = SHAPES,
): Promise<void> {
  const found = await differences(what, model, shapes);
  all.forEach(({ name }, k) => assertLess(found[k]!, TOLERANCE, name));
}

const opsOf = ({ nodes }: OnnxModel, op: string): number => nodes.filter((n) => n.op === op).length;

for (const scheme of positionNames) {
  Deno.test(`a model under ${scheme} gives the same logits in ONNX Runtime`, async () => {
    const config = configOf({ scheme }), params = modelOf(config);
    const model = await exportModel({ head: "mlm", params, config, length: LONGEST });
    await assertRuns(exportable("mlm", params, config), model);
    // What is not recognised any more would be as right and slower.
    const norms = 2 * config.layers + 2 + Number(scheme === "tupe");
    assertEquals(opsOf(model, "LayerNormalization"), norms);
    assertEquals(opsOf(model, "Softmax"), config.layers);
    assertEquals(opsOf(model, "Erf"), config.layers + 1);
  });
}

const layouts: Readonly<Record<string, Partial<ModelConfig>>> = {
  "BERT's layout": { scheme: "absolute", norm: "post", segments: 2, embeddingNorm: true },
  "three layers, a norm of the embeddings": { layers: 3, embeddingNorm: true, scheme: "t5" },
  "XLNet's segments": { scheme: "xlnet", segments: 3 },
};
for (const [name, own] of Object.entries(layouts)) {
  Deno.test(`a model of ${name} gives the same hidden states in ONNX Runtime`, async () => {
    const config = configOf(own), params = modelOf(config);
    const model = await exportModel({ head: "hidden", params, config, length: LONGEST });
    await assertRuns(exportable("hidden", params, config), model);
  });
}

for (const head of headNames.filter((name) => name !== "mlm")) {
  Deno.test(`the head ${head} gives the same in ONNX Runtime`, async () => {
    const config = configOf({}), params = modelOf(config, true);
    const what = exportable(head, params, config);
    await assertRuns(what, await exportModel({ head, params, config, length: LONGEST }));
    assertEquals(what.inputs.length, head === "relevance" ? 3 : 2);
  });
}

const heads: Readonly<Record<string, Head>> = {
  classes: classes(5),
  "classes by neighbours": classes(5, ngrams),
  choice: choice(3),
  span,
  tags: tags(7),
  crf: crf(7),
};
for (const [name, head] of Object.entries(heads)) {
  Deno.test(`a fine-tuned model's ${name} are the same in ONNX Runtime`, async () => {
    const config = configOf({ layers: 1 }), { encoder } = modelOf(config);
    const own = varied(init(4, head.spec(config.width), device)) as TensorsOf<HeadSpec>;
    const params: TaskModel = { encoder, head: own }, what = exportableTask(params, head, config);
    const options = { inputs: what.inputs, greatest: { length: LONGEST }, weights: params };
    const model = await exportFunction(what.f, options), shapes = SHAPES.filter(([, T]) => T > 1);
    await assertRuns(what, model, shapes);
  });
}

Deno.test("weights in one byte: the file is what our model with rounded weights computes", async () => {
  for (const head of ["mlm", "embedding"] satisfies HeadName[]) {
    const config = configOf({ width: 64, hidden: 256 }), params = modelOf(config);
    const exact = await exportModel({ head, params, config, length: LONGEST });
    const rounded = roundedModel(exact, { head, params, config });
    await assertRuns(rounded.exportable, rounded.model);
    const share = fileOf(rounded.model).length / fileOf(exact).length;
    assertLess(share, 0.45, `${head}: ${share}`);
    const far = Math.max(...await differences(exportable(head, params, config), rounded.model));
    assert(far > TOLERANCE && far < 1, `${head}: ${far}`);
    const wide = rounded.model.tensors.filter(({ element, dims }) =>
      element === "f32" && dims.length > 1 && dims.reduce((a, b) => a * b, 1) >= 4096
    );
    // Read from the left: a runtime that finds both factors rounded may take the product of bytes.
    assertEquals(wide.map(({ name }) => name), ["encoder.shared.rows"]);
  }
});
