/**
 * Matrix products without workgroup memory: an invocation owns a tile of the result in registers. It wins for thin
 * factors anywhere, and where barriers run on a CPU that has no subgroups.
 *
 * @module
 */
import { address } from "./address.ts";
import type { Bindings, SlotOf } from "./bindings.ts";
import {
  batchStart,
  bindFactors,
  type Factor,
  factorOf,
  factorValue,
  storeTile,
} from "./matmul_factor.ts";
import type { MatmulPart } from "./part.ts";
import { overGroups, type Shader, type Target } from "./shader.ts";

/** Loads of `count` neighbours for `ks` steps of k, and the name of each value. */
function fragment(
  bound: Bindings,
  f: Factor,
  name: string,
  at: string,
  count: number,
  ks: number,
): { readonly loads: string[]; readonly element: (i: number, kk: number) => string } {
  const from = (i: number, kk: number): string =>
    address(0, [
      [`o_${name}`, 1],
      [`(${address(i, [[at, 1]])})`, f.along],
      [`(${address(kk, [["k", 1]])})`, f.alongK],
    ]);
  const value = (lanes: 1 | 4, i: number, kk: number, step = 1): string =>
    factorValue(bound, f, from(i, kk), lanes, step);
  const range = (n: number): number[] => [...Array(n).keys()];
  if (f.byK && ks === 4) {
    return {
      loads: range(count).map((i) => `let ${name}${i} = ${value(4, i, 0)};`),
      element: (i, kk) => `${name}${i}[${kk}]`,
    };
  }
  if (!f.byK && count % 4 === 0) {
    const quads = count / 4;
    return {
      loads: range(ks * quads).map((q) =>
        `let ${name}${q} = ${value(4, q % quads * 4, Math.floor(q / quads), f.along)};`
      ),
      element: (i, kk) => `${name}${kk * quads + Math.floor(i / 4)}[${i % 4}]`,
    };
  }
  return {
    loads: range(ks * count).map((q) =>
      `let ${name}${q} = ${value(1, q % count, Math.floor(q / count))};`
    ),
    element: (i, kk) => `${name}${kk * count + i}`,
  };
}

/** One member of the family: at most so much of the result is an invocation's. */
export interface RegisterTile {
  readonly kind: "register";
  readonly rows: 8 | 16;
  readonly columns: 8 | 16;
}

/** The smallest tile that covers `n`, at most `most`. */
function tileSize(n: number, most: number): number {
  return Math.min(most, 2 ** Math.ceil(Math.log2(Math.max(1, n))));
}

/** A tile of the result in the registers of an invocation. */
export function registerMatmul(
  k: MatmulPart,
  slotOf: SlotOf,
  most: RegisterTile,
  target: Target,
): Shader {
  const r = k.batch.length;
  const rows = tileSize(k.m, most.rows), columns = tileSize(k.n, most.columns);
  const a = factorOf(k.a, [k.a.strides[r]!, k.a.strides[r + 1]!], rows, k.k);
  const b = factorOf(k.b, [k.b.strides[r + 1]!, k.b.strides[r]!], columns, k.k);
  const lanes = columns % 4 === 0 ? 4 : 1, width = columns / lanes;
  const bound = bindFactors(k, a, b, slotOf, lanes, target);
  const R = [...Array(rows).keys()], Q = [...Array(width).keys()];

  const steps = (ks: number): string => {
    const fa = fragment(bound, a, "p", "i", rows, ks);
    const fb = fragment(bound, b, "q", "j", columns, ks);
    const K = [...Array(ks).keys()];
    const parts = K.flatMap((kk) =>
      Q.map((q) => {
        const four = [...Array(lanes).keys()].map((l) => fb.element(lanes * q + l, kk));
        return `let w${kk}_${q} = ${lanes === 4 ? `vec4f(${four.join(", ")})` : four[0]};`;
      })
    );
    // Products of one accumulator stand together: where it lies on the stack it is taken from there once.
    const products = R.flatMap((i) =>
      Q.flatMap((q) => K.map((kk) => `c${i}_${q} += ${fa.element(i, kk)} * w${kk}_${q};`))
    );
    return [...fa.loads, ...fb.loads, ...parts, ...products].join("\n    ");
  };
  const whole = k.k - k.k % 4;
  const loop = (from: number, to: number, ks: number): string =>
    from === to ? "" : `for (var k = ${from}u; k < ${to}u; k += ${ks}u) {\n    ${steps(ks)}\n  }`;

  const tilesM = Math.ceil(k.m / rows), tilesN = Math.ceil(k.n / columns);
  const across = Math.min(8, 2 ** Math.ceil(Math.log2(tilesN)));
  const down = tilesM >= 32 ? 8 : tilesM >= 8 ? 2 : 1;
  const groupsN = Math.ceil(tilesN / across), groupsM = Math.ceil(tilesM / down);
  const count = k.batch.reduce((x, y) => x * y, 1);
  const guards = { m: k.m % rows !== 0, n: k.n % columns !== 0 };
  const body = `let j = (group % ${groupsN}u * ${across}u + lane % ${across}u) * ${columns}u;
  let i = (group / ${groupsN}u % ${groupsM}u * ${down}u + lane / ${across}u) * ${rows}u;
  let batch = group / ${groupsN * groupsM}u;
  if (i >= ${k.m}u || j >= ${k.n}u) { return; }
  let o_p = ${batchStart(a, k.batch)}; let o_q = ${batchStart(b, k.batch)};
  ${R.flatMap((i) => Q.map((q) => `var c${i}_${q} = ${lanes === 4 ? "vec4f()" : "0f"};`)).join(" ")}
  ${loop(0, whole, 4)}
  ${loop(whole, k.k, 1)}
  ${
    R.flatMap((i) =>
      Q.map((q) =>
        storeTile(
          bound,
          k,
          address(i, [["i", 1]]),
          address(lanes * q, [["j", 1]]),
          `c${i}_${q}`,
          lanes,
          guards,
        )
      )
    ).join("\n  ")
  }`;
  const style = `tile ${rows}x${columns} in registers`;
  return overGroups(bound, groupsN * groupsM * count, across * down, "", body, style);
}
