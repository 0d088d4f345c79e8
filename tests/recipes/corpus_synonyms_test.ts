/** `deno task data synonyms`: it learns as long as a corpus is worth, or as it is told, and says for how long. */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { inFolder } from "../in_folder.ts";
import { data } from "./data_command.ts";
import { sentence } from "./made_text.ts";

Deno.test("data synonyms: a small corpus is learnt from in few small steps, or in those asked for", () =>
  inFolder(async (folder) => {
    const lines = Array.from({ length: 400 }, (_, i) => sentence(i, 60));
    await Deno.writeTextFile(join(folder, "raw.txt"), lines.join("\n"));
    const cleaned = await data(folder, "clean", "--in", "raw.txt", "--out", "clean");
    assertEquals(cleaned.code, 0, cleaned.error);
    const effort = async (...words: readonly string[]): Promise<readonly number[]> => {
      const { code, error } = await data(folder, "synonyms", "--in", "clean", ...words);
      assertEquals(code, 0, error);
      const [, steps, batch] = /learn in (\d+) steps of (\d+) pairs/.exec(error) ?? [];
      return [Number(steps), Number(batch)];
    };
    const [steps, batch] = await effort("--out", "own.txt");
    assert(steps! > 0 && steps! * batch! < 1_000_000, `${steps} steps of ${batch}`);
    assertEquals(await effort("--steps", "2", "--out", "told.txt"), [2, 8192]);
  }));
