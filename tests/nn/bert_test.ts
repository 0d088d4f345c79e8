/** The embedding layer by loops, and BERT's own layout (Post-LN, absolute positions, segments) against plain torch. */
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  add,
  type AnyTensor,
  fromArray,
  mapTree,
  mul,
  read,
  size,
  sum,
  type Tensor,
  type Tree,
  valueAndGrad,
} from "../../core/mod.ts";
import {
  crossEntropy,
  describe,
  embed,
  type EmbeddingOptions,
  embeddingsSpec,
  encode,
  type EncoderOptions,
  encoderSpec,
  mlmHeadSpec,
  mlmLogits,
  schemes,
} from "../../nn/mod.ts";

/** The leaves of a record of specs, filled by the formula of golden/make.py. */
function filled(specs: unknown, scaleOf: (path: string) => number): unknown {
  const order = describe(specs).map(({ path }) => path).sort();
  const shapes = new Map(describe(specs).map(({ path, shape }) => [path, shape]));
  return mapTree(specs as Tree<object>, (_, path) => {
    const n = order.indexOf(path), shape = shapes.get(path)!, from = path.endsWith("gain") ? 1 : 0;
    const count = shape.reduce((a, b) => a * b, 1);
    const values = Array.from(
      { length: count },
      (_, i) => from + scaleOf(path) * Math.sin(1 + n + 0.7 * i),
    );
    return fromArray(Float32Array.from(values), [...shape]) as AnyTensor;
  });
}

function leafAt(tree: unknown, path: string): AnyTensor {
  const under = (at: unknown, key: string): unknown =>
    (at as Readonly<Record<string, unknown>>)[key];
  return path.split(".").reduce(under, tree) as AnyTensor;
}

const ints = (rows: readonly (readonly number[])[]): AnyTensor =>
  fromArray(Int32Array.from(rows.flat()), [rows.length, rows[0]!.length], "i32") as AnyTensor;

const V = 5, C = 4, ids = [[1, 4, 0], [2, 2, 3]], segments = [[0, 1, 1], [1, 0, 0]];
const layouts: readonly EmbeddingOptions[] = [
  {},
  { positions: 3 },
  { positions: 6, segments: 2, norm: true, epsilon: 1e-3 },
  { segments: 2 },
];

type Tables = Readonly<Record<string, readonly number[]>>;

/** One row of the sum, normalised where it is asked for. */
function rowByLoop(
  tables: Tables,
  { norm, epsilon = 1e-5 }: EmbeddingOptions,
  [id, t, segment]: readonly [number, number, number],
): number[] {
  const x = Array.from(
    { length: C },
    (_, c) =>
      tables.tokens![id * C + c]! + (tables.positions?.[t * C + c] ?? 0) +
      (tables.segments?.[segment * C + c] ?? 0),
  );
  if (!norm) return x;
  const mean = x.reduce((a, b) => a + b) / C;
  const spread = x.reduce((a, b) => a + (b - mean) ** 2, 0) / C;
  return x.map((v, c) =>
    (v - mean) / Math.sqrt(spread + epsilon) * tables["norm.gain"]![c]! + tables["norm.bias"]![c]!
  );
}

for (const options of layouts) {
  for (const given of options.segments ? [true, false] : [false]) {
    const name = `${JSON.stringify(options)}${given ? ", segments given" : ""}`;
    Deno.test(`embed() is the sum of its rows under ${name}`, async () => {
      const specs = embeddingsSpec(size("V", V), size("C", C), options);
      const params = filled(specs, () => 0.5) as never;
      const tables: Record<string, number[]> = {};
      for (const { path } of describe(specs)) {
        const leaf = leafAt(params, path);
        tables[path] = [...await read(leaf as Tensor)];
      }
      const got = await read(
        embed(params, ints(ids), options, ...given ? [ints(segments)] : []) as AnyTensor as Tensor,
      );
      const want = ids.flatMap((row, b) =>
        row.flatMap((id, t) => rowByLoop(tables, options, [id, t, given ? segments[b]![t]! : 0]))
      );
      assertEquals(got.length, want.length);
      want.forEach((x, i) => assertAlmostEquals(got[i]!, x, 2e-6));
    });
  }
}

Deno.test("embed() adds the one row of a table of one segment to all tokens, whatever their segments", async () => {
  const options = { segments: 1 };
  const params = filled(embeddingsSpec(size("V", V), size("C", C), options), () => 0.5) as never;
  const [plain, named] = [[], [ints(segments)]].map((own) =>
    read(embed(params, ints(ids), options, ...own) as AnyTensor as Tensor)
  );
  assertEquals(await named, await plain);
});

