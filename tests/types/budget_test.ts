/**
 * What checking costs, in type instantiations: the same on every machine, so it can have a ceiling.
 * The encoder is counted as its user's file, without the library, which the compiler takes as declared.
 */
import { assert, assertEquals } from "@std/assert";
import { check } from "./compiler.ts";

const source = await Deno.readTextFile(new URL("encoder.ts", import.meta.url));

function within(name: string, count: number, ceiling: number): void {
  console.log(`${name}: ${count} instantiations, at most ${ceiling}`);
  assert(count <= ceiling, `${name} takes ${count} instantiations, more than ${ceiling}`);
}

Deno.test("types: the 12-layer encoder checks within 40,000 instantiations", () => {
  const { diagnostics, instantiations } = check(source);
  assertEquals(diagnostics, []);
  within("the encoder", instantiations, 40_000);
});

Deno.test("types: the 12 layers written out, 240 calls, check within their ceiling", () => {
  const call =
    "const x = p.layers.reduce((x: Hidden<B, T>, layer) => block(layer, x, mask), embedded);";
  assert(source.includes(call));
  const layer = (i: number): string => `
  const n${i} = layerNorm(x${i}, p.ln.gain, p.ln.bias), a${i} = p.layers[${i}]!.attention;
  const q${i} = rearrange(linear(n${i}, a${i}.wq, a${i}.bq), "b t (h d) -> b h t d", { h: 12 });
  const k${i} = rearrange(linear(n${i}, a${i}.wk, a${i}.bk), "b t (h d) -> b h t d", { h: 12 });
  const v${i} = rearrange(linear(n${i}, a${i}.wv, a${i}.bv), "b t (h d) -> b h t d", { h: 12 });
  const s${i} = softmax(add(mul(einsum("bhqd,bhkd->bhqk", q${i}, k${i}), 0.125), mask), -1);
  const m${i} = rearrange(einsum("bhqk,bhkd->bhqd", s${i}, v${i}), "b h t d -> b t (h d)");
  const h${i} = add(x${i}, linear(m${i}, a${i}.wo, a${i}.bo)), f${i} = p.layers[${i}]!.mlp;
  const g${i} = gelu(linear(layerNorm(h${i}, p.ln.gain, p.ln.bias), f${i}.w1, f${i}.b1));
  const x${i + 1} = add(h${i}, linear(g${i}, f${i}.w2, f${i}.b2));`;
  const layers = Array.from({ length: 12 }, (_, i) => layer(i)).join("\n");
  const long = source.replace(call, `const x0 = embedded;${layers}\n  const x = x12;`);
  const { diagnostics, instantiations } = check(long);
  assertEquals(diagnostics, []);
  within("the encoder written out", instantiations, 80_000);
});
