/**
 * Attention's backward pass in one stage: a unit is a head of one example, so that no two threads add to the same keys. The weights
 * are computed again from scores and the kept logarithms, for a block of keys and then of queries at a time: both, and all that is
 * multiplied with them, stay in the second cache.
 *
 *     P = softmax(S), W = P ∘ M / (1 - rate), G = (dO Vᵀ + dSums) ∘ M / (1 - rate), dS = P ∘ (G - D)
 *     D = rowsum(G ∘ P) = rowsum(dO ∘ O) + rowsum(dSums ∘ sums), which needs no scores
 *     dQ = scale dS K, dK = scale dSᵀ Q, dV = Wᵀ dO; the terms get dS by the rows of their offsets
 *
 * Source of D: Dao et al. 2022.
 *
 * @module
 */
import * as X from "../../expr/expr.ts";
import type { HandKernel } from "../../plan/kernels.ts";
import { handStage, strides2 } from "./attention.ts";
import type { Layout } from "./attention_layout.ts";
import { apply, headOf, placesOf } from "./attention_row.ts";
import { fill } from "./box.ts";
import {
  bump,
  type Code,
  f32,
  f32x4,
  type Fn,
  get,
  i32,
  loop,
  set,
  v128,
  when,
} from "./encoder.ts";
import type { Factor } from "./matmul.ts";
import { multiplyPacked, type Packable, packLeft, packRight } from "./packed.ts";
import type { Pointers } from "./pointers.ts";
import { acrossLanes, constantBits } from "./simd_expr.ts";
import { END, FIRST, POINTERS, type Stage, stageLocals } from "./stage.ts";

export function attentionGradStage(k: HandKernel, blas: boolean): Stage {
  return handStage(
    k,
    blas,
    5,
    () => k.does.B * k.does.H,
    (layout, blas, ptr) => gradFunction(k, layout, blas, ptr),
  );
}

