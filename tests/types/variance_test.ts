/** Shapes and dtypes are invariant: nothing widens, and two sizes never unify to a union. */
import { assertEquals } from "@std/assert";
import { check } from "./compiler.ts";

const PRELUDE = `import { add, type Dim, type DType, type Tensor, zeros } from "./ops.ts";
declare function attend<B extends Dim, T extends Dim>(x: Tensor<[B, T, 8]>, mask: Tensor<[B, 1, 1, T]>): Tensor<[B, T, 8]>;
declare function same<D extends DType>(a: Tensor<[2], D>, b: Tensor<[2], D>): D;
declare function wide(x: Tensor<[number, 8]>): void;
declare function any<B extends Dim>(x: Tensor<[B, 8]>): void;
declare function named<B extends Dim>(x: Tensor<[B]>, y: Tensor<[B]>): B;
declare const b: Tensor<["B"]>, c: Tensor<["C"]>, unknown: Tensor<[number, 8]>;
`;

function refused(program: string): boolean {
  return check(PRELUDE + program).diagnostics.length > 0;
}

Deno.test("types: sizes and dtypes of two arguments do not unify to a union", () => {
  assertEquals(refused("attend(zeros([4, 16, 8]), zeros([4, 1, 1, 16]));"), false);
  assertEquals(refused("attend(zeros([4, 16, 8]), zeros([8, 1, 1, 16]));"), true);
  assertEquals(refused("named(b, b);"), false);
  assertEquals(refused("named(b, c);"), true);
  assertEquals(refused('same(zeros([2], "f16"), zeros([2], "f16"));'), false);
  assertEquals(refused('same(zeros([2]), zeros([2], "f16"));'), true);
});

Deno.test("types: a known size is not an unknown one, nor the other way", () => {
  assertEquals(refused("wide(zeros([4, 8]));"), true);
  assertEquals(refused("any(zeros([4, 8])); any(unknown);"), false);
  assertEquals(refused("const x: Tensor<[4, 8]> = unknown;"), true);
});

Deno.test("types: an unknown size meets a known one in an op, which keeps what is known", () => {
  assertEquals(refused("const x: Tensor<[4, 8]> = add(unknown, zeros([4, 8]));"), false);
  assertEquals(refused("add(unknown, zeros([4, 9]));"), true);
});
