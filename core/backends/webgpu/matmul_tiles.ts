/**
 * Matrix products for real GPUs: a workgroup brings a tile of each factor into its memory and every invocation
 * multiplies from there. Tiles are stored k-major whatever the layout in memory, so NN, NT and TN have one inner loop.
 *
 * @module
 */
import { address } from "./address.ts";
import type { Bindings, SlotOf } from "./bindings.ts";
import {
  batchStart,
  bindFactors,
  type Factor,
  factorHeld,
  factorOf,
  heldType,
  storeTile,
} from "./matmul_factor.ts";
import type { MatmulPart } from "./part.ts";
import { overGroups, type Shader, type Target } from "./shader.ts";

/** One member of the family. A workgroup makes m by n of the result, k products at a time; an invocation makes `each` by `each`. */
export interface WorkgroupTile {
  readonly kind: "workgroup";
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly each: 4 | 8;
}

/** Largest first; all fit the 16 KiB and 256 invocations that every adapter has. */
export const workgroupTiles: readonly WorkgroupTile[] = [
  { kind: "workgroup", m: 128, n: 128, k: 16, each: 8 },
  { kind: "workgroup", m: 64, n: 64, k: 16, each: 4 },
  { kind: "workgroup", m: 32, n: 32, k: 16, each: 4 },
];

const range = (n: number): number[] => [...Array(n).keys()];

/** Statements by which the invocations together bring rows `k0`.. of a factor into memory, zero beyond the last product. */
function bring(
  bound: Bindings,
  f: Factor,
  name: string,
  size: number,
  tile: WorkgroupTile,
  threads: number,
  products: number,
): string {
  const quads = size / 4, count = size * tile.k / 4, ragged = products % tile.k !== 0;
  return range(Math.ceil(count / threads)).map((t) => {
    const q = t === 0 ? "lane" : `(lane + ${t * threads}u)`;
    const own = f.byK ? `${q} / ${tile.k / 4}u` : `${q} % ${quads}u * 4u`;
    const k = f.byK ? `${q} % ${tile.k / 4}u * 4u` : `${q} / ${quads}u`;
    const at = address(0, [
      [`o_${name}`, 1],
      [`(${name}_at + own)`, f.along],
      ["(k0 + k)", f.alongK],
    ]);
    const value = factorHeld(bound, f, at, f.byK ? 1 : f.along);
    const lanes = f.byK ? "vec4u(k0 + k) + vec4u(0u, 1u, 2u, 3u)" : "vec4u(k0 + k)";
    const put = f.byK
      ? range(4).map((c) => `t_${name}[(k + ${c}u) * ${quads}u + own / 4u][own % 4u] = v[${c}];`)
      : [`t_${name}[k * ${quads}u + own / 4u] = v;`];
    const kept = ragged
      ? `select(${heldType(bound, f)}(), ${value}, ${lanes} < vec4u(${products}u))`
      : value;
    const body = `let own = ${own}; let k = ${k}; let v = ${kept}; ${put.join(" ")}`;
    return (t + 1) * threads <= count ? `{ ${body} }` : `if (${q} < ${count}u) { ${body} }`;
  }).join("\n    ");
}

/** Tiles are of what the factors are: of f16, half the memory; widened when they are multiplied, and summed in f32. */
export function tiledMatmul(
  k: MatmulPart,
  slotOf: SlotOf,
  tile: WorkgroupTile,
  target: Target,
): Shader {
  const r = k.batch.length, { each } = tile;
  const a = factorOf(k.a, [k.a.strides[r]!, k.a.strides[r + 1]!], each, k.k);
  const b = factorOf(k.b, [k.b.strides[r + 1]!, k.b.strides[r]!], each, k.k);
  const bound = bindFactors(k, a, b, slotOf, 4, target);
  const down = tile.m / each, across = tile.n / each, threads = down * across;
  const groupsM = Math.ceil(k.m / tile.m), groupsN = Math.ceil(k.n / tile.n);
  const count = k.batch.reduce((x, y) => x * y, 1);

  const wide = (f: Factor, held: string): string =>
    heldType(bound, f) === "vec4f" ? held : `vec4f(${held})`;
  // Rows and columns of an invocation come in fours that lie `down` and `across` fours apart: neighbours read neighbours.
  const G = range(each / 4), R = range(each);
  const products = range(tile.k).flatMap((kk) => [
    ...G.map((g) => `let a${kk}_${g} = ${wide(a, `t_a[${kk * tile.m / 4 + g * down}u + y]`)};`),
    ...G.map((g) => `let b${kk}_${g} = ${wide(b, `t_b[${kk * tile.n / 4 + g * across}u + x]`)};`),
    ...R.flatMap((i) => G.map((g) => `c${i}_${g} += a${kk}_${i >> 2}[${i & 3}] * b${kk}_${g};`)),
  ]);
  const guards = { m: k.m % tile.m !== 0, n: k.n % tile.n !== 0 };
  const stores = R.flatMap((i) =>
    G.map((g) =>
      storeTile(
        bound,
        k,
        `a_at + ${(i >> 2) * 4 * down + (i & 3)}u + y * 4u`,
        `b_at + ${g * 4 * across}u + x * 4u`,
        `c${i}_${g}`,
        4,
        guards,
      )
    )
  );
  const memory = `var<workgroup> t_a: array<${heldType(bound, a)}, ${tile.k * tile.m / 4}>;
var<workgroup> t_b: array<${heldType(bound, b)}, ${tile.k * tile.n / 4}>;`;
  const body = `let b_at = group % ${groupsN}u * ${tile.n}u;
  let a_at = group / ${groupsN}u % ${groupsM}u * ${tile.m}u;
  let batch = group / ${groupsN * groupsM}u;
  let x = lane % ${across}u; let y = lane / ${across}u;
  let o_a = ${batchStart(a, k.batch)}; let o_b = ${batchStart(b, k.batch)};
  ${R.flatMap((i) => G.map((g) => `var c${i}_${g} = vec4f();`)).join(" ")}
  for (var k0 = 0u; k0 < ${k.k}u; k0 += ${tile.k}u) {
    ${bring(bound, a, "a", tile.m, tile, threads, k.k)}
    ${bring(bound, b, "b", tile.n, tile, threads, k.k)}
    workgroupBarrier();
    ${products.join("\n    ")}
    workgroupBarrier();
  }
  ${stores.join("\n  ")}`;
  const style = `tile ${tile.m}x${tile.n}x${tile.k}, ${each}x${each} an invocation`;
  return overGroups(bound, groupsM * groupsN * count, threads, memory, body, style);
}
