/** Bucket functions and tables against the golden values of the reference implementations. */
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { read } from "../../core/mod.ts";
import { bucketOf, clipped, deberta, rowSinusoids, schemes, sinusoid, t5 } from "../../nn/mod.ts";
import { shared } from "../shared.ts";

type Numbers = Readonly<Record<string, number>>;
interface Golden {
  readonly t5_bidirectional_32_128: { readonly values: Numbers };
  readonly deberta_v2_log_bucket: {
    readonly bucket256_max512: Numbers;
    readonly bucket32_max128: Numbers;
  };
  readonly nezha: {
    readonly max_relative_position: number;
    readonly depth: number;
    readonly length: number;
    readonly "index[i][j]=clip(j-i,-K,K)+K": readonly (readonly number[])[];
    readonly table: readonly (readonly number[])[];
  };
  readonly xlnet: {
    readonly pos_seq: readonly number[];
    readonly R_sin_then_cos_d8: readonly (readonly number[])[];
    readonly "relative_used_at_[i][j]": readonly (readonly number[])[];
  };
  readonly tupe_bucket_L8_bins32: { readonly values: readonly (readonly number[])[] };
}

const text = await shared("golden/relpos.json");
const golden: Golden | undefined = text === undefined ? undefined : JSON.parse(text);
function test(name: string, check: (g: Golden) => void | Promise<void>): void {
  if (golden) Deno.test(name, () => check(golden));
}

test("t5() has T5's buckets", (g) => {
  const bucket = t5();
  for (const [delta, row] of Object.entries(g.t5_bidirectional_32_128.values)) {
    assertEquals(bucket.of(Number(delta), 0), row, `offset ${delta}`);
  }
});

test("deberta() has DeBERTa v2's buckets; its r is query minus key, and its bucket is signed", (g) => {
  const { bucket256_max512, bucket32_max128 } = g.deberta_v2_log_bucket;
  for (
    const [bucket, values] of [[deberta(256, 512), bucket256_max512], [
      deberta(32, 128),
      bucket32_max128,
    ]] as const
  ) {
    const middle = (bucket.size(0) - 1) / 2;
    for (const [r, want] of Object.entries(values)) {
      assertEquals(middle - bucket.of(-Number(r), 0), want, `r ${r}`);
    }
  }
});

test("clipped() and the alternating sinusoid are NEZHA's index and table", async (g) => {
  const { max_relative_position: K, depth, length, table } = g.nezha;
  const scheme = { ...schemes.nezha, bucket: clipped(K) };
  const places = [...Array(length).keys()];
  const index = places.flatMap((i) => places.map((j) => bucketOf(scheme, i, j, length)));
  const rows = await read(rowSinusoids(scheme, depth, length));
  assertEquals(index, g.nezha["index[i][j]=clip(j-i,-K,K)+K"].flat());
  table.flat().forEach((want, i) => assertAlmostEquals((rows as Float32Array)[i]!, want, 1e-6));
});

test("the sinusoids of halves are XLNet's, of query minus key", async (g) => {
  const { pos_seq, R_sin_then_cos_d8 } = g.xlnet, used = g.xlnet["relative_used_at_[i][j]"];
  pos_seq.forEach((position, i) => {
    sinusoid(position, 8, true).forEach((x, c) =>
      assertAlmostEquals(x, R_sin_then_cos_d8[i]![c]!, 1e-9)
    );
  });
  const T = used.length, rows = await read(rowSinusoids(schemes.xlnet, 8, T)) as Float32Array;
  for (let i = 0; i < T; i++) {
    for (let j = 0; j < T; j++) {
      const row = bucketOf(schemes.xlnet, i, j, T), want = sinusoid(used[i]![j]!, 8, true);
      want.forEach((x, c) => assertAlmostEquals(rows[row * 8 + c]!, x, 1e-6));
    }
  }
});

test("tupe's buckets are TUPE's, where [CLS] has its own: row 32 of theirs is our last, 16 our last but one", (g) => {
  const { values } = g.tupe_bucket_L8_bins32, T = values.length;
  values.forEach((row, i) =>
    row.forEach((want, j) => {
      const ours = i === 0 ? 32 : j === 0 ? 33 : want;
      assertEquals(want, i === 0 ? 16 : j === 0 ? 32 : want);
      assertEquals(bucketOf(schemes.tupe, i, j, T), ours, `${i}, ${j}`);
    })
  );
});
