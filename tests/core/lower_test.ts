/** The polynomials of core/expr/lower.ts against double precision, within the bounds that its table states. */
import { assert, assertEquals } from "@std/assert";
import type { Expr } from "../../core/expr/expr.ts";
import * as X from "../../core/expr/expr.ts";
import { compile, erf } from "../../core/expr/javascript.ts";
import { bySum, lower, LOWERABLE, type Rounding } from "../../core/expr/lower.ts";
import { fromBf16, fromF16, toBf16, toF16 } from "../../core/dtype.ts";

const x = X.operand(0);
const words = new Float32Array(1), bits = new Int32Array(words.buffer);

function lowered(f: (x: X.Arg) => Expr, rounding?: Rounding): (v: number) => number {
  const run = compile(lower([f(x)], LOWERABLE, new Map(), rounding)[0]!);
  return (v) => run([v]);
}

/** The distance between neighbouring f32 numbers at `v`. */
function ulp(v: number): number {
  words[0] = Math.abs(v);
  const here = words[0];
  if (!Number.isFinite(here)) return 2 ** 104;
  bits[0]!++;
  return Number.isFinite(words[0]) ? words[0] - here : 2 ** 104;
}

function* range(low: number, high: number, count: number): Generator<number> {
  for (let i = 0; i <= count; i++) yield Math.fround(low + (high - low) * i / count);
}

/** Powers of ten of both signs, and every special number. */
function* wide(): Generator<number> {
  for (let e = -44; e <= 38; e++) {
    for (const m of [1, 1.7, 3.3, 7.9]) yield* [m * 10 ** e, -m * 10 ** e].map(Math.fround);
  }
}

function worst(
  f: (v: number) => number,
  exact: (v: number) => number,
  inputs: Iterable<number>,
): number {
  let error = 0;
  for (const v of inputs) {
    const got = f(v), want = exact(v);
    if (Object.is(Math.fround(want), got)) continue;
    error = Math.max(error, Math.abs(got - want) / ulp(want));
  }
  return error;
}

const cases: readonly [
  string,
  (x: X.Arg) => Expr,
  (v: number) => number,
  number,
  number,
  number,
][] = [
  ["exp", X.exp, Math.exp, -87.3, 88.7, 1.5],
  ["expDown", X.expDown, Math.exp, -87.3, 1, 1.5],
  ["log", X.log, Math.log, 1e-6, 20, 1.5],
  ["tanh", X.tanh, Math.tanh, -10, 10, 2.5],
  ["erf", X.erf, erf, -5, 5, 2.5],
];
for (const [name, op, exact, low, high, bound] of cases) {
  Deno.test(`${name} is within ${bound} ulp`, () => {
    const f = lowered(op);
    assert(worst(f, exact, range(low, high, 20_000)) <= bound);
    const inputs = [...wide()].filter((v) =>
      !name.startsWith("exp") || v > -87 && (name === "exp" || v <= 1)
    );
    const error = worst(f, exact, inputs);
    assert(error <= bound, `${error} ulp`);
  });
  if (name === "log") continue;
  Deno.test(`${name} has the same bits where sums round`, () => {
    const [f, g] = [lowered(op), lowered(op, bySum)];
    const special = [NaN, -Infinity, 0, -0, ...name === "expDown" ? [] : [Infinity]];
    const edges = [...range(-110, -80, 3001), ...range(low, high, 20_000), ...special];
    assertEquals(edges.map(g), edges.map(f));
  });
}

for (const [name, op, exact] of [["sin", X.sin, Math.sin], ["cos", X.cos, Math.cos]] as const) {
  Deno.test(`${name} is within 1e-7 for |x| <= 1e4`, () => {
    const f = lowered(op);
    for (const high of [1, 7, 1000, 1e4]) {
      for (const v of range(-high, high, 5000)) assert(Math.abs(f(v) - exact(v)) <= 1e-7, `${v}`);
    }
    for (const v of wide()) assert(Math.abs(f(v)) <= 1 || !Number.isFinite(v), `${v}`);
    assertEquals([f(Infinity), f(-Infinity), f(NaN)], [NaN, NaN, NaN]);
  });
}

Deno.test("subnormal results of exp are within one step", () => {
  for (const f of [X.exp, X.expDown].map((op) => lowered(op))) {
    for (const v of range(-110, -87.3, 2000)) {
      assert(Math.abs(f(v) - Math.exp(v)) <= 1.5 * 2 ** -149);
    }
  }
});

Deno.test("special values", () => {
  const at = (op: (x: X.Arg) => Expr) => [NaN, Infinity, -Infinity, 0, -0].map(lowered(op));
  assertEquals(at(X.exp), [NaN, Infinity, 0, 1, 1]);
  assertEquals([NaN, -Infinity, 0, -0].map(lowered(X.expDown)), [NaN, 0, 1, 1]);
  assertEquals(at(X.log), [NaN, Infinity, NaN, -Infinity, -Infinity]);
  assertEquals(at(X.tanh), [NaN, 1, -1, 0, -0]);
  assertEquals(at(X.erf), [NaN, 1, -1, 0, -0]);
  assertEquals(at(X.sin), [NaN, NaN, NaN, 0, -0]);
  assertEquals(lowered(X.exp)(88.7228), Math.fround(Math.exp(Math.fround(88.7228))));
  assertEquals(lowered(X.exp)(88.73), Infinity);
  assertEquals(lowered(X.log)(-1), NaN);
});

Deno.test("roundF16 and roundBf16 have the bits of dtype.ts", () => {
  const half = lowered(X.roundF16), brain = lowered(X.roundBf16);
  const halves = [
    ...wide(),
    ...range(-7e4, 7e4, 3001),
    ...range(0, 1e-4, 999),
    Infinity,
    -Infinity,
    -0,
    NaN,
  ];
  assertEquals(halves.map(half), halves.map((v) => fromF16(toF16(v))));
  assertEquals(halves.map(brain), halves.map((v) => fromBf16(toBf16(v))));
});
