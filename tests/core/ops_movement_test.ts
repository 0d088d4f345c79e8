/** Ops that move elements, against what their documentation says of each element. */
import { assertEquals, assertThrows } from "@std/assert";
import {
  type AnyTensor,
  broadcastTo,
  concat,
  everyNth,
  expandDims,
  flip,
  matmul,
  pad,
  permute,
  rearrange,
  repeat,
  reshape,
  slice,
  split,
  squeeze,
  stack,
  swapaxes,
  tile,
  transpose,
  tril,
  triu,
} from "../../core/mod.ts";
import { at, counting, type Grid, grid, gridOf, tensorOf } from "./grid.ts";

const cube = counting([2, 3, 4]), x = tensorOf(cube);

const cases: readonly (readonly [what: string, result: () => AnyTensor, want: Grid])[] = [
  ["reshape", () => reshape(x, [4, -1]), { shape: [4, 6], values: cube.values }],
  ["reshape to fewer", () => reshape(x, [-1]), { shape: [24], values: cube.values }],
  ["permute", () => permute(x, [2, 0, 1]), grid([4, 2, 3], ([k, i, j]) => at(cube, [i!, j!, k!]))],
  [
    "permute from the end",
    () => permute(x, [-1, 0, -2]),
    grid([4, 2, 3], ([k, i, j]) => at(cube, [i!, j!, k!])),
  ],
  ["swapaxes", () => swapaxes(x, 0, -1), grid([4, 3, 2], ([k, j, i]) => at(cube, [i!, j!, k!]))],
  ["transpose", () => transpose(x), grid([2, 4, 3], ([i, k, j]) => at(cube, [i!, j!, k!]))],
  ["expandDims", () => expandDims(x, -2), { shape: [2, 3, 1, 4], values: cube.values }],
  ["squeeze", () => squeeze(expandDims(x, 1), -3), cube],
  [
    "broadcastTo",
    () => broadcastTo(slice(x, 1, 0, 1), [5, 2, 3, 4]),
    grid([5, 2, 3, 4], ([_, i, __, k]) => at(cube, [i!, 0, k!])),
  ],
  ["slice", () => slice(x, -1, 1, 3), grid([2, 3, 2], ([i, j, k]) => at(cube, [i!, j!, k! + 1]))],
  ["slice to nothing", () => slice(x, 0, 2, 2), { shape: [0, 3, 4], values: [] }],
  ["everyNth", () => everyNth(x, 3, 2), grid([2, 3, 2], ([i, j, k]) => at(cube, [i!, j!, 3 * k!]))],
  ["flip", () => flip(x, 1), grid([2, 3, 4], ([i, j, k]) => at(cube, [i!, 2 - j!, k!]))],
  [
    "pad",
    () => pad(x, [[1, 0], [0, 0], [2, 1]]),
    grid([3, 3, 7], ([i, j, k]) => at(cube, [i! - 1, j!, k! - 2])),
  ],
  ["pad by nothing", () => pad(x, [[0, 0], [0, 0], [0, 0]], 7), cube],
  [
    "stack",
    () => stack([x, x, flip(x, 0)], 1),
    grid([2, 3, 3, 4], ([i, n, j, k]) => at(cube, [n === 2 ? 1 - i! : i!, j!, k!])),
  ],
  ["stack at the end", () => stack([x, x], -1), grid([2, 3, 4, 2], (c) => at(cube, c.slice(0, 3)))],
  [
    "concat",
    () => concat([x, slice(x, 1, 0, 1)], -2),
    grid([2, 4, 4], ([i, j, k]) => at(cube, [i!, j! % 3, k!])),
  ],
  ["concat of one", () => concat([x], 0), cube],
  ["tile", () => tile(x, 3, 1), grid([2, 9, 4], ([i, j, k]) => at(cube, [i!, j! % 3, k!]))],
  [
    "repeat",
    () => repeat(x, 3, 1),
    grid([2, 9, 4], ([i, j, k]) => at(cube, [i!, Math.floor(j! / 3), k!])),
  ],
  ["repeat no times", () => repeat(x, 0, 0), { shape: [0, 3, 4], values: [] }],
  ["tril", () => tril(x, 1), grid([2, 3, 4], (c) => c[2]! <= c[1]! + 1 ? at(cube, c) : 0)],
  ["triu", () => triu(x, -1), grid([2, 3, 4], (c) => c[2]! >= c[1]! - 1 ? at(cube, c) : 0)],
  [
    "rearrange",
    () => rearrange(x, "a b (c d) -> (d a) c b", { d: 2 }),
    grid([4, 2, 3], ([da, c, b]) => at(cube, [da! % 2, b!, 2 * c! + Math.floor(da! / 2)])),
  ],
  [
    "rearrange with ones",
    () => rearrange(expandDims(x, 0), "1 a b c -> (b c) 1 a"),
    grid([12, 1, 2], ([bc, _, a]) => at(cube, [a!, Math.floor(bc! / 4), bc! % 4])),
  ],
];