Deno.test("embed() adds up the gradients of rows that are read more than once", async () => {
  const options = { positions: 6, segments: 2 };
  const params = filled(embeddingsSpec(size("V", V), size("C", C), options), () => 0.5);
  const { grads } = valueAndGrad((p: typeof params) =>
    sum(embed(p as never, ints(ids), options, ints(segments)) as AnyTensor) as AnyTensor
  )(params as never) as { grads: Readonly<Record<string, Tensor>> };
  const counts = async (name: string): Promise<number[]> =>
    [...await read(grads[name]!)]
      .filter((_, i) => i % C === 0);
  assertEquals(await counts("tokens"), [1, 1, 2, 1, 1]);
  assertEquals(await counts("positions"), [2, 2, 2, 0, 0, 0]);
  assertEquals(await counts("segments"), [3, 3]);
});

Deno.test("embed() refuses a text that is longer than its positions", () => {
  const options = { positions: 2 };
  const params = filled(embeddingsSpec(size("V", V), size("C", C), options), () => 0.5);
  assertThrows(
    () => embed(params as never, ints(ids), options),
    RangeError,
    "Cannot embed 3 positions: the model has learnt 2",
  );
});

interface Golden {
  readonly hidden: readonly number[];
  readonly logits: readonly number[];
  readonly grads: Readonly<Record<string, readonly number[]>>;
}

Deno.test("an encoder in BERT's layout gives what torch gives, forward and gradient", async () => {
  const golden: Golden = JSON.parse(
    await Deno.readTextFile(new URL("./golden/bert.json", import.meta.url)),
  );
  const sizes = {
    vocabulary: size("V", 11),
    width: size("C", 8),
    heads: size("H", 2),
    headWidth: size("K", 4),
    hidden: size("F", 16),
    layers: 2,
  };
  const epsilon = 1e-12,
    options: EncoderOptions = {
      scheme: schemes.none,
      norm: "post",
      epsilon,
      embeddings: { positions: 7, segments: 2, norm: true },
    };
  const specs = {
    encoder: encoderSpec(sizes, options),
    head: mlmHeadSpec(sizes.vocabulary, sizes.width),
  };
  const isTable = (path: string): boolean => /^encoder\.embeddings\.(?!norm)/.test(path);
  const params = filled(specs, (path) => isTable(path) ? 0.03 : 0.3);
  const inputs = {
    ids: ints([[2, 5, 7, 3, 9], [2, 8, 10, 3, 0]]),
    keep: fromArray(Float32Array.from([1, 1, 1, 1, 1, 1, 1, 1, 1, 0]), [2, 5]) as AnyTensor,
    segments: ints([[0, 0, 1, 1, 1], [0, 0, 0, 1, 0]]),
  };
  const positions = fromArray(Int32Array.from([1, 4, 7]), [3], "i32") as AnyTensor;
  const labels = fromArray(Int32Array.from([6, 4, 8]), [3], "i32") as AnyTensor;
  const weights = fromArray(Float32Array.from([1, 1, 1]), [3]) as AnyTensor;
  const run = (p: unknown): { hidden: AnyTensor; logits: AnyTensor } => {
    const { encoder, head } = p as { encoder: never; head: never };
    const { hidden } = encode(encoder, inputs, options);
    const { tokens } = (encoder as { embeddings: { tokens: never } }).embeddings;
    return { hidden, logits: mlmLogits(head, tokens, hidden as never, positions, epsilon) };
  };
  const { hidden, logits } = run(params);
  const close = async (got: AnyTensor, want: readonly number[], what: string): Promise<void> => {
    const found = await read(got as Tensor);
    assertEquals(found.length, want.length, what);
    want.forEach((x, i) => assertAlmostEquals(found[i]!, x, 1e-5 * Math.max(1, Math.abs(x)), what));
  };
  await close(hidden, golden.hidden, "hidden");
  await close(logits, golden.logits, "logits");
  const { grads } = valueAndGrad((p: typeof params) =>
    crossEntropy(run(p).logits as never, labels, weights).sum as AnyTensor
  )(params as never);
  for (const [path, want] of Object.entries(golden.grads)) {
    await close(leafAt(grads, path), want, path);
  }
});

Deno.test("BERT's epsilon is no detail: with PyTorch's the hidden states of small tables differ", async () => {
  const width = size("C", C), options = { segments: 2, norm: true };
  const params = filled(
    embeddingsSpec(size("V", V), width, options),
    (path) => path.startsWith("norm") ? 0.3 : 0.01,
  ) as never;
  const of = (epsilon: number): AnyTensor =>
    embed(params, ints(ids), { ...options, epsilon }) as AnyTensor;
  const apart = add(of(1e-12), mul(of(1e-5), -1) as AnyTensor);
  const most = Math.max(...(await read(apart as Tensor)).map(Math.abs));
  assertEquals(most > 1e-2, true, String(most));
});
