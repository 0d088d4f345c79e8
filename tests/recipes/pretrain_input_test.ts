/** What `deno task pretrain` is given wrongly beside its corpus: one line that says what, where and why, exit code 2, and nothing written. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { exists } from "@std/fs";
import { join } from "@std/path";
import { data } from "./data_command.ts";
import { inWorkplace, toyConfig } from "./pretrain_command.ts";

const doc = (title: string, rank: number, click: unknown) => ({ title, rank, click });
const good = Array.from({ length: 60 }, (_, i) =>
  JSON.stringify({
    query: `第${i}个问题`,
    docs: [doc(`在公园${i}`, 1, 0), doc(`图书馆${i}`, 2, 1)],
  }));

/** Lines of a click log, and why they are refused. */
const lines: readonly (readonly [line: string, why: string])[] = [
  [JSON.stringify({ query: "词", docs: [] }), "nothing was shown"],
  [
    JSON.stringify({ query: "词", docs: [{ title: "甲", click: 0 }] }),
    "document 1 has rank undefined, it must be a whole number from 1 to 1000, where it was shown",
  ],
  [
    JSON.stringify({ query: "词", docs: [doc("甲", 1, 0), doc("乙", 2, 3)] }),
    "document 2 has click 3, it must be 0 or 1",
  ],
  [
    JSON.stringify({ query: "词", docs: [doc("甲", 1, 0), doc("甲", 2, 0)] }),
    '"甲" is in it twice',
  ],
  [
    JSON.stringify({ query: "词", docs: [{ ...doc("甲", 1, 0), grade: 9 }] }),
    "document 1 has grade 9, it must be a whole number from 0 to 4",
  ],
  [JSON.stringify({ query: "词", title: "甲", clicked: [] }), "clicked is [], it must be 0 or 1"],
];

const click = {
  loss: "listwise",
  docs: 2,
  length: 16,
  batch: 4,
  microBatch: 4,
  mlm: true,
  weights: "uncertainty",
  share: 1,
  clip: 1,
  heldOut: 0.3,
};

Deno.test("click logs, synonyms, stages and heads that are wrong are refused by line and reason, and skipped by --skip-bad", () =>
  inWorkplace(async ({ folder, pretrain }) => {
    const write = (name: string, content: string): Promise<void> =>
      Deno.writeTextFile(join(folder, name), content);
    const config = (name: string, changes: object): Promise<void> =>
      write(name, JSON.stringify({ ...toyConfig, steps: 2, ...changes }));
    const words = (name: string, ...more: readonly string[]): readonly string[] => [
      ...["--corpus", "corpus.txt", "--device", "cpu", "--config", name, "--out", "run"],
      ...more,
    ];
    const refused = async (name: string, message: string): Promise<void> => {
      const { code, out, error } = await pretrain(words(name));
      assertEquals([code, out], [2, ""], error);
      const last = error.trimEnd().split("\n").at(-1)!;
      assertStringIncludes(last, message);
      assert(!error.includes("    at "), "no stack");
      assert(!await exists(join(folder, "run", "config.json")), "nothing is written");
    };
    for (const [i, [line, why]] of lines.entries()) {
      await write(`log${i}.jsonl`, [...good.slice(0, 5), line, ...good.slice(5)].join("\n"));
      await config("click.json", { click: { ...click, log: `log${i}.jsonl` } });
      await refused("click.json", `Cannot read log${i}.jsonl: line 6: ${why}`);
    }
    const all = lines.map(([line]) => line);
    await write("log.jsonl", [...good, ...all].join("\n"));
    await config("click.json", { click: { ...click, log: "log.jsonl" } });
    await refused("click.json", "Cannot read log.jsonl: line 61: nothing was shown");
    // The same folder is taken when the command is mended.
    const skipped = await pretrain(words("click.json", "--skip-bad"));
    assertEquals(skipped.code, 0, skipped.error);
    assertEquals(skipped.error.match(/^1 left out: /gm)?.length, lines.length, skipped.error);
    await Deno.remove(join(folder, "run"), { recursive: true });

    const tables = [
      ["高兴\t开心 1\n老师\t老师 1\n", "line 2: 老师 is its own synonym"],
      ["高兴\t开心 1\n老师\t先 1\n", "line 2: 先 has 1 characters, 老师 has 2"],
      ["高兴\t开心 1\n高兴\t快乐 1\n", "line 2: 高兴 has its synonyms in line 1"],
    ] as const;
    await config("mac.json", { mask: { policy: "mac", synonyms: "synonyms.txt" } });
    for (const [table, why] of tables) {
      await write("synonyms.txt", table);
      await refused("mac.json", `Cannot read synonyms.txt: ${why}`);
    }
    const counted = await pretrain(words("mac.json", "--skip-bad"));
    assertEquals(counted.code, 0, counted.error);
    assertStringIncludes(counted.error, "words with synonyms, 1 lines skipped");
    await Deno.remove(join(folder, "run"), { recursive: true });

    await config("heads.json", { model: { ...toyConfig.model, heads: 3 } });
    await refused("heads.json", "model.heads is 3, it must divide model.width 16");
    const then = [{ length: 40, batch: 4, microBatch: 2, steps: 2, rate: 0.005, warmup: 0.2 }];
    await config("second.json", { steps: 0, then });
    await refused("second.json", "steps is 0, and then[0] goes on with the weights of the first");
  }));

Deno.test("tokens of another vocabulary than their own or the weights' are refused", () =>
  inWorkplace(async ({ folder, pretrain }) => {
    const run = async (...words: readonly string[]): Promise<void> => {
      const { code, error } = await data(folder, ...words);
      assertEquals(code, 0, error);
    };
    await run("clean", "--in", "corpus.txt", "--out", "clean");
    await run("vocab", "--in", "clean", "--out", "large.txt", "--size", "400");
    await run("vocab", "--in", "clean", "--out", "small.txt", "--size", "150");
    for (const name of ["large", "small"]) {
      const vocabulary = ["--vocab", `${name}.txt`, "--held-out", "0.1"];
      await run("pack", "--in", "clean", ...vocabulary, "--out", name);
    }
    const words = ["--device", "cpu", "--config", "toy.json"];
    const first = await pretrain([...words, "--data", "large", "--steps", "2", "--out", "first"]);
    assertEquals(first.code, 0, first.error);
    await Deno.copyFile(join(folder, "small.txt"), join(folder, "large", "vocab.txt"));
    const wrong = [
      [["--data", "large"], "shard 0 was packed with another vocabulary than its vocab.txt"],
      [["--data", "small", "--init", "first"], "Cannot start from first"],
    ] as const;
    for (const [more, message] of wrong) {
      const { code, out, error } = await pretrain([...words, ...more, "--out", "wrong"]);
      assertEquals([code, out], [2, ""], error);
      assertStringIncludes(error, message);
      assertEquals(error.trimEnd().split("\n").length, 1, error);
      assert(!await exists(join(folder, "wrong", "config.json")));
    }
  }));
