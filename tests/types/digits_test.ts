/** The digit tables are what their generator writes; the arithmetic over them is exact. */
import { assertEquals } from "@std/assert";
import { digitTables } from "../../core/shape/digits_gen.ts";
import { check } from "./compiler.ts";

Deno.test("types: digits.ts is what digits_gen.ts writes", async () => {
  const url = new URL("../../core/shape/digits.ts", import.meta.url);
  assertEquals(await Deno.readTextFile(url), digitTables());
});

const NUMBERS = [
  0,
  1,
  2,
  7,
  9,
  10,
  12,
  64,
  99,
  100,
  101,
  768,
  999,
  1000,
  1024,
  30522,
  65536,
  90909,
  94906265,
];

Deno.test("types: arithmetic on literals is exact up to 2^53", () => {
  const pairs = NUMBERS.flatMap((a) => NUMBERS.map((b): [number, number] => [a, b]));
  pairs.push([4503599627370496, 4503599627370495], [9007199254740991, 3], [2 ** 53 - 1, 94906265]);
  const cases = pairs.flatMap(([a, b]): (readonly [string, unknown])[] => [
    [`Add<${a}, ${b}>`, a + b],
    [`Sub<${a}, ${b}>`, a < b ? "never" : a - b],
    [`DivMod<${a}, ${b}>`, b === 0 ? "undefined" : [Math.floor(a / b), a % b]],
    [`Div<${a}, ${b}>`, b === 0 || a % b ? "never" : a / b],
    ...(Number.isSafeInteger(a * b) ? [[`Mul<${a}, ${b}>`, a * b] as const] : []),
  ]);
  const { diagnostics, valueOf } = check(
    `import type { Add, Div, DivMod, Mul, Sub } from "../../core/shape/decimal.ts";\n` +
      cases.map(([type], i) => `export type C${i} = ${type};`).join("\n"),
  );
  assertEquals(diagnostics, []);
  assertEquals(
    cases.map(([type], i) => [type, valueOf(`C${i}`)]),
    cases.map(([type, value]) => [type, value]),
  );
});
