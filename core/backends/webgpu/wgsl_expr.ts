/**
 * Expressions as WGSL, on one lane or four. Every buffer is words of u32 and values are made from them by bits, so that
 * moves, bit tests and selects are exact for every bit pattern.
 *
 * What WGSL does not promise, and so this target does not: arithmetic may flush denormals, min and max may give either
 * zero for -0 and 0, division is good to 2.5 units in the last place, and so is the remainder of floats below a
 * quotient of 2^12. NaN is found by its bits: min, max and casts treat it as the algebra says.
 *
 * @module
 */
import { bounded, lower, LOWERABLE } from "../../expr/lower.ts";
import { type Expr, type ExprOp, type ScalarType, topological } from "../../expr/expr.ts";
import { identityOf } from "../../graph/identity_of.ts";
import type { Combine } from "../../graph/node.ts";

/** How many elements an invocation works on at once. */
export type Lanes = 1 | 4;

const vectorTypes: { readonly [T in ScalarType]: string } = {
  f32: "vec4f",
  i32: "vec4i",
  u32: "vec4u",
  bool: "vec4<bool>",
};

/** The WGSL type of values. */
export function typeName(dtype: ScalarType, lanes: Lanes): string {
  return lanes === 4 ? vectorTypes[dtype] : dtype;
}

/** A value from its word. */
export function fromWord(word: string, dtype: ScalarType, lanes: Lanes): string {
  if (dtype === "u32") return word;
  if (dtype === "bool") return `(${word} != ${typeName("u32", lanes)}())`;
  return `bitcast<${typeName(dtype, lanes)}>(${word})`;
}

/** The word of a value. */
export function toWord(value: string, dtype: ScalarType, lanes: Lanes): string {
  const u32 = typeName("u32", lanes);
  if (dtype === "u32") return value;
  if (dtype === "bool") return `select(${u32}(0u), ${u32}(1u), ${value})`;
  return `bitcast<${u32}>(${value})`;
}

const float = new Float32Array(1), bits = new Uint32Array(float.buffer);

/** A constant. Infinities, NaN, -0 and denormals go by bits: constant expressions may not hold or may flush them. */
export function literal(value: number, dtype: ScalarType, lanes: Lanes): string {
  const type = typeName(dtype, lanes);
  if (dtype === "bool") return `${type}(${value !== 0})`;
  if (dtype !== "f32") return `${type}(${value})`;
  const plain = Number.isFinite(value) && (Math.abs(value) >= 2 ** -126 || Object.is(value, 0));
  if (plain) return `${type}(${value.toExponential(9)}f)`;
  float[0] = value;
  const word = `from_bits(0x${bits[0]!.toString(16)}u)`;
  return lanes === 1 ? word : `${type}(${word})`;
}

/** Functions that the text may call; a function hides its value from constant evaluation. */
const library: { readonly [name: string]: string } = {
  from_bits: "fn from_bits(b: u32) -> f32 { return bitcast<f32>(b); }",
  // Halves of words, see packed.ts.
  unpack1: "fn unpack1(w: u32, at: u32) -> u32 { return (w >> ((at & 1u) * 16u)) << 16u; }",
  unpack4:
    "fn unpack4(w: vec2u) -> vec4u { return vec4u(w.x << 16u, w.x & 0xffff0000u, w.y << 16u, w.y & 0xffff0000u); }",
  join4:
    "fn join4(v: vec4u) -> vec2u { return vec2u((v.x >> 16u) | (v.y & 0xffff0000u), (v.z >> 16u) | (v.w & 0xffff0000u)); }",
  ...perLanes(
    "nan",
    (f, u, b) =>
      `(x: ${f}) -> ${b} { return (bitcast<${u}>(x) & ${u}(0x7fffffffu)) > ${u}(0x7f800000u); }`,
  ),
  ...perLanes(
    "least",
    (f, _, __, lanes) =>
      `(a: ${f}, b: ${f}) -> ${f} { return select(a, b, (b < a) | nan${lanes}(b)); }`,
  ),
  ...perLanes(
    "greatest",
    (f, _, __, lanes) =>
      `(a: ${f}, b: ${f}) -> ${f} { return select(a, b, (b > a) | nan${lanes}(b)); }`,
  ),
  // Products of halves of 12 bits are exact. The quotient may be rounded past a whole number: two steps put the rest
  // back between 0 and b.
  ...perLanes("remainder", (f, u) =>
    `(a: ${f}, b: ${f}) -> ${f} {
  let x = abs(a); let y = abs(b);
  let q = trunc(x / y); let high = bitcast<${f}>(bitcast<${u}>(y) & ${u}(0xfffff000u));
  var r = (x - q * high) - q * (y - high);
  r = select(r, r + y, r < ${f}());
  r = select(r, r - y, r >= y);
  let endless = (bitcast<${u}>(y) == ${u}(0x7f800000u)) & (bitcast<${u}>(x) < ${u}(0x7f800000u));
  let sign = bitcast<${u}>(a) & ${u}(0x80000000u);
  return bitcast<${f}>(bitcast<${u}>(select(r, x, endless | (x < y))) | sign);
}`),
};

