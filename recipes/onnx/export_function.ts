/**
 * Any function of tensors as an ONNX model, with axes whose sizes are known when it runs.
 *
 * @module
 */
import { type AnyTensor, type DType, type HostArray, zeros } from "../../core/mod.ts";
import { type DataNode, type Node, sorted } from "../../core/graph/node.ts";
import { nodeOf } from "../../core/tensor.ts";
import { tensorLeaves, traceOf } from "../../core/transform/trace.ts";
import { type AxisPlace, type Builder, builder } from "./builder.ts";
import { emitter } from "./emit.ts";
import { rangeFinder } from "./id_range.ts";
import { joined, type Joint, sizesOf } from "./joint.ts";
import { greatestTraced, isFixed, lengthsOf, sameSize, type Size } from "./lengths.ts";
import { ELEMENTS, type OnnxModel, type OnnxValue } from "./model.ts";
import { tableValue } from "./table.ts";
import { repeated, type Value, written } from "./value.ts";
import { weights } from "./weights.ts";

/** An argument. */
export interface ExportedInput {
  readonly name: string;
  /** What the function takes. */
  readonly dtype: "f32" | "i32" | "bool";
  /** What the model takes, if it is something else: token ids are i64 by custom. */
  readonly given?: "i64";
  /** Sizes, or names of sizes that are known when it runs. */
  readonly axes: readonly (number | string)[];
}

