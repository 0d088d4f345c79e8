/**
 * A model as the bytes of an ONNX file.
 *
 * Source: onnx.proto3 of the ONNX project; the numbers of the fields are its.
 *
 * @module
 */
import {
  type Attribute,
  ELEMENTS,
  IR_VERSION,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
  OPSET,
} from "./model.ts";
import { bytes, float, int, joined, type Message, message, text } from "./protobuf.ts";

const ATTRIBUTE = { float: 1, int: 2, text: 3, ints: 7 } as const;

function attribute(name: string, value: Attribute): Message {
  const of = (type: keyof typeof ATTRIBUTE, ...fields: Message[]): Message =>
    message(5, [text(1, name), ...fields, int(20, ATTRIBUTE[type])]);
  if (typeof value === "number") return of("int", int(3, value));
  if (typeof value === "string") return of("text", text(4, value));
  if ("float" in value) return of("float", float(2, value.float));
  return of("ints", ...value.map((n) => int(8, n)));
}

function node({ op, inputs, output, attributes }: OnnxNode): Message {
  return message(1, [
    ...inputs.map((name) => text(1, name)),
    text(2, output),
    text(3, output),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  ]);
}

function tensor({ name, element, dims, data }: OnnxTensor): Message {
  const sizes = dims.map((n) => int(1, n));
  return message(5, [...sizes, int(2, ELEMENTS[element]), text(8, name), bytes(9, data)]);
}

function value(field: number, { name, element, axes }: OnnxValue): Message {
  const shape = axes.map((axis) => {
    return message(1, [typeof axis === "number" ? int(1, axis) : text(2, axis)]);
  });
  const type = message(1, [int(1, ELEMENTS[element]), message(2, shape)]);
  return message(field, [text(1, name), message(2, [type])]);
}

/** The file, in parts to be written one after another. */
export function encode(model: OnnxModel): Message {
  const graph = message(7, [
    ...model.nodes.map(node),
    text(2, "motian"),
    ...model.tensors.map(tensor),
    ...model.inputs.map((input) => value(11, input)),
    ...model.outputs.map((output) => value(12, output)),
  ]);
  const metadata = Object.entries(model.metadata).map(([key, value]) =>
    message(14, [text(1, key), text(2, value)])
  );
  return joined([
    int(1, IR_VERSION),
    text(2, "motian"),
    graph,
    message(8, [text(1, ""), int(2, OPSET)]),
    ...metadata,
  ]);
}
