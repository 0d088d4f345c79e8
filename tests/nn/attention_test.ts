/** Every position scheme against the double loop: values, and gradients by finite differences of the double loop. */
import { assertAlmostEquals, assertEquals, assertGreater, assertLess } from "@std/assert";
import {
  add,
  type AnyTensor,
  einsum,
  fromArray,
  greater,
  mapTree,
  mul,
  paths,
  read,
  reshape,
  size,
  sizesOf,
  softmax,
  sum,
  type Tree,
  valueAndGrad,
  where,
} from "../../core/mod.ts";
import {
  attention,
  attentionScores,
  attentionSpec,
  describe,
  positions,
  type Scheme,
  schemes,
  sharedSpec,
} from "../../nn/mod.ts";
import { bruteForce, type Table, type Tables } from "./brute_force.ts";

const B = 2, T = 6, C = 8, H = 2, K = 4;
const sizes = { width: size("C", C), heads: size("H", H), headWidth: size("K", K) };

function numbers(seed: number): () => number {
  let s = seed >>> 0;
  return () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 31 - 1;
  };
}

/** Random tables for a record of specs: biases and tables too, or a term that is always 0 would pass. */
function drawn(specs: unknown, next: () => number): Record<string, Table> {
  return Object.fromEntries(
    describe(specs).map(({ path, shape }) => {
      const count = shape.reduce((a, b) => a * b, 1);
      return [path, { shape, data: Float32Array.from({ length: count }, () => 0.6 * next()) }];
    }),
  );
}

function tree(specs: unknown, tables: Tables): unknown {
  return mapTree(specs as Tree<unknown>, (_, path) => tensorOf(tables[path]!));
}
const tensorOf = ({ shape, data }: Table): AnyTensor => fromArray(data, [...shape]);

interface Inputs {
  readonly own: Record<string, Table>;
  readonly shared: Record<string, Table>;
  readonly x: Table;
  readonly keep: Table;
  readonly segments: Table;
}

function inputs(scheme: Scheme, length = T): Inputs {
  const next = numbers(7);
  return {
    own: drawn(attentionSpec(sizes, scheme), next),
    shared: drawn(sharedSpec(sizes, scheme), next),
    x: { shape: [B, length, C], data: Float32Array.from({ length: B * length * C }, next) },
    keep: {
      shape: [B, length],
      data: Float32Array.from({ length: B * length }, (_, i) => i === B * length - 1 ? 0 : 1),
    },
    segments: {
      shape: [B, length],
      data: Int32Array.from({ length: B * length }, (_, i) => i % length < 3 ? 0 : 1),
    },
  };
}

/** Attention by nn, for parameters that are tensors. */
function byNn(
  scheme: Scheme,
  own: unknown,
  shared: unknown,
  x: AnyTensor,
  from: Inputs,
): AnyTensor {
  const at = positions(scheme, shared as never, sizesOf(x)[1]!, { width: C, headWidth: K }, {
    keep: tensorOf(from.keep),
    segments: fromArray(from.segments.data, [...from.segments.shape], "i32") as AnyTensor,
  });
  return attention(own as never, x, at).out as AnyTensor;
}

function byLoop(scheme: Scheme, from: Inputs): number[] {
  return bruteForce({ scheme, ...from });
}

for (const [name, scheme] of Object.entries(schemes)) {
  Deno.test(`attention() equals the double loop under ${name}`, async () => {
    const from = inputs(scheme);
    const own = tree(attentionSpec(sizes, scheme), from.own);
    const shared = tree(sharedSpec(sizes, scheme), from.shared);
    const got = await read(byNn(scheme, own, shared, tensorOf(from.x), from));
    byLoop(scheme, from).forEach((want, i) => assertAlmostEquals(got[i]!, want, 1e-5));
  });

  Deno.test(`attentionScores() are what attention takes the softmax of under ${name}`, async () => {
    // What is read by position apart, which no score tells.
    const plainRead = { ...scheme, valueSide: "off" } as const, from = inputs(plainRead);
    const own = tree(attentionSpec(sizes, plainRead), from.own) as never;
    const shared = tree(sharedSpec(sizes, plainRead), from.shared) as never;
    const keep = tensorOf(from.keep);
    const at = positions(plainRead, shared, T, { width: C, headWidth: K }, {
      keep,
      segments: fromArray(from.segments.data, [...from.segments.shape], "i32") as AnyTensor,
    });
    const attended = attention(own, tensorOf(from.x), at);
    const scores: AnyTensor = attentionScores(own, attended, at);
    const seen: AnyTensor = reshape(keep, [B, 1, 1, T]);
    const weights: AnyTensor = softmax(where(greater(seen, 0), scores, -1e9), 3);
    const mixed: AnyTensor = einsum("bhij,bhjk->bhik", weights, attended.v as AnyTensor);
    const { wo, bo } = own as Readonly<Record<string, AnyTensor>>;
    const out: AnyTensor = add(einsum("bhtk,hkc->btc", mixed, wo!), bo!);
    const got = await read(out), want: Float32Array = await read(attended.out as AnyTensor);
    want.forEach((value, i) => assertAlmostEquals(got[i]!, value, 1e-5));
  });

  Deno.test(`attention() has the double loop's gradient under ${name}`, async () => {
    const from = inputs(scheme), next = numbers(11);
    const weights = Float32Array.from({ length: B * T * C }, next);
    const specs = { own: attentionSpec(sizes, scheme), shared: sharedSpec(sizes, scheme) };
    const params = {
      own: tree(specs.own, from.own),
      shared: tree(specs.shared, from.shared),
      x: tensorOf(from.x),
    };
    const loss = (p: typeof params) =>
      sum(
        mul(byNn(scheme, p.own, p.shared, p.x, from), fromArray(weights, [B, T, C]) as AnyTensor),
      );
    const { grads } = valueAndGrad((p: typeof params) => loss(p) as AnyTensor)(params);
    const lossByLoop = (): number =>
      byLoop(scheme, from).reduce((total, y, i) => total + y * weights[i]!, 0);
    for (const [path, g] of paths(grads as unknown as Tree<AnyTensor>)) {
      const got = await read(g);
      const [root, ...rest] = path.split(".");
      const table = root === "x" ? from.x : from[root as "own" | "shared"][rest.join(".")]!;
      const data = Float64Array.from(table.data);
      const tables = root === "x" ? from as { x: Table } : from[root as "own" | "shared"];
      const key = root === "x" ? "x" : rest.join(".");
      (tables as Record<string, Table>)[key] = { shape: table.shape, data };
      for (const i of [0, Math.floor(data.length / 2), data.length - 1]) {
        const kept = data[i]!, h = 1e-4;
        data[i] = kept + h;
        const up = lossByLoop();
        data[i] = kept - h;
        const down = lossByLoop();
        data[i] = kept;
        const want = (up - down) / (2 * h);
        assertAlmostEquals(got[i]!, want, 1e-4 * Math.max(1, Math.abs(want)), `${path} at ${i}`);
      }
      (tables as Record<string, Table>)[key] = table;
    }
  });
}

