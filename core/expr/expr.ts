/**
 * The scalar expression algebra: what one elementwise op computes for one element.
 *
 * An op is one expression. Every target renders that expression (JavaScript for the reference,
 * WGSL, WebAssembly SIMD), fusion is substitution in it, and derivatives are computed from it.
 * Expressions are interned: equal expressions are the same object, so shared work is found by identity.
 *
 * Only rewrites that hold for every bit pattern are made here (`x * 1`, not `x * 0` or `x + 0`):
 * a fused program must treat NaN, infinity and -0 as the reference does.
 *
 * @module
 */

/** Scalar types of the algebra. f16 and bf16 exist in memory only: they are f32 once loaded. */
export type ScalarType = "f32" | "i32" | "u32" | "bool";

/** The operators; each is a row in every renderer, so a missing rule is a compile error. */
export type ExprOp =
  | "in" // operand number `value`
  | "const" // the number `value`
  | "add"
  | "sub"
  | "mul"
  | "div" // on integers: truncating; by zero: 0
  | "rem" // on integers: sign of the dividend; by zero: 0
  | "min"
  | "max"
  | "neg"
  | "abs"
  | "sqrt"
  | "floor"
  | "ceil"
  | "round" // half to even
  | "gt"
  | "ge"
  | "eq"
  | "not" // of bool; of integers: every bit
  | "and"
  | "or"
  | "xor"
  | "shl" // by the low five bits of the right operand
  | "shr" // logical on u32, arithmetic on i32
  | "select" // (condition, yes, no)
  | "cast" // by value: f32 to integers truncates and saturates, NaN to 0; to bool: differs from 0
  | "bitcast" // by bits, between f32, i32 and u32
  | "exp"
  | "expDown" // exp of what is at most 1, or NaN; of more it may be anything
  | "log"
  | "tanh"
  | "erf"
  | "sin"
  | "cos"
  | "roundF16" // to the nearest f16, still an f32; its derivative passes through. Bits in quantize.ts
  | "roundBf16";

/** A node of the algebra. Build it with the functions below, never by hand. */
export interface Expr {
  readonly op: ExprOp;
  readonly dtype: ScalarType;
  readonly args: readonly Expr[];
  /** Operand number of `in`; value of `const` (bool as 0 or 1). */
  readonly value: number;
  readonly id: number;
}

/** Expressions by operator and type, then by value if they are leaves, else by the numbers of their arguments. */
const tables = new Map<ExprOp, Map<ScalarType, Map<number | "-0", Expr>>>();
/** Numbers of the pairs of arguments that a third one follows. */
const pairs = new Map<number, number>();
/** Two numbers of expressions as one, which a double holds exactly. */
const PAIR = 2 ** 26;
let made = 0, asked = 0;

/** How many expressions there are, and how often one was asked for: the cost of planning, free of the machine's moods. */
export function expressionCounts(): { readonly made: number; readonly asked: number } {
  return { made, asked };
}

function keyOf(args: readonly Expr[], value: number): number | "-0" {
  const [a, b, c] = args;
  if (!a) return Object.is(value, -0) ? "-0" : value;
  if (!b) return a.id;
  const pair = a.id * PAIR + b.id;
  if (!c) return pair;
  let number = pairs.get(pair);
  if (number === undefined) pairs.set(pair, number = pairs.size);
  return number * PAIR + c.id;
}

function make(op: ExprOp, dtype: ScalarType, args: readonly Expr[], value = 0): Expr {
  asked++;
  let types = tables.get(op);
  if (!types) tables.set(op, types = new Map());
  let table = types.get(dtype);
  if (!table) types.set(dtype, table = new Map());
  const key = keyOf(args, value), found = table.get(key);
  if (found) return found;
  const e: Expr = { op, dtype, args, value, id: made++ };
  table.set(key, e);
  return e;
}

/** What a builder takes: an expression, or a number of the other operand's type. */
export type Arg = Expr | number;

/** Operand number `i`. */
export function operand(i: number, dtype: ScalarType = "f32"): Expr {
  return make("in", dtype, [], i);
}

