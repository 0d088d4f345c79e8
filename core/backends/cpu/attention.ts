/**
 * Attention's forward pass in one stage: a unit is a block of queries of one head. Scores by product, rows to weights that are not yet
 * divided by their sum, weights by value, and then the division; the logarithm of each sum is kept for the backward pass.
 *
 * Keys and values are packed when a thread comes to a head, once for all of its blocks.
 *
 * @module
 */
import * as X from "../../expr/expr.ts";
import type { HandKernel } from "../../plan/kernels.ts";
import { type Layout, layoutOf } from "./attention_layout.ts";
import { apply, headOf, placesOf, STRANDS } from "./attention_row.ts";
import { fill } from "./box.ts";
import { type Code, f32, f32x4, type Fn, get, i32, loop, set, v128, when } from "./encoder.ts";
import { type Factor, suitsBlas } from "./matmul.ts";
import { multiplyPacked, packLeft, packRight, rightBytes } from "./packed.ts";
import type { Pointers } from "./pointers.ts";
import { acrossLanes, combining, constantBits } from "./simd_expr.ts";
import { describe, END, FIRST, pointerOf, POINTERS, type Stage, stageLocals } from "./stage.ts";

/** The last two strides of an operand of [.., T, K]. */
export function strides2(strides: readonly number[]): readonly [row: number, column: number] {
  return [strides.at(-2)!, strides.at(-1) || 4];
}

/** Would BLAS do all of attention's products? */
function byBlas(k: HandKernel): boolean {
  const { T, K } = k.does, places = placesOf(k), score = { row: 4 * T, column: 4 };
  const names = ["q", "k", "v", ...k.does.op === "attentionGrad" ? ["dOut" as const] : []] as const;
  const sizes = { m: T, n: K, k: T };
  return names.every((name) => {
    const [row, column] = strides2(places.get(name)!.strides), dtype = "f32" as const;
    return suitsBlas({ ...score, dtype }, { row, column, dtype }, sizes);
  });
}

/** A stage of attention with so many `products` of scores by heads' widths; `write` writes its function. */
export function handStage(
  k: HandKernel,
  blas: boolean,
  products: number,
  unitsOf: (layout: Layout) => number,
  write: (layout: Layout, blas: boolean, ptr: Pointers) => Fn,
): Stage {
  const { B, H, T, K } = k.does, pairs = B * H * T * T, called = blas && byBlas(k);
  const layout = layoutOf(k, called);
  return {
    key: `${JSON.stringify(k.does)} ${called} ${k.operands.map(describe).join(" ")}`,
    write: (ptr) => write(layout, called, ptr),
    pointers: [...k.operands.map(pointerOf), { base: k.store, offset: 0 }],
    units: unitsOf(layout),
    quantum: 1,
    cost: 100 + pairs * (products * K / (called ? 60 : 20) + 4),
    threadBytes: layout.bytes,
  };
}

export function attentionStage(k: HandKernel, blas: boolean): Stage {
  return handStage(
    k,
    blas,
    2,
    ({ blocks }) => k.does.B * k.does.H * blocks,
    (layout, blas, ptr) => attentionFunction(k, layout, blas, ptr),
  );
}

