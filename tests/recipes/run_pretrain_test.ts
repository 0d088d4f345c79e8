import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { exists } from "@std/fs";
import { join } from "@std/path";
import { kill } from "../kill.ts";
import { inWorkplace } from "./pretrain_command.ts";
import { timeless } from "./timeless.ts";

const base = ["--corpus", "corpus.txt", "--device", "cpu"];

Deno.test("pretrain leaves a whole run folder, and --json nothing but JSON on standard output", () =>
  inWorkplace(async ({ folder, pretrain, rows }) => {
    const { code, out, error } = await pretrain([
      ...base,
      "--config",
      "toy.json",
      "--out",
      "run",
      "--json",
    ]);
    assertEquals(code, 0, error);
    const printed = out.trimEnd().split("\n").map((line) => JSON.parse(line));
    const { mlm_ppl, unigram_ppl, steps, elapsed_s, peak_rss_mib, device, params } = printed.at(-1);
    assertEquals(steps, 8);
    for (const value of [mlm_ppl, unigram_ppl, elapsed_s, peak_rss_mib, params]) {
      assert(Number.isFinite(value) && value > 0, JSON.stringify(printed.at(-1)));
    }
    assertMatch(device, /WebAssembly/);
    const metrics = await rows("run/metrics.jsonl"), evaluations = await rows("run/eval.jsonl");
    assertEquals(metrics.map(({ step }) => step), [1, 2, 3, 4, 5, 6, 7, 8]);
    assertEquals(evaluations.map(({ step }) => step), [4, 8]);
    assertEquals(printed.slice(0, -1).filter(({ loss }) => loss !== undefined), [...metrics]);
    assertLess(metrics.at(-1)!.loss!, metrics[0]!.loss!);
    const config = JSON.parse(await Deno.readTextFile(join(folder, "run", "config.json")));
    assertEquals([config.steps, config.model.layers, config.optimizer.name], [8, 1, "lamb"]);
    const names = Array.from(Deno.readDirSync(join(folder, "run")), ({ name }) => name).sort();
    assertEquals(names, [
      "checkpoints",
      "config.json",
      "eval.jsonl",
      "metrics.jsonl",
      "report.html",
      "vocab.txt",
    ]);
    const report = await Deno.readTextFile(join(folder, "run", "report.html"));
    assertStringIncludes(report, "Held-out perplexity");
  }));

Deno.test("a run that is stopped and resumed ends as one that never stopped, to the bit", () =>
  inWorkplace(async ({ folder, pretrain, rows }) => {
    const whole = await pretrain([...base, "--config", "toy.json", "--out", "whole"]);
    assertEquals(whole.code, 0, whole.error);
    const toy = JSON.parse(await Deno.readTextFile(join(folder, "toy.json")));
    // So many steps that the signal comes while it trains.
    await Deno.writeTextFile(join(folder, "long.json"), JSON.stringify({ ...toy, steps: 100_000 }));
    let pressed = false;
    const stopped = await pretrain(
      [...base, "--config", "long.json", "--out", "parted"],
      {
        watch: (error, child) => {
          if (pressed || !error.includes("held-out")) return;
          pressed = true;
          kill(child, "SIGINT");
        },
      },
    );
    assertEquals(stopped.code, 130, stopped.error);
    const last = (await rows("parted/metrics.jsonl")).at(-1)!.step!;
    const checkpoints = Array.from(
      Deno.readDirSync(join(folder, "parted", "checkpoints")),
      ({ name }) => name,
    ).sort();
    assertEquals(checkpoints.at(-1), `step-${String(last).padStart(8, "0")}`, "it is saved");

    // Killed after step 8 was logged and step 6 saved: the rest goes on from step 6.
    const run = join(folder, "whole");
    const metrics = timeless(await rows("whole/metrics.jsonl"));
    const evaluations = timeless(await rows("whole/eval.jsonl"));
    const final = join(run, "checkpoints", "step-00000008", "model.safetensors");
    const weights = await Deno.readFile(final);
    await Deno.remove(join(run, "checkpoints", "step-00000008"), { recursive: true });
    // The second time there is nothing left to do, as where a run is killed in its last moment.
    for (const what of ["goes on", "is whole"]) {
      const resumed = await pretrain(["--device", "cpu", "--out", "whole", "--resume"]);
      assertEquals(resumed.code, 0, resumed.error);
      assertEquals(timeless(await rows("whole/metrics.jsonl")), metrics, what);
      assertEquals(timeless(await rows("whole/eval.jsonl")), evaluations, what);
      assertEquals(await Deno.readFile(final), weights, what);
    }
  }));

