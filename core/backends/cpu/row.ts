/**
 * Row kernels: maps and reductions over the last axis. A unit is a row, or a part of a long row where nothing is reduced. Four
 * lanes at a time; a row's last one to three elements take the same code with fewer lanes.
 *
 * @module
 */
import { scalarOf } from "../../dtype.ts";
import { type Expr, operand, topological } from "../../expr/expr.ts";
import { REDUCED, type RowKernel, type RowReduction } from "../../plan/kernels.ts";
import { countLanes, loadLanes, loadSplat, type Place, storeLanes, widthOf } from "./access.ts";
import { type Code, type Fn, get, i32, loop, set, v128, when } from "./encoder.ts";
import type { Locals, Pointers } from "./pointers.ts";
import { acrossLanes, combining, emit, type Emitted, prepared } from "./simd_expr.ts";
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
import { type Cursor, walk } from "./walk.ts";

/** Elements of a part of a row. */
const PART = 1024;
/** Expressions of fewer operators are short enough that a reduction waits for its own additions. */
const LIGHT = 12;

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** Parts a row is split into. */
function partsOf(k: RowKernel): number {
  const whole = k.reductions.length > 0 || k.stores.some((s) => s.perRow) || k.inner < 2 * PART;
  return whole ? 1 : Math.ceil(k.inner / PART);
}

export function rowStage(k: RowKernel): Stage {
  const values = [...k.reductions, ...k.stores].map((v) => v.value);
  const rows = product(k.outer), operators = topological(prepared(values)).length;
  const key = [
    `row ${k.outer.join()}x${k.inner}`,
    ...k.loads.map(describe),
    ...k.reductions.map((r) => `${r.combine}${r.phase}:${r.value.id}`),
    ...k.stores.map((s) => `${s.node.dtype}${s.perRow ? "/" : ""}:${s.value.id}`),
  ].join(" ");
  return {
    key,
    write: (ptr) => rowFunction(k, ptr),
    pointers: [
      ...k.loads.map(pointerOf),
      ...k.stores.map((s) => ({ base: s.node, offset: 0 })),
    ],
    units: rows * partsOf(k),
    quantum: 1,
    cost: rows * (10 + k.inner * (0.1 * operators + 0.15 * (k.loads.length + k.stores.length))),
    threadBytes: 0,
  };
}

/** Numbers of the operands that expressions read. */
function loadsOf(roots: readonly Expr[]): number[] {
  return topological(roots).filter((e) => e.op === "in" && e.value < REDUCED).map((e) => e.value);
}

function rowFunction(k: RowKernel, ptr: Pointers): Fn {
  const all = prepared([...k.reductions, ...k.stores].map((v) => v.value));
  const reductions = k.reductions.map((r, i) => ({ ...r, value: all[i]!, number: i }));
  const stores = k.stores.map((s, i) => ({
    ...s,
    value: all[reductions.length + i]!,
    pointer: POINTERS + k.loads.length + i,
  }));
  const locals = stageLocals(ptr, k.loads.length + k.stores.length);
  const x = locals.pointer(), start = locals.pointer();
  const parts = partsOf(k), given = new Map<Expr, Code>();
  const columns = columnLoop(k.inner, parts, x, start, locals);

  const atColumn = (pointer: number, stride: number, at: number, lanes: number): Place => ({
    pointer: get(pointer),
    x: get(x),
    at,
    stride,
    lanes,
  });
  /** Computes `roots` for the columns from x + at. */
  const compute = (roots: readonly Expr[], at: number, lanes: number): Emitted => {
    const scope = new Map(given), code: Code[] = [];
    for (const i of loadsOf(roots)) {
      const o = k.loads[i]!, e = operand(i, scalarOf(o.base.dtype));
      if (scope.has(e)) continue;
      const v = locals.v128(), place = atColumn(POINTERS + i, o.strides.at(-1)!, at, lanes);
      code.push(
        set(v, isCounter(o) ? countLanes(place, locals) : loadLanes(o.base.dtype, place, locals)),
      );
      scope.set(e, get(v));
    }
    const emitted = emit(roots, scope, locals);
    return { code: [code, emitted.code], values: emitted.values };
  };
  /** What is the same in the whole row is computed before its loops. */
  const hoist = (later: readonly Expr[]): Code => {
    const constant = new Map<Expr, boolean>();
    const ready = topological(later).filter((e) => {
      const fixed = e.op === "in" ? given.has(e) : e.args.every((a) => constant.get(a));
      constant.set(e, fixed);
      return fixed && e.args.length > 0 && !given.has(e);
    });
    const { code, values } = emit(ready, new Map(given), locals);
    ready.forEach((e, i) => given.set(e, values[i]!));
    return code;
  };

  const body: Code[] = k.loads.map((o, i) => {
    if (o.strides.at(-1) !== 0) return [];
    const v = locals.v128(), p = get(POINTERS + i);
    given.set(operand(i, scalarOf(o.base.dtype)), get(v));
    return set(v, isCounter(o) ? v128.splat(ptr.low(p)) : loadSplat(o.base.dtype, p, locals));
  });
  body.push(hoist(all));
  const phases = Math.max(-1, ...reductions.map((r) => r.phase));
  for (let phase = 0; phase <= phases; phase++) {
    const mine = reductions.filter((r) => r.phase === phase);
    const { code, values } = reduceRow(mine, k.inner, columns, compute, locals);
    body.push(code);
    mine.forEach((r, i) => given.set(operand(REDUCED + r.number, r.value.dtype), values[i]!));
    body.push(hoist([...reductions.filter((r) => r.phase > phase), ...stores].map((v) => v.value)));
  }
  const full = stores.filter((s) => !s.perRow), perRow = stores.filter((s) => s.perRow);
  const storeAll = (list: typeof stores, at: number, lanes: number): Code => {
    const { code, values } = compute(list.map((s) => s.value), at, lanes);
    return [
      code,
      list.map((s, i) =>
        storeLanes(s.node.dtype, atColumn(s.pointer, 1, at, lanes), values[i]!, locals)
      ),
    ];
  };
  if (full.length) body.push(columns(1, (at, lanes) => storeAll(full, at, lanes)));
  if (perRow.length) body.push(set(x, ptr.of(0)), storeAll(perRow, 0, 1));

  // A part is one more axis of the space; `start` follows its first column.
  const cursors: Cursor[] = [
    ...k.loads.map((o, i) => ({ local: POINTERS + i, strides: withPart(stridesIn(o)) })),
    ...stores.map((s) => ({
      local: s.pointer,
      strides: withPart(packedStrides(k, s.perRow, widthOf(s.node.dtype))),
    })),
    { local: start, strides: [...k.outer.map(() => 0), PART] },
  ];
  const loops = walk(locals, [...k.outer, parts], get(FIRST), get(END), cursors, body);
  return { params: locals.params, body: [locals.prologue(), loops], locals: locals.types };
}

