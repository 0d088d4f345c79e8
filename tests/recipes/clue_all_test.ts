/** `deno task clue --task all` and `--check`, as a user runs them. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { exists } from "@std/fs";
import { join } from "@std/path";
import { unzipSync } from "npm:fflate@0.8.3";
import { fixtures, linesText } from "./clue_fixtures.ts";
import { inWorkplace } from "./pretrain_command.ts";
import { runRecipe } from "./recipe_command.ts";

/** Files of two tasks in layouts of their own, one without a dev file, and one with a broken line. */
const files: Readonly<Record<string, string>> = {
  "data/tnews_public/train.json": linesText(fixtures.tnews!.train),
  "data/tnews_public/dev.json": linesText(fixtures.tnews!.train),
  "data/tnews_public/test.json": linesText(fixtures.tnews!.test),
  "data/tnews_public/test1.0.json": linesText(fixtures.tnews!.test),
  "data/CLUEWSC2020_public1.1/train_few_all.json": linesText(fixtures.cluewsc!.train),
  "data/CLUEWSC2020_public1.1/dev_few_all.json": linesText(fixtures.cluewsc!.train),
  "data/CLUEWSC2020_public1.1/test_public.json": linesText(fixtures.cluewsc!.train),
  "data/CLUEWSC2020_public1.1/test.json": linesText(fixtures.cluewsc!.test),
  "data/ocnli/train.json": linesText(fixtures.ocnli!.train),
  "bad/tnews/train.json": linesText(fixtures.tnews!.train),
  "bad/tnews/dev.json": linesText(fixtures.tnews!.train),
  "bad/qbqtc/train.json": linesText(fixtures.qbqtc!.train),
  "bad/qbqtc/dev.json": linesText(fixtures.qbqtc!.train),
  "bad/qbqtc/test.json": linesText(fixtures.qbqtc!.test) + "{\n",
  "none/readme.txt": "nothing",
};

