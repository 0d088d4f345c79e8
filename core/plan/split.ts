/**
 * Long reductions to few results in two steps, so that threads or invocations share the first.
 *
 * @module
 */
import { scalarOf } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import { makeNode, sizeOf, type Sizes } from "../graph/node.ts";
import type { Item, ReduceItem } from "./items.ts";
import { ROWS_A_SUM } from "./kernels.ts";
import { packed } from "./views.ts";

/** A row this long, with fewer rows than these, is shared. */
const LONG_ROW = 8192;
const FEW_ROWS = 16;
const SHORT_ROW = 64;
/** Rows of at most this many columns are put side by side, up to about so many, if there are so many elements. */
const FEW_COLUMNS = 256;
const MANY_COLUMNS = 2048;
const LONG_COLUMNS = 1 << 17;
/** Sums down rows of so many columns can be partly done where the rows are read or made. */
const SUM_COLUMNS = [64, 4096] as const;
/** Partial sums that are worth a second step. */
const FEW_SUMS = 4;

/** The divisor of n next to a wish, by ratio. */
function divisorNear(n: number, wish: number): number {
  let best = 1;
  for (let d = 1; d * d <= n; d++) {
    if (n % d) continue;
    for (const c of [d, n / d]) {
      if (Math.abs(Math.log(c / wish)) < Math.abs(Math.log(best / wish))) best = c;
    }
  }
  return best;
}

/** The reduction of `partial`, which has the first step's results in `space`, into the item's own buffer. */
function twoSteps(item: ReduceItem, first: ReduceItem, space: Sizes): ReduceItem[] {
  const second: ReduceItem = {
    ...item,
    space,
    operands: [{ base: first.node, offset: 0, strides: packed(space) }],
    expr: X.operand(0, scalarOf(first.node.dtype)),
    after: [],
  };
  return [first, second];
}

function partial(item: ReduceItem, shape: Sizes): ReduceItem["node"] {
  const { dtype } = item.node;
  return makeNode({ kind: "map", expr: X.operand(0, scalarOf(dtype)), shape, dtype, inputs: [] });
}

/** The last axis of what is reduced, if it makes good rows: kernels that make them can then do the first step. */
function rowOf({ space, operands }: ReduceItem): number | null {
  const row = operands[0]?.base.shape.at(-1) ?? 0, rows = space.at(-1)! / row;
  return row >= SHORT_ROW && row < LONG_ROW && Number.isInteger(rows) && rows >= FEW_ROWS
    ? row
    : null;
}

function splitRow(item: ReduceItem): ReduceItem[] {
  const { space, operands } = item, outer = space.slice(0, -1), inner = space.at(-1)!;
  if (inner < LONG_ROW || sizeOf(outer) >= FEW_ROWS) return [item];
  const chunk = rowOf(item) ?? divisorNear(inner, Math.sqrt(inner)), chunks = inner / chunk;
  if (chunk < FEW_ROWS || chunks < FEW_ROWS) return [item];
  const results = [...outer, chunks];
  const first: ReduceItem = {
    ...item,
    node: partial(item, results),
    space: [...results, chunk],
    operands: operands.map((o) => {
      const step = o.strides.at(-1)!;
      return { ...o, strides: [...o.strides.slice(0, -1), step * chunk, step] };
    }),
  };
  return twoSteps(item, first, results);
}

/** Several rows side by side are one row of more columns, where strides can say it. */
function splitColumn(item: ReduceItem): ReduceItem[] {
  const { space, operands } = item, [rows, columns] = space.slice(-2) as [number, number];
  if (columns > FEW_COLUMNS || sizeOf(space) < LONG_COLUMNS) return [item];
  const side = divisorNear(rows, MANY_COLUMNS / columns);
  const merges = operands.every(({ strides }) => strides.at(-2) === strides.at(-1)! * columns);
  if (!merges || side < 4 || side === rows) return [item];
  const first: ReduceItem = {
    ...item,
    node: partial(item, [side, columns]),
    space: [...space.slice(0, -2), rows / side, side * columns],
    operands: operands.map((o) => ({
      ...o,
      strides: [...o.strides.slice(0, -2), o.strides.at(-2)! * side, o.strides.at(-1)!],
    })),
  };
  return twoSteps(item, first, [side, columns]);
}

/** The first step adds up some rows, and may share the kernel that makes or reads them. It hangs on the shape alone, as the order of a sum does. */
function splitDown(item: ReduceItem): ReduceItem[] | null {
  const columns = item.space.at(-1)!, rows = sizeOf(item.space) / columns;
  const [least, most] = SUM_COLUMNS, { combine, node } = item;
  if (combine !== "sum" || node.dtype !== "f32" || columns < least || columns > most) return null;
  if (rows < FEW_SUMS * ROWS_A_SUM) return null;
  const shape = [Math.ceil(rows / ROWS_A_SUM), columns];
  return twoSteps(item, { ...item, kind: "down", node: partial(item, shape) }, shape);
}

/** The items, with long rows in two steps: before maps are inlined, so that they find the shorter rows. */
export function splitRows(items: readonly Item[]): Item[] {
  return items.flatMap((it) => it.kind === "row" ? splitRow(it) : [it]);
}

/** The items, with long columns in two steps: after maps are inlined, for only some can be put side by side. */
export function splitColumns(items: readonly Item[], sums: boolean): Item[] {
  return items.flatMap((it) =>
    it.kind === "column" ? (sums && splitDown(it)) || splitColumn(it) : [it]
  );
}
