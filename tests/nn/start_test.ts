import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { type AnyTensor, fromArray, read, size, type Tensor } from "../../core/mod.ts";
import { encode, encoderSpec, init, like, normal, repeat } from "../../nn/mod.ts";

const sizes = {
  ...{ vocabulary: size("V", 40), width: size("C", 64), heads: size("H", 2), layers: 2 },
  ...{ headWidth: size("K", 32), hidden: size("F", 128) },
};

Deno.test("a parameter that starts like another is drawn as it, layer by layer", async () => {
  const w = normal([3], 1), { layers } = init(3, { layers: repeat(2, { w, v: like("w", w) }) });
  const [first, second] = await Promise.all(layers.map(({ w }) => read(w)));
  assertEquals(await read(layers[0]!.v), first);
  assertEquals(await read(layers[1]!.v), second);
  assertNotEquals(first, second);
});

Deno.test("a parameter cannot start as one that is not there, or of another shape", () => {
  const v = like("w", normal([3], 1));
  assertThrows(() => init(1, { a: { v } }), TypeError, "a.v of [3] as a.w, which is not there");
  assertThrows(() => init(1, { w: normal([4], 1), v }), TypeError, "as w, which has [4]: shapes");
});

Deno.test("keys that start as queries: every token attends to its like", async () => {
  const ids = [1, 7, 9, 12, 2, 30, 9, 31, 2], T = ids.length;
  const share = async (keysLikeQueries: boolean): Promise<number> => {
    const options = { std: 0.05, keysLikeQueries };
    const { layers } = encode(init(1, encoderSpec(sizes, options)), {
      ids: fromArray(Int32Array.from(ids), [1, T], "i32") as AnyTensor as Tensor<["B", "T"], "i32">,
      keep: fromArray(new Float32Array(T).fill(1), [1, T]) as AnyTensor as Tensor<["B", "T"]>,
    }, options);
    const { q, k } = layers[0]!, [Q, K] = [await read(q), await read(k)];
    const [at, H, W] = [q.shape as readonly number[], 2, 32];
    assertEquals([...at].sort(), [1, H, T, W].sort());
    const place = (h: number, t: number): number => at[1] === H ? (h * T + t) * W : (t * H + h) * W;
    let sum = 0;
    for (let h = 0; h < H; h++) {
      const scores = ids.map((_, j) => {
        let dot = 0;
        for (let i = 0; i < W; i++) dot += Q[place(h, 2) + i]! * K[place(h, j) + i]!;
        return Math.exp(dot / Math.sqrt(W));
      });
      sum += (scores[2]! + scores[6]!) / scores.reduce((a, b) => a + b) / H;
    }
    return sum;
  };
  const alike = await share(true), alone = await share(false);
  assert(alike > 0.4 && alike > 1.5 * alone, `${alike}, ${alone}`);
});

Deno.test("rows for segments start with a deviation of their own", async () => {
  const spread = (found: ArrayLike<number>): number =>
    Math.sqrt(Array.from(found).reduce((sum, x) => sum + x * x, 0) / found.length);
  const embeddings = { segments: 2, segmentStd: 0.005 };
  const { embeddings: tables } = init(1, encoderSpec(sizes, { std: 0.05, embeddings }));
  assertAlmostEquals(spread(await read(tables.segments!)), 0.005, 0.001);
  assertAlmostEquals(spread(await read(tables.tokens)), 0.05, 0.005);
});
