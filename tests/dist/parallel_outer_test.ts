/** DiLoCo's outer parameters and the plan of their fragments. */
import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { DistError } from "../../dist/error.ts";
import { alone } from "../../dist/parallel/alone.ts";
import { fragmentBegunAfter, fragmentsOf } from "../../dist/parallel/fragments.ts";
import { createOuter } from "../../dist/parallel/outer.ts";
import { outerWires, spanBucket } from "../../dist/parallel/outer_sum.ts";
import { mixInto, outerStep } from "../../dist/parallel/outer_step.ts";
import { fc } from "../property.ts";
import { ranks, simulated } from "./ranks.ts";

const mem = simulated();

Deno.test("fragments hold every element of every leaf exactly once in a period, and are as large as each other", () =>
  fc.assert(fc.property(
    fc.array(fc.nat(50), { minLength: 1, maxLength: 8 }),
    fc.integer({ min: 1, max: 12 }),
    fc.nat(20),
    fc.nat(3),
    (lengths, fragments, more, period) => {
      const total = lengths.reduce((a, b) => a + b), every = fragments + more;
      const spans = fragmentsOf(total, fragments), times = new Uint8Array(total);
      const begun: number[] = [];
      for (let step = period * every + 1; step <= (period + 1) * every; step++) {
        const fragment = fragmentBegunAfter(step, { every, fragments });
        if (fragment === undefined) continue;
        begun.push(fragment);
        const { from, to } = spans[fragment]!;
        times.subarray(from, to).forEach((_, i) => times[from + i]!++);
      }
      assertEquals(begun, Array.from({ length: fragments }, (_, i) => i));
      assert(times.every((n) => n === 1));
      const sizes = spans.map(({ from, to }) => to - from);
      assertLess(Math.max(...sizes) - Math.min(...sizes), 2);
    },
  )));

Deno.test("fragments are spread evenly, the last after the last step of a period", () => {
  const plan = { every: 10, fragments: 4 };
  const steps = Array.from({ length: 20 }, (_, i) => i + 1);
  assertEquals(steps.filter((step) => fragmentBegunAfter(step, plan) !== undefined), [
    ...[2, 5, 7, 10, 12, 15, 17, 20],
  ]);
  assertEquals(fragmentBegunAfter(0, plan), undefined);
  for (const fragments of [0, 11]) {
    assertThrows(() => fragmentBegunAfter(1, { every: 10, fragments }), RangeError);
  }
});

const numbers = fc.float({ min: -1000, max: 1000, noNaN: true });

Deno.test("an outer step of rate 1 without momentum gives one rank's own parameters, every bit", () =>
  fc.assert(fc.property(numbers, numbers, numbers, (theta, local, m) => {
    const outer = { params: Float32Array.of(theta), momentum: Float32Array.of(m) };
    const options = { count: 1, relative: false, rate: 1, beta: 0 };
    outerStep(outer, Float32Array.of(local), options);
    assert(outer.params[0] === Math.fround(local));
  })));

Deno.test("outer steps are Nesterov's on the mean difference, which may be given itself", () =>
  fc.assert(fc.property(
    fc.array(fc.tuple(numbers, numbers), { minLength: 1, maxLength: 5 }),
    numbers,
    fc.double({ min: 0.01, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 0.95, noNaN: true }),
    (locals, theta, rate, beta) => {
      const count = 2, options = { count, rate, beta };
      const whole = { params: Float32Array.of(theta), momentum: new Float32Array(1) };
      const apart = { params: Float32Array.of(theta), momentum: new Float32Array(1) };
      let [t, m] = [theta, 0];
      for (const [a, b] of locals) {
        const own = apart.params[0]!, delta = (a + b) / 2 - t;
        m = beta * m + delta;
        t += rate * delta + rate * beta * m;
        outerStep(whole, Float32Array.of(a + b), { ...options, relative: false });
        outerStep(apart, Float32Array.of(a - own + (b - own)), { ...options, relative: true });
      }
      const room = 1e-5 * 1000 * locals.length / (1 - beta) ** 2;
      assertLess(Math.abs(whole.params[0]! - t), room);
      assertLess(Math.abs(apart.params[0]! - t), room);
    },
  )));

Deno.test("mixing keeps a share of one's own", () => {
  const local = Float32Array.of(1, 2), outer = Float32Array.of(3, -2);
  mixInto(local, outer, 0.75);
  assertEquals([...local], [1.5, 1]);
  mixInto(local, outer, 0);
  assertEquals(local, outer);
});

