/**
 * Row kernels: maps and reductions over the last axis. A unit is a row, or a part of a long row where nothing is reduced. Four
 * lanes at a time; a row's last one to three elements take the same code with fewer lanes.
 *
 * @module
 */
import { scalarOf } from "../../dtype.ts";
import { type Expr, operand, topological } from "../../expr/expr.ts";
import { REDUCED, type RowKernel, type RowReduction, ROWS_A_SUM } from "../../plan/kernels.ts";
import { countLanes, loadLanes, loadSplat, type Place, storeLanes, widthOf } from "./access.ts";
import { abreastOf, type Block, type ColumnLoop, columnLoop } from "./column_loop.ts";
import { type Code, f32x4, type Fn, get, i32, set, v128, when } from "./encoder.ts";
import type { Locals, Pointers } from "./pointers.ts";
import { type Kept, keptBytes, keptValues } from "./row_kept.ts";
import { emitAbreast, type Emitted, prepared } from "./simd_expr.ts";
import { foldOf } from "./fold.ts";
import { hoist } from "./hoist.ts";
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

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** Parts a row is split into. */
function partsOf(k: RowKernel): number {
  const whole = k.reductions.length > 0 || k.sums !== undefined ||
    k.stores.some((s) => s.perRow) || k.inner < 2 * PART;
  return whole ? 1 : Math.ceil(k.inner / PART);
}

/** The values of the reductions, stores and sums. */
function valuesOf(k: RowKernel): Expr[] {
  return prepared([...k.reductions, ...k.stores, ...k.sums ?? []].map((v) => v.value));
}

export function rowStage(k: RowKernel): Stage {
  const values = valuesOf(k), sums = k.sums ?? [];
  const rows = product(k.outer), operators = topological(values).length;
  const key = [
    `row ${k.outer.join()}x${k.inner}`,
    ...k.loads.map(describe),
    ...k.reductions.map((r) => `${r.combine}${r.phase}:${r.value.id}`),
    ...k.stores.map((s) => `${s.node.dtype}${s.perRow ? "/" : ""}:${s.value.id}`),
    ...sums.map((s) => `down:${s.value.id}`),
  ].join(" ");
  return {
    key,
    write: (ptr) => rowFunction(k, ptr),
    pointers: [
      ...k.loads.map(pointerOf),
      ...[...k.stores, ...sums].map((s) => ({ base: s.node, offset: 0 })),
    ],
    units: rows * partsOf(k),
    quantum: k.sums ? ROWS_A_SUM : 1,
    cost: rows *
      (10 + k.inner * (0.1 * operators + 0.15 * (k.loads.length + k.stores.length + sums.length))),
    threadBytes: keptBytes(k.inner) * keptOf(k, values).size,
  };
}

/** What is kept of a row; `all` are the values of the reductions, stores and sums. */
function keptOf(k: RowKernel, all: readonly Expr[]): Kept {
  const passes: Expr[][] = [], add = (pass: number, e: Expr) => (passes[pass] ??= []).push(e);
  k.reductions.forEach((r, i) => add(r.phase, all[i]!));
  const last = passes.length;
  k.stores.forEach((s, i) => s.perRow || add(last, all[k.reductions.length + i]!));
  all.slice(k.reductions.length + k.stores.length).forEach((e) => add(last, e));
  return keptValues(k, passes);
}

