/** Random cases in which the compiler and the run-time twin of a rule must say the same, shape or text. */
import { assert, assertEquals } from "@std/assert";
import { check } from "./compiler.ts";
import { randomCases, ruleNames } from "./random_cases.ts";

const SEED = 20240607, EACH = 60;

Deno.test("types: the compiler and the run-time twins agree on random cases of every rule", () => {
  const cases = randomCases(SEED, EACH);
  assert(cases.length >= 1000);
  const { diagnostics, valueOf } = check(`
import type { ${ruleNames.join(", ")} } from "../../core/shape/mod.ts";
type Out<R> = R extends { readonly ok: infer S } ? S : R extends { readonly fail: infer M } ? M : "neither";
${cases.map(({ type }, i) => `export type C${i} = Out<${type}>;`).join("\n")}
`);
  assertEquals(diagnostics, []);
  const wrong = cases.flatMap(({ type, result }, i) => {
    const runTime = JSON.stringify("ok" in result ? result.ok : result.fail);
    const compileTime = JSON.stringify(valueOf(`C${i}`));
    return compileTime === runTime ? [] : [`${type}: ${compileTime}, but ${runTime} at run time`];
  });
  assertEquals(wrong, []);
});

Deno.test("types: the random cases of every rule hold both right and wrong ones", () => {
  const cases = randomCases(SEED, EACH);
  for (const name of ruleNames.filter((name) => name !== "OneHot")) {
    const own = cases.filter(({ type }) => type.startsWith(`${name}<`));
    const failed = own.filter(({ result }) => "fail" in result).length;
    assert(failed > 0 && failed < EACH, `${name}: ${failed} of ${EACH} are wrong`);
  }
});
