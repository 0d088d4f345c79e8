/**
 * C = A B for any strides, so that NN, NT and TN are one function: panels of A (6 rows) and of B (8 columns) are packed, and a 6x8
 * micro-kernel keeps its 12 sums in registers, as in Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication".
 * Every sum runs over k in the same order and in the same blocks whatever the split between threads.
 *
 * One function serves all sizes, given at run time: a function a shape was as fast and took far longer to compile.
 *
 * @module
 */
import type { DType } from "../../dtype.ts";
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
  type Imported,
  loop,
  set,
  v128,
  when,
} from "./encoder.ts";
import { hasRelaxedSimd } from "./features.ts";
import { makeLocals, type Pointers } from "./pointers.ts";

const KC = 256, MC = 96, NC = 1024;
/** Rows and columns of a tile: threads get multiples of them. */
export const MR = 6, NR = 8;
/** Bytes that a thread needs: A's panels, the tile that edges go through, B's panels. */
const PANELS_A = 4 * KC * MC, TILE = 4 * MR * NR, PANELS_B = 4 * KC * NC;
export const PACK_BYTES: number = PANELS_A + TILE + PANELS_B, TILE_BYTES: number = TILE;
/** With so few rows, B's rows are read where they are: packing would cost more than it saves. */
const FEW_ROWS = 24;
/** Steps of k that the micro-kernel takes at once. */
const UNROLL = 4;

/**
 * What every program imports: as function 0 the system's BLAS, where there is one (blas.ts), as function 1 the clock, which only
 * timed programs call (clock.ts), as function 2 what the first thread calls when results are complete (worker.ts).
 */
export const BLAS = 0, TICK = 1, MARK = 2;
export function imports(ptr: Pointers): readonly Imported[] {
  return [
    {
      name: "blas",
      params: [...Array<number>(3).fill(ptr.type), ...Array<number>(7).fill(I32)],
    },
    { name: "tick", params: [ptr.type] },
    { name: "mark", params: [I32] },
  ];
}
/** Imports come before a module's own functions. */
export const IMPORTS = 3;
const dtypes: readonly DType[] = ["f32", "f16", "bf16"];
/** Function numbers of the helpers, which stand first among a module's own. */
export const packA = (d: DType): number => IMPORTS + 2 * dtypes.indexOf(d);
export const packB = (d: DType): number => packA(d) + 1;
export const MICRO: number = IMPORTS + 2 * dtypes.length, EDGE: number = MICRO + 1;
/** How many there are, with the products. */
export const GEMM_HELPERS: number = EDGE + 1 + dtypes.length ** 2 - IMPORTS;
/** The product of factors of these dtypes; parameters as in `gemmFunction`. */
export function gemmOf(a: DType, b: DType): number {
  return EDGE + 1 + dtypes.length * dtypes.indexOf(a) + dtypes.indexOf(b);
}

const madd = (a: Code, b: Code, c: Code): Code =>
  hasRelaxedSimd ? f32x4.relaxedMadd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
const words = (n: Code): Code => i32.shl(n, i32.of(2));
const range = (n: number): number[] => [...Array(n).keys()];

/** (source, panel, valid, kc, laneStep, kStep): `width` lanes for every k, as f32; lanes from `valid` on are zero. */
function packFunction(width: 6 | 8, dtype: DType, ptr: Pointers): Fn {
  const [source, panel, valid, kc, laneStep, kStep] = [0, 1, 2, 3, 4, 5] as const;
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
  const advance = (steps: number): Code => [
    range(steps).map(() => bump(source, get(kStep), ptr)),
    bump(panel, ptr.of(4 * width * steps), ptr),
  ];
  const overK = (from: Code, body: Code): Code => loop(k, from, get(kc), 1, [body, advance(1)]);
  // Lanes whose k lie side by side go through registers, four k at a time.
  const rows = lanes.map(() => locals.v128());
  const turned: Code = [
    loop(k, i32.of(0), i32.and(get(kc), i32.of(-4)), 4, [
      set(p, get(source)),
      rows.map((r) => [set(r, v128.load(get(p))), bump(p, get(laneStep), ptr)]),
      transposed(width, rows, panel),
      advance(4),
    ]),
    overK(i32.and(get(kc), i32.of(-4)), strided),
  ];
  const isStep = (step: number): Code => i32.eq(ptr.low(get(step)), i32.of(bytes));
  const whole = bytes === 4
    ? when(isStep(kStep), turned, overK(i32.of(0), strided))
    : overK(i32.of(0), strided);
  const body = when(
    i32.ltS(get(valid), i32.of(width)),
    overK(i32.of(0), partial),
    when(isStep(laneStep), overK(i32.of(0), contiguous), whole),
  );
  return { params: locals.params, locals: locals.types, body: [locals.prologue(), body] };
}