/** (first, end, ...operands, cotangents, space) */
function gradFunction(k: HandKernel, layout: Layout, blas: boolean, ptr: Pointers): Fn {
  const { does } = k, { B, H, T, K, R, scale } = does;
  const { rows, blocks, keys, keyBlocks, line, at } = layout;
  const out = POINTERS + k.operands.length, space = out + 1, places = placesOf(k);
  const locals = stageLocals(ptr, k.operands.length + 2), count = locals.i32;
  const [head, b, h, block, n, i] = [count(), count(), count(), count(), count(), count()] as const;
  const [first, many, keyBlock, key, keyEnd] = [
    count(),
    count(),
    count(),
    count(),
    count(),
  ] as const;
  const pointer = locals.pointer;
  const [row, grads, slot, to] = [pointer(), pointer(), pointer(), pointer()] as const;
  const [biasRow, left, right] = [pointer(), pointer(), pointer()] as const;
  const vector = locals.v128;
  const seen = count();
  const [lse, dot, p, g, f] = [vector(), vector(), vector(), vector(), vector()] as const;
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
    keys: { first: key, end: keyEnd },
    ...does.bias && { before: flush },
  });

  const factor = (name: "q" | "k" | "v" | "dOut", from: Code, turned = false): Factor => {
    const [t, c] = strides2(places.get(name)!.strides), at = parts.row(name, from);
    return { at, row: turned ? c : t, column: turned ? t : c, dtype: "f32" };
  };
  const packable = (factor: Factor, panels: number): Packable => ({
    factor,
    panels: inSpace(panels),
  });
  const inBlock = (offset: number, turned = false): Packable =>
    packable({
      at: inSpace(offset),
      row: turned ? 4 : line,
      column: turned ? line : 4,
      dtype: "f32",
    }, at.left);
  const side = {
    keys: packable(factor("k", get(key), true), at.keyPanels),
    values: packable(factor("v", get(key), true), at.valuePanels),
    keyColumns: packable(factor("k", get(key)), at.keyColumns),
    queries: packable(factor("q", get(first)), at.queryPanels),
    queryColumns: packable(factor("q", get(first)), at.queryColumns),
    outs: packable(factor("dOut", get(first)), at.outPanels),
    outColumns: packable(factor("dOut", get(first)), at.outColumns),
    grads: inBlock(at.grads),
    gradsTurned: inBlock(at.grads, true),
    weightsTurned: inBlock(at.scores, true),
  };
  const width = i32.of(K), some = i32.sub(get(keyEnd), get(key)), tile = inSpace(at.tile);
  /** [queries, keys] */
  const byKeys = (a: Packable, b: Packable, offset: number): Code => [
    packLeft(a, get(many), width, blas, ptr),
    multiplyPacked(
      {
        a,
        b,
        c: inSpace(offset),
        ldc: line,
        m: get(many),
        n: some,
        k: width,
        accumulate: i32.of(0),
        tile,
      },
      { m: rows, n: keys, k: K },
      blas,
      ptr,
    ),
  ];
  /** [keys, K], added up over blocks of queries. */
  const byQueries = (a: Packable, b: Packable, name: "k" | "v"): Code => [
    packLeft(a, some, get(many), blas, ptr),
    packRight(b, width, get(many), blas, ptr),
    multiplyPacked(
      {
        a,
        b,
        c: ptr.add(cotangent(name, T * K), times(get(key), 4 * K)),
        ldc: 4 * K,
        m: some,
        n: width,
        k: get(many),
        accumulate: i32.of(1),
        tile,
      },
      { m: keys, n: K, k: rows },
      blas,
      ptr,
    ),
  ];
  /** [queries, K], added up over blocks of keys. */
  const dQ: Code = [
    packLeft(side.grads, get(many), some, blas, ptr),
    multiplyPacked(
      {
        a: side.grads,
        b: side.keyColumns,
        c: ptr.add(cotangent("q", T * K), times(get(first), 4 * K)),
        ldc: 4 * K,
        m: get(many),
        n: width,
        k: some,
        accumulate: i32.of(1),
        tile,
      },
      { m: rows, n: K, k: keys },
      blas,
      ptr,
    ),
  ];

  const on = (line: number, x: number): Code => ptr.add(get(line), get(x));
  const forwardAt = (skip: number, t: Code, width: number): Code =>
    ptr.add(
      get(places.get("forward")!.pointer),
      ptr.add(ptr.of(4 * skip), times(i32.add(i32.mul(get(head), i32.of(T)), t), 4 * width)),
    );
  const dotAt = ptr.add(inSpace(at.dots), times(get(i), 4));
  /** dot += left · right of so many floats. */
  const addDot = (a: Code, b: Code, many: number): Code => {
    const x = pointer(), whole = many - many % 4;
    const step = (load: (p: Code) => Code): Code =>
      set(dot, f32x4.add(get(dot), f32x4.mul(load(on(left, x)), load(on(right, x)))));
    return [
      set(left, a),
      set(right, b),
      loop(x, ptr.of(0), ptr.of(4 * whole), 16, step(v128.load), ptr),
      loop(x, ptr.of(4 * whole), ptr.of(4 * many), 4, step(v128.load1), ptr),
    ];
  };
  const dots = loop(i, i32.of(0), i32.of(T), 1, [
    set(dot, locals.constant(0)),
    addDot(parts.row("dOut", get(i)), forwardAt(0, get(i), K), K),
    does.sums
      ? addDot(parts.row("dSums", get(i)), forwardAt(B * H * T * (K + 1), get(i), R), R)
      : [],
    v128.store32Lane(dotAt, acrossLanes(f32x4.add, get(dot), locals), 0),
  ]);

  const hasDrops = does.dropout > 0;
  const scaled = (v: Code): Code =>
    scale === 1 ? v : f32x4.mul(v, locals.constant(constantBits(scale, "f32")));
  /** The weights again, and the gradients of the scores. */
  const slopes = parts.score(row, i, (score, x, lanes) => [
    set(p, apply(X.expDown, f32x4.sub(parts.plain(score), get(lse)), locals)),
    set(g, v128.load(on(grads, x))),
    hasDrops
      ? [
        set(f, parts.factor(i, x)),
        v128.store(on(row, x), f32x4.mul(get(p), get(f))),
        set(g, f32x4.mul(get(g), get(f))),
      ]
      : v128.store(on(row, x), get(p)),
    set(g, f32x4.mul(get(p), f32x4.sub(get(g), get(dot)))),
    // Beyond T there is nothing, and another place of the offsets.
    lanes < 4
      ? set(g, v128.and(get(g), v128.i32(...[0, 1, 2, 3].map((l) => l < lanes ? -1 : 0))))
      : [],
    does.bias ? v128.store(on(biasRow, x), f32x4.add(v128.load(on(biasRow, x)), get(g))) : [],
    v128.store(on(grads, x), scaled(get(g))),
  ]);
  const valueSums: Code = does.sums
    ? parts.eachKey(
      i,
      (x, r) => addAt(on(grads, x), f32.load(ptr.add(parts.row("dSums", get(i)), r))),
    )
    : [];
  const keyRow = ptr.add(cotangent("keyTerm", T * R), times(get(i), 4 * R));
  const toTerms: Code = does.keyTerm || does.queryTerm
    ? [
      set(
        to,
        does.queryTerm ? ptr.add(cotangent("queryTerm", T * R), times(get(key), 4 * R)) : ptr.of(0),
      ),
      parts.eachKey(i, (x, r) => [
        does.keyTerm ? addAt(ptr.add(keyRow, r), f32.load(on(grads, x))) : [],
        does.queryTerm
          ? [addAt(ptr.add(get(to), r), f32.load(on(grads, x))), bump(to, ptr.of(4 * R), ptr)]
          : [],
      ]),
    ]
    : [];
  /** Where key 0 would be in the row of query i. */
  const rowAt = (offset: number): Code =>
    ptr.sub(
      ptr.add(inSpace(offset), times(i32.sub(get(i), get(first)), line)),
      times(get(key), 4),
    );
  const oneRow: Code = [
    set(i, i32.sub(i32.sub(i32.add(get(first), get(many)), i32.of(1)), get(n))),
    set(row, rowAt(at.scores)),
    set(grads, rowAt(at.grads)),
    parts.turn(i),
    valueSums,
    set(lse, v128.splat32(forwardAt(B * H * T * K, get(i), 1))),
    set(dot, v128.splat32(dotAt)),
    does.bias ? set(biasRow, parts.offsets(at.biasGrads, i)) : [],
    slopes,
    toTerms,
  ];
  /** From the last to the first. */
  const countdown = (l: number, many: number, size: number): Code =>
    i32.mul(i32.sub(i32.of(many - 1), get(l)), i32.of(size));
  const oneBlock: Code = [
    set(first, countdown(block, blocks, rows)),
    set(many, i32.minU(i32.sub(i32.of(T), get(first)), i32.of(rows))),
    byKeys(side.queries, side.keys, at.scores),
    byKeys(side.outs, side.values, at.grads),
    loop(n, i32.of(0), get(many), 1, oneRow),
    dQ,
    byQueries(side.gradsTurned, side.queryColumns, "k"),
    byQueries(side.weightsTurned, side.outColumns, "v"),
  ];
  const place = locals.pointer();
  const flushAll = (from: number, many: number): Code =>
    loop(place, ptr.of(from), ptr.of(from + 4 * many), 4, flush(place), ptr);
  const body = loop(head, get(FIRST), get(END), 1, [
    set(b, i32.divU(get(head), i32.of(H))),
    set(h, i32.remU(get(head), i32.of(H))),
    (["q", "k", "v"] as const).map((name) => zero(name, T * K)),
    does.bias ? zero("bias", R) : [],
    does.keyTerm ? zero("keyTerm", T * R) : [],
    does.queryTerm ? zero("queryTerm", T * R) : [],
    [set(to, inSpace(at.biasGrads)), fill(locals, to, ptr.of(layout.table), locals.constant(0))],
    parts.start,
    parts.seen(seen),
    dots,
    loop(keyBlock, i32.of(0), i32.of(keyBlocks), 1, [
      set(key, countdown(keyBlock, keyBlocks, keys)),
      set(keyEnd, i32.minU(get(seen), i32.add(get(key), i32.of(keys)))),
      when(i32.ltU(get(key), get(keyEnd)), [
        packRight(side.keys, some, width, blas, ptr),
        packRight(side.values, some, width, blas, ptr),
        packRight(side.keyColumns, width, some, blas, ptr),
        loop(block, i32.of(0), i32.of(blocks), 1, oneBlock),
      ]),
    ]),
    does.bias ? flushAll(0, 2 * T - 1) : [],
    does.bias && does.ownCls ? flushAll(layout.table0, T) : [],
  ]);
  return { params: locals.params, locals: locals.types, body: [locals.prologue(), body] };
}
