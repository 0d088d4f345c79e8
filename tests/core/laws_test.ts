import { assertEquals } from "@std/assert";
import { cpu } from "../../core/backends/cpu/mod.ts";
import * as ops from "../../core/ops/mod.ts";
import { hold, holdOnReference } from "./laws/hold.ts";
import { loadLaws } from "./laws/load.ts";

const RUNS = 25;
const laws = await loadLaws(), device = cpu(), wide = cpu({ memory: "16GiB" });

/** They compute nothing: they say what a shape is. */
const lawless = ["expectShape", "size"];

Deno.test("laws: every op has a law of its name", () => {
  const held = new Set(laws.map(([, { law }]) => law));
  assertEquals(held.size, laws.length);
  const bare = Object.keys(ops).filter((name) => !held.has(name));
  assertEquals(bare.sort(), lawless);
});

for (const [file, law] of laws) {
  Deno.test(`laws: ${law.law} (${file}) on reference`, () => holdOnReference(law, RUNS));
  Deno.test(`laws: ${law.law} (${file}) on cpu`, () => hold(law, RUNS, device));
  Deno.test(`laws: ${law.law} (${file}) on cpu, 64-bit addresses`, () => hold(law, 5, wide));
}
