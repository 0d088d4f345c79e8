import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { exists } from "@std/fs";
import { join } from "@std/path";
import { InputError } from "../../recipes/cli/input_error.ts";
import { openRows, readRows, type Row } from "../../recipes/run/rows.ts";
import { newRun, newRunName, savedRun, saveRun } from "../../recipes/run/run_folder.ts";
import { SPECIAL_TOKENS, vocabularyOf } from "../../recipes/text/vocabulary.ts";
import { inFolder } from "../in_folder.ts";

const vocabulary = vocabularyOf([...SPECIAL_TOKENS, "摩", "天"]);

Deno.test("newRun makes a folder, and takes an empty one again", () =>
  inFolder(async (folder) => {
    const run = join(folder, "a", "b");
    await newRun(run);
    await newRun(run);
    assertEquals(Array.from(Deno.readDirSync(run)), []);
  }));

Deno.test("newRun takes the folder of a run that died before its config.json was there, and no vocab.txt that is somebody's", () =>
  inFolder(async (run) => {
    await Deno.writeTextFile(join(run, "vocab.txt"), "mine");
    await assertRejects(() => newRun(run), InputError, "it is not empty (vocab.txt)");
    await Deno.writeTextFile(join(run, "config.json.part"), "{");
    await newRun(run);
    await Deno.writeTextFile(join(run, "notes.txt"), "mine");
    await assertRejects(() => newRun(run), InputError, "it is not empty (notes.txt)");
    await Deno.remove(join(run, "notes.txt"));
    await saveRun(run, { steps: 3 }, vocabulary);
    assertEquals((await savedRun(run)).config, { steps: 3 });
    await assertRejects(() => newRun(run), InputError, "it is not empty (config.json");
  }));

Deno.test("newRun refuses a folder that is used, and leaves it as it is", () =>
  inFolder(async (run) => {
    await saveRun(run, { steps: 3 }, vocabulary);
    const error = await assertRejects(() => newRun(run), InputError);
    assertEquals(
      error.message,
      `Cannot start a run in ${run}: it is not empty (config.json and 1 more); pass another --out, or --resume to go on`,
    );
    assertEquals((await savedRun(run)).config, { steps: 3 });
  }));

Deno.test("newRun refuses a file, and a folder that cannot be made", () =>
  inFolder(async (folder) => {
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "mine");
    await assertRejects(() => newRun(file), InputError, `Cannot use ${file} as a run's folder`);
    await assertRejects(
      () => newRun(file, "--save"),
      InputError,
      "it is a file; pass another --save",
    );
    if (Deno.build.os !== "windows") {
      const why = /^Cannot use .+ as a run's folder: File name too long; pass another --out$/;
      const error = await assertRejects(() => newRun(file + "x".repeat(300)), InputError);
      assertMatch(error.message, why);
    }
    await assertRejects(() => newRun(join(file, "run")), InputError);
    assertEquals(await Deno.readTextFile(file), "mine");
  }));

Deno.test("savedRun reads what saveRun wrote", () =>
  inFolder(async (run) => {
    const config = { model: { layers: 2 }, seed: 1 };
    await saveRun(run, config, vocabulary);
    assertEquals(await savedRun(run), { config, configPath: join(run, "config.json"), vocabulary });
    assertEquals(
      await Deno.readTextFile(join(run, "config.json")),
      JSON.stringify(config, null, 2) + "\n",
    );
  }));

Deno.test("savedRun refuses what is no run", () =>
  inFolder(async (run) => {
    await assertRejects(
      () => savedRun(run),
      InputError,
      `Cannot resume ${run}: no config.json in it`,
    );
    await assertRejects(() => savedRun(join(run, "none")), InputError, "no config.json in it");
    await saveRun(run, {}, vocabulary);
    await Deno.truncate(join(run, "config.json"), 1);
    await assertRejects(() => savedRun(run), InputError, "config.json is no JSON");
    await saveRun(run, [], vocabulary);
    await assertRejects(() => savedRun(run), InputError, "config.json holds no JSON object");
    await saveRun(run, {}, vocabulary);
    await Deno.remove(join(run, "vocab.txt"));
    await assertRejects(() => savedRun(run), InputError, "Cannot read the vocabulary");
  }));

Deno.test("newRunName has the time in it", () => {
  const name = newRunName("motian-tiny", new Date("2026-01-31T23:59:58.123Z"));
  assertEquals(name, join("runs", "motian-tiny-20260131-235958"));
});

Deno.test("openRows appends lines that are in the file at once", () =>
  inFolder(async (folder) => {
    const path = join(folder, "metrics.jsonl");
    assertEquals(await readRows(path), []);
    using rows = await openRows(path);
    rows.append({ step: 1, loss: 8.5, lr: NaN });
    assertEquals(await Deno.readTextFile(path), '{"step":1,"loss":8.5,"lr":null}\n');
    rows.append({ step: 2, loss: 8.25 });
    assertEquals((await readRows(path)).map(({ step }) => step), [1, 2]);
  }));

Deno.test("openRows makes a resumed run's file what it would have been without a stop", () =>
  inFolder(async (folder) => {
    const row = (step: number): Row => ({ step, loss: 1 / step });
    const write = async (path: string, from: number, to: number, resumedAt = 0): Promise<void> => {
      using rows = await openRows(path, resumedAt);
      for (let step = from; step <= to; step++) rows.append(row(step));
    };
    const whole = join(folder, "whole.jsonl"), parted = join(folder, "parted.jsonl");
    await write(whole, 1, 20);
    await write(parted, 1, 13);
    await Deno.writeTextFile(parted, '{"step":14,"lo', { append: true }); // killed in the middle of a line
    await write(parted, 11, 20, 10);
    assertEquals(await Deno.readTextFile(parted), await Deno.readTextFile(whole));
    assert(!await exists(`${parted}.part`));
  }));

Deno.test("openRows refuses a broken file and leaves it as it is", () =>
  inFolder(async (folder) => {
    const path = join(folder, "metrics.jsonl");
    for (const line of ["{", "[]", "null", '{"loss":1}']) {
      const content = `{"step":1}\n${line}\n{"step":3}\n`;
      await Deno.writeTextFile(path, content);
      await assertRejects(
        () => openRows(path, 3),
        InputError,
        `Cannot read ${path}, line 2: it is no`,
      );
      assertEquals(await Deno.readTextFile(path), content);
    }
  }));
