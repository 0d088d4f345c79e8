/**
 * C = A B for any strides, so that NN, NT and TN are one kernel: panels of A (6 rows) and of B (8 columns) are packed, and a 6x8
 * micro-kernel keeps its 12 sums in registers, as in Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication".
 * Every sum runs over k in the same order and in the same blocks whatever the split between threads.
 *
 * @module
 */
import type { DType } from "../../dtype.ts";
import { stridesOf } from "../../graph/node.ts";
import type { MatmulKernel, Operand } from "../../plan/kernels.ts";
import { loadLanes, loadSplat, widthOf } from "./access.ts";
import {
  bump,
  call,
  type Code,
  type Encoded,
  encoded,
  f32x4,
  type Fn,
  get,
  I32,
  i32,
  loop,
  set,
  v128,
  when,
} from "./encoder.ts";
import { hasRelaxedSimd } from "./features.ts";
import { makeLocals, type Pointers } from "./pointers.ts";
import {
  describe,
  END,
  FIRST,
  pointerOf,
  POINTERS,
  type Stage,
  stageLocals,
  stridesIn,
} from "./stage.ts";
import { walk } from "./walk.ts";

const MR = 6, NR = 8, KC = 256, MC = 96, NC = 1024;
/** Bytes that a thread needs: A's panels, the tile that edges go through, B's panels. */
const PANELS_A = 4 * KC * MC, TILE = 4 * MR * NR, PANELS_B = 4 * KC * NC;
export const PACK_BYTES: number = PANELS_A + TILE + PANELS_B;
/** With so few rows, B's rows are read where they are: packing would cost more than it saves. */
const FEW_ROWS = 24;

const ids: readonly DType[] = ["f32", "f16", "bf16"];
/** Function numbers of the helpers, which stand first in a module. */
const packA = (d: DType): number => 2 * ids.indexOf(d), packB = (d: DType): number => packA(d) + 1;
const MICRO = 6, EDGE = 7;

const madd = (a: Code, b: Code, c: Code): Code =>
  hasRelaxedSimd ? f32x4.relaxedMadd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
const words = (n: Code): Code => i32.shl(n, i32.of(2));
const range = (n: number): number[] => [...Array(n).keys()];

/** (source, panel, valid, kc, laneStep, kStep): `width` lanes for every k, as f32; lanes from `valid` on are zero. */
function packFunction(width: number, dtype: DType, ptr: Pointers): Fn {
  const [source, panel, valid, kc, laneStep, kStep] = range(6) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const locals = makeLocals(ptr, [ptr.type, ptr.type, I32, I32, ptr.type, ptr.type]);
  const k = locals.i32(), p = locals.pointer(), v = locals.v128();
  const lanes = range(width), bytes = widthOf(dtype);
  const one = (lane: number): Code =>
    bytes === 4
      ? i32.store(get(panel), i32.load(get(p)), 4 * lane)
      : v128.store32Lane(get(panel), loadSplat(dtype, get(p), locals), 0, 4 * lane);
  const vector = (at: number): Code =>
    loadLanes(dtype, { pointer: get(source), x: ptr.of(0), at, stride: 1, lanes: 4 }, locals);
  const contiguous: Code = [
    v128.store(get(panel), vector(0)),
    width === 8
      ? v128.store(get(panel), vector(4), 16)
      : [set(v, vector(4)), v128.store64Lane(get(panel), get(v), 0, 16)],
  ];
  const strided: Code = [
    set(p, get(source)),
    lanes.map((lane) => [one(lane), lane < width - 1 ? bump(p, get(laneStep), ptr) : []]),
  ];
  const partial: Code = [
    set(p, get(source)),
    lanes.map((lane) =>
      when(
        i32.ltS(i32.of(lane), get(valid)),
        [one(lane), bump(p, get(laneStep), ptr)],
        i32.store(get(panel), i32.of(0), 4 * lane),
      )
    ),
  ];
  const overK = (body: Code): Code =>
    loop(k, i32.of(0), get(kc), 1, [
      body,
      bump(source, get(kStep), ptr),
      bump(panel, ptr.of(4 * width), ptr),
    ]);
  const body = when(
    i32.ltS(get(valid), i32.of(width)),
    overK(partial),
    when(i32.eq(ptr.low(get(laneStep)), i32.of(bytes)), overK(contiguous), overK(strided)),
  );
  return { params: locals.params, locals: locals.types, body: [locals.prologue(), body] };
}

