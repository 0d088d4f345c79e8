/**
 * Place: parts put into a tensor of one number. The parts do not overlap, so they need no barrier between them; where they cover
 * everything, nothing is filled.
 *
 * @module
 */
import { type DType, toBf16, toF16 } from "../../dtype.ts";
import { type Node, sizeOf, stridesOf } from "../../graph/node.ts";
import type { PlaceKernel } from "../../plan/kernels.ts";
import { widthOf } from "./access.ts";
import { type Box, boxOf, copying, fill, moveBox, unitsOf } from "./box.ts";
import { bump, type Fn, get, i32 } from "./encoder.ts";
import type { Pointers } from "./pointers.ts";
import { constantBits } from "./simd_expr.ts";
import {
  describe,
  END,
  FIRST,
  isCounter,
  pointerOf,
  POINTERS,
  type Stage,
  stageLocals,
  stridesIn,
} from "./stage.ts";

/** Bytes of a part of a long run: units that threads can share. */
const PART = 1024;

/** Filling, if anything is left free, and then all parts. */
export function placeStages(k: PlaceKernel): Stage[][] {
  const covered = k.parts.reduce((n, p) => n + sizeOf(p.sizes), 0) === sizeOf(k.shape);
  const parts = k.parts.filter((p) => sizeOf(p.sizes) > 0).map((p) => partStage(k, p));
  return covered ? [parts] : [[fillStage(k)], parts];
}

function fillBits(value: number, dtype: DType): number {
  const twice = (half: number): number => half | (half << 16);
  return dtype === "bf16"
    ? twice(toBf16(value))
    : dtype === "f16"
    ? twice(toF16(value))
    : dtype === "bool"
    ? (value ? 1 : 0)
    : constantBits(value, dtype);
}

function fillStage(k: PlaceKernel): Stage {
  const bytes = sizeOf(k.shape) * widthOf(k.store.dtype), bits = fillBits(k.fill, k.store.dtype);
  return {
    key: `fill ${bits}`,
    write: (ptr) => fillFunction(bits, ptr),
    pointers: [{ base: k.store, offset: 0 }],
    units: bytes,
    quantum: 64,
    cost: 0.05 * bytes,
    threadBytes: 0,
  };
}

function fillFunction(bits: number, ptr: Pointers): Fn {
  const locals = stageLocals(ptr, 1);
  const bytes = ptr.from(i32.sub(get(END), get(FIRST)));
  const body = [
    bump(POINTERS, ptr.from(get(FIRST)), ptr),
    fill(locals, POINTERS, bytes, locals.constant(bits)),
  ];
  return { params: locals.params, body: [locals.prologue(), body], locals: locals.types };
}

/** One long run as many short ones. */
function divided(box: Box): Box {
  if (unitsOf(box) > 16 || box.run % PART || box.run === PART) return box;
  return {
    outer: [...box.outer, box.run / PART],
    from: [...box.from, PART],
    to: [...box.to, PART],
    run: PART,
  };
}

function partStage(k: PlaceKernel, part: PlaceKernel["parts"][number]): Stage {
  const width = widthOf(k.store.dtype), counts = isCounter(part.from);
  const outer = stridesOf(k.shape).map((s) => s * width);
  const to = outer.map((s, i) => s * part.steps[i]!);
  const box = divided(boxOf(part.sizes, stridesIn(part.from), to, { width, counts }));
  const units = unitsOf(box);
  return {
    key: `part ${width} ${part.sizes.join()} ${describe(part.from)} to ${to.join()}`,
    write(ptr) {
      const locals = stageLocals(ptr, 2), move = copying(counts, ptr);
      const body = moveBox(locals, box, POINTERS, POINTERS + 1, move, get(FIRST), get(END));
      return { params: locals.params, body, locals: locals.types };
    },
    pointers: [
      pointerOf(part.from),
      { base: k.store, offset: outer.reduce((at, s, i) => at + s * part.starts[i]!, 0) },
    ],
    units,
    quantum: 1,
    cost: 20 + units * (3 + 0.1 * box.run),
    threadBytes: 0,
  };
}

/** Copies a whole buffer. */
export function copyStage(node: Node): Stage {
  const size = sizeOf(node.shape), whole = { base: node, offset: 0, strides: [1] };
  const kernel: PlaceKernel = { kind: "place", shape: [size], fill: 0, parts: [], store: node };
  return partStage(kernel, { from: whole, sizes: [size], starts: [0], steps: [1] });
}