function perLanes(
  name: string,
  text: (f: string, u: string, b: string, lanes: Lanes) => string,
): { readonly [name: string]: string } {
  const one = (lanes: Lanes): [string, string] => {
    const [f, u, b] = (["f32", "u32", "bool"] as const).map((t) => typeName(t, lanes));
    return [`${name}${lanes}`, `fn ${name}${lanes}${text(f!, u!, b!, lanes)}`];
  };
  return Object.fromEntries([one(1), one(4)]);
}

/** The text with the functions that it calls before it, and the directive that f16 needs. */
export function withLibrary(body: string): string {
  let code = body;
  for (const [name, text] of Object.entries(library).reverse()) {
    if (code.includes(`${name}(`)) code = `${text}\n${code}`;
  }
  return /\bf16\b/.test(code) ? `enable f16;\n${code}` : code;
}

type Rule = (
  e: Expr,
  lanes: Lanes,
  a: string,
  b: string,
  c: string,
) => string;
const infix = (sign: string): Rule => (_, __, a, b) => `${a} ${sign} ${b}`;
const whole = (e: Expr): boolean => e.dtype !== "f32";
const call = (name: string): Rule => (e, _, a) => whole(e) ? a : `${name}(${a})`;
const zero = (e: Expr, lanes: Lanes): string => `${typeName(e.dtype, lanes)}()`;
/** Division by zero gives 0; the divisor is made 1 first, so that nothing depends on what the hardware does. */
function quotient(e: Expr, lanes: Lanes, a: string, b: string): string {
  const type = typeName(e.dtype, lanes), isZero = `${b} == ${type}()`;
  return `select(${a} / select(${b}, ${type}(1), ${isZero}), ${type}(), ${isZero})`;
}
/** Not `%`: GLSL, to which an OpenGL adapter translates, leaves it open for negative numbers. */
function rest(e: Expr, lanes: Lanes, a: string, b: string): string {
  const type = typeName(e.dtype, lanes), isZero = `${b} == ${type}()`;
  return `select(${a} - ${b} * (${quotient(e, lanes, a, b)}), ${type}(), ${isZero})`;
}
const shift = (sign: string): Rule => (e, lanes, a, b) => {
  const u32 = typeName("u32", lanes);
  return `${a} ${sign} (${e.dtype === "u32" ? b : `bitcast<${u32}>(${b})`} & ${u32}(31u))`;
};
const extreme = (builtin: string, exact: string): Rule => (e, lanes, a, b) =>
  whole(e) ? `${builtin}(${a}, ${b})` : `${exact}${lanes}(${a}, ${b})`;

/** Saturating conversions, NaN to 0. */
function castText(from: ScalarType, to: ScalarType, lanes: Lanes, x: string): string {
  const type = typeName(to, lanes), F = typeName("f32", lanes), U = typeName("u32", lanes);
  if (from === "bool") return `select(${type}(), ${type}(1), ${x})`;
  if (to === "bool") {
    // By bits: -0 is false, a denormal is true.
    if (from === "f32") return `(bitcast<${U}>(${x}) & ${U}(0x7fffffffu)) != ${U}()`;
    return `${x} != ${typeName(from, lanes)}()`;
  }
  if (to === "f32") return `${type}(${x})`;
  if (from !== "f32") {
    return to === "u32"
      ? `bitcast<${type}>(max(${x}, ${typeName("i32", lanes)}()))`
      : `bitcast<${type}>(min(${x}, ${U}(0x7fffffffu)))`;
  }
  const [low, high, lowest, highest] = to === "i32"
    ? ["-2147483648f", "2147483648f", "-2147483648", "2147483647"]
    : ["0f", "4294967296f", "0", "4294967295"];
  const inside =
    `${type}(select(${x}, ${F}(), (${x} < ${F}(${low})) | (${x} >= ${F}(${high})) | nan${lanes}(${x})))`;
  const saturated = `select(${inside}, ${type}(${highest}), ${x} >= ${F}(${high}))`;
  return `select(${saturated}, ${type}(${lowest}), ${x} < ${F}(${low}))`;
}

