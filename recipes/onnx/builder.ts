/**
 * An ONNX graph while it is written. Equal calls on equal values are made once.
 *
 * @module
 */
import { isFixed, type Lengths, type Size, type Term } from "./lengths.ts";
import { type Attributes, bytesOf, type Element, type OnnxNode, type OnnxTensor } from "./model.ts";

/** Where a named axis can be read: axis `axis` of the input `input`. */
export interface AxisPlace {
  readonly input: string;
  readonly axis: number;
}

/** Writes nodes; every result is named by what it returns. */
export interface Builder {
  /** Calls an operator. */
  readonly node: (op: string, inputs: readonly string[], attributes?: Attributes) => string;
  /** Gives a result a name. */
  readonly output: (value: string, name: string) => void;
  /** A constant. */
  readonly tensor: (
    element: Element,
    dims: readonly number[],
    data: ArrayBufferView<ArrayBufferLike>,
  ) => string;
  /** A number that is the same at every point. */
  readonly fixed: (n: number) => Size;
  /** Whole numbers of the graph as a line of i64, computed where they depend on the named axes. */
  readonly sizes: (list: readonly Size[]) => string;
  /** What has been written. */
  readonly nodes: readonly OnnxNode[];
  readonly tensors: readonly OnnxTensor[];
}

/** Constants of so many bytes are compared with others. */
const SMALL = 256;

/** A graph without nodes. */
export function builder(lengths: Lengths, places: readonly AxisPlace[]): Builder {
  const nodes: OnnxNode[] = [], tensors: OnnxTensor[] = [];
  const known = new Map<string, string>();
  const node = (op: string, inputs: readonly string[], attributes: Attributes = {}): string => {
    const text = JSON.stringify([op, inputs, attributes]), found = known.get(text);
    if (found !== undefined) return found;
    const output = `${op}_${nodes.length}`;
    nodes.push({ op, inputs, output, attributes });
    known.set(text, output);
    return output;
  };
  const tensor: Builder["tensor"] = (element, dims, data) => {
    const bytes = bytesOf(data), name = `constant_${tensors.length}`;
    const text = bytes.length > SMALL ? name : JSON.stringify([element, dims, [...bytes]]);
    const found = known.get(text);
    if (found !== undefined) return found;
    tensors.push({ name, element, dims, data: bytes });
    known.set(text, name);
    return name;
  };
  const integers = (list: readonly number[]): string =>
    tensor("i64", [list.length], BigInt64Array.from(list, BigInt));
  const axis = (k: number): string =>
    node("Shape", [places[k]!.input], { start: places[k]!.axis, end: places[k]!.axis + 1 });
  const term = ({ coefficient, powers }: Term): string => {
    const factors = powers.flatMap((power, k) => Array<string>(power).fill(axis(k)));
    if (coefficient !== 1 || factors.length === 0) factors.push(integers([coefficient]));
    return factors.reduce((a, b) => node("Mul", [a, b]));
  };
  const size = (values: Size): string => {
    const terms = lengths.polynomial(values);
    if (terms) return terms.map(term).reduce((a, b) => node("Add", [a, b]));
    throw new TypeError(
      `Cannot export a size of ${values.join(", ")} at ${lengths.axes.join(" x ")} of ${
        lengths.points.map((point) => point.join(" x ")).join(", ")
      }: it must be a polynomial of them`,
    );
  };
  const sizes = (list: readonly Size[]): string => {
    const parts: string[] = [];
    let fixed: number[] = [];
    const close = (): void => {
      if (fixed.length > 0) parts.push(integers(fixed));
      fixed = [];
    };
    for (const values of list) {
      if (isFixed(values)) fixed.push(values[0]!);
      else {
        close();
        parts.push(size(values));
      }
    }
    if (fixed.length > 0 || parts.length === 0) parts.push(integers(fixed));
    return parts.length === 1 ? parts[0]! : node("Concat", parts, { axis: 0 });
  };
  const output = (value: string, name: string): void => {
    nodes.push({ op: "Identity", inputs: [value], output: name, attributes: {} });
  };
  return { node, output, tensor, fixed: (n) => lengths.points.map(() => n), sizes, nodes, tensors };
}
