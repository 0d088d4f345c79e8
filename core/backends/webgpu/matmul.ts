/**
 * Matrix products as a family of kernels: which members can make a product, and which is taken without a search.
 *
 * @module
 */
import { operand } from "../../expr/expr.ts";
import { makeNode } from "../../graph/node.ts";
import type { MatmulKernel } from "../../plan/kernels.ts";
import type { SlotOf } from "./bindings.ts";
import { columnShader } from "./column.ts";
import type { MatmulPart } from "./part.ts";
import { registerMatmul, type RegisterTile } from "./matmul_register.ts";
import { subgroupMatmul, type SubgroupTile, walksRows } from "./matmul_subgroup.ts";
import { tiledMatmul, type WorkgroupTile, workgroupTiles } from "./matmul_tiles.ts";
import type { Shader, Target } from "./shader.ts";

/** How the result is cut. */
export type MatmulTile = RegisterTile | SubgroupTile | WorkgroupTile;

/** A member of the family. */
export interface MatmulChoice {
  readonly tile: MatmulTile;
  /** The products are cut into so many parts, whose sums are added by a second dispatch: for long sums to few results. */
  readonly splits: number;
}

const registerTiles: readonly RegisterTile[] = [
  { kind: "register", rows: 8, columns: 8 },
  { kind: "register", rows: 8, columns: 16 },
];
const subgroupTiles: readonly SubgroupTile[] = [
  { kind: "subgroup", rows: 8, quads: 1 },
  { kind: "subgroup", rows: 16, quads: 1 },
  { kind: "subgroup", rows: 16, quads: 2 },
  { kind: "subgroup", rows: 32, quads: 2 },
];

/** Workgroups that a GPU needs to be busy; products that a part of a split sum has at least there. */
const busyGroups = 128, shortestPart = 128;

/** What of a factor a core's cache keeps from one tile to the next, in bytes; products that a part has at least for its sake. */
const residentBytes = 2 ** 19, shortestResident = 512;

/** Elements of partial sums that a split may need. */
const mostTemporary = 2 ** 24;

function isThin(k: MatmulKernel): boolean {
  return Math.min(k.m, k.n) < 16 || k.k < 8;
}

const batchOf = (k: MatmulKernel): number => k.batch.reduce((x, y) => x * y, 1);

function groupsOf(k: MatmulKernel, t: WorkgroupTile): number {
  return batchOf(k) * Math.ceil(k.m / t.m) * Math.ceil(k.n / t.n);
}

/** The fewest parts of equal length, whole fours each, that are enough; as many as there can be if none are. */
function splitsFor(
  k: MatmulKernel,
  target: Target,
  shortest: number,
  enough: (splits: number) => boolean,
): number {
  const most = Math.min(mostTemporary, target.bindingBytes / 4);
  const may = (splits: number): boolean =>
    k.k % (4 * splits) === 0 && k.k / splits >= shortest &&
    splits * batchOf(k) * k.m * k.n <= most;
  let splits = 1;
  while (!enough(splits) && may(2 * splits)) splits *= 2;
  return splits;
}

/** Parts that give every core of a GPU some of the work. */
function busySplits(k: MatmulKernel, tile: WorkgroupTile, target: Target): number {
  return splitsFor(k, target, shortestPart, (splits) => groupsOf(k, tile) * splits >= busyGroups);
}

/**
 * Parts whose share of the factors stays in a cache. A factor that lies along k is fetched ahead by the hardware; of one that
 * lies across it every step touches another page, for the whole of what the tiles walk and for a strip of what they hold.
 */
function residentSplits(k: MatmulKernel, target: Target): number {
  const r = k.batch.length, strip = 64, rows = walksRows(k);
  const across = Math.max(
    k.a.strides[r + 1] === 1 ? 0 : rows ? k.m : strip,
    k.b.strides[r] === 1 ? 0 : rows ? strip : k.n,
  );
  return splitsFor(
    k,
    target,
    shortestResident,
    (splits) => 4 * across * k.k / splits <= residentBytes,
  );
}

/** The largest tile that still gives the machine enough workgroups, and is not mostly empty. */
function workgroupChoice(k: MatmulKernel, target: Target): MatmulChoice {
  const fits = (t: WorkgroupTile): boolean => t.m < 2 * k.m && t.n < 2 * k.n;
  const tile = workgroupTiles.find((t) => fits(t) && groupsOf(k, t) >= busyGroups) ??
    workgroupTiles.at(-1)!;
  return { tile, splits: busySplits(k, tile, target) };
}

