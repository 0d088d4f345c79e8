/**
 * Maps and row reductions. Without a reduction an invocation owns one element or four; with one, an invocation
 * or a whole workgroup owns a row: workgroups win on a real GPU, single invocations where barriers run on a CPU.
 *
 * @module
 */
import { scalarOf } from "../../dtype.ts";
import type { Expr } from "../../expr/expr.ts";
import { operandsOf } from "../../expr/expr.ts";
import { type Operand, REDUCED, type RowReduction } from "../../plan/kernels.ts";
import { address, collapse, coordinates, isVector } from "./address.ts";
import { bind, type Bindings, load, type SlotOf, store, unitOf } from "./bindings.ts";
import type { RowPart, StorePart } from "./part.ts";
import { LONGEST_LOOP, overGroups, overUnits, type Shader, type Target } from "./shader.ts";
import {
  acrossLanes,
  combineText,
  expressions,
  identityText,
  type Lanes,
  typeName,
} from "./wgsl_expr.ts";

/** A row kernel with its axes merged and its element width chosen. */
interface Space {
  readonly rows: number;
  /** Columns in units of `lanes` elements. */
  readonly columns: number;
  readonly lanes: Lanes;
  readonly loads: readonly Operand[];
  readonly stores: readonly StorePart[];
  readonly bound: Bindings;
  readonly outer: readonly number[];
}

function spaceOf(k: RowPart, pure: boolean, slotOf: SlotOf, target: Target): Space {
  const placed = k.stores.flatMap((s) => s.into ? [s.into.strides] : []);
  const walked = [...k.loads.map((l) => l.strides), ...placed];
  const merged = collapse([...k.outer, k.inner], walked, !pure);
  const outer = merged.sizes.slice(0, -1), inner = merged.sizes.at(-1) ?? 1;
  const loads = k.loads.map((l, i) => ({ ...l, strides: merged.strides[i]! }));
  let at = loads.length;
  const stores = k.stores.map((s) =>
    s.into ? { ...s, into: { ...s.into, strides: merged.strides[at++]! } } : s
  );
  // Of a part that is one column wide, neighbours stand apart.
  const beside = stores.every(({ into, perRow }) => !into || perRow || into.strides.at(-1) === 1);
  const lanes = inner % 4 === 0 && beside ? 4 : 1;
  const bound = bind(
    [
      ...loads.map((l) => ({
        node: l.base,
        write: false,
        vector: lanes === 4 && isVector(l.offset, l.strides),
      })),
      ...stores.map(({ node, perRow, into }) => ({
        node,
        write: true,
        vector: lanes === 4 && !perRow && (!into || isVector(into.offset, into.strides)),
      })),
    ],
    slotOf,
    target,
  );
  return { rows: product(outer), columns: inner / lanes, lanes, loads, stores, bound, outer };
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1);
}

/** Where each load stands in row `row`. */
function rowStarts(s: Space): string {
  const at = coordinates("row", s.outer);
  return s.loads.map((l, i) => {
    const unit = unitOf(s.bound, l.base);
    const terms = at.map((c, axis): [string, number] => [c, l.strides[axis]! / unit]);
    return `let o${i} = ${address(l.offset / unit, terms)};`;
  }).join("\n  ");
}

/** Loads and computes `roots` at column `j`, then does something with their names. */
function block(
  s: Space,
  roots: readonly Expr[],
  lanes: Lanes,
  reductions: readonly RowReduction[],
  use: (names: readonly string[]) => readonly string[],
): string {
  const loads = operandsOf(roots).filter((i) => i < REDUCED).map((i) => {
    const l = s.loads[i]!, stride = l.strides.at(-1) ?? 0;
    const step = unitOf(s.bound, l.base) === 4 ? 1 : stride * lanes;
    return `let x${i} = ${
      load(s.bound, l, address(0, [[`o${i}`, 1], ["j", step]]), lanes, stride)
    };`;
  });
  const { lines, names } = expressions(roots, lanes, (i) => {
    if (i < REDUCED) return `x${i}`;
    const r = i - REDUCED;
    return lanes === 1 ? `r${r}` : `${typeName(reductions[r]!.value.dtype, 4)}(r${r})`;
  }, s.bound.target.roundsF16);
  return [...loads, ...lines, ...use(names)].join("\n    ");
}

/** How the columns of a row are walked. */
interface Walk {
  readonly from: string;
  readonly step: number;
  /** Invocations that share a row. */
  readonly share: number;
}

function overColumns(s: Space, walk: Walk, body: string): string {
  return `for (var j = ${walk.from}; j < ${s.columns}u; j += ${walk.step}u) {\n    ${body}\n  }`;
}

