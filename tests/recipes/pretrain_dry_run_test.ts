/** `--dry-run`, and runs without evaluations and checkpoints, as a user calls them. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { exists } from "@std/fs";
import { join } from "@std/path";
import { inWorkplace } from "./pretrain_command.ts";

/** A model that no cpu device holds. */
const huge = {
  base: "motian-1b",
  model: { layers: 12, width: 4096, heads: 32, hidden: 16384 },
};

Deno.test("pretrain --dry-run prints what a run would take, and leaves nothing behind", () =>
  inWorkplace(async ({ folder, pretrain }) => {
    const before = Array.from(Deno.readDirSync(folder), ({ name }) => name);
    const line = ["--dry-run", "--config", "motian-1b", "--device", "cpu"];
    const { code, out, error } = await pretrain(line);
    const fits = Deno.systemMemoryInfo().total > 16 * 2 ** 30;
    assertEquals([code, error === ""], [fits ? 0 : 2, fits]);
    for (const row of ["weights +4.68 GiB", "total +1,256,347,864", "total +1[45].\\d\\d GiB"]) {
      assertMatch(out, new RegExp(row));
    }
    assertMatch(out, /forward +21\.\d\d PFLOP\n/);
    assertStringIncludes(
      out,
      fits ? "of 16.0 GiB with 64-bit addresses: it fits" : "it does not fit",
    );
    assertEquals(Array.from(Deno.readDirSync(folder), ({ name }) => name), before);
  }));

Deno.test("pretrain --dry-run --json prints one object", () =>
  inWorkplace(async ({ pretrain }) => {
    const line = ["--dry-run", "--json", "--config", "toy.json", "--device", "cpu"];
    const { code, out } = await pretrain(line);
    assertEquals([code, out.trimEnd().split("\n").length], [0, 1]);
    const { parameters, memory, flops, tokens, fit } = JSON.parse(out);
    const { total, ...parts } = memory;
    assertEquals(Object.values<number>(parts).reduce((a, b) => a + b, 0), total);
    assertEquals([tokens, fit.fits, fit.memory], [8 * 24, true, "4GiB"]);
    assertEquals(flops.forward + flops.backward + flops.update, flops.total);
    assert(parameters.total > 8192 * 16);
  }));

Deno.test("a run that does not fit is refused in one line before anything is written, dry or not", () =>
  inWorkplace(async ({ folder, pretrain }) => {
    await Deno.writeTextFile(join(folder, "huge.json"), JSON.stringify(huge));
    const line = ["--config", "huge.json", "--device", "cpu"];
    const dry = await pretrain([...line, "--dry-run"]);
    const wet = await pretrain([...line, "--corpus", "corpus.txt", "--out", "run"]);
    assertEquals([dry.code, wet.code, wet.out], [2, 2, ""]);
    assertStringIncludes(dry.out, "it does not fit");
    assertEquals(dry.error, wet.error);
    assertMatch(
      wet.error,
      /^Cannot train huge: it takes 2\d\.\d GiB \(.*\), and the cpu device has .* at most here; lower data.*\n$/,
    );
    assertEquals([await exists(join(folder, "run")), await exists(join(folder, ".cache"))], [
      false,
      false,
    ]);
  }));

Deno.test("a run without evaluations and checkpoints leaves its metrics and a report", () =>
  inWorkplace(async ({ folder, pretrain, rows }) => {
    const line = "--corpus corpus.txt --device cpu --config toy.json --out run --steps 2 --json " +
      "--eval-every 0 --checkpoint-every 0";
    const { code, out, error } = await pretrain(line.split(" "));
    assertEquals(code, 0, error);
    assertStringIncludes(error, " of 4.00 GiB with 32-bit addresses");
    const { mlm_ppl, unigram_ppl, ratio, accuracy, steps } = JSON.parse(
      out.trim().split("\n").at(-1)!,
    );
    assertEquals([mlm_ppl, unigram_ppl, ratio, accuracy, steps], [null, null, null, null, 2]);
    assertEquals((await rows("run/metrics.jsonl")).length, 2);
    const run = join(folder, "run");
    assertEquals(await Deno.readTextFile(join(run, "eval.jsonl")), "");
    assertEquals([await exists(join(run, "checkpoints")), await exists(join(run, "report.html"))], [
      false,
      true,
    ]);
    const resumed = await pretrain(["--resume", "--out", "run", "--device", "cpu"]);
    assertEquals(resumed.code, 2);
    assertStringIncludes(resumed.error, "Cannot resume run: it has no checkpoint");
  }));