/** Members that could be the fastest for a product on this adapter; the default is among them. */
export function choicesFor(k: MatmulKernel, target: Target): readonly MatmulChoice[] {
  const whole = (tile: MatmulTile): MatmulChoice => ({ tile, splits: 1 });
  if (isThin(k)) return registerTiles.map(whole);
  // 32 rows of two vectors are too much for the registers of a real GPU's lane; a CPU has its stack in the cache.
  const subgroup = !target.subgroups
    ? []
    : subgroupTiles.filter((t) => target.software || t.rows * t.quads <= 32);
  const tiles = [...registerTiles, ...subgroup].map(whole), resident = residentSplits(k, target);
  if (resident > 1) tiles.push(...subgroup.map((tile) => ({ tile, splits: resident })));
  // On a CPU every barrier is a switch of all invocations: 20 times slower than the rest.
  if (target.software) return tiles;
  return [
    ...tiles,
    ...workgroupTiles.flatMap((tile) => {
      const splits = busySplits(k, tile, target);
      return splits === 1 ? [whole(tile)] : [whole(tile), { tile, splits }];
    }),
  ];
}

/** The member that is taken without a search. */
export function choiceFor(k: MatmulKernel, target: Target): MatmulChoice {
  if (isThin(k)) return { tile: registerTiles[0]!, splits: 1 };
  if (!target.software) return workgroupChoice(k, target);
  if (!target.subgroups) return { tile: registerTiles[0]!, splits: 1 };
  return { tile: softwareTile(k), splits: residentSplits(k, target) };
}

/**
 * On a CPU a larger tile loads less, and takes longer to compile: 0.15 s for 16 rows and 0.4 s for 32 rows of two vectors, which
 * need 0.7 of the time, on the software adapter that was measured. So the work decides.
 */
function softwareTile(k: MatmulKernel): SubgroupTile {
  if (k.m <= 8) return { kind: "subgroup", rows: 8, quads: 1 };
  const work = batchOf(k) * k.m * k.n * k.k;
  if (k.m <= 16 || work < 2 ** 25) return { kind: "subgroup", rows: 16, quads: 1 };
  return { kind: "subgroup", rows: 32, quads: 2 };
}

function tileShader(k: MatmulPart, slotOf: SlotOf, tile: MatmulTile, target: Target): Shader {
  switch (tile.kind) {
    case "register":
      return registerMatmul(k, slotOf, tile, target);
    case "subgroup":
      return subgroupMatmul(k, slotOf, tile, target.subgroups!, target);
    case "workgroup":
      return tiledMatmul(k, slotOf, tile, target);
  }
}

/**
 * The dispatches of a product. A split one is a batch of partial products, and the column sum of that batch; a part of one that is
 * over the binding limit is not split again.
 */
export function matmulShaders(
  k: MatmulPart,
  slotOf: SlotOf,
  { tile, splits }: MatmulChoice,
  target: Target,
  temporary: number,
): Shader[] {
  if (splits === 1 || k.into) return [tileShader(k, slotOf, tile, target)];
  const r = k.batch.length, part = k.k / splits, size = batchOf(k) * k.m * k.n;
  const shape = [splits, ...k.batch, k.m, k.n];
  const sums = makeNode({ kind: "input", shape, dtype: "f32", inputs: [] });
  const slots: SlotOf = (n) => n === sums ? temporary : slotOf(n);
  const cut = (o: MatmulKernel["a"], alongK: number): MatmulKernel["a"] => ({
    ...o,
    strides: [alongK * part, ...o.strides],
  });
  const a = cut(k.a, k.a.strides[r + 1]!), b = cut(k.b, k.b.strides[r]!);
  const partial: MatmulKernel = { ...k, batch: [splits, ...k.batch], k: part, a, b, store: sums };
  const first = tileShader(partial, slots, tile, target);
  const second = columnShader(
    {
      kind: "column",
      rows: [splits],
      columns: size,
      loads: [{ base: sums, offset: 0, strides: [size, 1] }],
      combine: "sum",
      value: operand(0, "f32"),
      store: k.store,
    },
    slots,
    target,
  );
  return [{ ...first, style: `${first.style}, ${splits} parts` }, second];
}

/** Elements that a choice needs beside its operands and result. */
export function temporaryOf(k: MatmulPart, { splits }: MatmulChoice): number {
  return splits === 1 || k.into ? 0 : splits * batchOf(k) * k.m * k.n;
}

/** A choice in a few words; equal words are equal choices. */
export function choiceText({ tile, splits }: MatmulChoice): string {
  const cut = tile.kind === "workgroup"
    ? `${tile.m}x${tile.n}x${tile.k}/${tile.each}`
    : tile.kind === "subgroup"
    ? `${tile.rows}/${tile.quads}`
    : `${tile.rows}x${tile.columns}`;
  return `${tile.kind} ${cut}${splits === 1 ? "" : ` in ${splits}`}`;
}
