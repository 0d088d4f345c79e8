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
import { type Code, type Fn, get, i32, set, when } from "./encoder.ts";
import type { Pointers } from "./pointers.ts";
import { combining } from "./simd_expr.ts";
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

const product = (sizes: Sizes): number => sizes.reduce((a, b) => a * b, 1);
const packed = (sizes: Sizes, width: number): number[] => stridesOf(sizes).map((s) => s * width);
const idOf = (o: Operand, pointer: number, ptr: Pointers): Code =>
  isCounter(o) ? ptr.low(get(pointer)) : i32.load(get(pointer));
/** Where row `id` starts. */
const rowAt = (start: number, id: Code, bytes: number, ptr: Pointers): Code =>
  ptr.add(get(start), ptr.mul(ptr.from(id), ptr.of(bytes)));

export function gatherStage(k: GatherKernel): Stage {
  const units = product(k.groups) * product(k.count), row = product(k.row);
  return {
    key: [
      `gather ${k.groups.join()}x${k.count.join()}x${k.row.join()} ${k.size}`,
      `${describe(k.table)} ${describe(k.ids)}`,
    ].join(" "),
    write: (ptr) => gatherFunction(k, ptr),
    pointers: [pointerOf(k.table), pointerOf(k.ids), { base: k.store, offset: 0 }],
    units,
    quantum: 1,
    cost: 20 + units * (8 + 0.4 * row),
    threadBytes: 0,
  };
}

function gatherFunction(k: GatherKernel, ptr: Pointers): Fn {
  const [TABLE, IDS, OUT] = [POINTERS, POINTERS + 1, POINTERS + 2] as const;
  const locals = stageLocals(ptr, 3);
  const id = locals.i32(), from = locals.pointer(), to = locals.pointer();
  const groups = k.groups.length, space = [...k.groups, ...k.count];
  const table = stridesIn(k.table),
    width = widthOf(k.store.dtype),
    rowBytes = product(k.row) * width;
  const counts = isCounter(k.table), move = copying(counts, ptr);
  const box = boxOf(k.row, table.slice(groups + 1), packed(k.row, width), { width, counts });
  const one = [
    set(id, idOf(k.ids, IDS, ptr)),
    set(to, get(OUT)),
    when(
      i32.ltU(get(id), i32.of(k.size)),
      [
        set(from, rowAt(TABLE, get(id), table[groups]!, ptr)),
        moveBox(locals, box, from, to, move, i32.of(0), i32.of(unitsOf(box))),
      ],
      fill(locals, to, ptr.of(rowBytes), locals.constant(0)),
    ),
  ];
  const cursors = [
    { local: TABLE, strides: [...table.slice(0, groups), ...k.count.map(() => 0)] },
    { local: IDS, strides: stridesIn(k.ids) },
    { local: OUT, strides: packed(space, rowBytes) },
  ];
  const body = walk(locals, space, get(FIRST), get(END), cursors, one);
  return { params: locals.params, body: [locals.prologue(), body], locals: locals.types };
}

export function scatterStage(k: ScatterKernel, threads: number): Stage {
  const groups = product(k.groups), byGroup = groups >= 2 * threads;
  const updates = groups * product(k.count), row = product(k.row);
  return {
    key: [
      `scatter ${byGroup} ${k.groups.join()}x${k.count.join()}x${k.row.join()} ${k.size}`,
      `${describe(k.ids)} ${describe(k.updates)}`,
    ].join(" "),
    write: (ptr) => scatterFunction(k, byGroup, ptr),
    pointers: [pointerOf(k.ids), pointerOf(k.updates), { base: k.store, offset: 0 }],
    units: byGroup ? groups : k.size,
    quantum: 1,
    cost: 20 + updates * (4 + 0.5 * row) + 0.1 * groups * k.size * row,
    threadBytes: 0,
  };
}

function scatterFunction(k: ScatterKernel, byGroup: boolean, ptr: Pointers): Fn {
  const [IDS, UPDATES, OUT] = [POINTERS, POINTERS + 1, POINTERS + 2] as const;
  const locals = stageLocals(ptr, 3);
  const ids = locals.pointer(), updates = locals.pointer(), id = locals.i32();
  const from = locals.pointer(), to = locals.pointer();
  const low = locals.i32(), high = locals.i32();
  const groups = k.groups.length, rowBytes = 4 * product(k.row);
  const everyGroup = [i32.of(0), i32.of(product(k.groups))], everyId = [i32.of(0), i32.of(k.size)];
  const split = [get(FIRST), get(END)];
  const [group0, group1] = (byGroup ? split : everyGroup) as [Code, Code];
  const [id0, id1] = (byGroup ? everyId : split) as [Code, Code];
  const idStrides = stridesIn(k.ids),
    updateStrides = stridesIn(k.updates),
    rank = groups + k.count.length;
  const { with: add } = combining("sum", scalarOf(k.store.dtype));
  const counts = isCounter(k.updates), move = adding(add, counts, ptr);
  const box = boxOf(k.row, updateStrides.slice(rank), packed(k.row, 4), { width: 4, counts });
  const addRow = [
    set(id, i32.sub(idOf(k.ids, ids, ptr), get(low))),
    when(i32.ltU(get(id), get(high)), [
      set(from, get(updates)),
      set(to, rowAt(OUT, i32.add(get(id), get(low)), rowBytes, ptr)),
      moveBox(locals, box, from, to, move, i32.of(0), i32.of(unitsOf(box))),
    ]),
  ];
  const oneGroup = [
    set(to, rowAt(OUT, get(low), rowBytes, ptr)),
    fill(locals, to, ptr.mul(ptr.from(get(high)), ptr.of(rowBytes)), locals.constant(0)),
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
  return { params: locals.params, body: [locals.prologue(), body], locals: locals.types };
}