/** A constant, rounded to its type. */
export function constant(value: number, dtype: ScalarType = "f32"): Expr {
  const rounded = dtype === "f32"
    ? Math.fround(value)
    : dtype === "i32"
    ? value | 0
    : dtype === "u32"
    ? value >>> 0
    : value
    ? 1
    : 0;
  return make("const", dtype, [], rounded);
}

/** Is `e` the constant `value`? -0 is not 0. */
export function isConstant(e: Expr, value: number): boolean {
  return e.op === "const" && Object.is(e.value, value);
}

function lift(x: Arg, like: Arg): Expr {
  if (typeof x !== "number") return x;
  return constant(x, typeof like === "number" ? "f32" : like.dtype);
}

function binary(op: ExprOp, a: Arg, b: Arg, dtype?: ScalarType): Expr {
  const x = lift(a, b), y = lift(b, a);
  if (x.dtype !== y.dtype) {
    throw new TypeError(`Cannot ${op} ${x.dtype} with ${y.dtype}: scalar types must be equal`);
  }
  return make(op, dtype ?? x.dtype, [x, y]);
}

export const add = (a: Arg, b: Arg): Expr => binary("add", a, b);
export const sub = (a: Arg, b: Arg): Expr =>
  isConstant(lift(b, a), 0) ? lift(a, b) : binary("sub", a, b);
export const mul = (a: Arg, b: Arg): Expr =>
  isConstant(lift(b, a), 1)
    ? lift(a, b)
    : isConstant(lift(a, b), 1)
    ? lift(b, a)
    : binary("mul", a, b);
export const div = (a: Arg, b: Arg): Expr =>
  isConstant(lift(b, a), 1) ? lift(a, b) : binary("div", a, b);
export const rem = (a: Arg, b: Arg): Expr => binary("rem", a, b);
export const min = (a: Arg, b: Arg): Expr => binary("min", a, b);
export const max = (a: Arg, b: Arg): Expr => binary("max", a, b);
export const gt = (a: Arg, b: Arg): Expr => binary("gt", a, b, "bool");
export const ge = (a: Arg, b: Arg): Expr => binary("ge", a, b, "bool");
export const eq = (a: Arg, b: Arg): Expr => binary("eq", a, b, "bool");
export const and = (a: Arg, b: Arg): Expr => binary("and", a, b);
export const or = (a: Arg, b: Arg): Expr => binary("or", a, b);
export const xor = (a: Arg, b: Arg): Expr => binary("xor", a, b);
export const shl = (a: Expr, bits: Arg): Expr => binary("shl", a, bits);
export const shr = (a: Expr, bits: Arg): Expr => binary("shr", a, bits);

const unary = (op: ExprOp) => (a: Arg): Expr => {
  const x = lift(a, 0);
  return make(op, x.dtype, [x]);
};
export const neg: (a: Arg) => Expr = unary("neg");
export const abs: (a: Arg) => Expr = unary("abs");
export const sqrt: (a: Arg) => Expr = unary("sqrt");
export const floor: (a: Arg) => Expr = unary("floor");
export const ceil: (a: Arg) => Expr = unary("ceil");
export const round: (a: Arg) => Expr = unary("round");
export const not: (a: Arg) => Expr = unary("not");
export const exp: (a: Arg) => Expr = unary("exp");
/** exp where the caller knows that the argument is at most 1 (or NaN), which is cheaper; of more it may be anything. */
export const expDown: (a: Arg) => Expr = unary("expDown");
export const log: (a: Arg) => Expr = unary("log");
export const tanh: (a: Arg) => Expr = unary("tanh");
export const erf: (a: Arg) => Expr = unary("erf");
export const sin: (a: Arg) => Expr = unary("sin");
export const cos: (a: Arg) => Expr = unary("cos");
export const roundF16: (a: Arg) => Expr = unary("roundF16");
export const roundBf16: (a: Arg) => Expr = unary("roundBf16");

/** `yes` where `condition` holds, else `no`; the other branch's value never matters, NaN included. */
export function select(condition: Expr, yes: Arg, no: Arg): Expr {
  const y = lift(yes, no), n = lift(no, yes);
  if (y.dtype !== n.dtype) {
    throw new TypeError(`Cannot select ${y.dtype} or ${n.dtype}: scalar types must be equal`);
  }
  return y === n ? y : make("select", y.dtype, [condition, y, n]);
}

