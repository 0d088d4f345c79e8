/** A folder of a test's own. */
import { dirname, join } from "@std/path";

/** Texts, or bytes, by path. */
export type FilesToWrite = Readonly<Record<string, string | Uint8Array>>;

/** Runs with a new folder that holds these files, and removes it. */
export async function inFolder<T>(
  run: (folder: string) => T | Promise<T>,
  files: FilesToWrite = {},
): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, content] of Object.entries(files)) {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.mkdir(dirname(join(folder, name)), { recursive: true });
      await Deno.writeFile(join(folder, name), bytes);
    }
    return await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
