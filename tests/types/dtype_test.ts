/** f16 and bf16 bits: every pattern, and rounding to nearest even, against arithmetic in doubles. */
import { assertEquals } from "@std/assert";
import {
  bytesOf,
  type DType,
  fromBf16,
  fromF16,
  fromHost,
  hostArray,
  toBf16,
  toF16,
  toHost,
} from "../../core/dtype.ts";

interface Half {
  readonly to: (value: number) => number;
  readonly from: (bits: number) => number;
  /** The bits of +infinity. */
  readonly infinity: number;
}
const halves: Readonly<Record<string, Half>> = {
  f16: { to: toF16, from: fromF16, infinity: 0x7c00 },
  bf16: { to: toBf16, from: fromBf16, infinity: 0x7f80 },
};

for (const [name, { to, from, infinity }] of Object.entries(halves)) {
  Deno.test(`dtype: every ${name} pattern comes back, NaN as a NaN`, () => {
    const wrong: number[] = [];
    for (let bits = 0; bits < 0x10000; bits++) {
      const back = to(from(bits)), nan = (bits & 0x7fff) > infinity;
      if (nan ? !Number.isNaN(from(bits)) || (back & 0x7fff) <= infinity : back !== bits) {
        wrong.push(bits);
      }
    }
    assertEquals(wrong, []);
  });

  Deno.test(`dtype: ${name} rounds to the nearest, a tie to the even one`, () => {
    const wrong: number[] = [];
    for (let bits = 0; bits < infinity - 1; bits++) {
      // Both neighbours, their middle, and the f32 numbers beside the middle are exact in doubles.
      const low = from(bits), high = from(bits + 1), middle = (low + high) / 2;
      const even = bits % 2 ? bits + 1 : bits;
      const below = middle - (high - low) / 64, above = middle + (high - low) / 64;
      const tie = Math.fround(middle) === middle ? to(middle) : even;
      const near = Math.fround(below) === below ? to(below) : bits;
      const far = Math.fround(above) === above ? to(above) : bits + 1;
      if (tie !== even || near !== bits || far !== bits + 1 || to(-far) !== (to(far) | 0x8000)) {
        wrong.push(bits);
      }
    }
    assertEquals(wrong, []);
  });

  Deno.test(`dtype: ${name} keeps infinities and the sign of zero, and overflows to infinity`, () => {
    assertEquals(to(Infinity), infinity);
    assertEquals(to(-Infinity), infinity | 0x8000);
    assertEquals([to(0), to(-0)], [0, 0x8000]);
    const greatest = from(infinity - 1), step = greatest - from(infinity - 2);
    assertEquals(to(greatest + step / 4), infinity - 1);
    assertEquals(to(greatest + step / 2), infinity);
  });
}

Deno.test("dtype: host arrays have the bytes that a dtype takes, and hold what it can", () => {
  const values = [0, -0, 1, -1.5, 3, 65504, 1e9],
    types: DType[] = ["f32", "f16", "bf16", "i32", "u32", "bool"];
  for (const dtype of types) {
    assertEquals(hostArray(dtype, 3).BYTES_PER_ELEMENT, bytesOf(dtype), dtype);
    const once = fromHost(toHost(values, dtype), dtype);
    assertEquals(Array.from(fromHost(toHost(once, dtype), dtype)), Array.from(once), dtype);
  }
  assertEquals(Array.from(fromHost(toHost([1.5, -1], "f16"), "f16")), [1.5, -1]);
  assertEquals(Array.from(toHost([2.7, -1], "i32")), [2, -1]);
  assertEquals(Array.from(toHost([-1], "u32")), [4294967295]);
  assertEquals(Array.from(toHost([0, 0.5, NaN], "bool")), [0, 1, 0]);
});
