/** Small models with random weights, none of them 0 or 1, in the layouts that can be converted. */
import { type AnyTensor, fromArray, mapTree, type Tree } from "../../core/mod.ts";
import { describe } from "../../nn/mod.ts";
import type { WholeModel } from "../../recipes/interop/write_folders.ts";
import { configurations, type ModelConfig } from "../../recipes/pretrain/config.ts";
import { checkConfig } from "../../recipes/pretrain/load_config.ts";
import { type Model, modelSpec } from "../../recipes/pretrain/model.ts";
import { SPECIAL_TOKENS, vocabularyOf } from "../../recipes/text/vocabulary.ts";

/** Numbers from -1 to 1, the same again for the same seed. */
export function noise(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

const tokens = [...SPECIAL_TOKENS, ..."天地玄黄宇宙洪荒日月盈昃", "de", "##no", "，", "？"];

/** BERT's layout. */
export const bert: Partial<ModelConfig> = {
  scheme: "absolute",
  maxLength: 96,
  segments: 2,
  embeddingNorm: true,
  norm: "post",
  normEpsilon: 1e-12,
};

/** A model of two layers, three heads and the given kind. */
export function randomModel(kind: Partial<ModelConfig>, seed = 1): WholeModel {
  const tiny = configurations["motian-tiny"]!, sizes = { width: 24, heads: 3, hidden: 40 };
  const vocabulary = vocabularyOf(tokens);
  const model = { ...tiny.model, ...sizes, ...kind };
  const config = checkConfig({ ...tiny, name: "random", model }, "the test's configuration");
  const spec = modelSpec(model, tokens.length), next = noise(seed);
  const shapes = new Map(describe(spec).map(({ path, shape }) => [path, shape]));
  const params = mapTree(spec as unknown as Tree<object>, (_, path) => {
    const shape = shapes.get(path)!, centre = path.endsWith("gain") ? 1 : 0;
    const count = shape.reduce((a, b) => a * b, 1);
    const values = Float32Array.from({ length: count }, () => centre + 0.4 * next());
    return fromArray(values, [...shape]) as AnyTensor;
  });
  return { config, vocabulary, params: params as unknown as Model };
}

/** The same model with a head for clicks. */
export function withClicks({ config, vocabulary, params }: WholeModel): WholeModel {
  const click = {
    ...{ log: "simulated", loss: "listwise", docs: 4, length: 32, batch: 8, microBatch: 8 },
    ...{ mlm: true, weights: "uncertainty", share: 1, clip: 10, heldOut: 0.1 },
  };
  const w = fromArray(Float32Array.from({ length: 24 }, noise(9)), [24]) as AnyTensor;
  const b = fromArray(Float32Array.of(0.5), []) as AnyTensor;
  return {
    config: checkConfig({ ...config, click }, "the test's configuration"),
    vocabulary,
    params: { ...params, click: { w, b } },
  };
}