/** Stores four k of `width` rows as four runs of `width` lanes. */
function transposed(width: 6 | 8, rows: readonly number[], panel: number): Code {
  const out: Code[] = [];
  const low = (a: number, b: number): Code =>
    v128.shuffle(get(rows[a]!), get(rows[b]!), [0, 4, 1, 5]);
  const high = (a: number, b: number): Code =>
    v128.shuffle(get(rows[a]!), get(rows[b]!), [2, 6, 3, 7]);
  const at = (k: number, lane: number): number => 4 * (width * k + lane);
  for (let r = 0; r + 4 <= width; r += 4) {
    [low, high].forEach((half, h) => {
      const pair = [half(r, r + 1), half(r + 2, r + 3)] as const;
      out.push(
        v128.store(get(panel), v128.shuffle(...pair, [0, 1, 4, 5]), at(2 * h, r)),
        v128.store(get(panel), v128.shuffle(...pair, [2, 3, 6, 7]), at(2 * h + 1, r)),
      );
    });
  }
  if (width === 6) {
    [low, high].forEach((half, h) =>
      out.push(
        v128.store64Lane(get(panel), half(4, 5), 0, at(2 * h, 4)),
        v128.store64Lane(get(panel), half(4, 5), 1, at(2 * h + 1, 4)),
      )
    );
  }
  return out;
}

/** (a, b, c, kc, stepB, ldc, accumulate): one full tile. */
function microFunction(ptr: Pointers): Fn {
  const [a, b, c, kc, stepB, ldc, accumulate] = [0, 1, 2, 3, 4, 5, 6] as const;
  const address = ptr.type;
  const locals = makeLocals(ptr, [address, address, address, I32, address, address, I32]);
  const k = locals.i32(), main = locals.i32();
  const b0 = locals.v128(), b1 = locals.v128(), x = locals.v128();
  const sums = range(MR).map(() => [locals.v128(), locals.v128()] as const);
  const step = (i: number): Code => [
    set(b0, v128.load(get(b))),
    set(b1, v128.load(get(b), 16)),
    sums.map(([p, q], r) => [
      set(x, v128.splat32(get(a), 4 * (r + i * MR))),
      set(p, madd(get(x), get(b0), get(p))),
      set(q, madd(get(x), get(b1), get(q))),
    ]),
    bump(b, get(stepB), ptr),
  ];
  const steps = (from: Code, to: Code, many: number): Code =>
    loop(k, from, to, many, [range(many).map(step), bump(a, ptr.of(4 * MR * many), ptr)]);
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
  const body = [
    locals.prologue(),
    zero,
    set(main, i32.and(get(kc), i32.of(-UNROLL))),
    steps(i32.of(0), get(main), UNROLL),
    steps(get(main), get(kc), 1),
    store,
  ];
  return { params: locals.params, locals: locals.types, body };
}

