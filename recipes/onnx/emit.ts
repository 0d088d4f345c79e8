/**
 * Nodes as ONNX operators: a case a kind, so that a missing one does not compile.
 *
 * @module
 */
import type { DType } from "../../core/dtype.ts";
import type { Node, NodeOf } from "../../core/graph/node.ts";
import type { Builder } from "./builder.ts";
import { expression, operandsIn, scalar } from "./expression.ts";
import type { Range } from "./id_range.ts";
import { type Joint, settled, sizesOf } from "./joint.ts";
import { isOne, sameSizes } from "./lengths.ts";
import { ELEMENTS } from "./model.ts";
import { permuted, placed, sliceNode } from "./move.ts";
import { gathered, isWholeTable, scattered } from "./pick.ts";
import { foundNorm, foundSoftmax } from "./recognise.ts";
import { fixedSizes, repeated, reshaped, type Value, written } from "./value.ts";

/** What a graph's leaves are in the file. */
export interface Leaves {
  /** An argument or data. */
  readonly valueOf: (j: Joint) => Value;
  /** Between which numbers a node's elements lie, where that is known. */
  readonly rangeOf: (n: Node) => Range | undefined;
}

const isNorm = (j: Joint): boolean => foundNorm(j) !== undefined;
const seen = (j: Joint): Joint => settled(j, isNorm);

/** A part that was put into a tensor, where a slice takes just that out again: results of one kernel are packed. */
function unpacked(j: Joint): Joint | undefined {
  const at = j.at as readonly NodeOf<"slice">[], from = seen(j.inputs[0]!);
  if (from.at[0]!.kind !== "place") return undefined;
  const places = from.at as readonly NodeOf<"place">[];
  return from.inputs.find((part, p) =>
    sameSizes(sizesOf(part), sizesOf(j)) && at.every((n, t) => {
      const { starts, steps } = places[t]!.placements[p]!;
      return [...steps, ...n.steps].every((step) => step === 1) &&
        starts.every((start, k) => start === n.starts[k]);
    })
  );
}

/** A node that two reshapes in a row begin with. */
function source(j: Joint): Joint {
  const from = seen(j.inputs[0]!), kind = from.at[0]!.kind;
  if (kind === "slice") {
    const part = unpacked(from);
    if (part) return source({ at: from.at, inputs: [part] });
  }
  return kind === "reshape" ? source(from) : from;
}

const elementOf = (dtype: DType): "f32" | "i32" | "bool" =>
  dtype === "i32" || dtype === "bool" ? dtype : "f32";

const REDUCE = { max: "ReduceMax", min: "ReduceMin", peak: "ReduceMax" } as const;

function reduced(b: Builder, j: Joint, given: Value): Value {
  const n = j.at[0]! as NodeOf<"reduce">, { axes, combine } = n, from = j.inputs[0]!;
  const isRepeated = axes.some((axis) => isOne(given.sizes[axis]!));
  const x = isRepeated ? repeated(b, given, sizesOf(from)) : given;
  const sizes = x.sizes.map((size, k) => axes.includes(k) ? b.fixed(1) : size);
  // Runtimes have no reduction of bool.
  const isBool = n.dtype === "bool";
  const name = isBool ? b.node("Cast", [x.name()], { to: ELEMENTS.i32 }) : x.name();
  const out = combine === "sum"
    ? b.node("ReduceSum", [name, b.sizes(axes.map(b.fixed))], { keepdims: 1 })
    : b.node(REDUCE[combine], [name], { axes, keepdims: 1 });
  return written(isBool ? b.node("Cast", [out], { to: ELEMENTS.bool }) : out, sizes);
}

function product(b: Builder, j: Joint, values: readonly [Value, Value]): Value {
  const [x, y] = values.map((value, i) => {
    const all = sizesOf(j.inputs[i]!), inner = all.length - 2;
    return repeated(b, value, all.map((size, k) => k < inner ? value.sizes[k]! : size));
  }) as [Value, Value];
  const sizes = sizesOf(j).map((size, k, { length }) =>
    k < length - 2 && isOne(x.sizes[k]!) && isOne(y.sizes[k]!) ? b.fixed(1) : size
  );
  return written(b.node("MatMul", [x.name(), y.name()]), sizes);
}

