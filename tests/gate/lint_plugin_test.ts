import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import plugin from "./lint_plugin.ts";

const rulesHit = (file: string, source: string): string[] =>
  Deno.lint.runPlugin(plugin, file, source).map(({ id }) => id.replace("motian/", ""));

/** Each row: where, what is written there, and the rules that refuse it. */
const cases: readonly (readonly [string, string, ...string[]])[] = [
  ["core/ops/add.ts", 'import { a } from "../tensor.ts";'],
  ["core/ops/add.ts", 'import { a } from "../../nn/linear.ts";', "layers"],
  ["core/a.ts", 'import type { A } from "../recipes/a.ts";', "layers"],
  ["core/a.ts", 'export * from "../optim/adam.ts";', "layers"],
  ["core/a.ts", 'export { a } from "../tests/a.ts";', "layers"],
  ["core/a.ts", 'const a = await import("../dist/a.ts");', "layers"],
  ["core/a.ts", 'import { Worker } from "node:worker_threads";'],
  ["core/a.ts", 'import x from "npm:fast-check@4.10.2";', "layers"],
  ["core/a.ts", 'import { a } from "@std/assert";', "layers"],
  ["mod.ts", 'export { a } from "./core/a.ts";'],
  ["mod.ts", 'export { a } from "./nn/a.ts";', "layers"],
  ["nn/a.ts", 'import { a } from "../core/mod.ts";'],
  ["nn/a.ts", 'import { a } from "../mod.ts";'],
  ["nn/a.ts", 'import { a } from "../optim/mod.ts";', "layers"],
  ["optim/a.ts", 'import { a } from "../nn/mod.ts";', "layers"],
  ["dist/a.ts", 'import { a } from "npm:ws@8.0.0";'],
  ["dist/a.ts", 'import { a } from "npm:@types/ws@8";'],
  ["dist/a.ts", 'import { a } from "npm:ws";', "layers"],
  ["dist/a.ts", 'import { a } from "https://deno.land/x/a.ts";', "layers"],
  ["recipes/a.ts", 'import { a } from "../dist/mod.ts"; import { b } from "@std/cli";'],
  ["recipes/a.ts", 'import { a } from "../tests/skip.ts";', "layers"],
  ["examples/a.ts", 'import { a } from "../nn/mod.ts";'],
  ["tests/a.ts", 'import { a } from "../recipes/a.ts";'],
  ["core/a.ts", 'throw new Error("Cannot");', "no-plain-error"],
  ["core/a.ts", 'throw Error("Cannot");', "no-plain-error"],
  ["tests/a.ts", 'throw new Error("Cannot");'],
  ["core/a.ts", 'throw new TypeError("Cannot add: sizes differ");'],
  ["core/a.ts", 'throw new TypeError("cannot add");', "error-message"],
  ["core/a.ts", "throw new RangeError(`Cannot add ${a}.`);", "error-message"],
  ["core/a.ts", "throw new RangeError(`${name} is no axis`);"],
  ["core/a.ts", "export default 1;", "no-default-export"],
  ["core/a.ts", "enum A { B }", "no-enum"],
  ["core/a.ts", "class A {}", "no-class"],
  ["core/a.ts", "const A = class {};", "no-class"],
  ["core/a.ts", "export class AError extends RangeError {}"],
  ["core/a.ts", "/** A pool. */\n// owns: its threads\nexport class A {}"],
  ["core/a.ts", "// owns:\nclass A {}", "no-class"],
];

Deno.test("lint plugin: each rule refuses what it is for and nothing else", () => {
  for (const [file, source, ...expected] of cases) {
    assertEquals(rulesHit(file, source), expected, `${file}: ${source}`);
  }
});

Deno.test("lint plugin: no rule goes without a refused case", () => {
  const refused = new Set(cases.flatMap(([, , ...rules]) => rules));
  for (const rule of Object.keys(plugin.rules)) assert(refused.has(rule), rule);
});

Deno.test("lint plugin: the message names both layers and what is allowed", () => {
  const [found] = Deno.lint.runPlugin(plugin, "nn/a.ts", 'import { a } from "../optim/b.ts";');
  assertStringIncludes(found!.message, "Cannot import optim from nn: nn may import core, nn");
});
