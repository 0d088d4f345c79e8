/** Right programs and the type that the compiler gives them: literal, named and unknown sizes. */
import { assertEquals } from "@std/assert";
import { check } from "./compiler.ts";

const PRELUDE = `import * as o from "./ops.ts";
import type { Tensor } from "./ops.ts";
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
declare function is<T>(): <U>(x: U, ...same: Equal<T, U> extends true ? [] : [got: U]) => void;
declare const n: number, list: number[], x: Tensor<["B", "T", 768]>, ids: Tensor<["B", "T"], "i32">;
declare const u: Tensor<(number | string)[]>, d: Tensor<[number, 768]>;
const a = o.zeros([4, 768]), w = o.zeros([768, 3072]);
`;

const right: readonly (readonly [program: string, type: string])[] = [
  ["a", "[4, 768]"],
  ['o.zeros([2], "bf16")', '[2], "bf16"'],
  ["o.zeros([n, 3])", "[number, 3]"],
  ["o.zeros(list)", "number[]"],
  ["o.zeros([x.shape[0], 3])", '["B", 3]'],
  ['o.zeros([o.size("B", n), 768])', '["B", 768]'],
  ["o.add(x, o.zeros([768]))", '["B", "T", 768]'],
  ["o.mul(x, 2)", '["B", "T", 768]'],
  ["o.sub(o.zeros([4, 1]), o.zeros([3]))", "[4, 3]"],
  ["o.add(d, a)", "[4, 768]"],
  ["o.less(ids, 3)", '["B", "T"], "bool"'],
  ["o.where(o.less(x, 0), o.zeros([]), x)", '["B", "T", 768]'],
  ["o.matmul(a, w)", "[4, 3072]"],
  ["o.matmul(x, w)", '["B", "T", 3072]'],
  ["o.matmul(d, w)", "[number, 3072]"],
  ["o.matmul(o.zeros([2, 1, 3, 4]), o.zeros([5, 4, 6]))", "[2, 5, 3, 6]"],
  ['o.einsum("btc,cf->btf", x, w)', '["B", "T", 3072]'],
  ['o.einsum("btc->", x)', "[]"],
  ['o.rearrange(x, "b t (h d) -> b h t d", { h: 12 })', '["B", 12, "T", 64]'],
  ['o.rearrange(x, "b t c -> (b t) c")', '["B*T", 768]'],
  [
    'o.rearrange(o.rearrange(x, "b t c -> (b t) c"), "(b t) c -> b t c", { b: x.shape[0] })',
    '["B", "T", 768]',
  ],
  ['o.rearrange(d, "b (h d) -> b h d", { h: 12 })', "[number, 12, 64]"],
  ["o.reshape(x, [x.shape[0], x.shape[1], 12, -1])", '["B", "T", 12, 64]'],
  ["o.reshape(x, [-1, 768])", '["B*T", 768]'],
  ["o.reshape(o.zeros([4096, 768]), [32, 128, 768])", "[32, 128, 768]"],
  ["o.reshape(o.zeros([0, 4]), [7, 0])", "[7, 0]"],
  ["o.reshape(d, [n, 12, 64])", "[number, 12, 64]"],
  ["o.broadcastTo(o.zeros([768]), [4, 768])", "[4, 768]"],
  ["o.permute(x, [0, 2, -2])", '["B", 768, "T"]'],
  ["o.swapaxes(x, -1, 0)", '[768, "T", "B"]'],
  ["o.transpose(x)", '["B", 768, "T"]'],
  ["o.expandDims(x, -1)", '["B", "T", 768, 1]'],
  ["o.squeeze(o.zeros([4, 1, 3]), 1)", "[4, 3]"],
  ["o.sum(x)", "[]"],
  ["o.sum(x, [0, -1])", '["T"]'],
  ["o.mean(x, -1, { keepdims: true })", '["B", "T", 1]'],
  ["o.max(x, [0, 1], { keepdims: true })", "[1, 1, 768]"],
  ["o.argmax(x, -1)", '["B", "T"], "i32"'],
  ["o.softmax(x, -1)", '["B", "T", 768]'],
  ["o.topK(x, 5, -1).indices", '["B", "T", 5], "i32"'],
  ["o.concat([a, a], 0)", "[8, 768]"],
  ["o.concat([a, d], 0)", "[number, 768]"],
  ["o.concat([x, o.zeros([x.shape[0], 0, 768])], 1)", '["B", "T", 768]'],
  ["o.stack([a, a, a], -1)", "[4, 768, 3]"],
  ["o.split(a, [256, 512], 1)[1]", "[4, 512]"],
  ["o.slice(x, 1, 5, 15)", '["B", 10, 768]'],
  ["o.slice(x, 1, 0, x.shape[1])", '["B", "T", 768]'],
  ["o.slice(a, 0, 1, n)", "[number, 768]"],
  ["o.pad(x, [[0, 0], [1, 0], [0, 256]])", '["B", number, 1024]'],
  ['o.gather(x, o.zeros([7, 2], "i32"), 1)', '["B", 7, 2, 768]'],
  ["o.embedding(o.zeros([30522, 768]), ids)", '["B", "T", 768]'],
  ["o.oneHot(ids, 30522)", '["B", "T", 30522]'],
  ["o.linear(x, w, o.zeros([3072]))", '["B", "T", 3072]'],
  ['o.expectShape(u, ["B", 768])', '["B", 768]'],
  ["o.sum(u, 1)", "(number | string)[]"],
  ["o.matmul(u, w)", "(number | string)[]"],
  ['o.cast(x, "f16")', '["B", "T", 768], "f16"'],
];

Deno.test("types: right programs have the shapes that they should", () => {
  const lines = right.map(([program, type]) => `is<Tensor<${type}>>()(${program});`);
  const first = PRELUDE.split("\n").length;
  const { diagnostics } = check(PRELUDE + lines.join("\n"));
  assertEquals(diagnostics.map((d) => [lines[d.line - first], d.text]), []);
});