Deno.test("clue learns all tasks that a folder has, and leaves one archive to hand in", () =>
  inWorkplace(async ({ folder, pretrain }) => {
    const { code, error } = await pretrain([
      ...["--corpus", "corpus.txt", "--device", "cpu", "--config", "toy.json", "--out", "first"],
    ]);
    assertEquals(code, 0, error);
    for (const [name, content] of Object.entries(files)) {
      await Deno.mkdir(join(folder, name, ".."), { recursive: true });
      await Deno.writeTextFile(join(folder, name), content);
    }
    const clue = (...words: readonly string[]) => runRecipe("clue", folder, words);
    const learn = (data: string, ...more: readonly string[]) =>
      clue(
        ...["--task", "all", "--data", data, "--model", "first", "--device", "cpu"],
        ...["--epochs", "1", "--batch", "2", "--length", "32", "--out", "out", ...more],
      );

    const none = await learn("none");
    assertEquals([none.code, none.out], [2, ""]);
    assertMatch(
      none.error,
      /^Cannot learn all tasks from none: no folder in it .*afqmc.*--download.*\n$/,
    );
    assert(!await exists(join(folder, "out")));

    const all = await learn("data", "--json", "--seeds", "2");
    assertEquals(all.code, 0, all.error);
    const rows = all.out.trimEnd().split("\n").map((line) => JSON.parse(line));
    const told = rows.map(({ task, split, seed, metric }) => [task, split, seed, metric].join(" "));
    assertEquals(told, [
      ...["tnews dev 1 accuracy", "tnews dev 1 macro_f1"],
      ...["tnews dev 2 accuracy", "tnews dev 2 macro_f1"],
      ...["cluewsc dev 1 accuracy", "cluewsc dev 1 macro_f1"],
      ...["cluewsc test 1 accuracy", "cluewsc test 1 macro_f1"],
      ...["cluewsc dev 2 accuracy", "cluewsc dev 2 macro_f1"],
      ...["cluewsc test 2 accuracy", "cluewsc test 2 macro_f1"],
    ]);
    const saved = await Deno.readTextFile(join(folder, "out", "results.jsonl"));
    assertEquals(saved, all.out, "no board has all its tasks");
    for (const name of ["epochs.jsonl", "report.html"]) {
      assertStringIncludes(await Deno.readTextFile(join(folder, "out", name)), "cluewsc");
    }
    assertMatch(all.error, /nothing to learn afqmc, iflytek, cmnli, ocnli, .* from/);

    const names = ["tnews11_predict.json", "tnews10_predict.json", "cluewscf_predict.json"];
    const zip = unzipSync(await Deno.readFile(join(folder, "out", "submit.zip")));
    assertEquals(Object.keys(zip), names);
    for (const name of names) {
      assertEquals(await Deno.readFile(join(folder, "out", name)), zip[name]);
      const seeds = ["seed-1", "seed-2"].map((seed) => join(folder, "out", seed, name));
      assert((await Promise.all(seeds.map((path) => exists(path)))).every((is) => is));
    }

    // One bad task keeps no other back.
    const bad = await learn("bad", "--out", "half", "--train-examples", "1");
    assertEquals(bad.code, 2, bad.error);
    const fault = `Cannot read ${join("bad", "qbqtc", "test.json")}: line 2: it is no JSON`;
    const said = bad.error.trimEnd().split("\n");
    assertStringIncludes(said[0]!, fault);
    assertEquals(said.at(-1), "Cannot learn qbqtc, as said above; the results of all others stand");
    assertMatch(bad.error, /tnews: 1 examples to learn from/);
    assertMatch(bad.out, /^tnews +dev +accuracy/m);
    assertMatch(bad.out, /^total +dev +average +left out: no afqmc, iflytek,/m);
    assertStringIncludes(await Deno.readTextFile(join(folder, "half", "report.html")), fault);
    assert((await Deno.readTextFile(join(folder, "half", "results.jsonl"))).includes("tnews"));
    await Deno.remove(join(folder, "bad", "tnews"), { recursive: true });
    const worse = await learn("bad", "--out", "nothing");
    assertEquals([worse.code, worse.out], [2, ""]);
    assertMatch(worse.error, /\nCannot learn qbqtc, as said above\n$/);
    assert(!await exists(join(folder, "nothing")));

    const check = (path: string) => clue("--task", "all", "--data", "data", "--check", path);
    const right = await check("out/submit.zip");
    assertEquals([right.code, right.error], [0, ""]);
    assertStringIncludes(right.out, "no fault in tnews11_predict.json");
    const path = join(folder, "out", "tnews11_predict.json");
    await Deno.writeTextFile(path, '{"id":0,"label":"105"}\n{"id":7,"label":"100"}\n');
    const wrong = await check("out/tnews11_predict.json");
    assertEquals(wrong.code, 2);
    assertEquals(wrong.out.trimEnd().split("\n").slice(0, 3), [
      'tnews11_predict.json: line 1: label is "105", it must be one of ' +
      '"100", "101", "102", "103", "104", "106", "107", "108", "109", "110", "112", "113", "114", "115", "116"',
      "tnews11_predict.json: line 2: id is 7, the test has no such id",
      "tnews11_predict.json: id 1 has no line",
    ]);
    assertEquals(wrong.error, "Cannot hand out/tnews11_predict.json in: 3 faults, named above\n");
    // What else lies beside answers is none of them, unless it looks like some.
    assertStringIncludes((await check("out")).error, "Cannot hand out in: 3 faults");
    await Deno.rename(path, join(folder, "out", "tnews_predict.json"));
    assertStringIncludes(
      (await check("out")).out,
      "tnews_predict.json: nobody asks for such a file",
    );

    const split = await clue("--task", "all", "--split", "data/ocnli/train.json", "--out", "parts");
    assertEquals([split.code, split.out], [2, ""]);
    assertStringIncludes(split.error, "pass one with --task");
  }));
