/** `deno task ablate` as a user calls it. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { kill } from "../kill.ts";
import { smallCorpus } from "./small_corpus.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));

const command = (cwd: string, words: readonly string[]): Deno.Command =>
  new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-check",
      "--allow-all",
      `--config=${join(root, "deno.json")}`,
      join(root, "recipes", "ablate", "main.ts"),
      ...words,
    ],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });

async function ablate(cwd: string, words: readonly string[]) {
  const { code, stdout, stderr } = await command(cwd, words).output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, error: error! };
}

Deno.test("the command trains, shows, keeps, and goes on with more seeds", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "corpus.txt"), smallCorpus(1000).join("\n"));
    await Deno.writeTextFile(
      join(folder, "synonyms.txt"),
      "Aa01A01= 老师 医生 学生\nAa01A02= 喜欢 研究 准备\n",
    );
    const words = [
      ..."--corpus corpus.txt --synonyms synonyms.txt --only mask-policies --steps 3".split(" "),
      ..."--device cpu --set model.layers=1 --set model.width=16 --set data.batch=4".split(" "),
      ..."--set data.microBatch=4".split(" "),
    ];
    const first = await ablate(folder, [...words, "--seeds", "1"]);
    assertEquals(first.code, 0, first.error);
    assertMatch(first.out, /^mask-policies: /);
    assertMatch(first.out, /\n {2}motian +\d+\.\d+ [* ] +\d+\.\d+ [* ] +1\n/);
    assertMatch(first.out, /open, one seed has no spread/);
    assertMatch(first.out, /\n5 trained in .*report\.html\n$/);
    const second = await ablate(folder, [...words, "--seeds", "2", "--json"]);
    assertEquals(second.code, 0, second.error);
    const rows = second.out.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(rows.slice(0, -1).map(({ trained }) => trained), [
      ...Array(5).fill(false),
      ...Array(5).fill(true),
    ]);
    const { verdicts, trained, left, report } = rows.at(-1);
    assertEquals([verdicts.length, verdicts[0].rows.length, trained, left], [1, 5, 5, 0]);
    assert((await Deno.readTextFile(join(folder, report))).includes("10 of 10"));
    // A table of synonyms counts by what is in it, for the variants that read it.
    await Deno.writeTextFile(join(folder, "synonyms.txt"), "Aa01A01= 老师 医生\n");
    const other = await ablate(folder, [...words, "--seeds", "1"]);
    assertMatch(other.out, /\n2 trained in /);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

const toy = [
  ..."--corpus corpus.txt --device cpu --steps 3 --seeds 1 --json --set model.layers=1".split(" "),
  ..."--set model.width=16 --set data.batch=4 --set data.microBatch=4".split(" "),
];

/** Kills the command once it has trained two cells, and gives how many it left. */
async function killedAfterTwo(folder: string, words: readonly string[]): Promise<number> {
  const child = command(folder, words).spawn();
  const rows = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let seen = "";
  while (seen.split("\n").length < 3) {
    const { value, done } = await rows.read();
    assert(!done, `it ended by itself, after ${seen}`);
    seen += value;
  }
  kill(child);
  await rows.cancel();
  await Promise.all([child.status, child.stderr.cancel()]);
  const names = Array.from(Deno.readDirSync(join(folder, "runs/ablate/cells")), (f) => f.name);
  return names.filter((name) => /^[0-9a-f]{24}\.json$/.test(name)).length;
}

Deno.test("killed in the middle, the command goes on with what is trained", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "corpus.txt"), smallCorpus(1000).join("\n"));
    const words = [...toy, "--only", "mask-units,task-weights"];
    let kept = await killedAfterTwo(folder, words);
    // On a busy machine all seven may be there before the second is seen.
    for (let tries = 1; kept === 7 && tries < 5; tries++) {
      await Deno.remove(join(folder, "runs"), { recursive: true });
      kept = await killedAfterTwo(folder, words);
    }
    assert(kept >= 2 && kept < 7, `${kept} are left`);
    const { code, out, error } = await ablate(folder, words);
    assertEquals(code, 0, error);
    const done = out.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(done.filter(({ trained }) => trained === false).length, kept);
    assertEquals([done.at(-1).trained, done.at(-1).left], [7 - kept, 0]);
    const [{ rows: found }] = done.at(-1).verdicts.filter((v: { ablation: string }) =>
      v.ablation === "task-weights"
    );
    assertEquals(Object.keys(found[0].found), [
      ..."NDCG@5 (SIMULATED)|AUC (SIMULATED)|64 tokens".split("|"),
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a wrong line of a click log is told before any training", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "corpus.txt"), smallCorpus(1000).join("\n"));
    const docs = [{ title: "图书馆", rank: 1, click: 2 }];
    await Deno.writeTextFile(join(folder, "log.jsonl"), JSON.stringify({ query: "书", docs }));
    const words = [...toy, "--only", "mask-units,clicks", "--clicks", "log.jsonl"];
    const { code, out, error } = await ablate(folder, words);
    assertEquals([code, out, error.trimEnd().split("\n").length], [2, "", 1], error);
    assertMatch(error, /log\.jsonl: line 1: document 1 has click 2/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a wrong call is one line and exit code 2", async () => {
  for (
    const [words, why] of [
      [["--only", "norn"], "did you mean norm?"],
      [["--corpus", "nowhere.txt"], "nowhere.txt"],
      [["--only", "mask-policies", "--synonyms", "nowhere.txt"], "nowhere.txt"],
      [["--only", "mask-units", "--phrases", "nowhere.txt"], "nowhere.txt"],
      [["--only", "clicks", "--clicks", "nowhere.jsonl"], "nowhere.jsonl"],
      [["--minutes", "0"], "--minutes 0: it must be a number of at least 0.1"],
    ] as const
  ) {
    const { code, error } = await ablate(root, [...words, "--device", "cpu"]);
    assertEquals([code, error.trimEnd().split("\n").length], [2, 1], error);
    assert(error.includes(why), error);
  }
});