/** (tile, c, rows, columns, ldc, accumulate): the valid part of a tile. */
function edgeFunction(ptr: Pointers): Fn {
  const [tile, c, rows, columns, ldc, accumulate] = [0, 1, 2, 3, 4, 5] as const;
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

/** (a, b, c, m, n, k, rowA, colA, rowB, colB, ldc, accumulate, panels): steps are bytes. */
function gemmFunction(dtypeA: DType, dtypeB: DType, ptr: Pointers): Fn {
  const [A, B, C, M, N, K] = [0, 1, 2, 3, 4, 5] as const;
  const [ROW_A, COL_A, ROW_B, COL_B, LDC, ACCUMULATE, PANELS] = [6, 7, 8, 9, 10, 11, 12] as const;
  const address = ptr.type,
    many = (n: number, type: number): number[] => Array<number>(n).fill(type);
  const locals = makeLocals(ptr, [
    ...many(3, address),
    ...many(3, I32),
    ...many(5, address),
    I32,
    address,
  ]);
  const count = locals.i32, pointer = locals.pointer;
  const [k0, kc, jc, nc] = [count(), count(), count(), count()] as const;
  const [ic, mc, i, j] = [count(), count(), count(), count()] as const;
  const [mr, nr, direct, adds] = [count(), count(), count(), count()] as const;
  const [tileC, panelA, panelB, stepB] = [pointer(), pointer(), pointer(), pointer()] as const;
  const sum = (x: number, y: number): Code => i32.add(get(x), get(y));
  const at = (p: number, r: Code, rowStep: number, c: Code, columnStep: Code): Code =>
    ptr.add(
      get(p),
      ptr.add(ptr.mul(ptr.from(r), get(rowStep)), ptr.mul(ptr.from(c), columnStep)),
    );
  /** The part of a block that is left. */
  const limit = (target: number, end: number, from: number, block: number): Code =>
    set(target, i32.minU(i32.sub(get(end), get(from)), i32.of(block)));
  const tile = ptr.add(get(PANELS), ptr.of(PANELS_A)),
    panelsB = ptr.add(get(PANELS), ptr.of(PANELS_A + TILE));
  const panel = (start: Code, index: number): Code =>
    ptr.add(start, ptr.from(i32.mul(get(index), words(get(kc)))));
  const isFull = i32.and(i32.eq(get(mr), i32.of(MR)), i32.eq(get(nr), i32.of(NR)));
  const micro = (to: Code, ldc: Code, accumulate: Code): Code =>
    call(MICRO, get(panelA), get(panelB), to, get(kc), get(stepB), ldc, accumulate);

  const oneTile: Code = [
    limit(mr, mc, i, MR),
    set(tileC, at(C, sum(ic, i), LDC, sum(jc, j), ptr.of(4))),
    set(panelA, panel(get(PANELS), i)),
    when(isFull, micro(get(tileC), get(LDC), get(adds)), [
      micro(tile, ptr.of(4 * NR), i32.of(0)),
      call(EDGE, tile, get(tileC), get(mr), get(nr), get(LDC), get(adds)),
    ]),
  ];
  const placeB = at(B, get(k0), ROW_B, sum(jc, j), get(COL_B));
  const blockOfRows: Code = [
    limit(mc, M, ic, MC),
    loop(i, i32.of(0), get(mc), MR, [
      limit(mr, mc, i, MR),
      call(
        packA(dtypeA),
        at(A, sum(ic, i), ROW_A, get(k0), get(COL_A)),
        panel(get(PANELS), i),
        get(mr),
        get(kc),
        get(ROW_A),
        get(COL_A),
      ),
    ]),
    loop(j, i32.of(0), get(nc), NR, [
      limit(nr, nc, j, NR),
      set(panelB, panel(panelsB, j)),
      when(get(direct), set(panelB, placeB)),
      loop(i, i32.of(0), get(mc), MR, oneTile),
    ]),
  ];
  const packAllB = loop(j, i32.of(0), get(nc), NR, [
    limit(nr, nc, j, NR),
    call(packB(dtypeB), placeB, panel(panelsB, j), get(nr), get(kc), get(COL_B), get(ROW_B)),
  ]);
  const body: Code = [
    set(stepB, ptr.of(4 * NR)),
    dtypeB === "f32"
      ? [
        set(
          direct,
          i32.and(i32.ltU(get(M), i32.of(FEW_ROWS + 1)), i32.eq(ptr.low(get(COL_B)), i32.of(4))),
        ),
        when(get(direct), set(stepB, get(ROW_B))),
      ]
      : [],
    loop(jc, i32.of(0), get(N), NC, [
      limit(nc, N, jc, NC),
      // K = 0 still takes one turn, which writes zeros.
      loop(k0, i32.of(0), i32.or(get(K), i32.eq(get(K), i32.of(0))), KC, [
        limit(kc, K, k0, KC),
        set(adds, i32.or(get(ACCUMULATE), get(k0))),
        when(get(direct), [], packAllB),
        loop(ic, i32.of(0), get(M), MC, blockOfRows),
      ]),
    ]),
  ];
  return { params: locals.params, locals: locals.types, body };
}

const helpers = new Map<Pointers, readonly Encoded[]>();
/** The functions that products call; they must be the first of their module. */
export function gemmHelpers(ptr: Pointers): readonly Encoded[] {
  const found = helpers.get(ptr);
  if (found) return found;
  const made = [
    ...dtypes.flatMap((d) => [packFunction(MR, d, ptr), packFunction(NR, d, ptr)]),
    microFunction(ptr),
    edgeFunction(ptr),
    ...dtypes.flatMap((a) => dtypes.map((b) => gemmFunction(a, b, ptr))),
  ].map(encoded);
  helpers.set(ptr, made);
  return made;
}
