import { assert, assertAlmostEquals, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import { type AnyTensor, read } from "../../core/mod.ts";
import { reference } from "../../core/backends/reference/mod.ts";
import { cpu } from "../../core/backends/cpu/mod.ts";
import { init } from "../../nn/mod.ts";
import type { TokenStore } from "../../recipes/data/token_store.ts";
import { streamBuilder } from "../../recipes/data/token_stream.ts";
import { modelSpec } from "../../recipes/pretrain/model.ts";
import { startTokens } from "../../recipes/pretrain/token_start.ts";
import { neighbourCounts } from "../../recipes/text/neighbour_counts.ts";
import { tokenVectors } from "../../recipes/text/token_vectors.ts";
import { SPECIAL_TOKENS, vocabularyOf } from "../../recipes/text/vocabulary.ts";
import { tinyRun } from "./tiny_run.ts";

const END = 0;

function textOf(documents: readonly (readonly number[])[], V: number): TokenStore {
  const stream = streamBuilder(V, END);
  for (const document of documents) {
    for (const id of document) stream.push(id, true);
    stream.close();
  }
  return stream.build();
}

/** Numbers between -1 and 1, always the same. */
function numbers(length: number): Float32Array<ArrayBuffer> {
  let state = 1;
  return Float32Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647 * 2 - 1;
  });
}

Deno.test("neighbours are counted within documents, on both sides, without special tokens", () => {
  const V = 12;
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.integer({ min: 1, max: V - 1 }), { maxLength: 12 }), { maxLength: 5 }),
      fc.integer({ min: 1, max: 4 }),
      (documents, window) => {
        const special = new Set([END, 1]);
        const { counts, contexts } = neighbourCounts(textOf(documents, V), {
          ...{ vocabulary: V, window, contexts: 6, special, end: END, most: Infinity },
        });
        const expected = new Float32Array(counts.length);
        for (const document of documents) {
          document.forEach((a, i) =>
            document.forEach((b, j) => {
              if (i === j || Math.abs(i - j) > window || special.has(a) || special.has(b)) return;
              const k = contexts.indexOf(b);
              if (k >= 0) expected[a * contexts.length + k]!++;
            })
          );
        }
        assertEquals(counts, expected);
        const often = (id: number): number => documents.flat().filter((own) => own === id).length;
        const absent = Array.from({ length: V }, (_, id) => id)
          .filter((id) => !special.has(id) && !contexts.includes(id));
        for (const id of absent) {
          assert(
            contexts.length < 6 ? often(id) === 0 : contexts.every((c) => often(c) >= often(id)),
          );
        }
      },
    ),
  );
});

Deno.test("of a long text a share is read", () => {
  const text = textOf([[2, 3, 2, 3], [4, 5, 4, 5]], 6), special = new Set([END]);
  const about = { vocabulary: 6, window: 1, contexts: 4, special, end: END };
  const { counts } = neighbourCounts(text, { ...about, most: 5 });
  assertEquals(counts.reduce((a, b) => a + b), 6);
});

/** M of the module's formula, in f64. */
function weighted(counts: Float32Array, V: number, K: number): number[][] {
  const at = (i: number, k: number): number => counts[i * K + k]!;
  const ids = [...Array(V).keys()], contexts = [...Array(K).keys()];
  const rows = ids.map((i) => contexts.reduce((sum, k) => sum + at(i, k), 0));
  const smooth = contexts.map((k) => ids.reduce((sum, i) => sum + at(i, k), 0) ** 0.75);
  const all = smooth.reduce((a, b) => a + b);
  return ids.map((i) =>
    contexts.map((k) =>
      at(i, k) > 0 ? Math.max(0, Math.log(at(i, k) * all / (rows[i]! * smooth[k]!))) : 0
    )
  );
}

const products = (a: readonly ArrayLike<number>[]): number[][] =>
  a.map((x) => a.map((y) => Array.from(x).reduce((sum, v, i) => sum + v * y[i]!, 0)));