/** (a, b, c, kc, stepB, ldc, accumulate): one full tile. */
function microFunction(ptr: Pointers): Fn {
  const [a, b, c, kc, stepB, ldc, accumulate] = range(7) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const address = ptr.type;
  const locals = makeLocals(ptr, [address, address, address, I32, address, address, I32]);
  const k = locals.i32();
  const b0 = locals.v128(), b1 = locals.v128(), x = locals.v128();
  const sums = range(MR).map(() => [locals.v128(), locals.v128()] as const);
  const step: Code = [
    set(b0, v128.load(get(b))),
    set(b1, v128.load(get(b), 16)),
    sums.map(([p, q], r) => [
      set(x, v128.splat32(get(a), 4 * r)),
      set(p, madd(get(x), get(b0), get(p))),
      set(q, madd(get(x), get(b1), get(q))),
    ]),
    bump(a, ptr.of(4 * MR), ptr),
    bump(b, get(stepB), ptr),
  ];
  const store = sums.map(([p, q], r): Code => [
    when(get(accumulate), [
      set(p, f32x4.add(get(p), v128.load(get(c)))),
      set(q, f32x4.add(get(q), v128.load(get(c), 16))),
    ]),
    v128.store(get(c), get(p)),
    v128.store(get(c), get(q), 16),
    r < MR - 1 ? bump(c, get(ldc), ptr) : [],
  ]);
  const zero = sums.flat().map((l) => set(l, locals.constant(0)));
  return {
    params: locals.params,
    locals: locals.types,
    body: [locals.prologue(), zero, loop(k, i32.of(0), get(kc), 1, step), store],
  };
}

/** (tile, c, rows, columns, ldc, accumulate): the valid part of a tile. */
function edgeFunction(ptr: Pointers): Fn {
  const [tile, c, rows, columns, ldc, accumulate] = range(6) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const locals = makeLocals(ptr, [ptr.type, ptr.type, I32, I32, ptr.type, I32]);
  const r = locals.i32(), j = locals.pointer(), v = locals.v128();
  const from = ptr.add(get(tile), get(j)), to = ptr.add(get(c), get(j));
  const one: Code = [
    set(v, v128.splat32(from)),
    when(get(accumulate), set(v, f32x4.add(get(v), v128.splat32(to)))),
    v128.store32Lane(to, get(v), 0),
  ];
  const body = loop(r, i32.of(0), get(rows), 1, [
    loop(j, ptr.of(0), ptr.from(words(get(columns))), 4, one, ptr),
    bump(tile, ptr.of(4 * NR), ptr),
    bump(c, get(ldc), ptr),
  ]);
  return { params: locals.params, locals: locals.types, body };
}

const helpers = new Map<Pointers, readonly Encoded[]>();
/** The functions that matmul stages call; they must be the first of their module. */
export function matmulHelpers(ptr: Pointers): readonly Encoded[] {
  const found = helpers.get(ptr);
  if (found) return found;
  const made = [
    ...ids.flatMap((d) => [packFunction(MR, d, ptr), packFunction(NR, d, ptr)]),
    microFunction(ptr),
    edgeFunction(ptr),
  ].map(encoded);
  helpers.set(ptr, made);
  return made;
}

type Axis = "batch" | "rows" | "columns";
/** Threads share the longer side, as each packs all of the other; or whole products, where there are enough of them. */
function axisOf(k: MatmulKernel, threads: number): Axis {
  const count = k.batch.reduce((a, b) => a * b, 1);
  if (count >= 2 * threads || (count > 1 && count % threads === 0)) return "batch";
  return k.m >= k.n ? "rows" : "columns";
}

export function matmulStage(k: MatmulKernel, threads: number): Stage {
  const count = k.batch.reduce((a, b) => a * b, 1), axis = axisOf(k, threads);
  return {
    key: `matmul ${axis} ${k.batch.join()}x${k.m},${k.n},${k.k} ${describe(k.a)} ${describe(k.b)}`,
    write: (ptr) => matmulFunction(k, axis, ptr),
    pointers: [pointerOf(k.a), pointerOf(k.b), { base: k.store, offset: 0 }],
    units: { batch: count, rows: k.m, columns: k.n }[axis],
    quantum: { batch: 1, rows: MR, columns: NR }[axis],
    cost: 50 + count * (k.m * k.n * k.k / 20 + 0.5 * (k.m + k.n) * k.k + 0.2 * k.m * k.n),
    packs: true,
  };
}

/** Byte steps of an operand along its last two axes. */
function steps(o: Operand, ptr: Pointers): readonly [Code, Code] {
  const [row, column] = stridesIn(o).slice(-2) as [number, number];
  return [ptr.of(row), ptr.of(column)];
}

