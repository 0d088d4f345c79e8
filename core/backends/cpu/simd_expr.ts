/**
 * Expressions as vector code, four lanes at a time. Shared values get a local, constants stand in locals outside the loops,
 * multiply-adds are fused where the engine can. A bool is a mask in a register: all bits of its lane, or none.
 *
 * @module
 */
import { type Expr, type ExprOp, type ScalarType, topological } from "../../expr/expr.ts";
import { identityOf } from "../../graph/identity_of.ts";
import type { Combine } from "../../graph/node.ts";
import { bounded, bySum, lower, LOWERABLE, type Lowerable } from "../../expr/lower.ts";
import { type Code, f32x4, f64x2, get, i32, i32x4, set, v128 } from "./encoder.ts";
import { hasRelaxedSimd } from "./features.ts";
import type { Locals } from "./pointers.ts";

type Rule = (e: Expr, args: readonly [Code, Code, Code], locals: Locals) => Code;
type Binary = (a: Code, b: Code) => Code;

/** A rule for two operands whose instruction depends on their type. */
function byType(table: { readonly [T in ScalarType]: Binary }): Rule {
  return (e, [a, b]) => table[e.args[0]!.dtype](a, b);
}
function unaryByType(table: { readonly [T in ScalarType]: (a: Code) => Code }): Rule {
  return (e, [a]) => table[e.args[0]!.dtype](a);
}
const same = (a: Code): Code => a;

/** Code in a local, for rules that need a value twice. */
function keep(value: Code, locals: Locals): readonly [Code, Code] {
  const l = locals.v128();
  return [set(l, value), get(l)];
}

const bitsOf = (v: number): number => new Int32Array(new Float32Array([v]).buffer)[0]!;
/** The bits of a constant in a register. */
export function constantBits(value: number, dtype: ScalarType): number {
  return dtype === "f32" ? bitsOf(value) : dtype === "bool" ? (value ? -1 : 0) : value | 0;
}

/** The low and the high half of integers, as doubles: their quotients truncate to the exact integer quotients. */
function quotient(a: Code, b: Code, l: Locals): Code {
  const half = (high: boolean): Code => {
    const part = (v: Code): Code => f64x2.fromLowU32(high ? v128.shuffle(v, v, [2, 3, 2, 3]) : v);
    return f64x2.toU32(f64x2.div(part(a), part(b)));
  };
  const q = v128.shuffle(half(false), half(true), [0, 1, 4, 5]);
  return v128.andNot(q, i32x4.eq(b, l.constant(0)));
}

/** Truncating; by zero 0; the smallest integer by -1 wraps, as its size and its quotient have the same bits. */
function integerDivision(e: Expr, a: Code, b: Code, l: Locals): Code {
  if (e.dtype !== "i32") return quotient(a, b, l);
  const [setX, x] = keep(i32x4.abs(a), l), [setY, y] = keep(i32x4.abs(b), l);
  const [setSign, sign] = keep(i32x4.shrS(v128.xor(a, b), i32.of(31)), l);
  return [setX, setY, setSign, i32x4.sub(v128.xor(quotient(x, y, l), sign), sign)];
}

const division: Rule = (e, [p, q], l) => {
  if (e.dtype === "f32") return f32x4.div(p, q);
  const [setA, a] = keep(p, l), [setB, b] = keep(q, l);
  return [setA, setB, integerDivision(e, a, b, l)];
};

const remainder: Rule = (e, [p, q], l) => {
  const [setA, a] = keep(p, l), [setB, b] = keep(q, l);
  if (e.dtype === "f32") return [setA, setB, floatRemainder(a, b, l)];
  const rest = i32x4.sub(a, i32x4.mul(b, integerDivision(e, a, b, l)));
  return [setA, setB, v128.andNot(rest, i32x4.eq(b, l.constant(0)))];
};

