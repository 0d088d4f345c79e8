/**
 * Making tensors. A number repeated (zeros, ones, full) and a count (arange) take no memory: they are part of the
 * expressions that read them.
 *
 * @module
 */
import { type DType, type HostArray, type Numeric, scalarOf, toHost } from "./dtype.ts";
import { Value } from "./device/value.ts";
import { dataNode, settle } from "./execute.ts";
import * as X from "./expr/expr.ts";
import { cast, compute, full as fullNode, iota, reshape } from "./graph/build.ts";
import { show, sizeOf } from "./graph/node.ts";
import type { Dim, Lengths, Size } from "./shape/mod.ts";
import { type Tensor, wrap } from "./tensor.ts";

/** Numbers in nested arrays. */
export type Nested = number | readonly Nested[];

/** The shape of nested arrays: literal where the compiler sees the literal. */
export type ShapeOf<N> = N extends readonly [infer H, ...unknown[]] ? [N["length"], ...ShapeOf<H>]
  : N extends readonly [] ? [0]
  : N extends readonly (infer H)[] ? [number, ...ShapeOf<H>]
  : [];

function checkSizes(action: string, shape: readonly number[]): void {
  if (shape.every((n) => Number.isInteger(n) && n >= 0)) return;
  throw new RangeError(
    `Cannot ${action} ${show(shape)}: sizes must be whole numbers of at least 0`,
  );
}

function flatten(nested: Nested): { readonly shape: number[]; readonly values: number[] } {
  const shape: number[] = [];
  for (let at = nested; typeof at !== "number"; at = at[0]!) {
    shape.push(at.length);
    if (at.length === 0) break;
  }
  const values: number[] = [];
  const walk = (x: Nested, depth: number): void => {
    if (typeof x === "number" ? depth !== shape.length : x.length !== shape[depth]) {
      throw new TypeError(
        `Cannot make a tensor ${show(shape)}: nested arrays must have equal lengths`,
      );
    }
    if (typeof x === "number") values.push(x);
    else x.forEach((y) => walk(y, depth + 1));
  };
  walk(nested, 0);
  return { shape, values };
}

/**
 * A tensor of the given numbers: nested arrays, whose nesting is the shape.
 *
 * Numbers are rounded to the dtype; integers wrap; bool is "not 0".
 *
 * @throws {TypeError} if the arrays are ragged.
 *
 * @example
 * ```ts
 * import { read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * assertEquals([...x.shape], [2, 3]);
 * assertEquals([...await read(x)], [1, 2, 3, 4, 5, 6]);
 * ```
 */
export function tensor<const N extends Nested, D extends DType = "f32">(
  values: N,
  dtype?: D,
): Tensor<ShapeOf<N>, NoInfer<D>> {
  const flat = flatten(values);
  return fromHost(toHost(flat.values, dtype ?? "f32" as DType), flat.shape, dtype ?? "f32");
}

function fromHost(
  data: HostArray,
  shape: readonly number[],
  dtype: DType,
): ReturnType<typeof wrap> {
  return wrap(dataNode(new Value(data.length, dtype, data), shape));
}

/**
 * A tensor of a flat array of numbers, row by row. A typed array that already is what the dtype needs is taken
 * over, not copied: do not write to it afterwards. (f16 and bf16 as `Uint16Array` are taken as bits.)
 *
 * @throws {TypeError} if the number of values is not that of the shape.
 *
 * @example
 * ```ts
 * import { fromArray, read } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const x = fromArray(new Float32Array([1, 2, 3, 4]), [2, 2]);
 * assertEquals([...await read(x)], [1, 2, 3, 4]);
 * ```
 */
export function fromArray<const V extends readonly Dim[], D extends DType = "f32">(
  data: ArrayLike<number>,
  shape: Lengths<V>,
  dtype?: D,
): Tensor<[...V], NoInfer<D>> {
  const sizes = [...shape as readonly number[]], type: DType = dtype ?? "f32";
  checkSizes("make a tensor", sizes);
  if (data.length !== sizeOf(sizes)) {
    throw new TypeError(
      `Cannot make a tensor ${show(sizes)} of ${data.length} values: it needs ${sizeOf(sizes)}`,
    );
  }
  const bits = data instanceof Uint16Array && (type === "f16" || type === "bf16");
  const fits = bits || type === "f32" && data instanceof Float32Array ||
    type === "i32" && data instanceof Int32Array || type === "u32" && data instanceof Uint32Array;
  return fromHost(fits ? data as HostArray : toHost(data, type), sizes, type);
}

/** One number everywhere; takes no memory. */
export function full<const V extends readonly Dim[], D extends DType = "f32">(
  shape: Lengths<V>,
  value: number,
  dtype?: D,
): Tensor<[...V], NoInfer<D>> {
  const sizes = [...shape as readonly number[]];
  checkSizes("make a tensor", sizes);
  return wrap(fullNode(sizes, value, dtype ?? "f32"));
}

/**
 * Zeros; they take no memory.
 *
 * @example
 * ```ts
 * import { read, zeros } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(zeros([2, 2]))], [0, 0, 0, 0]);
 * ```
 */
export function zeros<const V extends readonly Dim[], D extends DType = "f32">(
  shape: Lengths<V>,
  dtype?: D,
): Tensor<[...V], NoInfer<D>> {
  return full<V, D>(shape, 0, dtype);
}

/** Ones; they take no memory. */
export function ones<const V extends readonly Dim[], D extends DType = "f32">(
  shape: Lengths<V>,
  dtype?: D,
): Tensor<[...V], NoInfer<D>> {
  return full<V, D>(shape, 1, dtype);
}

/**
 * 0, 1, 2 … n - 1; takes no memory.
 *
 * @example
 * ```ts
 * import { arange, read } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(arange(3))], [0, 1, 2]);
 * ```
 */
export function arange<const N extends Dim, D extends Numeric = "i32">(
  n: (N & number) | Size<N>,
  dtype?: D,
): Tensor<[N], NoInfer<D>> {
  checkSizes("count", [n as number]);
  return wrap(settle(cast(iota(n as number), dtype ?? "i32")));
}

/** The identity matrix [n, n]. */
export function eye<const N extends Dim, D extends Numeric = "f32">(
  n: (N & number) | Size<N>,
  dtype?: D,
): Tensor<[N, N], NoInfer<D>> {
  checkSizes("make a matrix", [n as number]);
  const size = n as number, type: DType = dtype ?? "f32";
  const line = iota(size);
  const [rows, columns] = [[size, 1], [1, size]].map((shape) => reshape(line, shape));
  const hit = compute((i, j) => X.cast(X.eq(i, j), scalarOf(type)), [rows!, columns!], type);
  return wrap(settle(hit));
}
