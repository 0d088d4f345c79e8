/** The allocator of the cpu device: blocks never overlap, freed memory is used again, a full memory says so. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import { DeviceError } from "../../core/device/error.ts";
import { createHeap } from "../../core/backends/cpu/memory.ts";

Deno.test("cpu memory: blocks are aligned, lie inside and never overlap", () => {
  const commands = fc.array(
    fc.record({ free: fc.boolean(), pick: fc.nat(), bytes: fc.nat(300_000) }),
    {
      minLength: 50,
      maxLength: 300,
    },
  );
  fc.assert(
    fc.property(commands, (list) => {
      const heap = createHeap(true), blocks: { at: number; bytes: number }[] = [];
      for (const { free, pick, bytes } of list) {
        if (free && blocks.length) {
          heap.free(blocks.splice(pick % blocks.length, 1)[0]!.at);
          continue;
        }
        const at = heap.allocate(bytes);
        assertEquals(at % 64, 0);
        assert(at > 0 && at + bytes <= heap.buffer().byteLength - 64);
        for (const b of blocks) {
          assert(
            at + Math.max(1, bytes) <= b.at || b.at + Math.max(1, b.bytes) <= at,
            `${at} overlaps ${b.at}`,
          );
        }
        blocks.push({ at, bytes });
      }
    }),
    { numRuns: 60, seed: 3 },
  );
});

Deno.test("cpu memory: what is freed is joined and used again", () => {
  const heap = createHeap(true);
  const blocks = Array.from({ length: 100 }, () => heap.allocate(10_000));
  const size = heap.buffer().byteLength;
  // In an order that leaves gaps first and joins them on both sides later.
  for (const k of [0, 2, 1, 3]) blocks.forEach((b, i) => i % 4 === k ? heap.free(b) : undefined);
  assertEquals(heap.allocate(100 * 9_000) > 0, true);
  assertEquals(heap.buffer().byteLength, size);
});

Deno.test("cpu memory: 64-bit addresses reach beyond 4 GiB, and views there are sound", () => {
  const heap = createHeap(true, "16GiB"), GIB = 2 ** 30;
  const blocks = [3, 3, 3, 3].map((n) => heap.allocate(n * GIB));
  assert(blocks[3]! >= 9 * GIB && blocks[3]! % 64 === 0);
  new Float32Array(heap.buffer(), blocks[3]!, 3)[2] = 5;
  assertEquals(heap.words()[blocks[3]! / 4 + 2], 0x40a00000);
  heap.allocate(3.9 * GIB);
  assertEquals(heap.words().length > 2 ** 32 - 2 ** 28, true);
  assertThrows(() => heap.allocate(GIB), DeviceError, `holds at most ${16 * GIB}`);
});

Deno.test("cpu memory: refusals", () => {
  const heap = createHeap(true);
  assertThrows(() => heap.allocate(2 ** 33), DeviceError, "Cannot allocate");
  assertThrows(() => heap.free(64), RangeError, "Cannot free address 64");
  const at = heap.allocate(1);
  heap.free(at);
  assertThrows(() => heap.free(at), RangeError);
});
