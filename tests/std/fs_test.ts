import { assertEquals, assertRejects } from "@std/assert";
import { ensureDir, exists, walk, type WalkOptions } from "@std/fs";
import { join, relative } from "@std/path";

Deno.test("std: ensureDir, exists and walk agree about a tree", async () => {
  const root = await Deno.makeTempDir();
  try {
    await ensureDir(join(root, "b", "c"));
    await ensureDir(join(root, "b", "c"));
    for (const path of ["z.txt", "a.ts", "b/c/d.ts"]) {
      await Deno.writeTextFile(join(root, path), "");
    }
    await Deno.symlink(join(root, "b"), join(root, "link"));
    const met = async (options: WalkOptions): Promise<string[]> => {
      const paths: string[] = [];
      for await (const { path } of walk(root, options)) paths.push(relative(root, path));
      return paths;
    };
    assertEquals(await met({}), ["", "a.ts", "b", "b/c", "b/c/d.ts", "link", "z.txt"]);
    assertEquals(await met({ exts: [".ts"], includeDirs: false }), ["a.ts", "b/c/d.ts"]);
    assertEquals(await met({ maxDepth: 1, includeSymlinks: false }), ["", "a.ts", "b", "z.txt"]);
    assertEquals(await met({ skip: [/\/c$/], includeFiles: false }), ["", "b", "link"]);
    assertEquals(await met({ match: [/\.txt$/] }), ["z.txt"]);
    assertEquals(await exists(join(root, "z.txt")), true);
    assertEquals(await exists(join(root, "z.txt"), { isDirectory: true }), false);
    assertEquals(await exists(join(root, "b"), { isFile: true }), false);
    assertEquals(await exists(join(root, "z.txt", "below a file")), false);
    await assertRejects(() => ensureDir(join(root, "z.txt")));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
