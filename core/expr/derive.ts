/**
 * The derivative of an expression, as an expression. It is exact for the algebra: a rule a row, `null` where the
 * value does not depend on the operand (so that no zero is ever multiplied, and NaN stays where it was).
 *
 * @module
 */
import * as X from "./expr.ts";
import type { Expr, ExprOp } from "./expr.ts";

type Slope = Expr | null;

const plus = (a: Slope, b: Slope): Slope => a === null ? b : b === null ? a : X.add(a, b);
const times = (a: Slope, b: X.Arg): Slope => a === null ? null : X.mul(a, b);
const minus = (a: Slope): Slope => a === null ? null : X.neg(a);
const either = (condition: Expr, a: Slope, b: Slope): Slope =>
  a === null && b === null ? null : X.select(condition, a ?? X.constant(0), b ?? X.constant(0));

/** Derivatives by operand: the layers of a model ask for the same ones. */
const derivatives = new Map<number, WeakMap<Expr, { readonly slope: Slope }>>();

/** d e / d operand `i`, or null where e does not depend on it. Ties of min and max go to the first operand. */
export function derive(e: Expr, i: number): Slope {
  if (e.dtype !== "f32") return null;
  if (!derivatives.has(i)) derivatives.set(i, new WeakMap());
  const seen = derivatives.get(i)!, known = seen.get(e);
  if (known) return known.slope;
  const slope = slopeOf(e, i);
  seen.set(e, { slope });
  return slope;
}

function slopeOf(e: Expr, i: number): Slope {
  const d = (x: Expr): Slope => derive(x, i);
  const [a, b, c] = e.args as [Expr, Expr, Expr];
  const none = (): Slope => null;
  const rules: Record<ExprOp, () => Slope> = {
    in: () => e.value === i ? X.constant(1) : null,
    const: none,
    add: () => plus(d(a), d(b)),
    sub: () => plus(d(a), minus(d(b))),
    mul: () => plus(times(d(a), b), times(d(b), a)),
    div: () => {
      const over = d(a), under = d(b);
      return plus(over && X.div(over, b), under && X.neg(X.mul(under, X.div(e, b))));
    },
    rem: () => {
      const under = d(b); // a - b q, and q = (a - e) / b is constant between jumps
      return plus(d(a), under && X.neg(X.mul(under, X.div(X.sub(a, e), b))));
    },
    min: () => either(X.gt(a, b), d(b), d(a)),
    max: () => either(X.gt(b, a), d(b), d(a)),
    neg: () => minus(d(a)),
    abs: () => times(d(a), X.select(X.gt(0, a), -1, X.select(X.gt(a, 0), 1, 0))),
    sqrt: () => times(d(a), X.div(0.5, e)),
    floor: none,
    ceil: none,
    round: none,
    gt: none,
    ge: none,
    eq: none,
    not: none,
    and: none,
    or: none,
    xor: none,
    shl: none,
    shr: none,
    select: () => either(a, d(b), d(c)),
    cast: none, // from an integer or a bool: locally constant
    bitcast: none,
    exp: () => times(d(a), e),
    expDown: () => times(d(a), e),
    log: () => {
      const s = d(a);
      return s && X.div(s, a);
    },
    tanh: () => times(d(a), X.sub(1, X.mul(e, e))),
    erf: () => times(d(a), X.mul(2 / Math.sqrt(Math.PI), X.expDown(X.neg(X.mul(a, a))))),
    sin: () => times(d(a), X.cos(a)),
    cos: () => times(d(a), X.neg(X.sin(a))),
    roundF16: () => d(a),
    roundBf16: () => d(a),
  };
  return rules[e.op]();
}