/** a - b * trunc(a / b) in doubles, exact for |a / b| < 2^28, with the sign of a. Of a finite number by infinity: that number. */
function floatRemainder(a: Code, b: Code, l: Locals): Code {
  const half = (high: boolean): Code => {
    const part = (v: Code): Code => f64x2.fromLowF32(high ? v128.shuffle(v, v, [2, 3, 2, 3]) : v);
    const [setX, x] = keep(part(a), l), [setY, y] = keep(part(b), l);
    const rest = f64x2.sub(x, f64x2.mul(y, f64x2.trunc(f64x2.div(x, y))));
    return [setX, setY, f64x2.toF32(rest)];
  };
  const rest = v128.shuffle(half(false), half(true), [0, 1, 4, 5]);
  const infinite = l.constant(bitsOf(Infinity));
  const whole = v128.and(f32x4.eq(f32x4.abs(b), infinite), f32x4.ne(f32x4.abs(a), infinite));
  const sign = l.constant(bitsOf(-0));
  return v128.or(v128.andNot(select(whole, a, rest), sign), v128.and(a, sign));
}

const select = (mask: Code, yes: Code, no: Code): Code =>
  (hasRelaxedSimd ? i32x4.relaxedSelect : v128.bitselect)(yes, no, mask);

/** Shift counts are scalars in WebAssembly: the same for all lanes if constant, else lane by lane. */
function shift(whole: Binary, scalar: (e: Expr) => number): Rule {
  return (e, [a, b], l) => {
    const by = e.args[1]!;
    if (by.op === "const") return whole(a, i32.of(by.value));
    const [setA, x] = keep(a, l), [setB, y] = keep(b, l);
    const shifted = [0, 1, 2, 3].reduce<Code>(
      (v, lane) => i32x4.withLane(v, lane, [i32x4.lane(x, lane), i32x4.lane(y, lane), scalar(e)]),
      x,
    );
    return [setA, setB, shifted];
  };
}

const casts: { readonly [From in ScalarType]: { readonly [To in ScalarType]: Rule } } = {
  f32: {
    f32: (_, [a]) => a,
    i32: (e, [a]) => (bounded.has(e) && hasRelaxedSimd ? f32x4.relaxedToI32 : f32x4.toI32)(a),
    u32: (_, [a]) => f32x4.toU32(a),
    bool: (_, [a], l) => f32x4.ne(a, l.constant(0)),
  },
  i32: {
    f32: (_, [a]) => f32x4.fromI32(a),
    i32: (_, [a]) => a,
    u32: (_, [a], l) => i32x4.maxS(a, l.constant(0)),
    bool: (_, [a], l) => i32x4.ne(a, l.constant(0)),
  },
  u32: {
    f32: (_, [a]) => f32x4.fromU32(a),
    i32: (_, [a], l) => i32x4.minU(a, l.constant(0x7fffffff)),
    u32: (_, [a]) => a,
    bool: (_, [a], l) => i32x4.ne(a, l.constant(0)),
  },
  bool: {
    f32: (_, [a], l) => v128.and(a, l.constant(bitsOf(1))),
    i32: (_, [a], l) => v128.and(a, l.constant(1)),
    u32: (_, [a], l) => v128.and(a, l.constant(1)),
    bool: (_, [a]) => a,
  },
};

const orNot = (a: Code, b: Code): Code => v128.or(a, v128.not(b));
const rounding = (f: (a: Code) => Code): Rule =>
  unaryByType({ f32: f, i32: same, u32: same, bool: same });

