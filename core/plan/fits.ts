/**
 * Which items can share a kernel: maps and row reductions over the same rows, where they read each other element by
 * element, or a row's value row by row.
 *
 * @module
 */
import { type Node, sizeOf, type Sizes } from "../graph/node.ts";
import type { Item, SpaceItem } from "./items.ts";
import type { Operand } from "./kernels.ts";
import { boundariesOf, refined, refinement, type RowSpace, rowSpaceOf } from "./space.ts";
import { isPacked } from "./views.ts";
import { KERNEL_WEIGHT, weightOf } from "./weight.ts";

/** Fewest rows that share the work of long rows among threads or invocations. */
const FEW_ROWS = 16;
const LONG_ROWS = 8192;

/** Are rows as these better than kernels that share the elements of a row? */
function sharesWork({ size, inner }: RowSpace): boolean {
  return inner === null || size / inner >= FEW_ROWS || size <= LONG_ROWS;
}

/** Does `reader` see the result of `producer` at its own element, or at its own row? */
function readsInPlace(reader: SpaceItem, o: Operand, producer: Node): boolean {
  const size = sizeOf(reader.space), has = sizeOf(producer.shape);
  if (size === has) return isPacked(reader.space, o);
  if (size < has) return false;
  const inner = size / has;
  const space = !Number.isInteger(inner)
    ? null
    : refinement(size, [...boundariesOf(reader.space), inner]);
  if (!space) return false;
  const strides = refined(reader.space, o.strides, space);
  const rows = lastAxesOf(space, inner);
  return strides.slice(rows).every((s) => s === 0) &&
    isPacked(space.slice(0, rows), { offset: o.offset, strides: strides.slice(0, rows) });
}

/** The number of axes before those that make up `inner` elements. */
function lastAxesOf(space: Sizes, inner: number): number {
  let at = space.length;
  for (let size = 1; size < inner; at--) size *= space[at - 1]!;
  return at;
}

/** Could one row kernel do all of these, cycles aside? `members` are the buffers that they fill. */
export function fits(
  items: readonly Item[],
  members: ReadonlySet<Node>,
): items is readonly SpaceItem[] {
  if (!items.every((it) => it.kind === "map" || it.kind === "row" || it.kind === "down")) {
    return false;
  }
  const work = items as readonly SpaceItem[], space = rowSpaceOf(work), n = space.inner;
  if (n !== null && !Number.isInteger(n)) return false;
  const sound = work.every((it) => {
    const size = sizeOf(it.space), cuts = boundariesOf(it.space);
    if (size !== space.size) return n !== null && it.kind === "map" && size * n === space.size;
    return n === null ||
      (cuts.every((b) => b >= n) && (it.kind === "map" || it.space.at(-1) === n));
  });
  if (!sound || !sharesWork(space)) return false;
  if (work.reduce((sum, it) => sum + weightOf(it.expr), 0) > KERNEL_WEIGHT) return false;
  const all = work.flatMap((it) =>
    boundariesOf(it.space).map((b) => sizeOf(it.space) < space.size ? b * n! : b)
  );
  if (!refinement(space.size, n === null ? all : [...all, n])) return false;
  return work.every((it) =>
    it.after.every((d) => !members.has(d)) &&
    it.operands.every((o) => !members.has(o.base) || readsInPlace(it, o, o.base))
  );
}
