/**
 * Parameters before they exist: shape, dtype and how they start. A model is described by a record of specs; `init` turns
 * it into tensors, and the record's type into the model's type.
 *
 * @module
 */
import {
  type AnyTensor,
  type Arg,
  cast,
  type Device,
  type Dim,
  type DType,
  type Float,
  foldIn,
  full,
  jit,
  key,
  type Lengths,
  mapTree,
  mul,
  normal as drawNormal,
  type Static,
  type Tensor,
  tensor,
  type Tree,
  zeros,
} from "../core/mod.ts";

/** The key under which shape and dtype stand in the type. */
export declare const specTag: unique symbol;

/** One parameter before it exists. */
export interface Spec<in out S, in out D> {
  /** Carries shape and dtype in the type; there is nothing to read. */
  readonly [specTag]: readonly [S, D];
}

/** The same nested record with every spec replaced by its tensor. */
export type TensorsOf<T> = T extends Spec<infer S, infer D> ? Tensor<S, D>
  : { readonly [K in keyof T]: TensorsOf<T[K]> };

interface Contents {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** The parameter beside it that it starts as. */
  readonly like?: string;
  readonly start: (key: Tensor<[2], "u32">) => AnyTensor;
}
const contents = new WeakMap<object, Contents>();

function spec<S, D>(parts: Contents): Spec<S, D> {
  for (const n of parts.shape) {
    if (!Number.isInteger(n) || n < 1) {
      throw new RangeError(
        `Cannot make a parameter of [${
          parts.shape.join(", ")
        }]: sizes must be whole numbers of at least 1`,
      );
    }
  }
  // A function, so that trees of specs end here: it is neither a record nor an array.
  const made = (): void => {};
  contents.set(made, parts);
  return made as unknown as Spec<S, D>;
}

/**
 * Starts normally distributed around 0. Sizes must be literals or named (`size("C", 768)`): a plain number is refused.
 *
 * @example
 * ```ts
 * import { init, normal } from "@motian/motian/nn";
 * import { assertEquals } from "@std/assert";
 *
 * const params = init(1, { w: normal([2, 3], 0.02) });
 * assertEquals([...params.w.shape], [2, 3]);
 * ```
 */
export function normal<const V extends readonly Dim[], D extends Float = "f32">(
  shape: Arg<Static<[...V]>, Lengths<V>>,
  std: number,
  dtype?: D,
): Spec<[...V], NoInfer<D>> {
  const sizes = [...shape as readonly number[]], type: Float = dtype ?? "f32";
  return spec({
    shape: sizes,
    dtype: type,
    start: (k) => cast(mul(drawNormal(k, sizes), std) as AnyTensor, type),
  });
}

/** Starts as one number everywhere. */
export function constant<const V extends readonly Dim[], D extends Float = "f32">(
  shape: Arg<Static<[...V]>, Lengths<V>>,
  value: number,
  dtype?: D,
): Spec<[...V], NoInfer<D>> {
  const sizes = [...shape as readonly number[]], type: Float = dtype ?? "f32";
  return spec({ shape: sizes, dtype: type, start: () => full(sizes, value, type) as AnyTensor });
}

/** Starts with given values. */
export function given<const V extends readonly Dim[], D extends Float = "f32">(
  shape: Arg<Static<[...V]>, Lengths<V>>,
  values: () => AnyTensor,
  dtype?: D,
): Spec<[...V], NoInfer<D>> {
  return spec({ shape: [...shape as readonly number[]], dtype: dtype ?? "f32", start: values });
}

/**
 * Starts as the parameter beside it that is named `sibling`, where both have the same spec; from then on each is its own.
 *
 * @throws TypeError by `init`, where nothing of that name and shape stands beside it
 *
 * @example
 * ```ts
 * import { init, like, normal } from "@motian/motian/nn";
 * import { read } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const { a, b } = init(1, { a: normal([4], 1), b: like("a", normal([4], 1)) });
 * assertEquals(await read(b), await read(a));
 * ```
 */
export function like<S, D>(sibling: string, own: Spec<S, D>): Spec<S, D> {
  return spec({ ...contents.get(own)!, like: sibling });
}

/** The same specs n times: the layers of an encoder. */
export function repeat<T>(n: number, specs: T): readonly T[] {
  return Array.from({ length: n }, () => specs);
}

/** FNV-1a of a path: a parameter starts the same whatever others the model has. */
function hash(path: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < path.length; i++) h = Math.imul(h ^ path.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/**
 * The parameters of a record of specs. The same seed and path give the same values, on every device.
 *
 * With a `device` every parameter is drawn there by one program, so that a model larger than the host's default device comes
 * to be without a copy anywhere else.
 */
export function init<T>(seed: number, specs: T, device?: Device): TensorsOf<T> {
  const root = key(seed);
  type Draw = (root: Tensor<[2], "u32">, place: Tensor<[], "u32">) => AnyTensor;
  const programs = new Map<object, Draw>();
  const drawOf = (s: object): Draw => {
    const { start } = contents.get(s)!;
    const draw: Draw = (root, place) => start(foldIn(root, place));
    if (!device) return draw;
    // Layers share their specs, and so their programs.
    if (!programs.has(s)) programs.set(s, jit(draw, { device }));
    return programs.get(s)!;
  };
  const shapes = new Map(describe(specs).map(({ path, shape }) => [path, shape.join(", ")]));
  return mapTree(specs as Tree<object>, (s, path) => {
    const { like } = contents.get(s)!;
    const drawnAs = like === undefined ? path : path.replace(/[^.]*$/, like);
    if (shapes.get(drawnAs) !== shapes.get(path)) {
      const found = shapes.get(drawnAs),
        what = found === undefined ? "is not there" : `has [${found}]`;
      throw new TypeError(
        `Cannot start ${path} of [${
          shapes.get(path)
        }] as ${drawnAs}, which ${what}: shapes must be equal`,
      );
    }
    return drawOf(s)(root, tensor(hash(drawnAs), "u32"));
  }) as TensorsOf<T>;
}

/**
 * Zeros in the shapes of the parameters. They take no memory: they stand for parameters where shapes alone count, as in the `plan`
 * of a compiled function.
 */
export function placeholders<T>(specs: T): TensorsOf<T> {
  return mapTree(specs as Tree<object>, (s) => {
    const { shape, dtype } = contents.get(s)!;
    return zeros([...shape], dtype) as AnyTensor;
  }) as TensorsOf<T>;
}

/** What is known of the parameters before they exist, by path, in the fixed order. */
export interface ParameterInfo {
  /** Its place in the tree, as in "layers.0.wq". */
  readonly path: string;
  /** Its sizes. */
  readonly shape: readonly number[];
  /** Its element type. */
  readonly dtype: DType;
}

/** The parameters that `init` would make. */
export function describe(specs: unknown): ParameterInfo[] {
  const found: ParameterInfo[] = [];
  mapTree(specs as Tree<object>, (s, path) => {
    const { shape, dtype } = contents.get(s)!;
    found.push({ path, shape, dtype });
  });
  return found;
}

/** Number of parameters. */
export function parameterCount(specs: unknown): number {
  return describe(specs).reduce((n, p) => n + p.shape.reduce((a, b) => a * b, 1), 0);
}
