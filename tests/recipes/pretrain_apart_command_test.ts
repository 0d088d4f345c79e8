/** `deno task pretrain --nproc N` whose processes take their steps apart: checkpoints and refusals. */
import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { inWorkplace } from "./pretrain_command.ts";
import { timeless } from "./timeless.ts";

const base = ["--corpus", "corpus.txt", "--device", "cpu", "--config", "toy.json"];
const APART = ["every=4", "fragments=2", "delay=1", "mix=0.5", "outerMomentum=0.6"]
  .flatMap((x) => ["--set", `diloco.${x}`]);

Deno.test("pretrain --nproc 2 --set diloco…: a resumed run is one that never stopped, every bit of it", () =>
  inWorkplace(async ({ folder, pretrain, rows }) => {
    const kept = ["--keep-checkpoints", "0"];
    const whole = await pretrain([...base, ...APART, ...kept, "--out", "run", "--nproc", "2"]);
    assertEquals(whole.code, 0, whole.error);
    const checkpoint = (step: number): string =>
      join(folder, "run", "checkpoints", `step-${String(step).padStart(8, "0")}`);
    const bytes = (step: number): Promise<readonly Uint8Array[]> =>
      Promise.all(
        ["model", "optimizer", "rank-00000", "rank-00001"].map((name) =>
          Deno.readFile(join(checkpoint(step), `${name}.safetensors`))
        ),
      );
    const own = async () => {
      const [metrics, evaluations] = await Promise.all(
        ["metrics", "eval"].map((name) => rows(`run/${name}.jsonl`)),
      );
      for (const row of metrics!) assert(row.exchange_s! >= 0);
      return [
        timeless(metrics!.map(({ exchange_s: _, ...row }) => row)),
        timeless(evaluations!),
        await bytes(6),
        await bytes(8),
      ];
    };
    const expected = await own();
    assertLess(
      (await rows("run/metrics.jsonl")).at(-1)!.loss!,
      (await rows("run/metrics.jsonl"))[0]!.loss!,
    );
    // After step 3 the first fragment, begun after step 2, is taken in; and in step 4 the second begins.
    const folders = Deno.readDirSync(join(folder, "run", "checkpoints"));
    const steps = Array.from(folders, ({ name }) => Number(name.slice("step-".length)));
    assert(steps.includes(3), steps.join());
    for (const step of steps.filter((step) => step > 3)) {
      await Deno.remove(checkpoint(step), { recursive: true });
    }
    const resumed = await pretrain(["--device", "cpu", "--out", "run", "--resume", "--nproc", "2"]);
    assertEquals(resumed.code, 0, resumed.error);
    assert(!resumed.error.includes("begins again"), resumed.error);
    assertEquals(await own(), expected);

    const wrong: readonly (readonly [words: readonly string[], message: string])[] = [
      [[...base, ...APART, "--out", "no", "--nproc", "4"], "by 4 processes: diloco.workers is 2"],
      [[...base, ...APART, "--out", "no"], "by 1 process: diloco.workers is 2"],
      [["--device", "cpu", "--out", "run", "--resume"], "by 1 process: diloco.workers is 2"],
    ];
    for (const [words, message] of wrong) {
      const { code, out, error } = await pretrain(words);
      assertEquals([code, out], [2, ""], error);
      assertStringIncludes(error, message);
      assertEquals(error.trimEnd().split("\n").length, 1, error);
    }
    assert(
      !await Deno.stat(join(folder, "no")).then(() => true, () => false),
      "nothing is written",
    );
  }));