/** Strides over [...outer, parts] from those over [...outer, inner]. */
function withPart(strides: readonly number[]): number[] {
  return strides.map((s, i) => i === strides.length - 1 ? s * PART : s);
}

function packedStrides(k: RowKernel, perRow: boolean, width: number): number[] {
  const out = [width];
  let step = perRow ? width : width * k.inner;
  for (let i = k.outer.length - 1; i >= 0; i--) {
    out.unshift(step);
    step *= k.outer[i]!;
  }
  return out;
}

/** A loop over the columns of a unit: `body(at, lanes)` handles those from x + at. Vectors come `unroll` at a time, then singly. */
type ColumnLoop = (unroll: number, body: (at: number, lanes: number) => Code) => Code;

function columnLoop(
  inner: number,
  parts: number,
  x: number,
  start: number,
  locals: Locals,
): ColumnLoop {
  const last = inner % 4, { ptr } = locals, bytes = (n: number): Code => ptr.of(4 * n);
  return (unroll, body) => {
    const vectors = (from: Code, to: Code, many: number): Code =>
      loop(x, from, to, 16 * many, Array.from({ length: many }, (_, i) => body(4 * i, 4)), ptr);
    if (parts === 1) {
      const whole = inner - last, main = unroll > 1 ? whole - whole % (4 * unroll) : 0;
      return [
        main ? vectors(bytes(0), bytes(main), unroll) : [],
        whole - main > 4
          ? vectors(bytes(main), bytes(whole), 1)
          : whole - main === 4
          ? [set(x, bytes(main)), body(0, 4)]
          : [],
        last ? [set(x, bytes(whole)), body(0, last)] : [],
      ];
    }
    const width = locals.i32();
    const end = ptr.from(i32.shl(i32.and(get(width), i32.of(-4)), i32.of(2)));
    return [
      set(width, i32.minU(i32.sub(i32.of(inner), ptr.low(get(start))), i32.of(PART))),
      vectors(bytes(0), end, 1),
      last ? when(i32.and(get(width), i32.of(3)), [set(x, end), body(0, last)]) : [],
    ];
  };
}

/** The reductions of one phase, each into every lane of a local. */
function reduceRow(
  reductions: readonly RowReduction[],
  inner: number,
  columns: ColumnLoop,
  compute: (roots: readonly Expr[], at: number, lanes: number) => Emitted,
  locals: Locals,
): Emitted {
  const roots = reductions.map((r) => r.value), light = topological(roots).length < LIGHT;
  const many = light && inner >= 32 ? 4 : 1;
  const states = reductions.map((r) => ({
    ...combining(r.combine, r.value.dtype),
    sums: Array.from({ length: many }, () => locals.v128()),
    result: locals.v128(),
  }));
  const loop = columns(many, (at, lanes) => {
    const { code, values } = compute(roots, at, lanes);
    const there = v128.i32(...[0, 1, 2, 3].map((lane) => lane < lanes ? -1 : 0));
    const updates = states.map(({ with: combine, neutral, sums }, i) => {
      const sum = sums[at / 4]!, value = values[i]!;
      const valid = lanes === 4 ? value : v128.bitselect(value, locals.constant(neutral), there);
      return set(sum, combine(get(sum), valid));
    });
    return [code, updates];
  });
  return {
    code: [
      states.map(({ neutral, sums }) => sums.map((s) => set(s, locals.constant(neutral)))),
      loop,
      states.map(({ with: combine, sums, result }) =>
        set(result, acrossLanes(combine, sums.map(get).reduce(combine), locals))
      ),
    ],
    values: states.map((s) => get(s.result)),
  };
}
