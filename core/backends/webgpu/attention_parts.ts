/**
 * What the passes of attention share: where operands stand, what is packed into temporary memory, and scores as WGSL functions.
 *
 * A kernel has up to 13 buffers and a shader 8 on any adapter. So the small operands, and what the backward pass must know of every row,
 * are copied into one buffer first: memory that grows with T.
 *
 * @module
 */
import * as X from "../../expr/expr.ts";
import type { Expr } from "../../expr/expr.ts";
import {
  type AttentionKernel,
  type AttentionOperand,
  attentionOperands,
  HIDDEN,
} from "../../graph/fused_kernel.ts";
import { makeNode, type Node } from "../../graph/node.ts";
import type { HandKernel, Operand } from "../../plan/kernels.ts";
import { threefry, unit, USES } from "../../random/threefry.ts";
import { address } from "./address.ts";
import { bind, type Bindings, load, type SlotOf, store, unitOf } from "./bindings.ts";
import { expressions, literal } from "./wgsl_expr.ts";
import type { Target } from "./shader.ts";

/** What temporary memory holds; `logs` and `means` are a number a query, `rowSums` what the scores' gradients come to by row. */
export type Packed =
  | "rows"
  | "keep"
  | "bias"
  | "keys"
  | "logs"
  | "means"
  | "dSums"
  | "rowSums";

/** Elements of each part of temporary memory; those that are not needed have none. */
function sizesOf(does: AttentionKernel): { readonly [P in Packed]: number } {
  const { op, B, H, T, R } = does, grad = op === "attentionGrad" ? B * H * T : 0;
  return {
    rows: R > 0 ? 2 * T - 1 : 0,
    keep: does.keep ? B * T : 0,
    bias: does.bias ? B * H * R : 0,
    keys: does.dropout > 0 ? 2 * B : 0,
    logs: grad,
    means: grad,
    dSums: does.sums ? grad * R : 0,
    rowSums: does.bias ? grad * R : 0,
  };
}

/** Elements of the temporary memory of a kernel. */
export function attentionTemporary(k: AttentionKernel): number {
  return Object.values(sizesOf(k)).reduce((a, b) => a + b, 0);
}

/** A kernel, its operands by name, and its temporary memory. */
export interface Parts {
  readonly kernel: HandKernel;
  readonly operands: ReadonlyMap<AttentionOperand, Operand>;
  readonly temporary: Node;
  readonly sizes: { readonly [P in Packed]: number };
  /** Where each part of it begins. */
  readonly at: { readonly [P in Packed]: number };
  readonly slotOf: SlotOf;
  readonly target: Target;
}

export function partsOf(
  kernel: HandKernel,
  slotOf: SlotOf,
  target: Target,
  slot: number,
): Parts {
  const sizes = sizesOf(kernel.does), shape = [Math.max(1, attentionTemporary(kernel.does))];
  const temporary = makeNode({ kind: "input", shape, dtype: "u32", inputs: [] });
  let end = 0;
  const at = Object.fromEntries(
    Object.entries(sizes).map(([name, size]) => [name, (end += size) - size]),
  ) as Parts["at"];
  return {
    kernel,
    operands: new Map(attentionOperands(kernel.does).map((n, i) => [n, kernel.operands[i]!])),
    temporary,
    sizes,
    at,
    slotOf: (n) => n === temporary ? slot : slotOf(n),
    target,
  };
}

/** What a shader touches. */
export interface Touched {
  readonly reads: readonly AttentionOperand[];
  readonly temporary?: "read" | "write";
  /** The result is also read where a pass adds to its own rows. */
  readonly store?: boolean;
}

/** The bindings of a shader; vectors are read by fours where they can be. */
export function bindParts(p: Parts, { reads, temporary, store }: Touched): Bindings {
  const { K } = p.kernel.does;
  const given = reads.flatMap((name) => {
    const o = p.operands.get(name);
    const whole = o && vectors.has(name) && K % 4 === 0 && o.offset % 4 === 0 &&
      o.strides.slice(0, -1).every((s) => s % 4 === 0);
    return o ? [{ node: o.base, write: false, vector: whole === true }] : [];
  });
  return bind(
    [
      ...given,
      ...temporary && attentionTemporary(p.kernel.does)
        ? [{ node: p.temporary, write: temporary === "write", vector: false }]
        : [],
      ...store ? [{ node: p.kernel.store, write: true, vector: false }] : [],
    ],
    p.slotOf,
    p.target,
  );
}
const vectors: ReadonlySet<AttentionOperand> = new Set(["q", "k", "v", "dOut"]);

type Terms = readonly (readonly [coordinate: string, stride: number])[];

/** The element of an operand that is no vector, at coordinates. */
export function element(
  p: Parts,
  bound: Bindings,
  name: AttentionOperand,
  at: readonly string[],
): string {
  const o = p.operands.get(name)!;
  return load(bound, o, address(o.offset, at.map((c, axis) => [c, o.strides[axis]!])), 1);
}

/** Statement: where the vectors of an operand begin in example `b` and head `h`. */
export function headStart(p: Parts, bound: Bindings, name: AttentionOperand): string {
  const o = p.operands.get(name)!, unit = unitOf(bound, o.base);
  const terms: Terms = ["b", "h"].map((c, axis) => [c, o.strides[axis]! / unit]);
  return `let o_${name} = ${address(o.offset / unit, terms)};`;
}