type Simple = Exclude<ExprOp, "in" | "const" | Lowerable>;
const rules: { readonly [Op in Simple]: Rule } = {
  add: byType({ f32: f32x4.add, i32: i32x4.add, u32: i32x4.add, bool: v128.or }),
  sub: byType({ f32: f32x4.sub, i32: i32x4.sub, u32: i32x4.sub, bool: v128.xor }),
  mul: byType({ f32: f32x4.mul, i32: i32x4.mul, u32: i32x4.mul, bool: v128.and }),
  div: division,
  rem: remainder,
  min: byType({ f32: f32x4.min, i32: i32x4.minS, u32: i32x4.minU, bool: v128.and }),
  max: byType({ f32: f32x4.max, i32: i32x4.maxS, u32: i32x4.maxU, bool: v128.or }),
  neg: unaryByType({ f32: f32x4.neg, i32: i32x4.neg, u32: i32x4.neg, bool: same }),
  abs: unaryByType({ f32: f32x4.abs, i32: i32x4.abs, u32: same, bool: same }),
  sqrt: (_, [a]) => f32x4.sqrt(a),
  floor: rounding(f32x4.floor),
  ceil: rounding(f32x4.ceil),
  round: rounding(f32x4.nearest),
  gt: byType({ f32: f32x4.gt, i32: i32x4.gtS, u32: i32x4.gtU, bool: v128.andNot }),
  ge: byType({ f32: f32x4.ge, i32: i32x4.geS, u32: i32x4.geU, bool: orNot }),
  eq: byType({ f32: f32x4.eq, i32: i32x4.eq, u32: i32x4.eq, bool: i32x4.eq }),
  not: (_, [a]) => v128.not(a),
  and: (_, [a, b]) => v128.and(a, b),
  or: (_, [a, b]) => v128.or(a, b),
  xor: (_, [a, b]) => v128.xor(a, b),
  shl: shift(i32x4.shl, () => 0x74),
  shr: (e, args, l) => (e.dtype === "u32" ? logical : arithmetic)(e, args, l),
  select: (_, [mask, a, b]) => select(mask, a, b),
  cast: (e, args, l) => casts[e.args[0]!.dtype][e.dtype](e, args, l),
  bitcast: (_, [a]) => a,
};
const logical = shift(i32x4.shrU, () => 0x76), arithmetic = shift(i32x4.shrS, () => 0x75);

const lowered = new Map<Expr, Expr>();
/** The forms that this backend computes: functions are polynomials. One form a value, as sharing goes by identity. */
export function prepared(roots: readonly Expr[]): Expr[] {
  return lower(roots, LOWERABLE, lowered, bySum);
}

/** How one value is computed: from which values, by which code. */
interface Step {
  readonly args: readonly Expr[];
  readonly rule: Rule;
}

/**
 * Instructions that stand for several operators. Which do hangs on the expression alone, not on what else needs its parts: a sum takes
 * its product unrounded even where the product itself is stored, so that what is computed again in another kernel has the same bits.
 */
function stepOf(e: Expr): Step {
  const [a, b, c] = e.args as readonly [Expr, Expr, Expr];
  if (e.op === "select" && e.dtype === "f32" && a.op === "gt") {
    // p > q ? p : q and p > q ? q : p are one instruction on x86, with the same treatment of NaN.
    const [p, q] = a.args as readonly [Expr, Expr];
    if (b === p && c === q) return { args: [q, p], rule: (_, [x, y]) => f32x4.pmax(x, y) };
    if (b === q && c === p) return { args: [p, q], rule: (_, [x, y]) => f32x4.pmin(x, y) };
  }
  if (hasRelaxedSimd && e.dtype === "f32" && (e.op === "add" || e.op === "sub")) {
    // p - p is 0.
    const isProduct = (x: Expr): boolean => x.op === "mul" && a !== b;
    const fused = (product: Expr, other: Expr, f: (a: Code, b: Code, c: Code) => Code): Step => ({
      args: [...product.args, other],
      rule: (_, [x, y, z]) => f(x, y, z),
    });
    if (e.op === "sub" && isProduct(b)) return fused(b, a, f32x4.relaxedNmadd);
    if (e.op === "sub" && isProduct(a)) {
      return fused(a, b, (x, y, z) => f32x4.relaxedMadd(x, y, f32x4.neg(z)));
    }
    if (e.op === "add" && isProduct(a)) return fused(a, b, f32x4.relaxedMadd);
    if (e.op === "add" && isProduct(b)) return fused(b, a, f32x4.relaxedMadd);
  }
  return { args: e.args, rule: rules[e.op as Simple] };
}

