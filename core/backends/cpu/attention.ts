/**
 * Attention's forward pass in one stage: a unit is a block of queries of one head. Scores by product, rows to weights, weights by
 * value; the logarithm of each denominator is kept for the backward pass.
 *
 * @module
 */
import * as X from "../../expr/expr.ts";
import type { HandKernel } from "../../plan/kernels.ts";
import { apply, headOf, type Layout, layoutOf, placesOf } from "./attention_row.ts";
import { fill } from "./box.ts";
import { type Code, f32, f32x4, type Fn, get, i32, loop, set, v128 } from "./encoder.ts";
import { multiply } from "./matmul.ts";
import type { Pointers } from "./pointers.ts";
import { acrossLanes, combining, constantBits } from "./simd_expr.ts";
import { describe, END, FIRST, pointerOf, POINTERS, type Stage, stageLocals } from "./stage.ts";

/** A stage of attention with so many `products` of scores by heads' widths; `write` writes its function. */
export function handStage(
  k: HandKernel,
  blas: boolean,
  units: number,
  products: number,
  write: (layout: Layout, ptr: Pointers) => Fn,
): Stage {
  const { B, H, T, K } = k.does, layout = layoutOf(k), pairs = B * H * T * T;
  return {
    key: `${JSON.stringify(k.does)} ${blas} ${k.operands.map(describe).join(" ")}`,
    write: (ptr) => write(layout, ptr),
    pointers: [...k.operands.map(pointerOf), { base: k.store, offset: 0 }],
    units,
    quantum: 1,
    cost: 100 + pairs * (products * K / (blas ? 60 : 20) + 4),
    threadBytes: layout.bytes,
  };
}

export function attentionStage(k: HandKernel, blas: boolean): Stage {
  const units = k.does.B * k.does.H * layoutOf(k).blocks;
  return handStage(k, blas, units, 2, (layout, ptr) => attentionFunction(k, layout, blas, ptr));
}

/** (first, end, ...operands, out, space) */
function attentionFunction(k: HandKernel, layout: Layout, blas: boolean, ptr: Pointers): Fn {
  const { does } = k, { B, H, T, K, R } = does, { rows, blocks, line, at } = layout;
  const out = POINTERS + k.operands.length, space = out + 1;
  const locals = stageLocals(ptr, k.operands.length + 2), count = locals.i32;
  const [unit, head, b, h, first, many, n, i] = [
    count(),
    count(),
    count(),
    count(),
    count(),
    count(),
    count(),
    count(),
  ] as const;
  const [row, slot] = [locals.pointer(), locals.pointer()] as const;
  const [top, sum, v, lse] = [locals.v128(), locals.v128(), locals.v128(), locals.v128()] as const;
  const parts = headOf({ kernel: k, layout, locals, b, h, space }), places = placesOf(k);
  const inSpace = (offset: number): Code => ptr.add(get(space), ptr.of(offset));
  const times = (c: Code, step: number): Code => ptr.mul(ptr.from(c), ptr.of(step));
  /** Row t of a packed result that begins `skip` floats into the store. */
  const result = (skip: number, t: Code, width: number): Code =>
    ptr.add(
      get(out),
      ptr.add(
        ptr.of(4 * skip),
        times(i32.add(i32.mul(get(head), i32.of(T)), t), 4 * width),
      ),
    );
  const factor = (name: "k" | "v", turned: boolean) => {
    const [t, c] = places.get(name)!.strides.slice(-2) as [number, number], column = c || 4;
    const at = parts.row(name, i32.of(0));
    return { at, row: turned ? column : t, column: turned ? t : column, dtype: "f32" as const };
  };
  const query = places.get("q")!.strides;
  const sizes = { m: get(many), panels: get(space), accumulate: false };
  const products = {
    scores: multiply(
      {
        ...sizes,
        a: {
          at: parts.row("q", get(first)),
          row: query.at(-2)!,
          column: query.at(-1) || 4,
          dtype: "f32",
        },
        b: factor("k", true),
        c: inSpace(at.scores),
        ldc: line,
        n: i32.of(T),
        k: i32.of(K),
      },
      { m: rows, n: T, k: K },
      blas,
      ptr,
    ),
    values: multiply(
      {
        ...sizes,
        a: { at: inSpace(at.scores), row: line, column: 4, dtype: "f32" },
        b: factor("v", false),
        c: result(0, get(first), K),
        ldc: 4 * K,
        n: i32.of(K),
        k: i32.of(T),
      },
      { m: rows, n: K, k: T },
      blas,
      ptr,
    ),
  };

  const max = combining("max", "f32"), add = combining("sum", "f32");
  const here = (x: number): Code => ptr.add(get(row), get(x));
  const sumUp = (): Code => [
    set(slot, result(B * H * T * (K + 1), get(i), R)),
    fill(locals, slot, ptr.of(4 * R), locals.constant(0)),
    parts.eachKey(i, (x, r) => [
      set(slot, ptr.add(result(B * H * T * (K + 1), get(i), R), r)),
      f32.store(get(slot), f32.add(f32.load(get(slot)), f32.load(here(x)))),
    ]),
  ];
  const oneRow: Code = [
    set(i, i32.sub(i32.sub(i32.add(get(first), get(many)), i32.of(1)), get(n))),
    set(row, ptr.add(inSpace(at.scores), times(i32.sub(get(i), get(first)), line))),
    parts.turn(i),
    set(top, locals.constant(max.neutral)),
    // The greater one, or the old one beside NaN: the sum of exponentials is NaN then.
    parts.score(row, i, (score, x) => [
      v128.store(here(x), score),
      set(top, f32x4.pmax(get(top), score)),
    ]),
    set(top, acrossLanes(f32x4.pmax, get(top), locals)),
    set(sum, locals.constant(0)),
    parts.vectors((x) => [
      set(v, apply(X.expDown, f32x4.sub(v128.load(here(x)), get(top)), locals)),
      v128.store(here(x), get(v)),
      set(sum, add.with(get(sum), get(v))),
    ]),
    set(sum, acrossLanes(add.with, get(sum), locals)),
    set(lse, f32x4.add(apply(X.log, get(sum), locals), get(top))),
    v128.store32Lane(result(B * H * T * K, get(i), 1), get(lse), 0),
    set(sum, f32x4.div(locals.constant(constantBits(1, "f32")), get(sum))),
    parts.vectors((x) => {
      const weight = f32x4.mul(v128.load(here(x)), get(sum));
      const kept = does.dropout > 0 ? f32x4.mul(weight, parts.factor(i, x)) : weight;
      return v128.store(here(x), kept);
    }),
    does.sums ? sumUp() : [],
  ];
  const body = loop(unit, get(FIRST), get(END), 1, [
    set(head, i32.divU(get(unit), i32.of(blocks))),
    set(first, i32.mul(i32.remU(get(unit), i32.of(blocks)), i32.of(rows))),
    set(many, i32.minU(i32.sub(i32.of(T), get(first)), i32.of(rows))),
    set(b, i32.divU(get(head), i32.of(H))),
    set(h, i32.remU(get(head), i32.of(H))),
    parts.start,
    products.scores,
    loop(n, i32.of(0), get(many), 1, oneRow),
    products.values,
  ]);
  return { params: locals.params, locals: locals.types, body: [locals.prologue(), body] };
}
