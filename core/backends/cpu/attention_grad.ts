/**
 * Attention's backward pass in one stage: a unit is a head of one example, so that no two threads add to the same keys. The weights
 * are computed again from scores and the kept logarithms.
 *
 *     P = softmax(S), W = P ∘ M / (1 - rate), G = (dO Vᵀ + dSums) ∘ M / (1 - rate), dS = P ∘ (G - rowsum(G ∘ P))
 *     dQ = scale dS K, dK = scale dSᵀ Q, dV = Wᵀ dO; the terms get dS by the rows of their offsets
 *
 * @module
 */
import * as X from "../../expr/expr.ts";
import type { HandKernel } from "../../plan/kernels.ts";
import { handStage } from "./attention.ts";
import { apply, headOf, type Layout, placesOf } from "./attention_row.ts";
import { fill } from "./box.ts";
import { bump, type Code, f32, f32x4, type Fn, get, i32, loop, set, v128 } from "./encoder.ts";
import { type Factor, multiply } from "./matmul.ts";
import type { Pointers } from "./pointers.ts";
import { acrossLanes, combining, constantBits } from "./simd_expr.ts";
import { END, FIRST, POINTERS, type Stage, stageLocals } from "./stage.ts";

export function attentionGradStage(k: HandKernel, blas: boolean): Stage {
  const units = k.does.B * k.does.H;
  return handStage(k, blas, units, 5, (layout, ptr) => gradFunction(k, layout, blas, ptr));
}

