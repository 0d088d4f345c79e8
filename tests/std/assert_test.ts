import * as std from "@std/assert";

const { AssertionError, assertThrows, assertRejects } = std;

/** Each row: what holds, and what does not. */
const pairs: Readonly<Record<string, readonly [() => void, () => void]>> = {
  assert: [() => std.assert(1), () => std.assert(0)],
  assertFalse: [() => std.assertFalse(""), () => std.assertFalse("a")],
  assertEquals: [
    () => std.assertEquals({ a: [NaN, new Float32Array(2)] }, { a: [NaN, new Float32Array(2)] }),
    () => std.assertEquals({ a: [1] }, { a: [2] }),
  ],
  "assertEquals by the sign of zero": [
    () => std.assertEquals(-0, -0),
    () => std.assertEquals(0, -0),
  ],
  assertNotEquals: [() => std.assertNotEquals([1], [2]), () => std.assertNotEquals([1], [1])],
  assertStrictEquals: [() => std.assertStrictEquals(1, 1), () => std.assertStrictEquals([], [])],
  assertAlmostEquals: [
    () => std.assertAlmostEquals(1, 1.1, 0.2),
    () => std.assertAlmostEquals(1, 1.3, 0.2),
  ],
  "assertAlmostEquals by default": [
    () => std.assertAlmostEquals(1e9, 1e9 + 1),
    () => std.assertAlmostEquals(1, 1 + 1e-6),
  ],
  "assertAlmostEquals with infinity": [
    () => std.assertAlmostEquals(Infinity, Infinity),
    () => std.assertAlmostEquals(1, Infinity),
  ],
  "assertAlmostEquals with NaN": [
    () => std.assertAlmostEquals(NaN, NaN),
    () => std.assertAlmostEquals(NaN, 1, 5),
  ],
  assertGreater: [() => std.assertGreater(2, 1), () => std.assertGreater(1, 1)],
  assertGreaterOrEqual: [
    () => std.assertGreaterOrEqual(1, 1),
    () => std.assertGreaterOrEqual(NaN, 1),
  ],
  assertLess: [() => std.assertLess(1, 2), () => std.assertLess(1, 1)],
  assertLessOrEqual: [() => std.assertLessOrEqual(1, 1), () => std.assertLessOrEqual(2, 1)],
  assertExists: [() => std.assertExists(0), () => std.assertExists(null)],
  assertStringIncludes: [
    () => std.assertStringIncludes("abc", "b"),
    () => std.assertStringIncludes("abc", "d"),
  ],
  assertMatch: [() => std.assertMatch("abc", /b/), () => std.assertMatch("abc", /d/)],
  assertNotMatch: [() => std.assertNotMatch("abc", /d/), () => std.assertNotMatch("abc", /b/)],
  assertArrayIncludes: [
    () => std.assertArrayIncludes([[1], [2]], [[2]]),
    () => std.assertArrayIncludes([[1]], [[1], [3]]),
  ],
  assertInstanceOf: [
    () => std.assertInstanceOf(new Map(), Map),
    () => std.assertInstanceOf({}, Map),
  ],
  assertIsError: [
    () => std.assertIsError(new TypeError("Cannot add"), TypeError, /add$/),
    () => std.assertIsError(new TypeError("Cannot add"), RangeError),
  ],
  assertThrows: [
    () => assertThrows(() => JSON.parse("{"), SyntaxError, "JSON"),
    () => assertThrows(() => JSON.parse("{}")),
  ],
  "assertThrows by text": [
    () => assertThrows(() => JSON.parse("{"), Error),
    () => assertThrows(() => JSON.parse("{"), SyntaxError, "no such text"),
  ],
};

for (const [name, [holds, fails]] of Object.entries(pairs)) {
  Deno.test(`std: ${name} passes what holds and throws at what does not`, () => {
    holds();
    let thrown: unknown;
    try {
      fails();
    } catch (error) {
      thrown = error;
    }
    if (!(thrown instanceof AssertionError)) throw new TypeError(`${name} threw ${thrown}`);
  });
}

Deno.test("std: assertRejects gives the error, and refuses a promise kept or a throw at once", async () => {
  const error = await assertRejects(() => Promise.reject(new RangeError("No")), RangeError, "No");
  std.assertEquals(error.message, "No");
  await assertRejects(() => assertRejects(() => Promise.resolve()), AssertionError);
  await assertRejects(() => assertRejects(() => JSON.parse("{")), AssertionError);
  await assertRejects(
    () => assertRejects(() => Promise.reject(new RangeError("No")), TypeError),
    AssertionError,
  );
});

Deno.test("std: a failure shows the values and the reason given", () => {
  const error = assertThrows(() => std.assertEquals(1, 2, "because"), AssertionError, "because");
  std.assertStringIncludes(error.message, "1");
  std.assertStringIncludes(error.message, "2");
});
