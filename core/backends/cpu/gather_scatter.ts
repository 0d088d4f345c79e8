/**
 * Gather copies rows that ids name; scatter, its transpose, adds rows up. Threads share a scatter by groups or by ranges of ids,
 * so that no two write the same row and every row is summed in the order of its updates.
 *
 * @module
 */
import { scalarOf } from "../../dtype.ts";
import { type Sizes, stridesOf } from "../../graph/node.ts";
import type { GatherKernel, Operand, ScatterKernel } from "../../plan/kernels.ts";
import { widthOf } from "./access.ts";
import { adding, boxOf, copying, fill, moveBox, unitsOf } from "./box.ts";
import { type Code, type Fn, get, i32, makeLocals, set, when } from "./encoder.ts";
import { combining } from "./simd_expr.ts";
import {
  describe,
  END,
  FIRST,
  isCounter,
  pointerOf,
  POINTERS,
  type Stage,
  stridesIn,
} from "./stage.ts";
import { walk } from "./walk.ts";

const product = (sizes: Sizes): number => sizes.reduce((a, b) => a * b, 1);
const packed = (sizes: Sizes, width: number): number[] => stridesOf(sizes).map((s) => s * width);
const idOf = (o: Operand, pointer: number): Code =>
  isCounter(o) ? get(pointer) : i32.load(get(pointer));

export function gatherStage(k: GatherKernel): Stage {
  const units = product(k.groups) * product(k.count), row = product(k.row);
  return {
    key: [
      `gather ${k.groups.join()}x${k.count.join()}x${k.row.join()} ${k.size}`,
      `${describe(k.table)} ${describe(k.ids)}`,
    ].join(" "),
    write: () => gatherFunction(k),
    pointers: [pointerOf(k.table), pointerOf(k.ids), { base: k.store, offset: 0 }],
    units,
    quantum: 1,
    cost: 20 + units * (8 + 0.4 * row),
    packs: false,
  };
}

function gatherFunction(k: GatherKernel): Fn {
  const [TABLE, IDS, OUT] = [POINTERS, POINTERS + 1, POINTERS + 2] as const, params = POINTERS + 3;
  const locals = makeLocals(params), id = locals.i32(), from = locals.i32(), to = locals.i32();
  const groups = k.groups.length, space = [...k.groups, ...k.count];
  const table = stridesIn(k.table),
    width = widthOf(k.store.dtype),
    rowBytes = product(k.row) * width;
  const move = copying(width, isCounter(k.table));
  const box = boxOf(k.row, table.slice(groups + 1), packed(k.row, width), move);
  const one = [
    set(id, idOf(k.ids, IDS)),
    set(to, get(OUT)),
    when(
      i32.ltU(get(id), i32.of(k.size)),
      [
        set(from, i32.add(get(TABLE), i32.mul(get(id), i32.of(table[groups]!)))),
        moveBox(locals, box, from, to, move, i32.of(0), i32.of(unitsOf(box))),
      ],
      fill(locals, to, i32.of(rowBytes), locals.constant(0)),
    ),
  ];
  const cursors = [
    { local: TABLE, strides: [...table.slice(0, groups), ...k.count.map(() => 0)] },
    { local: IDS, strides: stridesIn(k.ids) },
    { local: OUT, strides: packed(space, rowBytes) },
  ];
  const body = walk(locals, space, get(FIRST), get(END), cursors, one);
  return { params, body: [locals.prologue(), body], locals: locals.types };
}

export function scatterStage(k: ScatterKernel, threads: number): Stage {
  const groups = product(k.groups), byGroup = groups >= 2 * threads;
  const updates = groups * product(k.count), row = product(k.row);
  return {
    key: [
      `scatter ${byGroup} ${k.groups.join()}x${k.count.join()}x${k.row.join()} ${k.size}`,
      `${describe(k.ids)} ${describe(k.updates)}`,
    ].join(" "),
    write: () => scatterFunction(k, byGroup),
    pointers: [pointerOf(k.ids), pointerOf(k.updates), { base: k.store, offset: 0 }],
    units: byGroup ? groups : k.size,
    quantum: 1,
    cost: 20 + updates * (4 + 0.5 * row) + 0.1 * groups * k.size * row,
    packs: false,
  };
}

function scatterFunction(k: ScatterKernel, byGroup: boolean): Fn {
  const [IDS, UPDATES, OUT] = [POINTERS, POINTERS + 1, POINTERS + 2] as const,
    params = POINTERS + 3;
  const locals = makeLocals(params), local = (): number => locals.i32();
  const ids = local(),
    updates = local(),
    id = local(),
    from = local(),
    to = local(),
    low = local(),
    high = local();
  const groups = k.groups.length, rowBytes = 4 * product(k.row);
  const everyGroup = [i32.of(0), i32.of(product(k.groups))], everyId = [i32.of(0), i32.of(k.size)];
  const split = [get(FIRST), get(END)];
  const [group0, group1] = (byGroup ? split : everyGroup) as [Code, Code];
  const [id0, id1] = (byGroup ? everyId : split) as [Code, Code];
  const idStrides = stridesIn(k.ids),
    updateStrides = stridesIn(k.updates),
    rank = groups + k.count.length;
  const { with: add } = combining("sum", scalarOf(k.store.dtype));
  const move = adding(add, isCounter(k.updates));
  const box = boxOf(k.row, updateStrides.slice(rank), packed(k.row, 4), move);
  const addRow = [
    set(id, i32.sub(idOf(k.ids, ids), get(low))),
    when(i32.ltU(get(id), get(high)), [
      set(from, get(updates)),
      set(to, i32.add(get(OUT), i32.mul(i32.add(get(id), get(low)), i32.of(rowBytes)))),
      moveBox(locals, box, from, to, move, i32.of(0), i32.of(unitsOf(box))),
    ]),
  ];
  const oneGroup = [
    set(to, i32.add(get(OUT), i32.mul(get(low), i32.of(rowBytes)))),
    fill(locals, to, i32.mul(get(high), i32.of(rowBytes)), locals.constant(0)),
    set(ids, get(IDS)),
    set(updates, get(UPDATES)),
    walk(locals, k.count, i32.of(0), i32.of(product(k.count)), [
      { local: ids, strides: idStrides.slice(groups) },
      { local: updates, strides: updateStrides.slice(groups, rank) },
    ], addRow),
  ];
  const cursors = [
    { local: IDS, strides: idStrides.slice(0, groups) },
    { local: UPDATES, strides: updateStrides.slice(0, groups) },
    { local: OUT, strides: packed(k.groups, k.size * rowBytes) },
  ];
  const body = [
    set(low, id0),
    set(high, i32.sub(id1, id0)),
    walk(locals, k.groups, group0, group1, cursors, oneGroup),
  ];
  return { params, body: [locals.prologue(), body], locals: locals.types };
}
