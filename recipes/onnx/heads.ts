/**
 * What of a model is exported, with the names that other tools know from BERT: `input_ids`, `attention_mask` and `token_type_ids`,
 * whole numbers of 64 bits.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  arange,
  fromArray,
  reshape,
  sizesOf,
  type Tensor,
} from "../../core/mod.ts";
import { encode } from "../../nn/mod.ts";
import type { Head } from "../clue/heads/head.ts";
import type { TaskModel } from "../clue/task_model.ts";
import type { ModelConfig } from "../pretrain/config.ts";
import { meanVectors } from "../predict/mean_vectors.ts";
import { encoderOptions, logitsAt, type Model, relevancesOf } from "../pretrain/model.ts";
import type { Exported, ExportedInput } from "./export_function.ts";

/** What a pretrained model can be exported with. */
export const headNames = ["mlm", "embedding", "hidden", "relevance"] as const;
/** One of them. */
export type HeadName = typeof headNames[number];
/** What a fine-tuned model can be exported with: its own head, or what its encoder gives. */
export const taskHeadNames = ["task", "embedding", "hidden"] as const;

/** A pretrained model, or as much of it as a head reads. */
export type Parts = Pick<Model, "encoder"> & Partial<Model>;

/** A function to export, and what it takes. */
export interface Exportable {
  readonly f: Exported;
  readonly inputs: readonly ExportedInput[];
  /** Is there a vector for every token? Else one for every row, or several. */
  readonly ofTokens: boolean;
}

/** What an encoder gives, with what it was given. */
interface Encoded {
  readonly ids: AnyTensor;
  readonly keep: Tensor<["B", "T"]>;
  readonly hidden: Tensor<["B", "T", "C"]>;
}

/** The axes of inputs: rows, or units of so many rows, by tokens. */
const axesOf = (rows: number): ExportedInput["axes"] =>
  rows === 1 ? ["batch", "length"] : ["batch", rows, "length"];

function inputsOf(segments: boolean, rows = 1): readonly ExportedInput[] {
  const axes = axesOf(rows), given = "i64";
  return [
    { name: "input_ids", dtype: "i32", given, axes },
    { name: "attention_mask", dtype: "f32", given, axes },
    ...segments ? [{ name: "token_type_ids", dtype: "i32", given, axes } as const] : [],
  ];
}

/** The inputs as the encoder takes them, and what it makes of them. */
function encoded(encoder: Model["encoder"], config: ModelConfig, inputs: AnyTensor[]): Encoded {
  const [ids, keep, segments] = inputs.map((x): AnyTensor => {
    return sizesOf(x).length === 2 ? x : reshape(x, [-1, sizesOf(x).at(-1)!]);
  }) as [AnyTensor, AnyTensor, AnyTensor?];
  const all = { ids, keep, ...segments && { segments } };
  const { hidden } = encode(encoder, all, encoderOptions(config));
  return { ids, keep, hidden } as unknown as Encoded;
}

/** Scores of every token at every place. Shapes: [B, T, V]. */
function logits(model: Parts, config: ModelConfig, { hidden }: Encoded): AnyTensor {
  const [B, T] = sizesOf(hidden) as [number, number], places: AnyTensor = arange(B * T);
  return reshape(logitsAt(model as Model, hidden, places, config) as AnyTensor, [B, T, -1]);
}

const results: {
  readonly [N in HeadName]: (
    model: Parts,
    config: ModelConfig,
    x: Encoded,
  ) => Readonly<Record<string, AnyTensor>>;
} = {
  mlm: (model, config, x) => ({ logits: logits(model, config, x) }),
  embedding: (_, __, x) => ({ sentence_embedding: meanVectors(x) }),
  hidden: (_, __, x) => ({ last_hidden_state: x.hidden as AnyTensor }),
  relevance: (model, _, x) => ({ scores: relevancesOf(model.click!, x.hidden) }),
};

/**
 * A model's encoder with a head. Segments are an input where it has learnt what they say: under a table of them, for queries with titles,
 * and where `segments` says so, as of a model that has learnt pairs under a scheme that knows them.
 *
 * Shapes: `mlm` gives logits [B, T, V]; `embedding` sentence_embedding [B, C], the mean of the tokens' last hidden states, of length 1;
 * `hidden` last_hidden_state [B, T, C]; `relevance` scores [B].
 */
export function exportable(
  head: HeadName,
  model: Parts,
  config: ModelConfig,
  segments: boolean = config.segments > 0 || head === "relevance",
): Exportable {
  return {
    f: (...inputs) => results[head](model, config, encoded(model.encoder, config, inputs)),
    inputs: inputsOf(segments),
    ofTokens: head === "mlm" || head === "hidden",
  };
}

/**
 * A fine-tuned model. `biases`, where there are any, are added to the scores of classes; what else a head has learnt comes out beside.
 *
 * Shapes: [B, T], or [B, N, T] where a unit has N rows, to `logits` as the head says.
 */
export function exportableTask(
  model: TaskModel,
  head: Head,
  config: ModelConfig,
  biases: readonly number[] = [],
): Exportable {
  const own: AnyTensor | undefined = biases.length > 0
    ? fromArray(Float32Array.from(biases), [biases.length])
    : undefined;
  return {
    f(...inputs) {
      const { hidden, keep } = encoded(model.encoder, config, inputs);
      const outputs = head.outputs(model.head, { hidden, keep });
      const logits = own ? add(outputs, own) as AnyTensor : outputs;
      return { logits, ...head.learnt?.(model.head) };
    },
    inputs: inputsOf(true, head.rows),
    ofTokens: head.targets === "tokens",
  };
}