/** All reductions of one phase; result r is the value `r{r}` afterwards. */
function phaseText(s: Space, k: RowPart, phase: number, walk: Walk): string {
  const mine = k.reductions.map((r, i) => ({ ...r, i })).filter((r) => r.phase === phase);
  const text = mine.map((r) => `var a${r.i} = ${identityText(r.combine, r.value.dtype, s.lanes)};`);
  const values = mine.map((r) => r.value);
  text.push(overColumns(
    s,
    walk,
    block(
      s,
      values,
      s.lanes,
      k.reductions,
      (names) =>
        mine.map((r, m) =>
          `a${r.i} = ${combineText(r.combine, `a${r.i}`, names[m]!, r.value.dtype, s.lanes)};`
        ),
    ),
  ));
  const across = mine.map((r) =>
    s.lanes === 1 ? `a${r.i}` : acrossLanes(r.combine, `a${r.i}`, r.value.dtype)
  );
  if (walk.share === 1) mine.forEach((r, m) => text.push(`let r${r.i} = ${across[m]};`));
  else {
    mine.forEach((r, m) => text.push(`s${r.i}[lane] = ${across[m]};`));
    text.push("workgroupBarrier();");
    for (let half = walk.share / 2; half >= 1; half /= 2) {
      const folds = mine.map((r) => {
        const sum = combineText(
          r.combine,
          `s${r.i}[lane]`,
          `s${r.i}[lane + ${half}u]`,
          r.value.dtype,
          1,
        );
        return `s${r.i}[lane] = ${sum};`;
      });
      text.push(`if (lane < ${half}u) { ${folds.join(" ")} }`, "workgroupBarrier();");
    }
    mine.forEach((r) => text.push(`let r${r.i} = s${r.i}[0];`));
  }
  return text.join("\n  ");
}

/** Where a store puts column `j` of row `row`. */
function storeAddress(s: Space, { node, perRow, into }: StorePart): string {
  const unit = unitOf(s.bound, node), step = perRow ? 0 : s.lanes / unit;
  if (!into) return perRow ? "row" : address(0, [["row", s.columns * step], ["j", step]]);
  const rows = coordinates("row", s.outer)
    .map((c, axis): [string, number] => [c, into.strides[axis]! / unit]);
  return address(into.offset / unit, [...rows, ["j", step * (into.strides.at(-1) ?? 0)]]);
}

function storesText(
  s: Space,
  k: RowPart,
  stores: readonly StorePart[],
  lanes: Lanes,
): string {
  return block(
    s,
    stores.map((x) => x.value),
    lanes,
    k.reductions,
    (names) => stores.map((x, i) => store(s.bound, x.node, storeAddress(s, x), names[i]!, lanes)),
  );
}

/** Invocations that share a row: 1, or a workgroup of a power of two. */
function shareOf(s: Space, target: Target): number {
  const long = target.software
    ? s.rows <= 4 && s.columns >= 4096 || s.columns > LONGEST_LOOP
    : s.columns >= 16;
  if (!long) return 1;
  return Math.min(256, Math.max(32, 2 ** Math.ceil(Math.log2(s.columns / 2))));
}

export function rowShader(k: RowPart, slotOf: SlotOf, target: Target): Shader {
  const pure = !k.reductions.length && !k.stores.some((x) => x.perRow);
  const s = spaceOf(k, pure, slotOf, target);
  const full = s.stores.filter((x) => !x.perRow), perRow = s.stores.filter((x) => x.perRow);
  const width = s.lanes === 4 ? "vec4" : "scalar";
  if (pure) {
    const body = `let row = unit / ${s.columns}u; let j = unit % ${s.columns}u;
  ${rowStarts(s)}
    ${storesText(s, k, full, s.lanes)}`;
    return overUnits(s.bound, s.rows * s.columns, 64, body, `element ${width}`);
  }
  const share = k.reductions.length ? shareOf(s, target) : 1;
  const walk = { from: share === 1 ? "0u" : "lane", step: share, share };
  const phases = 1 + Math.max(-1, ...k.reductions.map((r) => r.phase));
  const parts = [rowStarts(s)];
  for (let p = 0; p < phases; p++) parts.push(phaseText(s, k, p, walk));
  if (full.length) parts.push(overColumns(s, walk, storesText(s, k, full, s.lanes)));
  if (perRow.length) {
    const once = `{ let j = 0u;\n    ${storesText(s, k, perRow, 1)} }`;
    parts.push(share === 1 ? once : `if (lane == 0u) ${once}`);
  }
  const body = parts.join("\n  ");
  if (share === 1) {
    const size = target.software ? 16 : 64;
    return overUnits(s.bound, s.rows, size, `let row = unit;\n  ${body}`, `row ${width}`);
  }
  const memory = k.reductions.map((r, i) =>
    `var<workgroup> s${i}: array<${scalarOf(r.value.dtype)}, ${share}>;`
  ).join("\n");
  const style = `row by workgroup of ${share} ${width}`;
  return overGroups(
    s.bound,
    s.rows,
    share,
    memory,
    `let row = group;\n  ${body}`,
    style,
  );
}
