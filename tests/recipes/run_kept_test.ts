/** Which checkpoints stay. */
import { assert, assertEquals } from "@std/assert";
import { exists } from "@std/fs";
import { join } from "@std/path";
import { type AnyTensor, fromArray, type Tree } from "../../core/mod.ts";
import { checkpointPath, checkpointSteps, saveCheckpoint } from "../../recipes/run/checkpoint.ts";
import { bestCheckpoint, bestOf, keepCheckpoints } from "../../recipes/run/kept_checkpoints.ts";
import { inWorkplace } from "./pretrain_command.ts";

const row = (step: number, mlm_ppl: number | null, stage = 1) => ({ step, mlm_ppl, stage });

Deno.test("bestOf takes the lowest perplexity of the newest stage that has one, the first of equals", () => {
  const rows = [row(1, 9), row(2, 5), row(3, 5), row(4, null), row(5, 3)];
  assertEquals(bestOf(rows, [1, 2, 3, 4]), { step: 2, mlm_ppl: 5 });
  assertEquals(bestOf(rows, [1, 4]), { step: 1, mlm_ppl: 9 });
  assertEquals(bestOf(rows, [4]), undefined);
  assertEquals(bestOf([...rows, row(6, 8, 2), row(7, 9, 2)], [2, 5, 6, 7]), {
    step: 6,
    mlm_ppl: 8,
  });
  assertEquals(bestOf([...rows, row(6, 8, 2)], [2, 5]), { step: 5, mlm_ppl: 3 });
});

Deno.test("keepCheckpoints keeps the newest, the best and the newest sound one, and says which is best", async () => {
  const run = await Deno.makeTempDir();
  const tree: Tree<AnyTensor> = { w: fromArray([1], [1]) };
  const save = (step: number): Promise<void> =>
    saveCheckpoint(run, { step, model: tree, optimizer: tree });
  try {
    const evaluations = [row(10, 7), row(20, 4), row(30, 6)];
    for (const step of [10, 20, 30, 40, 50]) await save(step);
    await keepCheckpoints(run, { newest: 0, evaluations, good: 0 });
    assertEquals(await checkpointSteps(run), [10, 20, 30, 40, 50], "0 keeps all");
    await keepCheckpoints(run, { newest: 2, evaluations, good: 39 });
    assertEquals(await checkpointSteps(run), [20, 30, 40, 50]);
    assertEquals(await bestCheckpoint(run), { step: 20, mlm_ppl: 4 });
    await keepCheckpoints(run, { newest: 1, evaluations: [...evaluations, row(50, 3)], good: 60 });
    assertEquals(await checkpointSteps(run), [50]);
    assertEquals(await bestCheckpoint(run), { step: 50, mlm_ppl: 3 });
    // A best one that is gone is best no more.
    await save(60);
    await Deno.remove(checkpointPath(run, 50), { recursive: true });
    await keepCheckpoints(run, { newest: 1, evaluations: [row(50, 3)], good: 60 });
    assertEquals(await bestCheckpoint(run), undefined);
    assert(!await exists(join(run, "checkpoints", "best.json.part")));
  } finally {
    await Deno.remove(run, { recursive: true });
  }
});

Deno.test("a run keeps its best checkpoint, due or not, beside the newest", () =>
  inWorkplace(async ({ folder, pretrain, rows }) => {
    const words = ["--corpus", "corpus.txt", "--device", "cpu", "--config", "toy.json"];
    const { code, error } = await pretrain([
      ...words,
      ...["--out", "run", "--keep-checkpoints", "1", "--steps", "11", "--eval-every", "5"],
    ]);
    assertEquals(code, 0, error);
    const run = join(folder, "run"), evaluations = await rows("run/eval.jsonl");
    assertEquals(evaluations.map(({ step }) => step), [5, 10, 11]);
    const best = evaluations.reduce((a, b) => b.mlm_ppl! < a.mlm_ppl! ? b : a);
    assertEquals(await bestCheckpoint(run), { step: best.step, mlm_ppl: best.mlm_ppl } as never);
    assertEquals(
      await checkpointSteps(run),
      [...new Set([best.step!, 11])].sort((a, b) => a - b),
    );
  }));
