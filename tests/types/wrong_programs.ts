/** Wrong programs, and the text that each must give: from the compiler, and from a run that ignores it. */
export const wrong: readonly (readonly [program: string, text: string])[] = [
  // elementwise
  ["o.add(a, b)", "Cannot add [4, 768] with [512, 4]: axes must be equal or 1 (768 and 4)"],
  [
    "o.mul(x, o.zeros([5]))",
    "Cannot mul [B, T, 768] with [5]: axes must be equal or 1 (768 and 5)",
  ],
  [
    "o.sub(o.zeros([2, 3]), o.zeros([2]))",
    "Cannot sub [2, 3] with [2]: axes must be equal or 1 (3 and 2)",
  ],
  [
    'o.less(ids, o.zeros([3], "i32"))',
    "Cannot less [B, T] with [3]: axes must be equal or 1 (T and 3)",
  ],
  [
    "o.where(mask, o.zeros([2, 3]), o.zeros([4]))",
    "Cannot where [2, 3] with [4]: axes must be equal or 1 (3 and 4)",
  ],
  ["o.where(mask, a, a)", "Cannot where [2, 3] with [4, 768]: axes must be equal or 1 (3 and 768)"],
  // linear algebra
  ["o.matmul(a, b)", "Cannot matmul [4, 768] with [512, 4]: inner axes must match"],
  ["o.matmul(x, b)", "Cannot matmul [B, T, 768] with [512, 4]: inner axes must match"],
  [
    "o.matmul(o.zeros([2, 3, 4]), o.zeros([5, 4, 6]))",
    "Cannot matmul [2, 3, 4] with [5, 4, 6]: batch axes must be equal or 1",
  ],
  [
    "o.matmul(o.zeros([768]), a)",
    "Cannot matmul [768] with [4, 768]: each must have 2 axes or more",
  ],
  [
    'o.einsum("bhqd,bhkd->bhqk", o.zeros([2, 12, 8, 64]), o.zeros([2, 12, 8, 32]))',
    "Cannot einsum 'bhqd,bhkd->bhqk' with [2, 12, 8, 64] and [2, 12, 8, 32]: d must be one size (64 and 32)",
  ],
  [
    'o.einsum("ij,jk->iz", a, o.zeros([768, 3]))',
    "Cannot einsum 'ij,jk->iz' with [4, 768] and [768, 3]: z must stand in an operand",
  ],
  [
    'o.einsum("btc->bt", a)',
    "Cannot einsum 'btc->bt' with [4, 768]: btc must name each axis of [4, 768]",
  ],
  [
    'o.einsum("ij,jk->ik", a)',
    "Cannot einsum 'ij,jk->ik' with [4, 768]: the equation must have one term an operand",
  ],
  ['o.einsum("ij", a)', "Cannot einsum 'ij' with [4, 768]: there must be a '->'"],
  [
    'o.einsum("ii->i", o.zeros([3, 3]))',
    "Cannot einsum 'ii->i' with [3, 3]: i must stand once in ii",
  ],
  [
    'o.einsum("ij->ii", a)',
    "Cannot einsum 'ij->ii' with [4, 768]: i must stand once in the output",
  ],
  [
    'o.einsum("ij,ij->", a, o.cast(a, "bf16"))',
    "Cannot einsum f32 with bf16: dtypes must be equal",
  ],
  // layout
  [
    'o.rearrange(x, "b t (h d) -> b h t d", { h: 7 })',
    "Cannot rearrange [B, T, 768] by 'b t (h d) -> b h t d': 768 must be a multiple of 7",
  ],
  [
    'o.rearrange(x, "b t (h d) -> b h t", { h: 12 })',
    "Cannot rearrange [B, T, 768] by 'b t (h d) -> b h t': d must stand on the right too",
  ],
  [
    'o.rearrange(x, "b t c -> b t c d")',
    "Cannot rearrange [B, T, 768] by 'b t c -> b t c d': d must stand on the left too",
  ],
  [
    'o.rearrange(x, "b c -> c b")',
    "Cannot rearrange [B, T, 768] by 'b c -> c b': the left side must name each axis",
  ],
  [
    'o.rearrange(x, "b t (h d) -> b h t d")',
    "Cannot rearrange [B, T, 768] by 'b t (h d) -> b h t d': a group must have one unknown size at most",
  ],
  [
    'o.rearrange(x, "b t (h d) -> b h t d", { h: 12, d: 32 })',
    "Cannot rearrange [B, T, 768] by 'b t (h d) -> b h t d': a group must multiply to 768 (384)",
  ],
  [
    'o.rearrange(x, "b t c -> b c t", { c: 512 })',
    "Cannot rearrange [B, T, 768] by 'b t c -> b c t': c must be one size (768 and 512)",
  ],
  [
    'o.rearrange(x, "b t 1 -> b t")',
    "Cannot rearrange [B, T, 768] by 'b t 1 -> b t': an axis written 1 must be 1 (768)",
  ],
  [
    'o.rearrange(x, "b t c -> b c t", { h: 12 })',
    "Cannot rearrange [B, T, 768] by 'b t c -> b c t': every given size must have its name in the pattern",
  ],
  [
    'o.rearrange(x, "b b c -> b c")',
    "Cannot rearrange [B, T, 768] by 'b b c -> b c': a name must stand once a side",
  ],
  ["o.reshape(a, [4, 700])", "Cannot reshape [4, 768] to [4, 700]: 768 elements do not fit 700"],
  ["o.reshape(a, [5, -1])", "Cannot reshape [4, 768] to [5, -1]: 3072 elements do not divide by 5"],
  ["o.reshape(a, [-1, -1])", "Cannot reshape [4, 768] to [-1, -1]: only one axis may be -1"],
  [
    "o.reshape(x, [x.shape[0], x.shape[1], 12, 65])",
    "Cannot reshape [B, T, 768] to [B, T, 12, 65]: 768 elements do not fit 780",
  ],
  ["o.permute(x, [0, 1])", "Cannot permute [B, T, 768] by [0, 1]: axes must be a permutation"],
  [
    "o.permute(x, [0, 1, 1])",
    "Cannot permute [B, T, 768] by [0, 1, 1]: axes must be a permutation",
  ],
  ["o.permute(a, [0, 2])", "Cannot permute [4, 768] by [0, 2]: axes must be a permutation"],
  ["o.swapaxes(a, 0, 2)", "Cannot swapaxes [4, 768] over axis 2: axis must be in -2..1"],
  ["o.transpose(o.zeros([4]))", "Cannot transpose [4]: there must be 2 axes or more"],
  ["o.expandDims(a, 4)", "Cannot expandDims [4, 768] over axis 4: axis must be in -3..2"],
  ["o.squeeze(a, 0)", "Cannot squeeze [4, 768] over axis 0: the axis must be 1 (4)"],
  [
    "o.broadcastTo(a, [2, 768])",
    "Cannot broadcast [4, 768] to [2, 768]: axes must be equal or 1 (4 and 2)",
  ],
  [
    "o.broadcastTo(a, [768])",
    "Cannot broadcast [4, 768] to [768]: the target must have as many axes",
  ],
  // reductions and scans
  ["o.sum(x, [0, 5])", "Cannot sum [B, T, 768] over axis 5: axis must be in -3..2"],
  ["o.sum(x, [0, -3])", "Cannot sum [B, T, 768] over axes [0, -3]: axes must be distinct"],
  ["o.mean(a, 7, { keepdims: true })", "Cannot mean [4, 768] over axis 7: axis must be in -2..1"],
  ["o.max(o.zeros([]), 0)", "Cannot max [] over axis 0: a scalar has no axis"],
  ["o.argmax(x, 3)", "Cannot argmax [B, T, 768] over axis 3: axis must be in -3..2"],
  ["o.softmax(x, 3)", "Cannot softmax [B, T, 768] over axis 3: axis must be in -3..2"],
  ["o.cumsum(a, -3)", "Cannot cumsum [4, 768] over axis -3: axis must be in -2..1"],
  ["o.topK(a, 1000, 1)", "Cannot topK 1000 of [4, 768] over axis 1: size must be in 0..768"],
  // joining and cutting
  [
    "o.concat([a, b], 0)",
    "Cannot concat [4, 768] with [512, 4] over axis 0: other axes must match",
  ],
  ["o.concat([a, a], 2)", "Cannot concat [4, 768] over axis 2: axis must be in -2..1"],
  [
    'o.concat([a, o.zeros([4, 768], "f16")], 0)',
    "Cannot concat f32 with f16: dtypes must be equal",
  ],
  ["o.stack([a, b], 0)", "Cannot stack [4, 768] with [512, 4]: shapes must be equal"],
  [
    "o.split(a, [300, 400], 1)",
    "Cannot split [4, 768] over axis 1 into [300, 400]: sizes must add up to 768 (700)",
  ],
  [
    "o.slice(a, 1, 700, 800)",
    "Cannot slice [4, 768] over axis 1 from 700 to 800: start and end must be in 0..768, in order",
  ],
  [
    "o.slice(a, 0, 3, 2)",
    "Cannot slice [4, 768] over axis 0 from 3 to 2: start and end must be in 0..4, in order",
  ],
  ["o.pad(a, [[0, 1]])", "Cannot pad [4, 768] by [[0, 1]]: widths must be one pair an axis"],
  [
    "o.pad(a, [[0, 1], [-1, 0]])",
    "Cannot pad [4, 768] by [[0, 1], [-1, 0]]: widths must not be negative",
  ],
  [
    "o.dynamicSlice(a, i, 9, 0)",
    "Cannot dynamicSlice 9 of [4, 768] over axis 0: size must be in 0..4",
  ],
  // indexing
  ["o.gather(a, ids, 2)", "Cannot gather [4, 768] over axis 2: axis must be in -2..1"],
  [
    'o.takeAlongAxis(a, o.zeros([3, 2], "i32"), 1)',
    "Cannot takeAlongAxis [4, 768] at [3, 2] over axis 1: other axes must match",
  ],
  [
    "o.scatterAdd(o.zeros([10, 8]), at, o.zeros([3, 7]), 0)",
    "Cannot scatterAdd [3, 7] to [10, 8] over axis 0: updates must be [3, 8]",
  ],
  // layers, parameters, checks
  [
    "o.linear(x, o.zeros([512, 3]), o.zeros([3]))",
    "Cannot linear [B, T, 768] with [512, 3]: inner axes must match",
  ],
  [
    "o.linear(x, o.zeros([768, 3]), o.zeros([4]))",
    "Cannot linear [B, T, 3] with [4]: last axes must match",
  ],
  [
    "o.layerNorm(x, o.zeros([512]), o.zeros([768]))",
    "Cannot layerNorm [B, T, 768] with [512]: last axes must match",
  ],
  [
    "o.normal([n, 768], 0.02)",
    "Cannot make a parameter of [?, 768]: sizes must be literals (as const)",
  ],
  [
    'o.expectShape(a, ["B", 512])',
    "Cannot take [4, 768] as [B, 512]: axes must match (768 and 512)",
  ],
  ['o.expectShape(a, ["B", "C", 512])', "Cannot take [4, 768] as [B, C, 512]: ranks must match"],
];