/** What a user does wrong, and what the one line must say. */
const wrong: readonly (readonly [line: string, message: string])[] = [
  ["--stesp 3", "Cannot pretrain with --stesp: no such option; did you mean --steps?"],
  ["--steps none", "Cannot pretrain with --steps none: it must be a whole number of at least 1"],
  ["--device tpu", "Cannot pretrain with --device tpu: it must be auto, webgpu, cpu or reference"],
  ["--config motian-tony", "did you mean motian-tiny?"],
  ["--config wrong.json", "Cannot use wrong.json: model.layers is 0"],
  [
    "--tune --device cpu",
    "Cannot pretrain with --tune on cpu: only webgpu has products to choose from",
  ],
  ["--resume", "Cannot pretrain with --resume alone: say which run; add --out DIR"],
  ["--resume --out none", "Cannot resume none: no config.json in it"],
  ["--corpus none.txt", "Cannot read the corpus none.txt: no such file or folder"],
  ["--corpus empty.txt", "Cannot read the corpus empty.txt: it is empty"],
  ["--corpus binary.txt", "Cannot read binary.txt: it is binary"],
  ["--corpus gbk.txt", "Cannot read gbk.txt: line 1 is not UTF-8; it reads as GB18030 (GBK)"],
  ["--corpus small.txt", "Cannot train on small.txt: 10 characters in 1 documents are left"],
  [
    "--corpus corpus.txt --vocab small.txt",
    "Cannot use small.txt: [PAD], [UNK], [CLS], [SEP], [MASK] missing",
  ],
  ["--corpus corpus.txt --out used", "Cannot start a run in used: it is not empty (mine)"],
  ["--corpus corpus.txt --out small.txt", "Cannot use small.txt as a run's folder: it is a file"],
];

Deno.test("pretrain refuses bad input in one line with exit code 2, and overwrites nothing", async (t) => {
  await inWorkplace(async ({ folder, pretrain }) => {
    const write = (name: string, content: string | Uint8Array): Promise<void> =>
      Deno.writeFile(
        join(folder, name),
        typeof content === "string" ? new TextEncoder().encode(content) : content,
      );
    await write("empty.txt", "");
    await write("small.txt", "只有一篇很短的文章。\n");
    await write("binary.txt", Uint8Array.of(0xe4, 0xb8, 0xad, 0, 1, 2));
    await write("gbk.txt", Uint8Array.of(0xd6, 0xd0, 0xce, 0xc4, 0x0a));
    await write("wrong.json", '{"base": "motian-tiny", "model": {"layers": 0}}');
    await Deno.mkdir(join(folder, "used"));
    await write("used/mine", "mine");
    for (const [line, message] of wrong) {
      await t.step(line, async () => {
        const words = line.split(" ");
        const device = words.includes("--device") ? [] : ["--device", "reference"];
        const { code, out, error } = await pretrain([...words, ...device]);
        assertEquals(code, 2, error);
        assertEquals(out, "");
        assertStringIncludes(error, message);
        assertEquals(error.trimEnd().split("\n").length, 1, error);
      });
    }
    assertEquals(await Deno.readTextFile(join(folder, "used", "mine")), "mine");
    assert(!await exists(join(folder, "used", "config.json")));
  });
});

Deno.test("pretrain refuses webgpu where there is no adapter", () =>
  inWorkplace(async ({ pretrain }) => {
    // A back end that no machine but one with Windows has: no adapter is found.
    const env = { DENO_WEBGPU_BACKEND: Deno.build.os === "windows" ? "metal" : "dx12" };
    const { code, out, error } = await pretrain(["--device", "webgpu"], { env });
    assertEquals([code, out], [2, ""], error);
    assertEquals(
      error,
      "Cannot open webgpu: this machine has no WebGPU adapter; use the cpu device\n",
    );
  }));

Deno.test("pretrain --help says what there is, and does nothing", () =>
  inWorkplace(async ({ folder, pretrain }) => {
    const { code, out } = await pretrain(["--help"]);
    assertEquals(code, 0);
    for (const option of ["--corpus FILE|DIR", "--config NAME|FILE", "--resume", "--json"]) {
      assertStringIncludes(out, option);
    }
    assertEquals(Array.from(Deno.readDirSync(folder)).length, 2);
  }));