Deno.test("positions can be told apart by direction: a reversed text gives another result", async () => {
  for (
    const name of [
      "shaw",
      "nezha",
      "t5",
      "xlnet",
      "tener",
      "deberta",
      "motian",
      "motian-shared",
    ] as const
  ) {
    const scheme = schemes[name], from = inputs(scheme), reversed = new Float32Array(B * T * C);
    for (let b = 0; b < B; b++) {
      for (let t = 0; t < T; t++) {
        const row = from.x.data as Float32Array;
        reversed.set(row.subarray((b * T + t) * C, (b * T + t + 1) * C), (b * T + T - 1 - t) * C);
      }
    }
    const whole = { ...from, keep: { shape: [B, T], data: new Float32Array(B * T).fill(1) } };
    const same = { ...whole, segments: { shape: [B, T], data: new Int32Array(B * T) } };
    const plain = byLoop(scheme, same),
      other = byLoop(scheme, {
        ...same,
        x: { shape: [B, T, C], data: reversed },
      });
    // The reversed text's last position is the plain text's first.
    const difference = plain.slice(0, C).map((v, c) => Math.abs(v - other[(T - 1) * C + c]!));
    assertGreater(Math.max(...difference), 1e-3, name);
    const own = tree(attentionSpec(sizes, scheme), from.own);
    const shared = tree(sharedSpec(sizes, scheme), from.shared);
    const [a, b] = await Promise.all(
      [tensorOf(from.x), fromArray(reversed, [B, T, C])].map((x) =>
        read(byNn(scheme, own, shared, x as AnyTensor, same))
      ),
    );
    const ours = [...a!.slice(0, C)].map((v, c) => Math.abs(v - b![(T - 1) * C + c]!));
    assertGreater(Math.max(...ours), 1e-3, name);
  }
});

Deno.test("relative schemes do not see masked tokens before a text, absolute embeddings aside", async () => {
  for (const name of ["none", "shaw", "nezha", "t5", "xlnet", "tener", "deberta"] as const) {
    const scheme = schemes[name], from = inputs(scheme), k = 3, long = T + k;
    const own = tree(attentionSpec(sizes, scheme), from.own);
    const shared = tree(sharedSpec(sizes, scheme), from.shared);
    const whole = {
      ...from,
      keep: { shape: [B, T], data: new Float32Array(B * T).fill(1) },
      segments: { shape: [B, T], data: new Int32Array(B * T) },
    };
    const x = new Float32Array(B * long * C), keep = new Float32Array(B * long);
    for (let b = 0; b < B; b++) {
      const row = (from.x.data as Float32Array).subarray(b * T * C, (b + 1) * T * C);
      x.set(row, (b * long + k) * C);
      keep.fill(1, b * long + k, (b + 1) * long);
    }
    const padded = {
      ...from,
      keep: { shape: [B, long], data: keep },
      segments: { shape: [B, long], data: new Int32Array(B * long) },
    };
    const short = await read(byNn(scheme, own, shared, tensorOf(from.x), whole));
    const shifted = await read(
      byNn(scheme, own, shared, fromArray(x, [B, long, C]) as AnyTensor, padded),
    );
    for (let t = 0; t < T; t++) {
      for (let c = 0; c < C; c++) {
        assertAlmostEquals(shifted[(k + t) * C + c]!, short[t * C + c]!, 1e-5, name);
      }
    }
  }
});

Deno.test("any length runs, and learnt rows do not depend on it", async () => {
  for (const [name, scheme] of Object.entries(schemes)) {
    const long = 40, from = inputs(scheme, long);
    const own = tree(attentionSpec(sizes, scheme), from.own);
    const shared = tree(sharedSpec(sizes, scheme), from.shared);
    const out = await read(byNn(scheme, own, shared, tensorOf(from.x), from));
    assertEquals(out.length, B * long * C, name);
    assertLess(Math.max(...out.map(Math.abs)), Infinity, name);
  }
});