/** (first, end, a, b, c, panels) */
function matmulFunction(k: MatmulKernel, axis: Axis, ptr: Pointers): Fn {
  const [A, B, C, PANELS] = range(4).map((i) => POINTERS + i) as [number, number, number, number];
  const locals = stageLocals(ptr, 4);
  const [batch0, batch1] = axis === "batch"
    ? [get(FIRST), get(END)]
    : [i32.of(0), i32.of(k.batch.reduce((a, b) => a * b, 1))];
  const [i0, i1] = axis === "rows" ? [get(FIRST), get(END)] : [i32.of(0), i32.of(k.m)];
  const [j0, j1] = axis === "columns" ? [get(FIRST), get(END)] : [i32.of(0), i32.of(k.n)];
  const [rowA, colA] = steps(k.a, ptr), [rowB, colB] = steps(k.b, ptr), ldc = ptr.of(4 * k.n);
  const direct = k.m <= FEW_ROWS && k.b.strides.at(-1) === 1 && k.b.base.dtype === "f32";
  const names = ["k0", "kc", "jc", "nc", "ic", "mc", "i", "j", "mr", "nr"] as const;
  const counts = Object.fromEntries(names.map((n) => [n, locals.i32()])) as {
    readonly [N in typeof names[number]]: number;
  };
  const [tileC, panelA, panelB] = [locals.pointer(), locals.pointer(), locals.pointer()] as const;
  const l = { ...counts, tileC, panelA, panelB };

  const sum = (x: number, y: number): Code => i32.add(get(x), get(y));
  const at = (p: number, r: Code, rowStep: Code, c: Code, columnStep: Code): Code =>
    ptr.add(
      get(p),
      ptr.add(ptr.mul(ptr.from(r), rowStep), ptr.mul(ptr.from(c), columnStep)),
    );
  /** The part of a block that is left. */
  const limit = (target: number, end: Code, from: number, block: number): Code =>
    set(target, i32.minU(i32.sub(end, get(from)), i32.of(block)));
  const tile = ptr.add(get(PANELS), ptr.of(PANELS_A)),
    panelsB = ptr.add(get(PANELS), ptr.of(PANELS_A + TILE));
  const panel = (start: Code, index: number): Code =>
    ptr.add(start, ptr.from(i32.mul(get(index), words(get(l.kc)))));
  const stepB = direct ? rowB : ptr.of(4 * NR);
  const isFull = i32.and(i32.eq(get(l.mr), i32.of(MR)), i32.eq(get(l.nr), i32.of(NR)));

  const oneTile: Code = [
    limit(l.mr, get(l.mc), l.i, MR),
    set(l.tileC, at(C, sum(l.ic, l.i), ldc, sum(l.jc, l.j), ptr.of(4))),
    set(l.panelA, panel(get(PANELS), l.i)),
    when(
      isFull,
      call(MICRO, get(l.panelA), get(l.panelB), get(l.tileC), get(l.kc), stepB, ldc, get(l.k0)),
      [
        call(
          MICRO,
          get(l.panelA),
          get(l.panelB),
          tile,
          get(l.kc),
          stepB,
          ptr.of(4 * NR),
          i32.of(0),
        ),
        call(EDGE, tile, get(l.tileC), get(l.mr), get(l.nr), ldc, get(l.k0)),
      ],
    ),
  ];
  const blockOfRows: Code = [
    limit(l.mc, i1, l.ic, MC),
    loop(l.i, i32.of(0), get(l.mc), MR, [
      limit(l.mr, get(l.mc), l.i, MR),
      call(
        packA(k.a.base.dtype),
        at(A, sum(l.ic, l.i), rowA, get(l.k0), colA),
        panel(get(PANELS), l.i),
        get(l.mr),
        get(l.kc),
        rowA,
        colA,
      ),
    ]),
    loop(l.j, i32.of(0), get(l.nc), NR, [
      limit(l.nr, get(l.nc), l.j, NR),
      set(l.panelB, direct ? at(B, get(l.k0), rowB, sum(l.jc, l.j), colB) : panel(panelsB, l.j)),
      loop(l.i, i32.of(0), get(l.mc), MR, oneTile),
    ]),
  ];
  const packAllB = loop(l.j, i32.of(0), get(l.nc), NR, [
    limit(l.nr, get(l.nc), l.j, NR),
    call(
      packB(k.b.base.dtype),
      at(B, get(l.k0), rowB, sum(l.jc, l.j), colB),
      panel(panelsB, l.j),
      get(l.nr),
      get(l.kc),
      colB,
      rowB,
    ),
  ]);
  const product = loop(l.jc, j0, j1, NC, [
    limit(l.nc, j1, l.jc, NC),
    // K = 0 still takes one turn, which writes zeros.
    loop(l.k0, i32.of(0), i32.of(Math.max(1, k.k)), KC, [
      limit(l.kc, i32.of(k.k), l.k0, KC),
      direct ? [] : packAllB,
      loop(l.ic, i0, i1, MC, blockOfRows),
    ]),
  ]);
  const cursors = [
    { local: A, strides: stridesIn(k.a).slice(0, -2) },
    { local: B, strides: stridesIn(k.b).slice(0, -2) },
    { local: C, strides: stridesOf(k.batch).map((s) => 4 * s * k.m * k.n) },
  ];
  return {
    params: locals.params,
    locals: locals.types,
    body: walk(locals, k.batch, batch0, batch1, cursors, product),
  };
}