for (const [what, result, want] of cases) {
  Deno.test(`movement: ${what}`, async () => {
    assertEquals(await gridOf(result()), want);
  });
}

Deno.test("movement: split gives every part", async () => {
  const parts = split(x, [1, 0, 3], 2) as unknown as readonly AnyTensor[];
  const from = [0, 1, 1];
  for (const [n, size] of [1, 0, 3].entries()) {
    const want = grid([2, 3, size], ([i, j, k]) => at(cube, [i!, j!, k! + from[n]!]));
    assertEquals(await gridOf(parts[n]!), want);
  }
});

Deno.test("movement: views of views, read by one op", async () => {
  const y = transpose(flip(slice(reshape(x, [6, 4]), 0, 1, 5), 1));
  const want = grid([4, 4], ([k, r]) => cube.values[(r! + 1) * 4 + 3 - k!]!);
  assertEquals(await gridOf(y), want);
  const ones = tensorOf(grid([4, 1], () => 1));
  assertEquals(
    await gridOf(matmul(y, ones)),
    grid([4, 1], ([k]) => [0, 1, 2, 3].reduce((sum, r) => sum + at(want, [k!, r]), 0)),
  );
});

Deno.test("movement: what does not fit is refused with its numbers", () => {
  const refused: readonly (readonly [() => unknown, string])[] = [
    [
      () => reshape(x, [5, -1]),
      "Cannot reshape [2, 3, 4] to [5, -1]: 24 elements do not divide by 5",
    ],
    [() => reshape(x, [-2, -12]), "Cannot make a tensor of [-2, -12]: sizes must be"],
    [
      () => permute(x, [0, 0, 1]),
      "Cannot permute [2, 3, 4] by [0, 0, 1]: axes must be a permutation",
    ],
    [() => squeeze(x, 0), "Cannot squeeze [2, 3, 4] over axis 0: the axis must be 1 (2)"],
    [() => flip(x, 3), "Cannot flip [2, 3, 4] over axis 3: axis must be in -3..2"],
    [() => slice(x, 0, 1, 3), "start and end must be in 0..2, in order"],
    [() => slice(x, 0, 0.5, 1.5), "start and end must be in 0..2, in order"],
    [() => split(x, [1, 2], 0), "sizes must add up to 2 (3)"],
    [() => pad(x, [[0, 0]]), "widths must be one pair an axis"],
    [() => pad(tensorOf(cube, "i32"), [[0, 0], [0, 0], [0, 1]], 0.5), "the value must be whole"],
    [() => concat([x, tensorOf(counting([2, 3]))], 0), "other axes must match"],
    [() => concat([x, tensorOf(cube, "i32")], 0), "dtypes must be equal"],
    [() => tril(tensorOf(counting([3]))), "Cannot tril [3] over axis -2"],
    [() => rearrange(x, "a b -> b a"), "the left side must name each axis"],
  ];
  for (const [call, message] of refused) assertThrows(call, TypeError, message);
  assertThrows(() => everyNth(x, 0, 0), RangeError, "the step must be whole and above 0");
  assertThrows(() => tile(x, -1, 0), RangeError, "the number must be whole and not negative");
});
