/**
 * A pretrained or a fine-tuned model as an ONNX model, rounded or not.
 *
 * @module
 */
import { type AnyTensor, fromArray, mapTree, sizesOf, type Tree } from "../../core/mod.ts";
import type { Head } from "../clue/heads/head.ts";
import type { TaskModel } from "../clue/task_model.ts";
import type { ModelConfig } from "../pretrain/config.ts";
import { exportFunction } from "./export_function.ts";
import { type Exportable, exportable, exportableTask, type HeadName, type Parts } from "./heads.ts";
import type { OnnxModel } from "./model.ts";
import { quantised } from "./quantise.ts";

/** What is exported. */
export type ToExport = (OfPretrained | OfTask) & {
  readonly config: ModelConfig;
  /** Tokens of a row at most. */
  readonly length: number;
};

interface OfPretrained {
  readonly head: HeadName;
  readonly params: Parts;
  /** Takes segments in any case. */
  readonly segments?: true;
}

/** A task's own head. */
interface OfTask {
  readonly head: Head;
  readonly params: TaskModel;
  /** Added to the scores of classes; empty where nothing is. */
  readonly biases: readonly number[];
  /** What the file says of it. */
  readonly about: Readonly<Record<string, string>>;
}

const ofTask = (what: OfPretrained | OfTask): what is OfTask => typeof what.head !== "string";

/** The function, and what it takes. */
export function exportableOf(what: Omit<ToExport, "length"> & (OfPretrained | OfTask)): Exportable {
  return ofTask(what)
    ? exportableTask(what.params, what.head, what.config, what.biases)
    : exportable(what.head, what.params, what.config, what.segments);
}

/** The model, of any number of rows of any length up to `length`. */
export function exportModel(what: ToExport): Promise<OnnxModel> {
  const { config, length, params } = what, { f, inputs } = exportableOf(what);
  const about = ofTask(what) ? what.about : { head: what.head };
  const metadata = { ...about, max_length: String(length), model: JSON.stringify(config) };
  return exportFunction(f, { inputs, greatest: { length }, weights: params, metadata });
}

/** A model with weights in one byte, and the function that it computes now. */
export interface RoundedModel {
  readonly model: OnnxModel;
  readonly exportable: Exportable;
}

/** The model with its weights in one byte. */
export function roundedModel(
  model: OnnxModel,
  what: Omit<ToExport, "length"> & (OfPretrained | OfTask),
): RoundedModel {
  const small = quantised(model);
  const params = mapTree(what.params as Tree<AnyTensor>, (x, path): AnyTensor => {
    const values = small.weights.get(path);
    return values ? fromArray(values as Float32Array<ArrayBuffer>, [...sizesOf(x)]) : x;
  });
  return { model: small.model, exportable: exportableOf({ ...what, params } as typeof what) };
}
