import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { layerOf } from "./layers.ts";
import { cycles, sourceOf, sources } from "./sources.ts";

const LONGEST_FILE = 400;
const MEDIAN_FILE = 120;

const files = await sources();

Deno.test("budget: no file is longer than 400 lines", () => {
  const long = files.filter(({ lines }) => lines > LONGEST_FILE);
  assertEquals(long.map(({ path, lines }) => `${path}: ${lines}`), []);
});

Deno.test("budget: half of each folder's files have at most 120 lines", () => {
  for (const [layer, group] of Map.groupBy(files, ({ path }) => layerOf(path))) {
    const lines = group.map((file) => file.lines).sort((a, b) => a - b);
    const median = lines[lines.length >> 1]!;
    const total = lines.reduce((sum, n) => sum + n, 0);
    console.log(`${layer}: ${lines.length} files, ${total} lines, median ${median}`);
    assertLessOrEqual(median, MEDIAN_FILE, layer);
  }
});

Deno.test("budget: file names are snake_case", () => {
  const odd = files.filter(({ path }) => !/(^|\/)[a-z0-9_]+(\.d)?\.ts$/.test(path));
  assertEquals(odd.map(({ path }) => path), []);
});

Deno.test("budget: no files need each other in a circle at run time", () => {
  assertEquals(cycles(files), []);
});

Deno.test("budget: `any` stands nowhere but in core's border type AnyTensor, tests aside", () => {
  const stray = files.filter(({ path }) => layerOf(path) !== "tests").flatMap(({ path, anys }) =>
    anys.filter((alias) => path !== "core/tensor.ts" || alias !== "AnyTensor").map(() => path)
  );
  assertEquals(stray, []);
});

Deno.test("budget: the reader finds circles, types and any where they are", () => {
  const a = sourceOf("a.ts", 'import { b } from "./b.ts";\nimport { type T } from "./c.ts";');
  const b = sourceOf("b.ts", 'export * from "./d/e.ts";');
  const e = sourceOf("d/e.ts", 'export { a } from "../a.ts";\nexport type { T } from "./c.ts";');
  const c = sourceOf("c.ts", 'import type { A } from "./a.ts";\ntype T = any[];\nlet x: any;');
  assertEquals(a.values, ["b.ts"]);
  assertEquals(e.values, ["a.ts"]);
  assertEquals(c, { path: "c.ts", lines: 3, values: [], anys: ["T", undefined] });
  assertEquals(cycles([a, b, c, e]), [["a.ts", "b.ts", "d/e.ts"]]);
  assert(files.some(({ path, values }) => path === "tests/gate/budget_test.ts" && values.length));
});
