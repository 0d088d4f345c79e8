/**
 * Column kernels: combinations down the rows. A unit is a column; four vectors of columns go down together, so that rows are
 * read along cache lines.
 *
 * @module
 */
import { scalarOf } from "../../dtype.ts";
import { type Expr, operand, topological } from "../../expr/expr.ts";
import type { ColumnKernel } from "../../plan/kernels.ts";
import { countLanes, loadLanes, loadSplat, type Place, storeLanes } from "./access.ts";
import { bump, type Code, type Fn, get, i32, repeat, set } from "./encoder.ts";
import type { Pointers } from "./pointers.ts";
import { combining, emit, prepared } from "./simd_expr.ts";
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
import { walk } from "./walk.ts";

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
    threadBytes: 0,
  };
}

function columnFunction(k: ColumnKernel, ptr: Pointers): Fn {
  const out = POINTERS + k.loads.length;
  const locals = stageLocals(ptr, k.loads.length + 1);
  const x = locals.pointer(), column = locals.i32();
  const [value] = prepared([k.value]) as [Expr];
  const { with: combine, neutral } = combining(k.combine, value.dtype);
  const rows = k.rows.reduce((a, b) => a * b, 1);
  const pointers = k.loads.map(() => locals.pointer());

  /** The columns from x on: `vectors` of them, of `lanes` elements. */
  const strip = (vectors: number, lanes: number): Code => {
    const sums = Array.from({ length: vectors }, () => locals.v128());
    const place = (pointer: number, stride: number, at: number): Place => ({
      pointer: get(pointer),
      x: get(x),
      at,
      stride,
      lanes,
    });
    const down = sums.map((sum, i) => {
      const scope = new Map<Expr, Code>(), code: Code[] = [];
      k.loads.forEach((o, n) => {
        const v = locals.v128(),
          stride = o.strides.at(-1)!,
          at = place(pointers[n]!, stride, 4 * i);
        const load = isCounter(o)
          ? countLanes(at, locals)
          : stride === 0
          ? loadSplat(o.base.dtype, get(pointers[n]!), locals)
          : loadLanes(o.base.dtype, at, locals);
        code.push(set(v, load));
        scope.set(operand(n, scalarOf(o.base.dtype)), get(v));
      });
      const emitted = emit([value], scope, locals);
      return [code, emitted.code, set(sum, combine(get(sum), emitted.values[0]!))];
    });
    const cursors = k.loads.map((o, n) => ({
      local: pointers[n]!,
      strides: stridesIn(o).slice(0, -1),
    }));
    return [
      pointers.map((p, n) => set(p, get(POINTERS + n))),
      sums.map((sum) => set(sum, locals.constant(neutral))),
      walk(locals, k.rows, i32.of(0), i32.of(rows), cursors, down),
      sums.map((sum, i) => storeLanes(k.store.dtype, place(out, 1, 4 * i), get(sum), locals)),
    ];
  };
  /** Strips while as many columns are left. */
  const strips = (vectors: number, lanes: number): Code => {
    const columns = 4 * (vectors - 1) + lanes;
    if (k.columns < columns) return [];
    const fits = i32.geU(get(END), i32.add(get(column), i32.of(columns)));
    return repeat(fits, [
      set(x, ptr.from(i32.shl(get(column), i32.of(2)))),
      strip(vectors, lanes),
      bump(column, i32.of(columns)),
    ]);
  };
  const last = k.columns % 4;
  const body: Code = [
    set(column, get(FIRST)),
    strips(4, 4),
    strips(1, 4),
    last ? strips(1, last) : [],
  ];
  return { params: locals.params, body: [locals.prologue(), body], locals: locals.types };
}
