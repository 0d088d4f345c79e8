/** How long a run is that is resumed with --steps: what its folder keeps, and what is said where no step is left. */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { inWorkplace, toyConfig } from "./pretrain_command.ts";

const THEN = [{ length: 40, batch: 4, microBatch: 2, steps: 3, rate: 0.005, warmup: 0.2 }];
/** Ends a run before its first step. */
const AT_ONCE = ["--minutes", "0.00001"];

Deno.test("pretrain --resume --steps: the length is the run's own from before its first step on, of its last stage", () =>
  inWorkplace(async ({ folder, pretrain, rows }) => {
    await Deno.writeTextFile(
      join(folder, "two.json"),
      JSON.stringify({ ...toyConfig, steps: 2, then: THEN }),
    );
    const corpus = ["--corpus", "corpus.txt"];
    const cases = [
      ["one", ["--config", "toy.json", "--steps", "5"], () => ({ steps: 9 })],
      ["two", ["--config", "two.json"], () => ({ then: [{ ...THEN[0], steps: 7 }] })],
    ] as const;
    for (const [run, words, length] of cases) {
      const go = (...more: string[]) => pretrain(["--device", "cpu", "--out", run, ...more]);
      const config = (): Promise<string> => Deno.readTextFile(join(folder, run, "config.json"));
      const first = await go(...corpus, ...words);
      assertEquals(first.code, 0, first.error);
      const before = JSON.parse(await config());
      const stopped = await go("--resume", "--steps", "9", ...AT_ONCE);
      assertEquals(stopped.code, 0, stopped.error);
      assertEquals((await rows(`${run}/metrics.jsonl`)).length, 5);
      assertEquals(JSON.parse(await config()), { ...before, ...length() });
      // With what the call changes beside it the run's own configuration has nothing to do.
      const resumed = await go("--resume", "--checkpoint-every", "1");
      assertEquals(resumed.code, 0, resumed.error);
      assert(!resumed.error.includes("nothing is left"), resumed.error);
      assertEquals((await rows(`${run}/metrics.jsonl`)).map(({ step }) => step!).at(-1), 9);

      const whole = await config(), evaluations = await rows(`${run}/eval.jsonl`);
      for (
        const [more, said] of [
          [run === "one" ? [] : ["--steps", "9"], "all 9 steps are taken"],
          [["--steps", "4"], "9 steps are taken, more than 4"],
        ] as const
      ) {
        const over = await go("--resume", ...more);
        assertEquals(over.code, 0, over.error);
        const lines = over.error.split("\n").filter((line) => line.includes("nothing is left"));
        assertEquals(lines, [
          `nothing is left to do: ${said}, and what was learnt is evaluated again; a larger --steps goes on`,
        ]);
        assertEquals([await config(), await rows(`${run}/eval.jsonl`)], [whole, evaluations]);
      }
    }
    const short = await pretrain(["--resume", "--out", "two", "--steps", "2"]);
    assertEquals(short.code, 2);
    assertEquals(
      short.error,
      "Cannot resume with --steps 2: the stages before the last one have 2; pass more\n",
    );
  }));