function mapped(b: Builder, j: Joint, valueOf: (j: Joint) => Value): Value {
  const at = j.at as readonly NodeOf<"map">[], used = operandsIn(at[0]!.expr);
  const values = new Map(used.map((i) => [i, valueOf(j.inputs[i]!)]));
  const name = expression(b, at.map((n) => n.expr), (i) => {
    const value = values.get(i)!;
    return (value.operand ?? value.name)();
  });
  const whole = sizesOf(j), tall = [...values.values()].filter((value) => !value.operand);
  const ones = whole.map(() => b.fixed(1));
  if (tall.length === 0) {
    return {
      ...written(name, ones),
      name: () => b.node("Reshape", [name, b.sizes(ones)]),
      operand: () => name,
    };
  }
  return written(
    name,
    ones.map((one, k) => tall.map((value) => value.sizes[k]!).find((s) => !isOne(s)) ?? one),
  );
}

/** A number of no axes. */
function number(b: Builder, j: Joint): Value {
  const at = j.at as readonly NodeOf<"const">[], element = elementOf(at[0]!.dtype);
  const operand = (): string => scalar(b, element, at.map((n) => n.number));
  const of = (sizes: Value["sizes"]): Value => ({
    sizes,
    operand,
    name: () => sizes.length === 0 ? operand() : b.node("Reshape", [operand(), b.sizes(sizes)]),
    reshaped: of,
  });
  return of([]);
}

/**
 * Writes nodes and what they need.
 *
 * @throws {TypeError} if a node is of u32, or has what ONNX lacks.
 */
export function emitter(b: Builder, leaves: Leaves): (j: Joint) => Value {
  const done = new Map<Node, Value>();
  const areInside = (ids: Joint, tables: readonly number[]): boolean =>
    ids.at.every((n, t) => {
      const range = leaves.rangeOf(n);
      return range !== undefined && range[0] >= 0 && range[1] < tables[t]!;
    });
  const write = (j: Joint): Value => {
    const n = j.at[0]!, input = (k: number): Value => valueOf(j.inputs[k]!), sizes = sizesOf(j);
    if (n.dtype === "u32") {
      throw new TypeError(`Cannot export ${n.kind} of u32: runtimes have no arithmetic on it`);
    }
    switch (n.kind) {
      case "input":
      case "data":
        return leaves.valueOf(j);
      case "const":
        return number(b, j);
      case "iota": {
        const [from, to, step] = [b.fixed(0), sizes[0]!, b.fixed(1)].map((x) =>
          scalar(b, "i32", x)
        );
        return written(b.node("Range", [from!, to!, step!]), sizes);
      }
      case "map": {
        const soft = foundSoftmax(j);
        if (!soft) return mapped(b, j, valueOf);
        const x = repeated(b, valueOf(soft.x), sizesOf(soft.x));
        return written(b.node("Softmax", [x.name()], { axis: soft.axis }), x.sizes);
      }
      case "reduce":
        return reduced(b, j, input(0));
      case "matmul":
        return product(b, j, [input(0), input(1)]);
      case "reshape": {
        const from = source(j), x = valueOf(from);
        // A number stays one number; anything else is repeated before its axes are mixed.
        const isNumber = x.operand !== undefined && fixedSizes(sizes)?.every((s) => s === 1);
        return reshaped(b, isNumber ? x : repeated(b, x, sizesOf(from)), sizes);
      }
      case "permute":
        return permuted(b, input(0), n.axes);
      case "expand":
        return input(0);
      case "slice": {
        const part = unpacked(j);
        return part ? repeated(b, valueOf(part), sizes) : sliceNode(b, j, input(0));
      }
      case "place":
        return placed(b, j, j.inputs.map((_, k) => input(k)));
      case "gather": {
        if (isWholeTable(j)) return input(0);
        const rows = j.inputs[0]!.at.map((m) => m.shape[n.batch]!);
        return gathered(b, j, input(0), input(1), areInside(j.inputs[1]!, rows));
      }
      case "scatter": {
        const rows = j.at.map((m) => m.shape[n.batch]!);
        return scattered(b, j, input(0), input(1), areInside(j.inputs[0]!, rows));
      }
      case "alias":
      case "remat":
        return input(0);
      case "custom": {
        const found = foundNorm(j);
        if (!found) return input(0);
        const x = repeated(b, valueOf(found.x), sizesOf(found.x));
        const names = [found.gain, found.bias].map((p) =>
          repeated(b, valueOf(p), sizesOf(p)).name()
        );
        return written(
          b.node("LayerNormalization", [x.name(), ...names], {
            axis: found.axis,
            epsilon: { float: found.epsilon },
          }),
          x.sizes,
        );
      }
    }
  };
  const valueOf = (j: Joint): Value => {
    const key = j.at[0]!, found = done.get(key);
    if (found) return found;
    const value = write(j);
    done.set(key, value);
    return value;
  };
  return valueOf;
}