/** (first, end, ...operands, cotangents, space) */
function gradFunction(k: HandKernel, layout: Layout, blas: boolean, ptr: Pointers): Fn {
  const { does } = k, { B, H, T, K, R, scale } = does, { rows, blocks, line, at } = layout;
  const out = POINTERS + k.operands.length, space = out + 1, places = placesOf(k);
  const locals = stageLocals(ptr, k.operands.length + 2), count = locals.i32;
  const [head, b, h, block, first, many, n, i] = [
    count(),
    count(),
    count(),
    count(),
    count(),
    count(),
    count(),
    count(),
  ] as const;
  const pointer = locals.pointer;
  const [row, grads, dropped, slot, to, biasRow] = [
    pointer(),
    pointer(),
    pointer(),
    pointer(),
    pointer(),
    pointer(),
  ] as const;
  const [lse, dot, p, g, f] = [
    locals.v128(),
    locals.v128(),
    locals.v128(),
    locals.v128(),
    locals.v128(),
  ] as const;
  const times = (c: Code, step: number): Code => ptr.mul(ptr.from(c), ptr.of(step));
  const inSpace = (offset: number): Code => ptr.add(get(space), ptr.of(offset));

  // Where each cotangent begins in the store, in floats, and how many a head has.
  const all = B * H * T * K, terms = does.bias ? B * H * R : 0;
  const starts = {
    q: 0,
    k: all,
    v: 2 * all,
    bias: 3 * all,
    keyTerm: 3 * all + terms,
    queryTerm: 0,
  };
  starts.queryTerm = starts.keyTerm + (does.keyTerm ? B * H * T * R : 0);
  const cotangent = (name: keyof typeof starts, size: number): Code =>
    ptr.add(get(out), ptr.add(ptr.of(4 * starts[name]), times(get(head), 4 * size)));
  const zero = (name: keyof typeof starts, size: number): Code => [
    set(to, cotangent(name, size)),
    fill(locals, to, ptr.of(4 * size), locals.constant(0)),
  ];

  const addAt = (address: Code, value: Code): Code => [
    set(slot, address),
    f32.store(get(slot), f32.add(f32.load(get(slot)), value)),
  ];
  /** Hands the gradient that a place of the offsets has gathered over to its row. */
  const flush = (place: number): Code => {
    const gathered = ptr.add(inSpace(at.biasGrads), get(place));
    const r = i32.load(ptr.add(inSpace(at.rowTable), get(place)));
    return [
      addAt(ptr.add(cotangent("bias", R), ptr.from(r)), f32.load(gathered)),
      i32.store(gathered, i32.of(0)),
    ];
  };
  const parts = headOf({
    kernel: k,
    layout,
    locals,
    b,
    h,
    space,
    ...does.bias && { before: flush },
  });

  const factor = (name: "q" | "k" | "v" | "dOut", from: Code, turned = false): Factor => {
    const [t, c] = places.get(name)!.strides.slice(-2) as [number, number], column = c || 4;
    return {
      at: parts.row(name, from),
      row: turned ? column : t,
      column: turned ? t : column,
      dtype: "f32",
    };
  };
  const inBlock = (offset: number, turned = false): Factor => ({
    at: inSpace(offset),
    row: turned ? 4 : line,
    column: turned ? line : 4,
    dtype: "f32",
  });
  const panels = get(space), zeroRow = i32.of(0);
  /** [queries, T] by block. */
  const byKeys = (a: Factor, b: Factor, offset: number): Code =>
    multiply(
      {
        a,
        b,
        c: inSpace(offset),
        ldc: line,
        m: get(many),
        n: i32.of(T),
        k: i32.of(K),
        accumulate: false,
        panels,
      },
      { m: rows, n: T, k: K },
      blas,
      ptr,
    );
  /** [T, K], added up over blocks. */
  const byQueries = (a: Factor, b: Factor, name: "k" | "v"): Code =>
    multiply(
      {
        a,
        b,
        c: cotangent(name, T * K),
        ldc: 4 * K,
        m: i32.of(T),
        n: i32.of(K),
        k: get(many),
        accumulate: true,
        panels,
      },
      { m: T, n: K, k: rows },
      blas,
      ptr,
    );
  const dQ = multiply(
    {
      a: inBlock(at.grads),
      b: factor("k", zeroRow),
      c: ptr.add(cotangent("q", T * K), times(get(first), 4 * K)),
      ldc: 4 * K,
      m: get(many),
      n: i32.of(K),
      k: i32.of(T),
      accumulate: false,
      panels,
    },
    { m: rows, n: K, k: T },
    blas,
    ptr,
  );

  const hasDrops = does.dropout > 0, add = combining("sum", "f32");
  const on = (line: number, x: number): Code => ptr.add(get(line), get(x));
  const forwardAt = (skip: number, t: Code, width: number): Code =>
    ptr.add(
      get(places.get("forward")!.pointer),
      ptr.add(ptr.of(4 * skip), times(i32.add(i32.mul(get(head), i32.of(T)), t), 4 * width)),
    );
  /** The weights again, and G and its product with them. */
  const weights = parts.score(row, i, (score, x) => [
    set(p, apply(X.expDown, f32x4.sub(score, get(lse)), locals)),
    v128.store(on(row, x), get(p)),
    set(g, v128.load(on(grads, x))),
    hasDrops
      ? [
        set(f, parts.factor(i, x)),
        set(g, f32x4.mul(get(g), get(f))),
        v128.store(on(dropped, x), f32x4.mul(get(p), get(f))),
        v128.store(on(grads, x), get(g)),
      ]
      : [],
    set(dot, add.with(get(dot), f32x4.mul(get(g), get(p)))),
  ]);
  /** Beyond T there is nothing. */
  const clearTail: Code = T % 4
    ? parts.vectors((x, lanes) => {
      if (lanes === 4) return [];
      const there = v128.i32(...[0, 1, 2, 3].map((l) => l < lanes ? -1 : 0));
      return v128.store(on(grads, x), v128.and(v128.load(on(grads, x)), there));
    })
    : [];
  const valueSums: Code = does.sums
    ? parts.eachKey(
      i,
      (x, r) => addAt(on(grads, x), f32.load(ptr.add(parts.row("dSums", get(i)), r))),
    )
    : [];
  const scaled = (v: Code): Code =>
    scale === 1 ? v : f32x4.mul(v, locals.constant(constantBits(scale, "f32")));
  const slopes = parts.vectors((x) => [
    set(g, f32x4.mul(v128.load(on(row, x)), f32x4.sub(v128.load(on(grads, x)), get(dot)))),
    does.bias ? v128.store(on(biasRow, x), f32x4.add(v128.load(on(biasRow, x)), get(g))) : [],
    v128.store(on(grads, x), scaled(get(g))),
  ]);
  const keyRow = ptr.add(cotangent("keyTerm", T * R), times(get(i), 4 * R));
  const toTerms: Code = does.keyTerm || does.queryTerm
    ? [
      set(to, does.queryTerm ? cotangent("queryTerm", T * R) : ptr.of(0)),
      parts.eachKey(i, (x, r) => [
        does.keyTerm ? addAt(ptr.add(keyRow, r), f32.load(on(grads, x))) : [],
        does.queryTerm
          ? [addAt(ptr.add(get(to), r), f32.load(on(grads, x))), bump(to, ptr.of(4 * R), ptr)]
          : [],
      ]),
    ]
    : [];
  const oneRow: Code = [
    set(i, i32.sub(i32.sub(i32.add(get(first), get(many)), i32.of(1)), get(n))),
    [[row, at.scores], [grads, at.grads], [dropped, at.dropped]].map(([local, offset]) =>
      set(local!, ptr.add(inSpace(offset!), times(i32.sub(get(i), get(first)), line)))
    ),
    parts.turn(i),
    clearTail,
    valueSums,
    set(lse, v128.splat32(forwardAt(B * H * T * K, get(i), 1))),
    set(dot, locals.constant(0)),
    weights,
    set(dot, acrossLanes(add.with, get(dot), locals)),
    does.bias ? set(biasRow, parts.offsets(at.biasGrads, i)) : [],
    slopes,
    toTerms,
  ];
  const place = locals.pointer();
  const body = loop(head, get(FIRST), get(END), 1, [
    set(b, i32.divU(get(head), i32.of(H))),
    set(h, i32.remU(get(head), i32.of(H))),
    zero("k", T * K),
    zero("v", T * K),
    does.bias ? zero("bias", R) : [],
    does.keyTerm ? zero("keyTerm", T * R) : [],
    does.queryTerm ? zero("queryTerm", T * R) : [],
    [set(to, inSpace(at.biasGrads)), fill(locals, to, ptr.of(layout.table), locals.constant(0))],
    parts.start,
    loop(block, i32.of(0), i32.of(blocks), 1, [
      set(
        first,
        i32.mul(i32.sub(i32.of(blocks - 1), get(block)), i32.of(rows)),
      ),
      set(many, i32.minU(i32.sub(i32.of(T), get(first)), i32.of(rows))),
      byKeys(factor("q", get(first)), factor("k", zeroRow, true), at.scores),
      byKeys(factor("dOut", get(first)), factor("v", zeroRow, true), at.grads),
      loop(n, i32.of(0), get(many), 1, oneRow),
      dQ,
      byQueries(inBlock(at.grads, true), factor("q", get(first)), "k"),
      byQueries(inBlock(hasDrops ? at.dropped : at.scores, true), factor("dOut", get(first)), "v"),
    ]),
    does.bias ? loop(place, ptr.of(0), ptr.of(4 * (2 * T - 1)), 4, flush(place), ptr) : [],
  ]);
  return { params: locals.params, locals: locals.types, body: [locals.prologue(), body] };
}
