/** What the laws of ops that move elements have in common: any dtype, every bit kept. */
import { type DType, isFloat } from "../dtype.ts";
import type { Draw, Drawn, Law, Trial } from "./law.ts";

const dtypes: readonly DType[] = ["f32", "f32", "f16", "bf16", "i32", "u32", "bool"];

/** A drawn call on tensors of one dtype. */
export interface Movement {
  readonly shapes: readonly (readonly number[])[];
  readonly call: Trial["call"];
}

/** The law of an op that moves elements and computes nothing. */
export function movement(law: string, draw: (draw: Draw) => Movement): Law {
  return {
    law,
    draw: (d) => {
      const { shapes, call } = draw(d), dtype = d.oneOf(dtypes);
      return {
        inputs: shapes.map((shape): Drawn => ({ shape, dtype, domain: [-3, 3], special: true })),
        call,
        smooth: isFloat(dtype),
        exact: true,
      };
    },
  };
}

/** One of the axes of a shape, which has one, now and then counted from the end. */
export function drawAxis(d: Draw, shape: readonly number[]): number {
  const axis = d.int(0, shape.length - 1);
  return d.int(0, 1) ? axis : axis - shape.length;
}
