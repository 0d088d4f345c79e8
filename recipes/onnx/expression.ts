/**
 * Elementwise expressions as ONNX operators: a row an operator of the algebra, so that a missing one does not compile.
 *
 * @module
 */
import * as X from "../../core/expr/expr.ts";
import type { Expr, ExprOp } from "../../core/expr/expr.ts";
import { geluRow } from "../../core/ops/activation.ts";
import type { Builder } from "./builder.ts";
import { isFixed, type Size } from "./lengths.ts";
import { type Element, ELEMENTS } from "./model.ts";

type Rule = (b: Builder, e: Expr, args: readonly string[]) => string;

const refuse: Rule = (_, e) => {
  throw new TypeError(
    `Cannot export ${e.op} of ${
      e.args.map((a) => a.dtype).join(" and ")
    }: ONNX has no such operator`,
  );
};
const call = (op: string): Rule => (b, _, args) => b.node(op, args);
/** An operator of f32 and i32; of bool it is another. */
const logical = (op: string): Rule => (b, e, args) =>
  e.dtype === "bool" ? b.node(op, args) : refuse(b, e, args);

const isInteger = (e: Expr): boolean => e.dtype !== "f32";

/** A division of integers gives 0 where the divisor is 0. */
const division = (op: string): Rule => (b, e, args) => {
  const attributes = op === "Mod" ? { fmod: 1 } : {}, [x, y] = args as [string, string];
  if (!isInteger(e)) return b.node(op, args, attributes);
  const zero = literal(b, "i32", 0), isZero = b.node("Equal", [y, zero]);
  const safe = b.node("Where", [isZero, literal(b, "i32", 1), y]);
  return b.node("Where", [isZero, zero, b.node(op, [x, safe], attributes)]);
};

/** Where the condition holds, the first. Runtimes have no choice of bool. */
export function choice(b: Builder, isBool: boolean, args: readonly string[]): string {
  const [condition, yes, no] = args as [string, string, string];
  if (!isBool) return b.node("Where", args);
  const other = b.node("And", [b.node("Not", [condition]), no]);
  return b.node("Or", [b.node("And", [condition, yes]), other]);
}

const through = (element: Element): Rule => (b, _, [x]) =>
  b.node("Cast", [b.node("Cast", [x!], { to: ELEMENTS[element] })], { to: ELEMENTS.f32 });

const rules: { readonly [Op in Exclude<ExprOp, "in" | "const">]: Rule } = {
  add: call("Add"),
  sub: call("Sub"),
  mul: call("Mul"),
  div: division("Div"),
  rem: division("Mod"),
  min: call("Min"),
  max: call("Max"),
  neg: call("Neg"),
  abs: call("Abs"),
  sqrt: call("Sqrt"),
  floor: call("Floor"),
  ceil: call("Ceil"),
  round: call("Round"),
  gt: call("Greater"),
  ge: call("GreaterOrEqual"),
  eq: call("Equal"),
  not: logical("Not"),
  and: logical("And"),
  or: logical("Or"),
  xor: logical("Xor"),
  shl: refuse,
  shr: refuse,
  select: (b, e, args) => choice(b, e.dtype === "bool", args),
  cast: (b, e, args) => b.node("Cast", args, { to: ELEMENTS[elementOf(e)] }),
  bitcast: refuse,
  exp: call("Exp"),
  expDown: call("Exp"),
  log: call("Log"),
  tanh: call("Tanh"),
  erf: call("Erf"),
  sin: call("Sin"),
  cos: call("Cos"),
  roundF16: through("f16"),
  roundBf16: through("bf16"),
};

function elementOf(e: Expr): "f32" | "i32" | "bool" {
  if (e.dtype !== "u32") return e.dtype;
  throw new TypeError(`Cannot export ${e.op} of u32: runtimes have no arithmetic on it`);
}

const arrays = { f32: Float32Array, i32: Int32Array, bool: Uint8Array } as const;

/** One number of no axes. */
export function literal(b: Builder, element: keyof typeof arrays, value: number): string {
  return b.tensor(element, [], arrays[element].of(value));
}

/** A number of no axes that may depend on the named ones. */
export function scalar(b: Builder, element: keyof typeof arrays, values: Size): string {
  if (isFixed(values)) return literal(b, element, values[0]!);
  const size = b.node("Squeeze", [b.sizes([values])]);
  return b.node("Cast", [size], { to: ELEMENTS[element] });
}

/** x · Φ(x) by erf, as runtimes look for it; ours is a rational function that is off by 2e-7. */
function gelu(b: Builder, x: string): string {
  const number = (n: number): string => literal(b, "f32", n);
  const wide = b.node("Add", [
    b.node("Erf", [b.node("Div", [x, number(Math.SQRT2)])]),
    number(1),
  ]);
  return b.node("Mul", [b.node("Mul", [x, wide]), number(0.5)]);
}

const geluOf = geluRow.expr(X.operand(0));

/** Bits taken apart and put together again: how a slope is stopped. */
function unchanged(e: Expr): Expr {
  const inner = e.args[0];
  if (e.op !== "bitcast" || inner?.op !== "bitcast") return e;
  return inner.args[0]!.dtype === e.dtype ? unchanged(inner.args[0]!) : e;
}

/**
 * An expression, given as it is in every trace, on these operands.
 *
 * @throws {TypeError} if it has an operator that ONNX lacks.
 */
export function expression(
  b: Builder,
  traced: readonly Expr[],
  operand: (number: number) => string,
): string {
  const done = new Map<Expr, string>();
  const emit = (given: readonly Expr[]): string => {
    const es = given.map(unchanged), e = es[0]!, found = done.get(e);
    if (found !== undefined && es.every((other) => other === e)) return found;
    if (es.some((other) => other.op !== e.op || other.dtype !== e.dtype)) {
      throw new TypeError(
        `Cannot export ${e.op}: at another size it is ${es.find((x) => x.op !== e.op)?.op}`,
      );
    }
    if (e.op === "in") return operand(e.value);
    if (e.op === "const") return scalar(b, elementOf(e), es.map((x) => x.value));
    if (e === geluOf) return gelu(b, operand(0));
    const args = e.args.map((_, k) => emit(es.map((x) => x.args[k]!)));
    const out = rules[e.op](b, e, args);
    done.set(e, out);
    return out;
  };
  return emit(traced);
}

/** The operands that an expression mentions. */
export function operandsIn(e: Expr): readonly number[] {
  return X.operandsOf([e]);
}
