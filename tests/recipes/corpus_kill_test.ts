/** Steps of `deno task data` that are killed in the middle, and run again, leave what they leave undisturbed, byte by byte. */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { draws } from "../../recipes/masking/counter_random.ts";
import { exists } from "@std/fs";
import { contents, data, killed, killedOnce } from "./data_command.ts";
import { sentence } from "./made_text.ts";

/** A file makes a shard. */
const FILES = 24;

async function writeRaw(folder: string): Promise<void> {
  await Deno.mkdir(join(folder, "raw"));
  for (let file = 0; file < FILES; file++) {
    const lines = Array.from({ length: 50 }, (_, i) => {
      const seed = 50 * file + i, length = 60 + seed % 37;
      // Every seventh is there before, every eleventh nearly.
      if (seed % 7 === 0) return sentence(seed >> 1, 60 + (seed >> 1) % 37);
      return seed % 11 === 0 ? `${sentence(3, 120).slice(0, -5)}${seed}。` : sentence(seed, length);
    });
    const name = `${String(file).padStart(2, "0")}.txt`;
    await Deno.writeTextFile(join(folder, "raw", name), lines.join("\n"));
  }
  await Deno.writeTextFile(
    join(folder, "eval.tsv"),
    `${sentence(5, 65)}\t0\n${sentence(9, 69)}\t1`,
  );
}

/** The steps, each from the result of an earlier one. */
const steps: readonly (readonly string[])[] = [
  ["clean", "--in", "raw"],
  ["dedup", "--in", "clean"],
  ["filter", "--in", "dedup", "--good", "clean"],
  ["check", "--in", "filter", "--against", "eval.tsv"],
  ["pack", "--in", "check", "--vocab", "vocab.txt"],
];

Deno.test("a step of data that is killed again and again ends as if nothing had happened", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await writeRaw(folder);
    for (const [step, words] of steps.entries()) {
      const [verb] = words as [string];
      if (verb === "pack") {
        const made = await data(folder, "vocab", "--in", "clean", "--out", "vocab.txt");
        assertEquals(made.code, 0, made.error);
      }
      const { code, error } = await data(folder, ...words, "--out", verb);
      assertEquals(code, 0, error);
      const whole = await contents(join(folder, verb));
      assert(Object.keys(whole).length > 2 * FILES, verb);
      const disturbed = async (seed: number): Promise<void> => {
        const out = `${verb}-${seed}`,
          { below } = draws(seed, step, 0, 0),
          path = join(folder, out);
        const isKilled = (more: number): Promise<boolean> =>
          killed(folder, path, more, ...words, "--out", out);
        // The first kill comes as soon as there is anything: a step that was over before is begun again.
        let tries = 1;
        for (; !await isKilled(1); tries++) {
          assert(tries < 5, `${verb} ${seed} ends before it is killed`);
          await Deno.remove(path, { recursive: true });
        }
        // The second comes anywhere, or too late.
        await isKilled(1 + below(2 * FILES));
        const ended = await data(folder, ...words, "--out", out);
        assertEquals(ended.code, 0, ended.error);
        assertEquals(await contents(path), whole, `${verb} ${seed}`);
      };
      await Promise.all([1, 2, 3].map(disturbed));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Steps whose result is a file. */
const files: readonly (readonly string[])[] = [
  ["vocab", "--in", "clean", "--size", "3000"],
  ["synonyms", "--in", "clean", "--steps", "12"],
];

Deno.test("a step that makes a file leaves all of it or none when it is killed, and makes it the second time", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await writeRaw(folder);
    const cleaned = await data(folder, "clean", "--in", "raw", "--out", "clean");
    assertEquals(cleaned.code, 0, cleaned.error);
    for (const [step, words] of files.entries()) {
      const [verb] = words as [string], began = performance.now();
      const { code, error } = await data(folder, ...words, "--out", verb);
      assertEquals(code, 0, error);
      const took = performance.now() - began;
      const whole = await Deno.readTextFile(join(folder, verb));
      assert(whole.split("\n").length > 100, verb);
      const disturbed = async (seed: number): Promise<void> => {
        const out = join(`${verb}-${seed}`, "made"), path = join(folder, out);
        const again = [...words, "--out", out], { uniform } = draws(seed, step, 1, 0);
        // Somewhere: where it was faster than that, from the beginning and sooner.
        for (let wait = uniform() * took;; wait /= 2) {
          const until = performance.now() + wait;
          if (await killedOnce(() => performance.now() > until, folder, ...again)) break;
          await Deno.remove(path);
        }
        // And as soon as a part of the result is there, under whatever name.
        const writes = async (): Promise<boolean> =>
          await exists(path) || await exists(`${path}.part`);
        if (!await exists(path)) await killedOnce(writes, folder, ...again);
        if (!await exists(path)) {
          const ended = await data(folder, ...again);
          assertEquals(ended.code, 0, ended.error);
        }
        assertEquals(await Deno.readTextFile(path), whole, out);
        const left = await contents(join(folder, `${verb}-${seed}`));
        assertEquals(Object.keys(left), ["made"]);
      };
      await Promise.all([1, 2].map(disturbed));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