/** Parameters of a rank after some steps of its own. */
const moved = (from: Float32Array, rank: number, step: number): Float32Array =>
  from.map((x, i) => x + 0.01 * Math.sin(i + 7 * rank + step));
const n = 1003, zero = (): Float32Array<ArrayBuffer> => new Float32Array(n);
const first = (): Float32Array<ArrayBuffer> => zero().map((_, i) => Math.cos(i));

/** How far roundings may take them, of steps of 0.01. */
const room = { f32: 1e-6, bf16: 1e-3, int8: 1e-3, int4: 5e-3 };

Deno.test("all ranks have the same outer parameters, near to what one process computes, and another's are told", async () => {
  for (const wire of outerWires) {
    const options = { fragments: 3, wire, rate: 0.7, beta: 0.9 };
    const run = async (group: Parameters<typeof createOuter>[0], sums: readonly number[]) => {
      const outer = createOuter(group, { params: first(), momentum: zero() }, options);
      for (const step of [1, 2, 3]) {
        for (const [f, { from, to }] of outer.spans.entries()) {
          const all = sums.map((rank) => moved(outer.params.subarray(from, to), rank, step));
          outer.begin(f, all[0]!.map((_, i) => all.reduce((s, x) => s + x[i]!, 0) / all.length));
          if (f === 1) await outer.settle(0);
        }
        await outer.settle();
      }
      await outer.mean(moved(outer.params, sums[0]!, 9));
      return outer;
    };
    const found = await ranks(mem, 3, (group, rank) => run(group, [rank]));
    const one = await run(alone(), [0, 1, 2]), all = [0, 1, 2].map((r) => moved(zero(), r, 9));
    for (const { params, momentum } of found) {
      assertEquals(params, found[0]!.params);
      assertEquals(momentum, found[0]!.momentum);
      // `mean` is of one rank there, and of three here.
      const far = params.findIndex((x, i) => {
        const mean = all.reduce((s, y) => s + y[i]!, 0) / 3;
        return !(Math.abs(x - mean - (one.params[i]! - all[0]![i]!)) < room[wire]);
      });
      assertEquals(far, -1, wire);
    }
  }
});

Deno.test("a span of leaves is cut where they end", () => {
  assertEquals(spanBucket([3, 4, 0, 5], { from: 2, to: 9 }), {
    length: 7,
    parts: [{ leaf: 0, at: 0, length: 1 }, { leaf: 1, at: 1, length: 4 }, {
      leaf: 3,
      at: 5,
      length: 2,
    }],
  });
});

Deno.test("int4: small steps of a leaf are not silenced by large ones of the next", async () => {
  const lengths = [40, 40], theta = () => new Float32Array(80);
  const options = { fragments: 1, wire: "int4", rate: 1, beta: 0, lengths } as const;
  const [moved] = await ranks(mem, 2, async (group) => {
    const outer = createOuter(group, { params: theta(), momentum: theta() }, options);
    outer.begin(0, theta().map((_, i) => i < 40 ? 0.001 : 1));
    await outer.settle();
    return outer.params;
  });
  moved!.forEach((x, i) => assertLess(Math.abs(x / (i < 40 ? 0.001 : 1) - 1), 0.01));
});

Deno.test("outer parameters that differ are told before they are summed", async () => {
  await assertRejects(
    () =>
      ranks(mem, 3, async (group, rank) => {
        const params = first();
        if (rank === 1) params[700] = 5;
        const options = { fragments: 2, wire: "f32", rate: 1, beta: 0 } as const;
        const outer = createOuter(group, { params, momentum: zero() }, options);
        for (const [f, { from, to }] of outer.spans.entries()) {
          outer.begin(f, params.subarray(from, to));
          await outer.settle(f);
        }
      }),
    DistError,
    "fragment 1 of the outer parameters differs on rank 1",
  );
});

Deno.test("a fragment is under way once, and has its length", async () => {
  const options = { fragments: 2, wire: "f32", rate: 1, beta: 0 } as const;
  const outer = createOuter(alone(), { params: first(), momentum: zero() }, options);
  const own = first().subarray(0, outer.spans[0]!.to);
  outer.begin(0, own);
  assertThrows(() => outer.begin(0, own), RangeError, "is under way");
  await outer.settle(0);
  outer.begin(0, own);
  assertThrows(() => outer.begin(1, first()), TypeError, "Cannot exchange 1003 parameters");
  await outer.settle();
});
