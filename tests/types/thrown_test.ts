/** The wrong programs run on the real operations: each throws a TypeError with the text that the compiler gives. */
import { assertEquals } from "@std/assert";
import * as o from "./ops.ts";
import { wrong } from "./wrong_programs.ts";

// Names become sizes at run time, in the text too.
const B = 2, T = 5;

function thrown(program: string): string {
  const operands = {
    o,
    x: o.zeros([B, T, 768]),
    ids: o.zeros([B, T], "i32"),
    mask: o.zeros([2, 3], "bool"),
    at: o.zeros([3], "i32"),
    i: o.zeros([], "i32"),
    a: o.zeros([4, 768]),
    b: o.zeros([512, 4]),
  };
  try {
    new Function(...Object.keys(operands), program)(...Object.values(operands));
    return "nothing";
  } catch (error) {
    return error instanceof TypeError ? error.message : String(error);
  }
}

Deno.test("types: a wrong program that runs all the same throws the compiler's text", () => {
  // A size of type `number` is known at run time, and the name in a target stays a name.
  const run = wrong.filter(([program]) => !program.includes("[n, 768]"));
  const expected = run.map(([program, text]) => {
    const sized = program.startsWith("o.expectShape")
      ? text
      : text.replace(/\bB\b/g, String(B)).replace(/\bT\b/g, String(T));
    return [program, sized];
  });
  assertEquals(run.map(([program]) => [program, thrown(program)]), expected);
});
