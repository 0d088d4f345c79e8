/**
 * A pretrained model as an ONNX model, rounded or not.
 *
 * @module
 */
import { type AnyTensor, fromArray, mapTree, sizesOf, type Tree } from "../../core/mod.ts";
import type { ModelConfig } from "../pretrain/config.ts";
import type { Model } from "../pretrain/model.ts";
import { exportFunction } from "./export_function.ts";
import { type Exportable, exportable, type HeadName } from "./heads.ts";
import type { OnnxModel } from "./model.ts";
import { quantised } from "./quantise.ts";

/** What is exported. */
export interface ToExport {
  readonly head: HeadName;
  readonly params: Model;
  readonly config: ModelConfig;
  /** Tokens of a row at most. */
  readonly length: number;
}

/** The model, of any number of rows of any length up to `length`. */
export function exportModel({ head, params, config, length }: ToExport): Promise<OnnxModel> {
  const { f, inputs } = exportable(head, params, config);
  const metadata = { head, max_length: String(length), model: JSON.stringify(config) };
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
  { head, params, config }: Omit<ToExport, "length">,
): RoundedModel {
  const small = quantised(model);
  const widened = mapTree(params as Tree<AnyTensor>, (x, path): AnyTensor => {
    const values = small.weights.get(path);
    return values ? fromArray(values as Float32Array<ArrayBuffer>, [...sizesOf(x)]) : x;
  }) as Model;
  return { model: small.model, exportable: exportable(head, widened, config) };
}