/** Elements 4c..4c+3 of vector `t`, zero beyond K. */
export function four(
  p: Parts,
  bound: Bindings,
  name: AttentionOperand,
  t: string,
  c: number | string,
): string {
  const o = p.operands.get(name)!, { K } = p.kernel.does, along = o.strides[2]!;
  const start: Terms[number] = [`o_${name}`, 1];
  if (unitOf(bound, o.base) === 4) {
    return load(bound, o, address(0, [start, [t, along / 4], [offset(c), 1]]), 4);
  }
  const one = (e: number): string => {
    const at = typeof c === "number"
      ? address(4 * c + e, [start, [t, along]])
      : address(e, [start, [t, along], [c, 4]]);
    if (typeof c === "number") return 4 * c + e < K ? load(bound, o, at, 1) : "0f";
    return K % 4 === 0
      ? load(bound, o, at, 1)
      : `select(0f, ${load(bound, o, at, 1)}, 4u * ${c} + ${e}u < ${K}u)`;
  };
  return `vec4f(${[0, 1, 2, 3].map(one).join(", ")})`;
}
const offset = (c: number | string): string => typeof c === "number" ? `${c}u` : c;

/** A number in temporary memory, as f32. */
export function packed(p: Parts, bound: Bindings, part: Packed, terms: Terms): string {
  const { temporary, at } = p, o: Operand = { base: temporary, offset: 0, strides: [1] };
  const word = load(bound, o, address(at[part], terms), 1);
  return part === "rows" || part === "keys" ? word : `bitcast<f32>(${word})`;
}

/** Statements that store the first K numbers of `values`, fours by name, as row `t` of the head in a part of the result. */
export function storeVector(
  p: Parts,
  bound: Bindings,
  from: number,
  t: string,
  values: readonly string[],
): string {
  const { kernel: { store: node, does: { T, K } } } = p;
  return Array.from({ length: K }, (_, e) => {
    const at = address(from + e, [[`(head * ${T}u + ${t})`, K]]);
    return store(bound, node, at, `${values[e >> 2]}[${e & 3}]`, 1);
  }).join(" ");
}

/** Statement: adds to a number of the result or of temporary memory. */
export function addTo(
  p: Parts,
  bound: Bindings,
  to: "store" | "temporary",
  at: string,
  value: string,
): string {
  const node = to === "store" ? p.kernel.store : p.temporary;
  const old = load(bound, { base: node, offset: 0, strides: [1] }, "w", 1);
  const sum = to === "store"
    ? `${old} + ${value}`
    : `bitcast<u32>(bitcast<f32>(${old}) + ${value})`;
  return `{ let w = ${at}; ${store(bound, node, "w", sum, 1)} }`;
}

/** An expression of numbers as a function. */
function functionOf(name: string, root: Expr, params: readonly string[]): string {
  const typed = params.map((x) => `${x}: ${name === "kept_unit" ? "u32" : "f32"}`).join(", ");
  const { lines, names } = expressions([root], 1, (i) => params[i]!);
  return `fn ${name}(${typed}) -> ${root.dtype} { ${lines.join(" ")} return ${names[0]}; }`;
}

/** Below every score; not infinite, which WGSL need not have. */
export const LOWEST = "-3e38f";

/**
 * Functions of a head: `row_of` an offset, `score_of` a product, and `drop_of`, what dropout multiplies a weight with; then
 * `exp_of`, `log_of`, and `dot_on`, a product of fours added to a sum.
 */
export function functions(p: Parts, bound: Bindings): string {
  const { does } = p.kernel, { H, T, R, scale } = does;
  const at = (name: AttentionOperand, ...c: string[]): string => element(p, bound, name, c);
  const head = `let b = head / ${H}u; let h = head % ${H}u;`;
  const row = R > 0 ? packed(p, bound, "rows", [[`(j + ${T - 1}u - i)`, 1]]) : "";
  const [first, last] = [Math.max(0, R - 2), R - 1];
  const found = does.ownCls
    ? `select(select(min(r, ${last}u), ${last}u, j == 0u), ${first}u, i == 0u)`
    : `min(r, ${last}u)`;
  const terms = [
    does.keyTerm ? `s += ${at("keyTerm", "b", "h", "i", "r")};` : "",
    does.queryTerm ? `s += ${at("queryTerm", "b", "h", "j", "r")};` : "",
    scale === 1 ? "" : `s *= ${literal(scale, "f32", 1)};`,
    does.bias ? `s += ${packed(p, bound, "bias", [["head", R], ["r", 1]])};` : "",
    does.keep
      ? `s += (${packed(p, bound, "keep", [["b", T], ["j", 1]])} - 1f) * ${
        literal(HIDDEN, "f32", 1)
      };`
      : "",
  ];
  const [k0, k1, place] = [0, 1, 2].map((n) => X.operand(n, "u32")) as [Expr, Expr, Expr];
  const [word] = threefry(k0, k1, place, X.constant(USES.bits, "u32"));
  const kept = X.select(X.gt(1 - does.dropout, unit(word)), 1 / (1 - does.dropout), 0);
  const key = (n: number): string => packed(p, bound, "keys", [["b", 2], [`${n}u`, 1]]);
  const x = X.operand(0, "f32");
  return [
    R > 0 ? `fn row_of(i: u32, j: u32) -> u32 { let r = ${row}; return ${found}; }` : "",
    `fn score_of(product: f32, head: u32, i: u32, j: u32, r: u32) -> f32 {
  ${head} var s = product; ${terms.join(" ")} return s;
}`,
    does.dropout > 0
      ? `${functionOf("kept_unit", kept, ["k0", "k1", "place"])}
fn drop_of(head: u32, i: u32, j: u32) -> f32 {
  ${head} return kept_unit(${key(0)}, ${key(1)}, (h * ${T}u + i) * ${T}u + j);
}`
      : "",
    functionOf("exp_of", X.exp(x), ["x"]),
    functionOf("log_of", X.log(x), ["x"]),
    "fn dot_on(a: vec4f, b: vec4f, s: f32) -> f32 { return fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, s)))); }",
  ].filter(Boolean).join("\n");
}