Deno.test("vectors are U √S: the square of their products is M Mᵀ", async () => {
  const V = 24, K = 10, counts = numbers(V * K).map((x) => Math.max(0, Math.round(9 * x)));
  const m = weighted(counts, V, K), wanted = products(m);
  const contexts = [...Array(K).keys()];
  for (const device of [reference(), cpu()]) {
    // More columns than there are dimensions: those beside are 0.
    const found = await tokenVectors(
      { counts: counts.slice(), vocabulary: V, contexts },
      12,
      numbers,
      device,
    );
    const rows = [...Array(V).keys()].map((i) => found.subarray(i * 12, (i + 1) * 12));
    const own = products(rows), squared = products(own), most = Math.max(...wanted.flat());
    wanted.forEach((row, i) =>
      row.forEach((value, j) => assertAlmostEquals(squared[i]![j]!, value, 1e-4 * most))
    );
    assert(rows.every((row) => row[10] === 0 && row[11] === 0));
  }
});

Deno.test("a text of lone tokens has no vectors", async () => {
  const nothing = { counts: new Float32Array(4 * 2), vocabulary: 4, contexts: [2, 3] };
  assertEquals(await tokenVectors(nothing, 3, numbers, reference()), new Float32Array(12));
});

Deno.test("tokens of like company begin near each other, as long as others, and special ones as drawn", async () => {
  // a and b are shown between the same characters, c between others.
  const vocabulary = vocabularyOf([...SPECIAL_TOKENS, ..."abcuvwxyz"]);
  const id = (token: string): number => vocabulary.ids.get(token)!;
  const stream = streamBuilder(vocabulary.tokens.length, vocabulary.sep);
  for (const document of ["uavwau", "vbuwbv", "wauav", "ubvbw", "xcyzcx", "zcxyc", "ycxzc"]) {
    for (const character of document) stream.push(id(character), true);
    stream.close();
  }
  const text = { vocabulary, train: stream.build() }, device = cpu();
  const wide = { ...tinyRun, model: { ...tinyRun.model, width: 128 } };
  const run = { ...wide, model: { ...wide.model, tokenStart: "neighbours" as const } };
  const drawn = () => init(run.seed, modelSpec(run.model, vocabulary.tokens.length), device);
  const tokensOf = async (config: typeof tinyRun): Promise<Float32Array> => {
    const { encoder } = await startTokens(config, drawn(), text, device);
    return Float32Array.from(await read(encoder.embeddings.tokens as AnyTensor) as Float32Array);
  };
  const rows = await tokensOf(run), C = run.model.width;
  assertEquals(await tokensOf(run), rows);
  const long = run.model.std * Math.sqrt(C);
  const row = (token: string): Float32Array => rows.subarray(id(token) * C, (id(token) + 1) * C);
  for (const token of "abcuvwxyz") {
    assertAlmostEquals(Math.hypot(...row(token)) / long, 1, 0.3);
  }
  const cosine = (one: string, other: string): number => {
    const [x, y] = [row(one), row(other)];
    return x.reduce((sum, v, i) => sum + v * y[i]!, 0) / Math.hypot(...x) / Math.hypot(...y);
  };
  const mean = (ones: string, others: string): number => {
    const all = [...ones].flatMap((a) => [...others].flatMap((b) => a === b ? [] : [cosine(a, b)]));
    return all.reduce((a, b) => a + b) / all.length;
  };
  const [alike, apart] = [
    mean("abuvw", "abuvw") / 2 + mean("cxyz", "cxyz") / 2,
    mean("abuvw", "cxyz"),
  ];
  assert(alike > apart + 0.05, `${alike}, ${apart}`);
  const plain = await tokensOf(wide);
  for (const token of SPECIAL_TOKENS) {
    assertEquals(row(token), plain.subarray(id(token) * C, (id(token) + 1) * C));
  }
  const model = drawn();
  assertStrictEquals(await startTokens(wide, model, text, device), model);
});
