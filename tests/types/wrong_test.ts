/** Wrong programs: each is refused at its own line, once, with exactly this text. */
import { assert, assertEquals } from "@std/assert";
import { check, ourText } from "./compiler.ts";
import { wrong } from "./wrong_programs.ts";

/** The operations under test. */
const OPS = "./ops.ts";

const PRELUDE = `import * as o from "${OPS}";
import type { Tensor } from "${OPS}";
declare const n: number, x: Tensor<["B", "T", 768]>, ids: Tensor<["B", "T"], "i32">;
declare const mask: Tensor<[2, 3], "bool">, at: Tensor<[3], "i32">, i: Tensor<[], "i32">;
const a = o.zeros([4, 768]), b = o.zeros([512, 4]);
`;

/** Wrong in what a rule does not see; the text is the compiler's own, and begins like this. */
const plain: readonly (readonly [program: string, text: string])[] = [
  [
    'o.matmul(a, o.zeros([768, 4], "bf16"))',
    `Argument of type 'Tensor<[768, 4], "bf16">' is not assignable to parameter of type 'Tensor<[768, 4], "f32">'.`,
  ],
  [
    "o.embedding(a, o.zeros([4, 4]))",
    `Argument of type 'Tensor<[4, 4], "f32">' is not assignable to parameter of type 'Tensor<[4, 4], Int>'.`,
  ],
  ['o.zeros(["B", 3])', `Type '"B"' is not assignable to type `],
  [
    'const bf16: Tensor<[2], "bf16"> = o.zeros([2])',
    `Type 'Tensor<[2], "f32">' is not assignable to type 'Tensor<[2], "bf16">'.`,
  ],
  [
    'const y: Tensor<["B", "T", 512]> = x',
    `Type 'Tensor<["B", "T", 768], "f32">' is not assignable to type 'Tensor<["B", "T", 512], "f32">'.`,
  ],
  [
    "const z: Tensor<[4, 512]> = o.matmul(a, o.zeros([768, 500]))",
    `Type 'Tensor<[4, 500], "f32">' is not assignable to type 'Tensor<[4, 512], "f32">'.`,
  ],
];

function refusals(programs: readonly string[]): readonly (readonly string[])[] {
  const first = PRELUDE.split("\n").length;
  const { diagnostics } = check(PRELUDE + programs.map((p) => p + ";").join("\n"));
  return programs.map((_, i) => diagnostics.filter((d) => d.line === first + i).map((d) => d.text));
}

Deno.test("types: a wrong program is refused with our text, once", () => {
  const found = refusals(wrong.map(([program]) => program));
  assertEquals(
    wrong.map(([program], i) => [program, ...found[i]!.map((text) => ourText(text) ?? text)]),
    wrong.map(([program, text]) => [program, text]),
  );
});

Deno.test("types: what no shape rule sees is refused by the compiler in its own words", () => {
  const found = refusals(plain.map(([program]) => program));
  for (const [i, [program, text]] of plain.entries()) {
    assertEquals(found[i]!.length, 1, program);
    assert(found[i]![0]!.startsWith(text), `${program}: ${found[i]![0]}`);
  }
});
