/** Steps through shared windows, where their counts go round. */
import { assertEquals } from "@std/assert";
import type { Bells } from "../../dist/shm/host/bells.ts";
import { layoutOf, WORD } from "../../dist/shm/host/layout.ts";
import { createSteps } from "../../dist/shm/host/steps.ts";
import { within } from "../within.ts";

const SIZE = 2, WINDOW = 256;

/** Waits by looking, again and again. */
const bells: Bells = {
  async until(isSo) {
    while (!isSo()) await new Promise((resolve) => setTimeout(resolve));
  },
  ring: () => {},
  look: () => {},
  fail: () => {},
};

Deno.test("steps: sums are right, and windows apart, where the count of steps goes round", async () => {
  for (const first of [0, 2 ** 31 - 5, -(2 ** 31)]) {
    const layout = layoutOf(SIZE, WINDOW), bytes = new ArrayBuffer(layout.bytes);
    const words = new Int32Array(bytes);
    for (let rank = 0; rank < SIZE; rank++) {
      for (const which of [WORD.copied, WORD.summed, WORD.taken]) {
        words[layout.word(rank, which)] = first;
      }
    }
    const rankOf = async (rank: number): Promise<readonly (readonly number[])[]> => {
      const steps = createSteps(bytes, layout, bells, {
        ...{ rank, size: SIZE, windowBytes: WINDOW, first },
      });
      const like = new Int32Array(), found: number[][] = [];
      const lowest = layout.window(rank, 0), highest = lowest + WINDOW - 64;
      // Three arrays of four steps: the second goes past the highest count.
      for (let array = 0; array < 3; array++) {
        const sums: number[] = [];
        await steps.run(4, {
          copyIn(k) {
            const piece = steps.piece(like, rank, 0, k, 0, 1, 16);
            assertEquals(piece.byteOffset >= lowest && piece.byteOffset <= highest, true);
            piece.fill(100 * array + 10 * k + rank);
          },
          make(k) {
            const sum = steps.piece(like, rank, 1, k, 0, 1, 16).fill(0);
            for (let r = 0; r < SIZE; r++) {
              steps.piece(like, r, 0, k, 0, 1, 16).forEach((x, i) => sum[i]! += x);
            }
          },
          copyOut: (k) => void sums.push(steps.piece(like, 1 - rank, 1, k, 0, 1, 16)[15]!),
        });
        found.push(sums);
      }
      return found;
    };
    const all = await within("steps", Promise.all([rankOf(0), rankOf(1)]));
    const expected = [0, 1, 2].map((a) => [0, 1, 2, 3].map((k) => 200 * a + 20 * k + 1));
    assertEquals(all, [expected, expected]);
  }
});
