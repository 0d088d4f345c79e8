/** Sums by WebAssembly are those of the loop, to the bit. */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { combines } from "../../dist/message/combine.ts";
import { combineFor } from "../../dist/shm/host/f32_add.ts";
import { fc } from "../property.ts";

const numbers = (length: number): fc.Arbitrary<Float32Array> =>
  fc.float32Array({ minLength: length, maxLength: length, noNaN: true });

Deno.test("f32 sums in blocks: the bits of the loop, in place and not, at any length and offset", () => {
  const lengths = fc.constantFrom(0, 1, 3, 16, 17, 16_383, 16_384, 16_385, 40_000);
  const property = fc.property(
    lengths,
    numbers(64),
    fc.nat(3),
    fc.constantFrom("apart", "left", "right"),
    (length, some, offset, where) => {
      const long = (shift: number): Float32Array =>
        new Float32Array(length + offset).map((_, i) => some[(i * shift + shift) % 64]!).subarray(
          offset,
        );
      const a = long(1), b = long(7), expected = new Float32Array(length);
      combines.sum(expected, a, b);
      const into = where === "apart" ? new Float32Array(length) : where === "left" ? a : b;
      combineFor("sum", into)(into, a, b);
      const bytes = (x: Float32Array): Uint8Array =>
        new Uint8Array(x.buffer, x.byteOffset, x.byteLength);
      assertEquals(Buffer.compare(bytes(into), bytes(expected)), 0);
    },
  );
  fc.assert(property, { numRuns: 200 });
  const into = new Float32Array(2);
  combineFor("sum", into)(into, Float32Array.of(NaN, 1), Float32Array.of(1, Infinity));
  assert(Number.isNaN(into[0]) && into[1] === Infinity);
});
