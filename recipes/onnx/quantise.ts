/**
 * A model with its weights in one byte (`run/int8.ts`).
 *
 * Only weights are rounded; the arithmetic stays f32, so that any runtime gives the same. Matrices have a scale for every column, tables
 * for every row. Tables are read before they are widened. What is small stays as it is, and so do left factors (rows of positions): a
 * runtime that finds both factors rounded may multiply bytes.
 *
 * @module
 */
import { FEWEST, rounded, wideValues } from "../run/int8.ts";
import { bytesOf, type OnnxModel, type OnnxNode, type OnnxTensor } from "./model.ts";

/** A model with rounded weights, and what they stand for now, by name. */
export interface Quantised {
  readonly model: OnnxModel;
  readonly weights: ReadonlyMap<string, Float32Array>;
}

function numbersOf({ data }: OnnxTensor): Float32Array {
  return new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
}

/** How weights are read. */
type Use = "columns" | "rows" | "table" | "other";

/** The readers of every value. */
function readersOf({ nodes }: OnnxModel): ReadonlyMap<string, readonly OnnxNode[]> {
  const readers = new Map<string, OnnxNode[]>();
  for (const node of nodes) {
    for (const name of node.inputs) readers.set(name, [...readers.get(name) ?? [], node]);
  }
  return readers;
}

function useOf(
  name: string,
  { op, inputs, output, attributes }: OnnxNode,
  readers: ReadonlyMap<string, readonly OnnxNode[]>,
): Use {
  const isFactor = (node: OnnxNode, of: string): boolean =>
    node.op === "MatMul" && node.inputs[1] === of && node.inputs[0] !== of;
  if (op === "MatMul" && inputs[1] === name && inputs[0] !== name) return "columns";
  if (op === "Gather" && inputs[0] === name && attributes.axis === 0) return "table";
  const isTurned = op === "Transpose" && readers.get(output)!.every((n) => isFactor(n, output));
  return isTurned ? "rows" : "other";
}

/** Rows of a rounded table: read, widened, scaled. */
function gathered({ inputs, output }: OnnxNode, name: string): readonly OnnxNode[] {
  const ids = inputs[1]!,
    node = (op: string, from: readonly string[], to: string): OnnxNode => {
      return { op, inputs: from, output: to, attributes: op === "Gather" ? { axis: 0 } : {} };
    };
  return [
    node("Gather", [`${name}_int8`, ids], `${output}_int8`),
    { ...node("Cast", [`${output}_int8`], `${output}_wide`), attributes: { to: 1 } },
    node("Gather", [`${name}_scales`, ids], `${output}_scales`),
    node("Unsqueeze", [`${output}_scales`, "last_axis"], `${output}_scale`),
    node("Mul", [`${output}_wide`, `${output}_scale`], output),
  ];
}

const wide = (inputs: readonly string[], output: string, axis: 0 | 1): OnnxNode => {
  return { op: "DequantizeLinear", inputs, output, attributes: { axis } };
};

/** A matrix turned while it is small. Between widening and product a runtime may round once more, as if that were wanted. */
function turnedFirst(node: OnnxNode, name: string): readonly OnnxNode[] {
  const small = `${node.output}_int8`;
  return [
    { ...node, inputs: [`${name}_int8`], output: small },
    wide([small, `${name}_scales`], node.output, 1),
  ];
}

/** The model with its matrices and tables in one byte. */
export function quantised(model: OnnxModel): Quantised {
  const readers = readersOf(model), weights = new Map<string, Float32Array>();
  const tensors: OnnxTensor[] = [], widened: OnnxNode[] = [], tables = new Set<string>();
  const turned = new Set<string>();
  for (const tensor of model.tensors) {
    const { name, dims, element } = tensor;
    const uses = new Set((readers.get(name) ?? []).map((node) => useOf(name, node, readers)));
    const isLarge = dims.length === 2 && dims[0]! * dims[1]! >= FEWEST;
    if (element !== "f32" || !isLarge || uses.size === 0 || uses.has("other")) {
      tensors.push(tensor);
      continue;
    }
    const axis = uses.size === 1 && uses.has("columns") ? 1 : 0;
    const { q, scales } = rounded(numbersOf(tensor), dims, axis), columns = dims[1]!;
    const channel = (i: number): number => axis === 1 ? i % columns : Math.floor(i / columns);
    weights.set(name, wideValues(q, scales, channel));
    tensors.push({ name: `${name}_int8`, element: "i8", dims, data: bytesOf(q) });
    tensors.push({
      name: `${name}_scales`,
      element: "f32",
      dims: [scales.length],
      data: bytesOf(scales),
    });
    if (uses.has("table")) tables.add(name);
    if (uses.has("rows")) turned.add(name);
    if (uses.has("columns")) {
      widened.push(wide([`${name}_int8`, `${name}_scales`], name, axis));
    }
  }
  if (tables.size > 0) {
    const last = BigInt64Array.of(-1n);
    tensors.push({ name: "last_axis", element: "i64", dims: [1], data: bytesOf(last) });
  }
  const nodes = model.nodes.flatMap((node) => {
    const name = node.inputs[0]!;
    if (node.op === "Gather" && tables.has(name)) return gathered(node, name);
    return node.op === "Transpose" && turned.has(name) ? turnedFirst(node, name) : [node];
  });
  return { model: { ...model, nodes: [...widened, ...nodes], tensors }, weights };
}
