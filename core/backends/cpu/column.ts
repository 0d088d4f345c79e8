/**
 * Column kernels: combinations down the rows. A unit is a column. As many columns as the nearest cache has room for go down
 * together, their states in memory of the thread's own, so that rows are read along cache lines, as processors fetch ahead.
 *
 * @module
 */
import { scalarOf } from "../../dtype.ts";
import { type Expr, operand, topological } from "../../expr/expr.ts";
import type { ColumnKernel } from "../../plan/kernels.ts";
import { countLanes, loadLanes, loadSplat, type Place, storeLanes, widthOf } from "./access.ts";
import { abreastOf, columnLoop } from "./column_loop.ts";
import { bump, type Code, type Fn, get, i32, repeat, set, v128 } from "./encoder.ts";
import { hoist } from "./hoist.ts";
import type { Pointers } from "./pointers.ts";
import { combining, emitAbreast, prepared } from "./simd_expr.ts";
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
import { merged, walk } from "./walk.ts";

/** Columns that go down together. */
const TILE = 1024;
export function columnStage(k: ColumnKernel): Stage {
  const rows = k.rows.reduce((a, b) => a * b, 1);
  const operators = topological(prepared([k.value])).length;
  return {
    key: [
      `column ${k.rows.join()}x${k.columns} ${k.combine} ${k.store.dtype}:${k.value.id}`,
      ...k.loads.map(describe),
    ].join(" "),
    write: (ptr) => columnFunction(k, ptr),
    pointers: [...k.loads.map(pointerOf), { base: k.store, offset: 0 }],
    units: k.columns,
    quantum: 16,
    cost: 20 + rows * k.columns * (0.1 * operators + 0.2 * k.loads.length),
    threadBytes: 4 * TILE,
  };
}

/**
 * Rows that are taken at once: states are read and written once for all of them. As many whatever is summed: where there are outer axes the
 * order hangs on it, and what is computed again in another kernel must be the same to the bit.
 */
const ROWS = 4;

function columnFunction(k: ColumnKernel, ptr: Pointers): Fn {
  const out = POINTERS + k.loads.length, scratch = out + 1;
  const locals = stageLocals(ptr, k.loads.length + 2);
  const x = locals.pointer(), column = locals.i32(), width = locals.i32();
  const [value] = prepared([k.value]) as [Expr], abreast = abreastOf([value], k.columns);
  const { with: combine, neutral } = combining(k.combine, value.dtype);
  const columns = columnLoop(k.columns, get(width), x, locals);
  const states = locals.pointer(), state = ptr.add(get(states), get(x));
  const loads = k.loads.map((o, n) => ({
    o,
    operand: operand(n, scalarOf(o.base.dtype)),
    stride: o.strides.at(-1)!,
    // Follows the rows, from the first column of the tile.
    pointer: locals.pointer(),
  }));
  const { sizes, strides } = merged(k.rows, k.loads.map((o) => ({ strides: stridesIn(o) })));
  const outer = sizes.slice(0, -1), inner = sizes.at(-1) ?? 1;
  const step = (n: number): number => strides[n]!.at(-1) ?? 0;

  /** Takes `many` rows from the pointers on into the states. */
  const take = (many: number): Code => {
    const at = (n: number, row: number): Code =>
      row * step(n)
        ? ptr.add(get(loads[n]!.pointer), ptr.of(row * step(n)))
        : get(loads[n]!.pointer);
    const rows = Array.from({ length: many }, (_, row) => row);
    const fixed = rows.map((row) => {
      const given = new Map<Expr, Code>();
      const splats = loads.map(({ o, operand, stride }, n): Code => {
        if (stride !== 0) return [];
        const v = locals.v128(), p = at(n, row);
        given.set(operand, get(v));
        return set(v, isCounter(o) ? v128.splat(ptr.low(p)) : loadSplat(o.base.dtype, p, locals));
      });
      return { given, code: [splats, hoist([value], given, locals)] };
    });
    const loop = columns(abreast, ({ ats, lanes }) => {
      const sums = ats.map(() => locals.v128());
      const body = rows.map((row): Code => {
        const { given } = fixed[row]!, scopes = ats.map(() => new Map(given));
        const reads = loads.map(({ o, operand, stride }, n) =>
          ats.map((column, i): Code => {
            if (given.has(operand)) return [];
            const v = locals.v128();
            const place: Place = { pointer: at(n, row), x: get(x), at: column, stride, lanes };
            scopes[i]!.set(operand, get(v));
            return set(
              v,
              isCounter(o) ? countLanes(place, locals) : loadLanes(o.base.dtype, place, locals),
            );
          })
        );
        const { code, values } = emitAbreast([value], scopes, locals);
        return [reads, code, sums.map((sum, i) => set(sum, combine(get(sum), values[i]![0]!)))];
      });
      return [
        sums.map((sum, i) => set(sum, v128.load(state, 4 * ats[i]!))),
        body,
        sums.map((sum, i) => v128.store(state, get(sum), 4 * ats[i]!)),
      ];
    });
    return [fixed.map((f) => f.code), loop];
  };
  /** Over rows `from` on of the innermost axis, `many` at a time, so often; in all places of the outer axes. */
  const down = (from: number, many: number, times: number): Code => {
    if (many * times === 0) return [];
    const space = [...outer, times], units = space.reduce((a, b) => a * b, 1);
    const cursors = loads.map(({ pointer }, n) => ({
      local: pointer,
      strides: [...strides[n]!.slice(0, outer.length), many * step(n)],
    }));
    return [
      loads.map(({ o, pointer }, n) => {
        const along = ptr.mul(ptr.from(get(column)), ptr.of(stridesIn(o).at(-1)!));
        return set(pointer, ptr.add(ptr.add(get(POINTERS + n), along), ptr.of(from * step(n))));
      }),
      walk(locals, space, i32.of(0), i32.of(units), cursors, take(many)),
    ];
  };
  const many = Math.min(inner, ROWS), blocks = Math.floor(inner / many);
  const tile: Code = [
    set(width, i32.minU(i32.sub(get(END), get(column)), i32.of(TILE))),
    set(states, get(scratch)),
    columns(1, () => v128.store(state, locals.constant(neutral))),
    down(0, many, blocks),
    down(many * blocks, inner % many, 1),
    columns(1, ({ lanes }) => {
      const place: Place = { pointer: get(out), x: get(x), at: 0, stride: 1, lanes };
      return storeLanes(k.store.dtype, place, v128.load(state), locals);
    }),
    bump(out, ptr.of(widthOf(k.store.dtype) * TILE), ptr),
    bump(column, i32.of(TILE)),
  ];
  const first = ptr.mul(ptr.from(get(FIRST)), ptr.of(widthOf(k.store.dtype)));
  const body: Code = [
    set(column, get(FIRST)),
    bump(out, first, ptr),
    repeat(i32.ltU(get(column), get(END)), tile),
  ];
  return { params: locals.params, body: [locals.prologue(), body], locals: locals.types };
}
