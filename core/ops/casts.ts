/** Conversions between element types: always explicit. */
import type { DType } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import { cast as castNode, compute } from "../graph/build.ts";
import { settle } from "../execute.ts";
import type { Shape } from "../shape/mod.ts";
import { nodeOf, type Tensor, wrap } from "../tensor.ts";
import type { Law } from "./law.ts";

/** Types of 32 bits. */
export type Word = "f32" | "i32" | "u32";

const every: readonly DType[] = ["f32", "f16", "bf16", "i32", "u32", "bool"];

export const castLaw: Law = {
  law: "cast",
  draw: (d) => {
    const from = d.oneOf(every), to = d.oneOf(every);
    return {
      inputs: [{ shape: d.shape(0, 3), dtype: from, domain: [-5, 300], special: true }],
      call: (x) => cast(x!, to),
      smooth: from === "f32" && to === "f32",
    };
  },
};

export const bitcastLaw: Law = {
  law: "bitcast",
  draw: (d) => {
    const words: readonly Word[] = ["f32", "i32", "u32"],
      from = d.oneOf(words),
      to = d.oneOf(words);
    return {
      inputs: [{
        shape: d.shape(0, 3),
        dtype: from,
        domain: [0, 2 ** 30],
        special: [0, -0, Infinity],
      }],
      call: (x) => bitcast(x!, to),
      smooth: false,
      exact: true,
    };
  },
};

/**
 * Every element converted to another dtype, by value.
 *
 * Shapes: [...S] -> [...S]. Floats are rounded to the nearest, to even when halfway; beyond f16's 65504 they become
 * infinity. To an integer the fraction is dropped, what is outside becomes the nearest end of the type, and NaN 0. i32 and
 * u32 to each other do the same. To bool: whether it differs from 0. Gradients pass between floats only.
 *
 * @example
 * ```ts
 * import { cast, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(cast(tensor([1.9, -1.9, NaN]), "i32"))], [1, -1, 0]);
 * assertEquals([...await read(cast(tensor([3, 0]), "bool"))], [1, 0]);
 * ```
 */
export function cast<S extends Shape, D0 extends DType, D extends DType>(
  x: Tensor<S, D0>,
  dtype: D,
): Tensor<S, D> {
  return wrap(settle(castNode(nodeOf(x), dtype)));
}

/**
 * The same 32 bits read as another dtype.
 *
 * Shapes: [...S] -> [...S]. It has no gradient. On `webgpu` a NaN may change its bits when it is written as f32.
 *
 * @example
 * ```ts
 * import { bitcast, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(bitcast(tensor([1, -2]), "u32"))], [0x3f800000, 0xc0000000]);
 * ```
 */
export function bitcast<S extends Shape, D0 extends Word, D extends Word>(
  x: Tensor<S, D0>,
  dtype: D,
): Tensor<S, D> {
  const to: Word = dtype;
  return wrap(settle(compute((e) => X.bitcast(e, to), [nodeOf(x)], to)));
}