function rowFunction(k: RowKernel, ptr: Pointers): Fn {
  const all = valuesOf(k);
  const kept = keptOf(k, all), keptPlaces = new Map([...kept.keys()].map((e, i) => [e, i]));
  const reductions = k.reductions.map((r, i) => ({ ...r, value: all[i]!, number: i }));
  const stores = k.stores.map((s, i) => ({
    ...s,
    value: all[reductions.length + i]!,
    pointer: POINTERS + k.loads.length + i,
  }));
  const sums = (k.sums ?? []).map((_, i) => ({
    value: all[reductions.length + stores.length + i]!,
    pointer: POINTERS + k.loads.length + stores.length + i,
  }));
  const pointers = k.loads.length + k.stores.length + sums.length;
  const locals = stageLocals(ptr, pointers + (kept.size ? 1 : 0));
  const x = locals.pointer(), start = locals.pointer();
  const parts = partsOf(k), given = new Map<Expr, Code>();
  const width = i32.minU(i32.sub(i32.of(k.inner), ptr.low(get(start))), i32.of(PART));
  const columns = columnLoop(k.inner, parts > 1 ? width : undefined, x, locals);

  const atColumn = (pointer: number, stride: number, at: number, lanes: number): Place => ({
    pointer: get(pointer),
    x: get(x),
    at,
    stride,
    lanes,
  });
  const load = (e: Expr, at: number, lanes: number): Code => {
    const o = k.loads[e.value]!, place = atColumn(POINTERS + e.value, o.strides.at(-1)!, at, lanes);
    return isCounter(o) ? countLanes(place, locals) : loadLanes(o.base.dtype, place, locals);
  };
  const keptPlace = (e: Expr, at: number): readonly [Code, number] => [
    ptr.add(get(POINTERS + pointers), get(x)),
    keptBytes(k.inner) * keptPlaces.get(e)! + 4 * at,
  ];
  /** Computes `roots` in a pass for a block of columns. */
  const compute = (pass: number, roots: readonly Expr[], { ats, lanes }: Block): Computed => {
    const scopes = ats.map(() => new Map(given)), code: Code[] = [];
    const own: Expr[] = [], seen = new Set<Expr>();
    const visit = (e: Expr): void => {
      if (given.has(e) || seen.has(e)) return;
      seen.add(e);
      const from = kept.get(e) ?? pass;
      if (from < pass || e.op === "in") {
        ats.forEach((at, i) => {
          const v = locals.v128();
          code.push(set(v, from < pass ? v128.load(...keptPlace(e, at)) : load(e, at, lanes)));
          scopes[i]!.set(e, get(v));
        });
      } else e.args.forEach(visit);
      if (kept.get(e) === pass) own.push(e);
    };
    roots.forEach(visit);
    const { code: rest, values } = emitAbreast([...roots, ...own], scopes, locals);
    const stores = ats.map((at, i) =>
      own.map((e, n) => {
        const [p, offset] = keptPlace(e, at);
        return v128.store(p, values[i]![roots.length + n]!, offset);
      })
    );
    return { code: [code, rest, stores], values };
  };
  const body: Code[] = k.loads.map((o, i) => {
    if (o.strides.at(-1) !== 0) return [];
    const v = locals.v128(), p = get(POINTERS + i);
    given.set(operand(i, scalarOf(o.base.dtype)), get(v));
    return set(v, isCounter(o) ? v128.splat(ptr.low(p)) : loadSplat(o.base.dtype, p, locals));
  });
  body.push(hoist(all, given, locals));
  const phases = Math.max(-1, ...reductions.map((r) => r.phase));
  for (let phase = 0; phase <= phases; phase++) {
    const mine = reductions.filter((r) => r.phase === phase);
    const { code, values } = reduceRow(
      mine,
      k.inner,
      columns,
      (roots, block) => compute(phase, roots, block),
      locals,
    );
    body.push(code);
    mine.forEach((r, i) => given.set(operand(REDUCED + r.number, r.value.dtype), values[i]!));
    const later = [...reductions.filter((r) => r.phase > phase), ...stores, ...sums];
    body.push(hoist(later.map((v) => v.value), given, locals));
  }
  const full = stores.filter((s) => !s.perRow), perRow = stores.filter((s) => s.perRow);
  const row = locals.pointer(), totals = sums.map(() => locals.pointer());
  const storeAll = (list: typeof stores, added: typeof sums, block: Block): Code => {
    const roots = [...list, ...added].map((s) => s.value);
    const { code, values } = compute(phases + 1, roots, block), { ats, lanes } = block;
    return [
      code,
      ats.map((at, n) => [
        list.map((s, i) =>
          storeLanes(s.node.dtype, atColumn(s.pointer, 1, at, lanes), values[n]![i]!, locals)
        ),
        added.map((_, i): Code => {
          const place = atColumn(totals[i]!, 1, at, lanes), value = values[n]![list.length + i]!;
          return storeLanes(
            "f32",
            place,
            f32x4.add(loadLanes("f32", place, locals), value),
            locals,
          );
        }),
      ]),
    ];
  };
  if (sums.length) {
    const number = ptr.low(get(row)), bytes = ptr.of(4 * k.inner);
    const group = ptr.from(i32.divU(number, i32.of(ROWS_A_SUM)));
    body.push(
      totals.map((t, i) => set(t, ptr.add(get(sums[i]!.pointer), ptr.mul(group, bytes)))),
      when(
        i32.eq(i32.remU(number, i32.of(ROWS_A_SUM)), i32.of(0)),
        columns(
          1,
          ({ lanes }) =>
            totals.map((t) =>
              storeLanes("f32", atColumn(t, 1, 0, lanes), locals.constant(0), locals)
            ),
        ),
      ),
    );
  }
  if (full.length || sums.length) {
    const abreast = abreastOf([...full, ...sums].map((s) => s.value), k.inner);
    body.push(columns(abreast, (block) => storeAll(full, sums, block)));
  }
  if (perRow.length) body.push(set(x, ptr.of(0)), storeAll(perRow, [], { ats: [0], lanes: 1 }));

  // A part is one more axis of the space; `start` follows its first column.
  const cursors: Cursor[] = [
    ...k.loads.map((o, i) => ({ local: POINTERS + i, strides: withPart(stridesIn(o)) })),
    ...stores.map((s) => ({
      local: s.pointer,
      strides: withPart(packedStrides(k, s.perRow, widthOf(s.node.dtype))),
    })),
    { local: start, strides: [...k.outer.map(() => 0), PART] },
    ...sums.length ? [{ local: row, strides: withPart(packedStrides(k, true, 1)) }] : [],
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

/** What has been computed for a block: for each vector each value. */
interface Computed {
  readonly code: Code;
  readonly values: readonly (readonly Code[])[];
}

/** Vectors of a cache line of f32. */
const LINE = 4;

/**
 * How many states a reduction has. It hangs on the length of the row alone, as the order of a sum does: what is computed again in another
 * kernel is the same to the bit.
 */
function statesOf(inner: number): number {
  return inner >= 8 * LINE ? LINE : 1;
}

/** The reductions of one phase, each into every lane of a local. */
function reduceRow(
  reductions: readonly RowReduction[],
  inner: number,
  columns: ColumnLoop,
  compute: (roots: readonly Expr[], block: Block) => Computed,
  locals: Locals,
): Emitted {
  const roots = reductions.map((r) => r.value), abreast = statesOf(inner);
  const folds = reductions.map((r) => foldOf(r.combine, r.value.dtype, abreast, locals));
  const loop = columns(abreast, (block) => {
    const { code, values } = compute(roots, block), { lanes } = block;
    const there = v128.i32(...[0, 1, 2, 3].map((lane) => lane < lanes ? -1 : 0));
    const updates = block.ats.map((_, n) =>
      folds.map(({ neutral, take }, i) => {
        const value = values[n]![i]!;
        if (lanes === 4) return take(n, value);
        return take(n, v128.bitselect(value, locals.constant(neutral), there));
      })
    );
    return [code, updates];
  });
  const ends = folds.map(({ end }) => end()), results = folds.map(() => locals.v128());
  return {
    code: [
      folds.map((f) => f.begin),
      loop,
      ends.map((value, i) => set(results[i]!, value)),
    ],
    values: results.map(get),
  };
}
