import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";

const root = fromFileUrl(new URL("../../", import.meta.url));

/** Runs `deno task bench` as a user does. */
async function bench(...words: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "bench", ...words],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, error: error! };
}

const tiny = ["--filter", "matmul NN 64x64x64", "--rounds", "1", "--peers", "off"];

Deno.test("bench --json prints rows of the schema and nothing else, and --save keeps them", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "base.jsonl");
    const { code, out, error } = await bench(...tiny, "--device", "cpu", "--json", "--save", file);
    assertEquals(code, 0, error);
    assertEquals(await Deno.readTextFile(file), out);
    const rows = out.trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(rows.length, 1);
    const { name, device, size, unit, ours, ratio, peer, peer_name, roof_share, load } = rows[0];
    assertEquals([name, device, size, unit], ["matmul NN", "cpu", "64x64x64", "GFLOP/s"]);
    assert(ours > 0 && roof_share > 0, out);
    assertEquals([peer, peer_name, ratio], [null, null, null]);
    assertEquals(rows[0].reason, "peers are off");
    assert(load.before >= 0 && load.before <= 1 && load.during >= 0 && load.during <= 1, out);

    const compared = await bench("--compare", file, file);
    assertEquals(compared.code, 0, compared.error);
    assertMatch(compared.out, /^1 rows in both: 0 slower, 0 faster, 1 the same/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("bench shows a table without --json", async () => {
  const { code, out, error } = await bench(...tiny, "--device", "cpu");
  assertEquals(code, 0, error);
  assertMatch(out, /^what +size +device +ours +peer/);
  assertMatch(out, /\nmatmul NN +64x64x64 +cpu +\d/);
});

const wrong: readonly (readonly [words: readonly string[], message: string])[] = [
  [["--device", "tpu"], "Cannot bench with --device tpu: it must be all, cpu, cpu+blas or webgpu"],
  [["--filter", "nothing"], "Cannot bench --filter nothing: no row has it; there are matmul"],
  [["--compare", "old"], "Cannot bench with --compare: it needs two baselines"],
  [["--compare", "none.jsonl", "none.jsonl"], "Cannot read none.jsonl: "],
  [
    ["--compare", "deno.json", "deno.json"],
    "Cannot read deno.json: line 1 is no row of a baseline",
  ],
  [["--rounds", "0"], "Cannot bench with --rounds 0"],
  [["--filter", "matmul NN 64x64x64", "--save", "none/a"], "Cannot write none/a: "],
];

for (const [words, message] of wrong) {
  Deno.test(`bench ${words.join(" ")} is refused in one line`, async () => {
    const { code, out, error } = await bench(...words);
    assertEquals([code, out], [2, ""], error);
    assertStringIncludes(error, message);
    assertEquals(error.trim().split("\n").length, 1, error);
  });
}