/** How often each value is needed, counting only what the roots reach past `given`. */
function countUses(
  roots: readonly Expr[],
  given: ReadonlyMap<Expr, Code>,
  argsOf: (e: Expr) => readonly Expr[],
): Map<Expr, number> {
  const uses = new Map<Expr, number>(), stack = [...roots];
  for (let e = stack.pop(); e; e = stack.pop()) {
    const before = uses.get(e) ?? 0;
    uses.set(e, before + 1);
    if (before === 0 && !given.has(e)) stack.push(...argsOf(e));
  }
  return uses;
}

/** Code that computes values, and what reads each of them afterwards. */
export interface Emitted {
  readonly code: Code;
  readonly values: readonly Code[];
}

/** Computes `roots` (prepared) into locals. `given` says where values stand already; it is extended: pass a copy to keep a scope. */
export function emit(roots: readonly Expr[], given: Map<Expr, Code>, locals: Locals): Emitted {
  const { code, values } = emitAbreast(roots, [given], locals);
  return { code, values: values[0]! };
}

/**
 * Computes `roots` for several vectors, each with its scope, operator by operator: an operator of one vector runs while the
 * last one of another is not through yet. A processor finds such work by itself only as far ahead as it looks.
 */
export function emitAbreast(
  roots: readonly Expr[],
  scopes: readonly Map<Expr, Code>[],
  locals: Locals,
): { readonly code: Code; readonly values: readonly (readonly Code[])[] } {
  const given = scopes[0]!, isRoot = new Set(roots);
  const steps = new Map<Expr, Step>();
  const step = (e: Expr): Step => {
    let s = steps.get(e);
    if (!s) steps.set(e, s = stepOf(e));
    return s;
  };
  const uses = countUses(roots, given, (e) => step(e).args);
  const todo = topological(roots).filter((e) => !given.has(e) && uses.has(e));
  const code: Code[] = [];
  for (const e of todo) {
    const once = uses.get(e) === 1 && !isRoot.has(e);
    for (const scope of scopes) {
      if (e.op === "const") {
        scope.set(e, locals.constant(constantBits(e.value, e.dtype)));
        continue;
      }
      const { args, rule } = step(e);
      const operands = args.map((a) => scope.get(a)!) as unknown as [Code, Code, Code];
      const value = rule(e, operands, locals);
      // What is used once needs no local, unless its place among the other vectors' operators matters.
      if (once && scopes.length === 1) scope.set(e, value);
      else {
        const [store, read] = keep(value, locals);
        code.push(store);
        scope.set(e, read);
      }
    }
  }
  return { code, values: scopes.map((scope) => roots.map((e) => scope.get(e)!)) };
}

/** A vector with its lanes combined into every lane, in a fixed order. */
export function acrossLanes(combine: Binary, v: Code, locals: Locals): Code {
  const [setV, x] = keep(v, locals);
  const [setW, y] = keep(combine(x, v128.shuffle(x, x, [2, 3, 0, 1])), locals);
  return [setV, setW, combine(y, v128.shuffle(y, y, [1, 0, 3, 2]))];
}

/** The instruction and the neutral bits of a combination. */
export function combining(
  combine: Combine,
  dtype: ScalarType,
): { readonly with: Binary; readonly neutral: number } {
  const kind = dtype === "bool" ? "u32" : dtype;
  const add = { f32: f32x4.add, i32: i32x4.add, u32: i32x4.add }[kind];
  const neutral = constantBits(identityOf(combine, dtype), dtype);
  if (combine === "sum") return { with: add, neutral };
  const greater = combine === "peak" ? f32x4.pmax : f32x4.max;
  const max = { f32: greater, i32: i32x4.maxS, u32: i32x4.maxU }[kind];
  const min = { f32: f32x4.min, i32: i32x4.minS, u32: i32x4.minU }[kind];
  return { with: combine === "min" ? min : max, neutral };
}
