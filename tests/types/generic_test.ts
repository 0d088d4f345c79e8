/**
 * Type parameters as sizes: right bodies check, wrong ones are refused, mostly with our text. This pins a habit of
 * the checker that core/shape/dim.ts stands on and TypeScript does not promise.
 */
import { assert, assertEquals } from "@std/assert";
import { check } from "./compiler.ts";

Deno.test("types: bodies over size parameters check", async () => {
  const source = await Deno.readTextFile(new URL("generic_programs.ts", import.meta.url));
  assertEquals(check(source).diagnostics, []);
});

const wrong: readonly (readonly [result: string, text: string])[] = [
  [
    "o.matmul(x, o.zeros([512, 768]))",
    "Cannot matmul [${B}, ${T}, 768] with [512, 768]: inner axes must match",
  ],
  ["o.matmul(x, w)", "Cannot matmul [${B}, ${T}, 768] with [${H}, 4]: inner axes must match"],
  [
    "o.add(x, o.zeros([5]))",
    "Cannot add [${B}, ${T}, 768] with [5]: axes must be equal or 1 (768 and 5)",
  ],
  ["o.softmax(x, 3)", "Cannot softmax [${B}, ${T}, 768] over axis 3: axis must be in -3..2"],
  [
    'o.einsum("btc,bsc->bt", x, o.zeros([x.shape[0], 3, 7]))',
    "Cannot einsum 'btc,bsc->bt' with [${B}, ${T}, 768] and [${B}, 3, 7]: c must be one size (768 and 7)",
  ],
  [
    'o.rearrange(x, "b t (h d) -> b h t d", { h: 7 })',
    "Cannot rearrange [${B}, ${T}, 768] by 'b t (h d) -> b h t d': 768 must be a multiple of 7",
  ],
  [
    "o.reshape(x, [x.shape[0], 768])",
    "Cannot reshape [${B}, ${T}, 768] to [${B}, 768]: ${T} elements do not fit 1",
  ],
  [
    "o.layerNorm(x, w, w)",
    "Cannot layerNorm [${B}, ${T}, 768] with [${H}, 4]: last axes must match",
  ],
];

/** Two different parameters: refused, but the compiler prints the rule, because it cannot finish it. */
const unfinished = [
  "o.add(x, y)",
  "o.matmul(x, o.transpose(y))",
  'o.einsum("btc,tbc->c", x, x)',
  "o.concat([x, y], 2)",
];

/** A result that is another permutation of the parameters. */
const results = ["o.add(x, x)", "o.swapaxes(y, 1, 2)"];

Deno.test("types: wrong bodies over size parameters are refused", () => {
  const bodies = [...wrong.map(([body]) => body), ...unfinished, ...results];
  const programs = bodies.map((body, i) =>
    `export function f${i}<B extends Dim, T extends Dim, H extends Dim>(x: Tensor<[B, T, 768]>, ` +
    `y: Tensor<[T, B, 768]>, w: Tensor<[H, 4]>)${
      i < bodies.length - results.length ? "" : ": Tensor<[T, B, 768]>"
    } { return ${body}; }`
  );
  const { diagnostics } = check(
    `import * as o from "./ops.ts"; import type { Dim, Tensor } from "./ops.ts";\n` +
      programs.join("\n"),
  );
  const texts = bodies.map((_, i) =>
    diagnostics.filter((d) => d.line === i + 2).map((d) => d.text)
  );
  for (const [i, [body, text]] of wrong.entries()) {
    assertEquals(texts[i]!.length, 1, body);
    assert(
      texts[i]![0]!.endsWith(`to parameter of type '\`${text}\`'.`),
      `${body}: ${texts[i]![0]}`,
    );
  }
  for (const [i, body] of bodies.entries()) assert(texts[i]!.length > 0, `${body} is not refused`);
});
