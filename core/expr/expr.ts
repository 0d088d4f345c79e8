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

const interned = new Map<string, Expr>();

function make(op: ExprOp, dtype: ScalarType, args: readonly Expr[], value = 0): Expr {
  const number = Object.is(value, -0) ? "-0" : value;
  const key = `${op}:${dtype}:${number}:${args.map((a) => a.id).join()}`;
  const found = interned.get(key);
  if (found) return found;
  const made: Expr = { op, dtype, args, value, id: interned.size };
  interned.set(key, made);
  return made;
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

/** Puts expressions in the place of operands: this is what fusion is. */
export function substitute(e: Expr, operands: readonly Expr[]): Expr {
  return rewrite(
    e,
    (n, args) =>
      n.op === "in"
        ? operands[n.value]!
        : args.every((a, i) => a === n.args[i])
        ? n
        : rebuild(n, args),
  );
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