/** How a function is exported. */
export interface ExportOptions {
  readonly inputs: readonly ExportedInput[];
  /** The greatest size of an axis: constants are made for it. Without one, constants may not depend on the axis. */
  readonly greatest?: Readonly<Record<string, number>>;
  /** Tensors that the function closes over, whose paths become names in the file. */
  readonly weights?: unknown;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A function of the inputs, in their order. */
export type Exported = (...inputs: AnyTensor[]) => Readonly<Record<string, AnyTensor>>;

/** A size for every named axis. */
type Point = Readonly<Record<string, number>>;

/** What the function gave at every point. */
interface Traces {
  readonly inputs: readonly (readonly Node[])[];
  readonly names: readonly string[];
  readonly outputs: readonly (readonly Node[])[];
}

function traced(f: Exported, { inputs }: ExportOptions, points: readonly Point[]): Traces {
  const all = points.map((point) => {
    const stand_ins = inputs.map(({ axes, dtype }): AnyTensor => {
      const sizes = axes.map((axis) => typeof axis === "number" ? axis : point[axis]!);
      return zeros(sizes, dtype as DType);
    });
    const { inputs: own, result } = traceOf(f, stand_ins), names = Object.keys(result as object);
    const place = ([path]: readonly [string, unknown]): number => names.indexOf(path);
    return { inputs: own, leaves: tensorLeaves(result).toSorted((p, q) => place(p) - place(q)) };
  });
  return {
    inputs: all.map((one) => one.inputs),
    names: all[0]!.leaves.map(([path]) => path),
    outputs: all.map(({ leaves }) => leaves.map(([, x]) => nodeOf(x))),
  };
}

function dataIn(outputs: readonly Node[]): readonly DataNode[] {
  const found = sorted(outputs).filter((n) => n.kind === "data");
  return found.sort((p, q) => p.id - q.id);
}

/** Data that differ from trace to trace: which is which follows from the order in which they were made. */
interface Made {
  /** The one of the widest trace, by the node of the first trace. */
  readonly widest: ReadonlyMap<Node, DataNode>;
  readonly contents: ReadonlyMap<Node, HostArray>;
}

async function madeIn(traces: Traces, widest: Traces): Promise<Made> {
  const lists = [...traces.outputs, ...widest.outputs].map(dataIn);
  const shared = new Set(lists.at(-1));
  const own = lists.map((list, t) => {
    const others = t === 0 ? shared : new Set(lists[0]);
    return list.filter((n) => !others.has(n));
  });
  const [first, greatest] = [own[0]!, own.at(-1)!];
  if (first.length !== greatest.length) {
    throw new TypeError(
      `Cannot export a function that makes ${first.length} constants at one size and ${greatest.length} at the greatest: they must be as many`,
    );
  }
  const read = own.flat().map(async (n) => [n, await n.value.read()] as const);
  return {
    widest: new Map(first.map((n, i) => [n, greatest[i]!])),
    contents: new Map(await Promise.all(read)),
  };
}

/** The value of an argument: a cast of what is given. */
function inputValue(b: Builder, input: ExportedInput, j: Joint): Value {
  const { name, given, dtype } = input;
  const own = given ? b.node("Cast", [name], { to: ELEMENTS[dtype] }) : name;
  return written(own, sizesOf(j));
}

/**
 * The model of a function. It is traced at several sizes of its named axes, and what differs between the traces becomes an
 * expression of the sizes.
 *
 * @throws {TypeError} if the function's steps depend on its sizes, or it has what ONNX lacks.
 * @throws {RangeError} if the greatest size of an axis is below what it is traced at: 14 where there are two named axes.
 *
 * @example
 * ```ts
 * import { add, type AnyTensor, tensor } from "../../core/mod.ts";
 * import { assertEquals } from "@std/assert";
 * import { exportFunction } from "./export_function.ts";
 *
 * const w = tensor([1, 2]);
 * const model = await exportFunction((x) => ({ y: add(x, w as AnyTensor) }), {
 *   inputs: [{ name: "x", dtype: "f32", axes: ["B", 2] }],
 *   weights: { w },
 * });
 * assertEquals(model.nodes.map(({ op, inputs }) => [op, ...inputs]), [["Add", "x", "w"], ["Identity", "Add_0"]]);
 * assertEquals(model.outputs, [{ name: "y", element: "f32", axes: ["B", 2] }]);
 * ```
 */
export async function exportFunction(f: Exported, options: ExportOptions): Promise<OnnxModel> {
  const { inputs, greatest = {}, metadata = {} } = options;
  const named = inputs.flatMap(({ axes }) => axes.filter((axis) => typeof axis === "string"));
  const axes = [...new Set(named)], lengths = lengthsOf(axes);
  const least = greatestTraced(axes.length);
  const short = axes.find((axis) => (greatest[axis] ?? Infinity) < least);
  if (short !== undefined) {
    throw new RangeError(
      `Cannot export with at most ${greatest[short]} along ${short}: it must be at least ${least}`,
    );
  }
  const pointOf = (sizes: readonly number[]): Point =>
    Object.fromEntries(axes.map((axis, k) => [axis, sizes[k]!]));
  const points = lengths.points.map(pointOf), traces = traced(f, options, points);
  const widest = traced(f, options, [{ ...points[0]!, ...greatest }]);
  const made = await madeIn(traces, widest), results = joined(traces.outputs);

  const b = builder(lengths, axes.map((axis) => placeOf(axis, inputs)));
  const held = weights(b, options.weights);
  const argument = new Map(traces.inputs[0]!.map((n, i) => [n, inputs[i]!]));
  const valueOf = emitter(b, {
    rangeOf: rangeFinder((n) => made.contents.get(n)),
    valueOf(j) {
      const n = j.at[0]!, input = argument.get(n);
      if (input) return inputValue(b, input, j);
      const data = n as DataNode, isShared = j.at.every((m) => m === n);
      if (isShared) return held.valueOf(data);
      const whole = made.widest.get(data) ?? data;
      return tableValue(b, j, whole, (m) => made.contents.get(m)!);
    },
  });
  const outputs = results.map((j, i): OnnxValue => {
    const sizes = sizesOf(j), value = repeated(b, valueOf(j), sizes), dtype = j.at[0]!.dtype;
    b.output(value.name(), traces.names[i]!);
    return {
      name: traces.names[i]!,
      element: dtype === "i32" || dtype === "bool" ? dtype : "f32",
      axes: sizes.map((size, k) => axisName(size, points, `${traces.names[i]!}_${k}`)),
    };
  });
  return {
    inputs: inputs.map(({ name, dtype, given, axes }) => ({ name, element: given ?? dtype, axes })),
    outputs,
    nodes: b.nodes,
    tensors: [...b.tensors, ...await held.tensors()],
    metadata,
  };
}

function placeOf(axis: string, inputs: readonly ExportedInput[]): AxisPlace {
  const input = inputs.find(({ axes }) => axes.includes(axis))!;
  return { input: input.name, axis: input.axes.indexOf(axis) };
}

/** What an output's axis is called: its size, the named axis that it is, or something that no other axis is called. */
function axisName(size: Size, points: readonly Point[], otherwise: string): number | string {
  if (isFixed(size)) return size[0]!;
  const same = Object.keys(points[0]!).find((axis) =>
    sameSize(size, points.map((point) => point[axis]!))
  );
  return same ?? otherwise;
}