/** (first, end, ...operands, out, space) */
function attentionFunction(k: HandKernel, layout: Layout, blas: boolean, ptr: Pointers): Fn {
  const { does } = k,
    { B, H, T, K, R } = does,
    { rows, blocks, keys, line, at } = layout;
  const out = POINTERS + k.operands.length, space = out + 1;
  const locals = stageLocals(ptr, k.operands.length + 2), count = locals.i32;
  const [unit, head, ready, b, h] = [count(), count(), count(), count(), count()] as const;
  const [first, many, n, i, key] = [count(), count(), count(), count(), count()] as const;
  const [firstKey, seen] = [count(), count()] as const;
  const [row, slot] = [locals.pointer(), locals.pointer()] as const;
  const [top, sum, v, lse] = [locals.v128(), locals.v128(), locals.v128(), locals.v128()] as const;
  const strands = Array.from({ length: STRANDS }, () => locals.v128());
  const parts = headOf({
    kernel: k,
    layout,
    locals,
    b,
    h,
    space,
    ...does.keep && { keys: { first: firstKey, end: seen } },
  });
  const places = placesOf(k), all = does.keep ? get(seen) : i32.of(T);
  const times = (c: Code, step: number): Code => ptr.mul(ptr.from(c), ptr.of(step));
  const inSpace = (offset: number, more: Code = ptr.of(0)): Code =>
    ptr.add(get(space), ptr.add(ptr.of(offset), more));
  /** Row t of a packed result that begins `skip` floats into the store. */
  const result = (skip: number, t: Code, width: number): Code =>
    ptr.add(
      get(out),
      ptr.add(
        ptr.of(4 * skip),
        times(i32.add(i32.mul(get(head), i32.of(T)), t), 4 * width),
      ),
    );
  const factor = (name: "q" | "k" | "v", from: Code, turned = false): Factor => {
    const [t, c] = strides2(places.get(name)!.strides), at = parts.row(name, from);
    return { at, row: turned ? c : t, column: turned ? t : c, dtype: "f32" };
  };

  const tile = inSpace(at.tile), left = inSpace(at.left), zero = i32.of(0);
  const queries = { factor: factor("q", get(first)), panels: left };
  const keysTurned = { factor: factor("k", zero, true), panels: inSpace(at.keyPanels) };
  /** From `key` on. */
  const some = i32.minU(i32.sub(all, get(key)), i32.of(keys));
  const values = {
    factor: factor("v", get(key)),
    panels: inSpace(at.valuePanels, times(get(key), rightBytes(K, 1))),
  };
  const weights = {
    factor: {
      at: inSpace(at.scores, times(get(key), 4)),
      row: line,
      column: 4,
      dtype: "f32" as const,
    },
    panels: left,
  };
  const byKeys = (body: Code): Code => loop(key, zero, all, keys, body);
  const packHead: Code = [
    packRight(keysTurned, all, i32.of(K), blas, ptr),
    byKeys(packRight(values, i32.of(K), some, blas, ptr)),
  ];
  const product = { m: get(many), tile };
  const scores: Code = [
    packLeft(queries, get(many), i32.of(K), blas, ptr),
    multiplyPacked(
      {
        ...product,
        a: queries,
        b: keysTurned,
        c: inSpace(at.scores),
        ldc: line,
        n: all,
        k: i32.of(K),
        accumulate: zero,
      },
      { m: rows, n: T, k: K },
      blas,
      ptr,
    ),
  ];
  const mix = byKeys([
    packLeft(weights, get(many), some, blas, ptr),
    multiplyPacked(
      {
        ...product,
        a: weights,
        b: values,
        c: result(0, get(first), K),
        ldc: 4 * K,
        n: i32.of(K),
        k: some,
        accumulate: get(key),
      },
      { m: rows, n: K, k: keys },
      blas,
      ptr,
    ),
  ]);

  const max = combining("max", "f32"), add = combining("sum", "f32");
  const here = (x: number): Code => ptr.add(get(row), get(x));
  const sumsFrom = B * H * T * (K + 1);
  const sumUp = (): Code => [
    set(slot, result(sumsFrom, get(i), R)),
    fill(locals, slot, ptr.of(4 * R), locals.constant(0)),
    parts.eachKey(i, (x, r) => [
      set(slot, ptr.add(result(sumsFrom, get(i), R), r)),
      f32.store(get(slot), f32.add(f32.load(get(slot)), f32.load(here(x)))),
    ]),
  ];
  /** Combines what `body` gathers in strands into every lane of one local. */
  const overStrands = (
    neutral: number,
    combine: (a: Code, b: Code) => Code,
    into: number,
    body: (strands: readonly number[]) => Code,
  ): Code => [
    strands.map((s) => set(s, locals.constant(neutral))),
    body(strands),
    set(into, acrossLanes(combine, strands.map(get).reduce(combine), locals)),
  ];
  const scale = inSpace(at.scales, times(i32.sub(get(i), get(first)), 4));
  const oneRow: Code = [
    set(i, i32.sub(i32.sub(i32.add(get(first), get(many)), i32.of(1)), get(n))),
    set(row, inSpace(at.scores, times(i32.sub(get(i), get(first)), line))),
    parts.turn(i),
    // The greater one, or the old one beside NaN: the sum of exponentials is NaN then.
    overStrands(max.neutral, f32x4.pmax, top, (strand) =>
      parts.score(row, i, (score, x, _, s) => [
        v128.store(here(x), score),
        set(strand[s]!, f32x4.pmax(get(strand[s]!), score)),
      ])),
    overStrands(0, add.with, sum, (strand) =>
      parts.vectors((x, _, s) => [
        set(v, apply(X.expDown, f32x4.sub(v128.load(here(x)), get(top)), locals)),
        set(strand[s]!, add.with(get(strand[s]!), get(v))),
        v128.store(here(x), does.dropout > 0 ? f32x4.mul(get(v), parts.factor(i, x)) : get(v)),
      ])),
    set(lse, f32x4.add(apply(X.log, get(sum), locals), parts.plain(get(top)))),
    v128.store32Lane(result(B * H * T * K, get(i), 1), get(lse), 0),
    set(sum, f32x4.div(locals.constant(constantBits(1, "f32")), get(sum))),
    v128.store32Lane(scale, get(sum), 0),
    does.sums ? sumUp() : [],
  ];
  /** Divides `width` floats by the sum of their row. */
  const divide = (start: Code, width: number): Code => {
    const x = locals.pointer(), whole = width - width % 4;
    return [
      set(row, start),
      loop(x, ptr.of(0), ptr.of(4 * whole), 16, [
        v128.store(here(x), f32x4.mul(v128.load(here(x)), get(sum))),
      ], ptr),
      loop(x, ptr.of(4 * whole), ptr.of(4 * width), 4, [
        v128.store32Lane(here(x), f32x4.mul(v128.load1(here(x)), get(sum)), 0),
      ], ptr),
    ];
  };
  const divideRow: Code = [
    set(i, i32.add(get(first), get(n))),
    set(sum, v128.splat32(scale)),
    divide(result(0, get(i), K), K),
    does.sums ? divide(result(sumsFrom, get(i), R), R) : [],
  ];
  const rowsOf = (body: Code): Code => loop(n, zero, get(many), 1, body);
  const body = [
    set(ready, i32.of(-1)),
    loop(unit, get(FIRST), get(END), 1, [
      set(head, i32.divU(get(unit), i32.of(blocks))),
      set(first, i32.mul(i32.remU(get(unit), i32.of(blocks)), i32.of(rows))),
      set(many, i32.minU(i32.sub(i32.of(T), get(first)), i32.of(rows))),
      set(b, i32.divU(get(head), i32.of(H))),
      set(h, i32.remU(get(head), i32.of(H))),
      parts.start,
      parts.seen(seen),
      when(i32.eq(get(head), get(ready)), [], [packHead, set(ready, get(head))]),
      scores,
      rowsOf(oneRow),
      mix,
      rowsOf(divideRow),
    ]),
  ];
  return { params: locals.params, locals: locals.types, body: [locals.prologue(), body] };
}
