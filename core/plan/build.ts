/**
 * From groups of items to kernels. A group is one item that is no row work, or maps and row reductions over one space.
 *
 * @module
 */
import * as X from "../expr/expr.ts";
import { type Expr, topological } from "../expr/expr.ts";
import { scalarOf } from "../dtype.ts";
import { type Node, sizeOf } from "../graph/node.ts";
import { type Item, operandNumber, type ReduceItem, type SpaceItem } from "./items.ts";
import {
  type Kernel,
  type Operand,
  REDUCED,
  type RowKernel,
  type RowReduction,
  type RowSum,
} from "./kernels.ts";
import { boundariesOf, refined, refinement, rowSpaceOf } from "./space.ts";
import { collapsed } from "./views.ts";

/** The kernel of a group; items whose result is used elsewhere are stored. */
export function buildKernel(items: readonly Item[], isStored: (n: Node) => boolean): Kernel {
  const first = items[0]!;
  if (first.kind === "alone") return first.kernel;
  if (first.kind === "column") return columnKernel(first);
  return rowKernel(items as readonly SpaceItem[], isStored);
}

function columnKernel(item: ReduceItem): Kernel {
  const { space, operands, combine, expr } = item;
  const { sizes, strides } = collapsed(space, operands.map((o) => o.strides), space.length - 1);
  return {
    kind: "column",
    rows: sizes.slice(0, -1),
    columns: sizes.at(-1)!,
    loads: operands.map((o, i) => ({ ...o, strides: strides[i]! })),
    combine,
    value: expr,
    store: item.node,
  };
}

function rowKernel(items: readonly SpaceItem[], isStored: (n: Node) => boolean): RowKernel {
  const { size, inner } = rowSpaceOf(items), n = inner ?? 1;
  const isPerRow = (it: SpaceItem): boolean => sizeOf(it.space) < size;
  const cuts = items.flatMap((it) => boundariesOf(it.space).map((b) => isPerRow(it) ? b * n : b));
  const space = refinement(size, [...cuts, n])!;
  const loads: Operand[] = [], reductions: RowReduction[] = [], values = new Map<Node, Expr>();
  const phases = new Map<Expr, number>(), sums: RowSum[] = [];
  for (const it of items) {
    const rows = isPerRow(it) ? space.slice(0, -1) : space;
    const operands = it.operands.map((o) => {
      const strides = refined(it.space, o.strides, rows);
      if (isPerRow(it)) strides.push(0);
      return values.get(o.base) ??
        X.operand(
          operandNumber(loads, o.base, { offset: o.offset, strides }),
          scalarOf(o.base.dtype),
        );
    });
    const value = X.substitute(it.expr, operands);
    if (it.kind === "map") values.set(it.node, value);
    else if (it.kind === "down") sums.push({ node: it.node, value });
    else {
      const phase = phaseOf(value, reductions, phases) + 1, at = REDUCED + reductions.length;
      reductions.push({ combine: it.combine as "sum", value, phase });
      values.set(it.node, X.operand(at, value.dtype));
    }
  }
  const stores = items.filter((it) => it.kind !== "down" && isStored(it.node)).map((it) => ({
    node: it.node,
    value: values.get(it.node)!,
    perRow: it.kind === "row" || isPerRow(it),
  }));
  const tidy = collapsed(
    space,
    loads.map((l) => l.strides),
    inner === null ? space.length : space.length - 1,
  );
  const flat = tidy.sizes.length === 0;
  return {
    kind: "row",
    outer: tidy.sizes.slice(0, -1),
    inner: tidy.sizes.at(-1) ?? 1,
    loads: loads.map((l, i) => ({ ...l, strides: flat ? [0] : tidy.strides[i]! })),
    reductions: late(reductions, tidy.strides),
    stores,
    ...sums.length && { sums },
  };
}

/**
 * Reductions as late as those that need them allow, where a later phase reads what they read: their own phase reads it no more.
 * `strides` are those of the loads.
 */
function late(
  reductions: readonly RowReduction[],
  strides: readonly (readonly number[])[],
): RowReduction[] {
  const out = [...reductions],
    uses = reductions.map(({ value }) => {
      const places = topological([value]).flatMap((e) => e.op === "in" ? [e.value] : []);
      return {
        loads: places.filter((i) => i < REDUCED && strides[i]!.at(-1) !== 0),
        results: places.filter((i) => i >= REDUCED).map((i) => i - REDUCED),
      };
    });
  const last = Math.max(...reductions.map((r) => r.phase));
  for (let i = out.length - 1; i >= 0; i--) {
    const readers = out.filter((_, j) => uses[j]!.results.includes(i));
    const limit = Math.min(last, ...readers.map((r) => r.phase - 1));
    const reads = (phase: number): Set<number> =>
      new Set(out.flatMap((r, j) => j !== i && r.phase === phase ? uses[j]!.loads : []));
    const missing = (phase: number): number => {
      const there = reads(phase);
      return uses[i]!.loads.filter((x) => !there.has(x)).length;
    };
    let best = out[i]!.phase;
    for (let phase = best + 1; phase <= limit; phase++) {
      if (missing(phase) < missing(best)) best = phase;
    }
    out[i] = { ...out[i]!, phase: best };
  }
  return out;
}

/** The last phase whose results an expression uses, or -1. */
function phaseOf(e: Expr, reductions: readonly RowReduction[], seen: Map<Expr, number>): number {
  const known = seen.get(e);
  if (known !== undefined) return known;
  const phase = e.op === "in"
    ? e.value >= REDUCED ? reductions[e.value - REDUCED]!.phase : -1
    : e.args.reduce((most, a) => Math.max(most, phaseOf(a, reductions, seen)), -1);
  seen.set(e, phase);
  return phase;
}
