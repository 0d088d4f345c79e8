/** Learnt absolute positions, and the whole of BERT's layout, trained by the recipe. */
import { assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import { type AnyTensor, cpu, read, type Tensor } from "../../core/mod.ts";
import { describe } from "../../nn/mod.ts";
import type { ModelConfig, PretrainConfig } from "../../recipes/pretrain/config.ts";
import { modelSpec } from "../../recipes/pretrain/model.ts";
import { initialState } from "../../recipes/pretrain/train.ts";
import { tinyData, tinyRun, trainTiny } from "./tiny_run.ts";

const bert: ModelConfig = {
  ...tinyRun.model,
  scheme: "absolute",
  maxLength: 30,
  segments: 2,
  embeddingNorm: true,
  norm: "post",
  normEpsilon: 1e-12,
};
const tables = (model: ModelConfig): Record<string, readonly number[]> =>
  Object.fromEntries(
    describe(modelSpec(model, 11)).flatMap(({ path, shape }) =>
      path.startsWith("encoder.embeddings.")
        ? [[path.slice("encoder.embeddings.".length), shape]]
        : []
    ),
  );

Deno.test("a model has the tables that its configuration says", () => {
  const tokens = [11, 16];
  assertEquals(tables(tinyRun.model), { tokens });
  assertEquals(tables({ ...tinyRun.model, scheme: "absolute" }), { tokens, positions: [512, 16] });
  assertEquals(tables(bert), {
    tokens,
    positions: [30, 16],
    segments: [2, 16],
    "norm.gain": [16],
    "norm.bias": [16],
  });
});

Deno.test("BERT's layout learns; rows of positions beyond the text get no gradient", async () => {
  const optimizer = { ...tinyRun.optimizer, decay: 0 };
  const config: PretrainConfig = {
    ...tinyRun,
    model: bert,
    optimizer,
    steps: 200,
    logEvery: 5,
    evalEvery: 0,
    checkpointEvery: 0,
  };
  const device = cpu(), losses: number[] = [];
  const { vocabulary } = tinyData(config.data.length);
  const before = await initialState(config, vocabulary.tokens.length, device);
  const { model } = await trainTiny(config, device, {
    metrics: ({ loss }) => losses.push(loss as number),
  });
  // 8 sequences say little each: the last 50 steps together.
  const last = losses.slice(-10).reduce((sum, loss) => sum + loss / 10, 0);
  assertLess(last, losses[0]! - 0.25);
  const rows = async (tree: unknown): Promise<Float32Array> => {
    const { positions } = (tree as { encoder: { embeddings: Record<string, AnyTensor> } }).encoder
      .embeddings;
    return await read(positions as Tensor) as Float32Array;
  };
  const [old, now] = [await rows(before.model), await rows(model)], width = bert.width;
  const moved = Array.from(
    { length: bert.maxLength },
    (_, t) =>
      Math.hypot(
        ...now.subarray(t * width, (t + 1) * width).map((x, i) => x - old[t * width + i]!),
      ),
  );
  assertEquals(moved.slice(config.data.length), Array(bert.maxLength - config.data.length).fill(0));
  assertGreater(Math.min(...moved.slice(0, config.data.length)), 0);
});

Deno.test("a text that is longer than the table is refused where it is embedded too", async () => {
  const config = { ...tinyRun, model: { ...bert, maxLength: 8 }, evalEvery: 0, checkpointEvery: 0 };
  await assertRejects(
    () => trainTiny(config, cpu(), {}),
    RangeError,
    "Cannot embed 24 positions: the model has learnt 8",
  );
});