/** Replaced by `lower` before. */
type Lowered = "exp" | "expDown" | "log" | "tanh" | "erf" | "sin" | "cos" | "roundBf16";

/** All but the rounding that f16 of the device does as well. */
const allButF16 = LOWERABLE.filter((op) => op !== "roundF16");

const rules: { readonly [Op in Exclude<ExprOp, "in" | Lowered>]: Rule } = {
  roundF16: (_, lanes, a) => lanes === 4 ? `vec4f(vec4<f16>(${a}))` : `f32(f16(${a}))`,
  const: (e, lanes) => literal(e.value, e.dtype, lanes),
  add: infix("+"),
  sub: infix("-"),
  mul: infix("*"),
  div: (e, lanes, a, b) => whole(e) ? quotient(e, lanes, a, b) : `${a} / ${b}`,
  rem: (e, lanes, a, b) => whole(e) ? rest(e, lanes, a, b) : `remainder${lanes}(${a}, ${b})`,
  min: extreme("min", "least"),
  max: extreme("max", "greatest"),
  neg: (e, lanes, a) => e.dtype === "u32" ? `${zero(e, lanes)} - ${a}` : `-${a}`,
  abs: (e, _, a) => e.dtype === "u32" ? a : `abs(${a})`,
  sqrt: call("sqrt"),
  floor: call("floor"),
  ceil: call("ceil"),
  round: call("round"),
  gt: infix(">"),
  ge: infix(">="),
  eq: infix("=="),
  not: (e, _, a) => e.dtype === "bool" ? `!${a}` : `~${a}`,
  and: infix("&"),
  or: infix("|"),
  xor: (e, _, a, b) => e.dtype === "bool" ? `${a} != ${b}` : `${a} ^ ${b}`,
  shl: shift("<<"),
  shr: shift(">>"),
  select: (_, __, a, b, c) => `select(${c}, ${b}, ${a})`,
  cast: (e, lanes, a) =>
    bounded.has(e)
      ? `${typeName(e.dtype, lanes)}(${a})`
      : castText(e.args[0]!.dtype, e.dtype, lanes, a),
  bitcast: (e, lanes, a) => `bitcast<${typeName(e.dtype, lanes)}>(${a})`,
};

/** WGSL statements that define every value, and the names of the roots. Operands have names already. `roundsF16`: the device's f16 does. */
export function expressions(
  roots: readonly Expr[],
  lanes: Lanes,
  operand: (index: number) => string,
  roundsF16 = false,
): { readonly lines: readonly string[]; readonly names: readonly string[] } {
  const names = new Map<Expr, string>(), lines: string[] = [];
  const lowered = lower(roots, roundsF16 ? allButF16 : LOWERABLE);
  for (const e of topological(lowered)) {
    if (e.op === "in") {
      names.set(e, operand(e.value));
      continue;
    }
    const rule = rules[e.op as keyof typeof rules];
    if (!rule) throw new TypeError(`Cannot render ${e.op}: it must have been lowered`);
    const [a = "", b = "", c = ""] = e.args.map((x) => names.get(x)!);
    const text = rule(e, lanes, a, b, c);
    if (e.op === "const") names.set(e, text);
    else {
      const name = `t${lines.length}`;
      lines.push(`let ${name} = ${text};`);
      names.set(e, name);
    }
  }
  return { lines, names: lowered.map((e) => names.get(e)!) };
}

/** Two partial results into one. */
export function combineText(
  combine: Combine,
  a: string,
  b: string,
  dtype: ScalarType,
  lanes: Lanes,
): string {
  if (combine === "sum") return `${a} + ${b}`;
  if (combine === "peak") return `max(${a}, ${b})`;
  const exact = combine === "max" ? `greatest${lanes}` : `least${lanes}`;
  return `${dtype === "f32" ? exact : combine}(${a}, ${b})`;
}

/** What a reduction begins with. */
export function identityText(combine: Combine, dtype: ScalarType, lanes: Lanes): string {
  return literal(identityOf(combine, dtype), dtype, lanes);
}

/** Four lanes of a partial result into one. */
export function acrossLanes(combine: Combine, a: string, dtype: ScalarType): string {
  const pair = (x: string, y: string): string => combineText(combine, x, y, dtype, 1);
  return combine === "sum"
    ? `(${a}.x + ${a}.y) + (${a}.z + ${a}.w)`
    : pair(pair(`${a}.x`, `${a}.y`), pair(`${a}.z`, `${a}.w`));
}
