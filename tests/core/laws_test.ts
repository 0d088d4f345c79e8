import { assert, assertEquals } from "@std/assert";
import { cpu } from "../../core/backends/cpu/mod.ts";
import { hold } from "./laws/hold.ts";
import { loadLaws } from "./laws/load.ts";

const RUNS = 25;
const laws = await loadLaws(), device = cpu();

Deno.test("laws: every file with an op exports a law, each under its own name", () => {
  assert(laws.length > 60);
  assertEquals(new Set(laws.map(([, { law }]) => law)).size, laws.length);
});

for (const [file, law] of laws) {
  Deno.test(`laws: ${law.law} (${file}) on reference`, () => hold(law, RUNS, undefined));
  Deno.test(`laws: ${law.law} (${file}) on cpu`, () => hold(law, RUNS, device));
}