/** Conversion by value. */
export function cast(a: Expr, dtype: ScalarType): Expr {
  return a.dtype === dtype
    ? a
    : a.op === "const"
    ? constant(castValue(a.value, dtype), dtype)
    : make("cast", dtype, [a]);
}

/** Conversion by bits. */
export function bitcast(a: Expr, dtype: ScalarType): Expr {
  return a.dtype === dtype ? a : make("bitcast", dtype, [a]);
}

/** What `cast` gives for one number. */
export function castValue(v: number, dtype: ScalarType): number {
  if (dtype === "f32") return Math.fround(v);
  if (dtype === "bool") return v === 0 ? 0 : 1;
  const [lo, hi] = dtype === "i32" ? [-2147483648, 2147483647] : [0, 4294967295];
  return Number.isNaN(v) ? 0 : Math.min(hi, Math.max(lo, Math.trunc(v)));
}

/** The same operator on other arguments. */
export function rebuild(e: Expr, args: readonly Expr[]): Expr {
  const [a, b, c] = args as [Expr, Expr, Expr];
  switch (e.op) {
    case "sub":
      return sub(a, b);
    case "mul":
      return mul(a, b);
    case "div":
      return div(a, b);
    case "select":
      return select(a, b, c);
    case "cast":
      return cast(a, e.dtype);
    case "bitcast":
      return bitcast(a, e.dtype);
    default:
      return make(e.op, e.dtype, args, e.value);
  }
}

/** Rewrites bottom-up, each shared node once. */
export function rewrite(
  e: Expr,
  rule: (node: Expr, args: readonly Expr[]) => Expr,
  seen: Map<Expr, Expr> = new Map(),
): Expr {
  const done = seen.get(e);
  if (done) return done;
  const out = rule(e, e.args.map((a) => rewrite(a, rule, seen)));
  seen.set(e, out);
  return out;
}

/** The last substitutions in an expression: the layers of a model ask for the same ones. */
const substitutions = new WeakMap<
  Expr,
  { readonly operands: readonly Expr[]; readonly out: Expr }[]
>();
const KEPT_SUBSTITUTIONS = 8;
/** With more operands, two are hardly ever alike. */
const FEW_OPERANDS = 16;

/** Puts expressions in the place of operands: this is what fusion is. */
export function substitute(e: Expr, operands: readonly Expr[]): Expr {
  if (e.op === "in") return operands[e.value]!;
  if (operands.length > FEW_OPERANDS) return renewed(e, (n) => operands[n.value]!, new Map());
  let kept = substitutions.get(e);
  if (!kept) substitutions.set(e, kept = []);
  const known = kept.find((k) =>
    k.operands.length === operands.length && operands.every((o, i) => o === k.operands[i])
  );
  if (known) return known.out;
  const out = renewed(e, (n) => operands[n.value]!, new Map());
  if (kept.length === KEPT_SUBSTITUTIONS) kept.shift();
  kept.push({ operands, out });
  return out;
}

/** The same expression of other operands. */
export function renumber(e: Expr, numberOf: (operand: number) => number): Expr {
  return renewed(e, (n) => operand(numberOf(n.value), n.dtype), new Map());
}

function renewed(e: Expr, leaf: (operand: Expr) => Expr, seen: Map<Expr, Expr>): Expr {
  if (e.op === "in") return leaf(e);
  if (!e.args.length) return e;
  const done = seen.get(e);
  if (done) return done;
  const args = e.args.map((a) => renewed(a, leaf, seen));
  const out = args.every((a, i) => a === e.args[i]) ? e : rebuild(e, args);
  seen.set(e, out);
  return out;
}

/** Every node of the expressions, arguments first. */
export function topological(roots: readonly Expr[]): Expr[] {
  const seen = new Set<Expr>();
  const visit = (e: Expr): void => {
    if (seen.has(e)) return;
    e.args.forEach(visit);
    seen.add(e);
  };
  roots.forEach(visit);
  return [...seen];
}

/** The operand numbers that the expressions mention, ascending. */
export function operandsOf(roots: readonly Expr[]): number[] {
  const found = new Set(topological(roots).filter((e) => e.op === "in").map((e) => e.value));
  return [...found].sort((p, q) => p - q);
}
