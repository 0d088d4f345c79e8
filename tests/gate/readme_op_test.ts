/** The op that the README adds, added to a copy of the library as the README says. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ensureDir, walk } from "@std/fs";
import { join, relative } from "@std/path";
import { dirname } from "node:path";
import { root } from "./sources.ts";

/** All that the laws of one op need; no test but the harness itself. */
const PARTS = [
  "deno.json",
  "deno.lock",
  "core",
  "recipes/std",
  "tests/core/laws",
  "tests/core/laws_test.ts",
];

/** Copies the parts of the project that are named to another folder. */
async function copyParts(to: string): Promise<void> {
  for (const part of PARTS) {
    const isFile = (await Deno.stat(join(root, part))).isFile;
    const entries = isFile ? [{ path: join(root, part) }] : walk(join(root, part), {
      includeDirs: false,
    });
    for await (const { path } of entries) {
      const target = join(to, relative(root, path));
      await ensureDir(dirname(target));
      await Deno.copyFile(path, target);
    }
  }
}

/** The texts of the files under `core/ops`, by name. */
async function opsIn(folder: string): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for await (const { path } of walk(join(folder, "core", "ops"), { includeDirs: false })) {
    texts.set(relative(join(folder, "core", "ops"), path), await Deno.readTextFile(path));
  }
  return texts;
}

/** The section's file with its name, the export, and the command that holds the laws. */
async function example(): Promise<Readonly<Record<"name" | "file" | "line" | "filter", string>>> {
  const readme = await Deno.readTextFile(join(root, "README.md"));
  const section = readme.split(/^## /m).find((text) => text.startsWith("Adding an op"))!;
  const blocks = [...section.matchAll(/^```ts ignore\n(.*?)^```$/gms)].map(([, text]) => text!);
  assertEquals(blocks.length, 2, "the file, and the export");
  const [, name = ""] = /is this file,\s`core\/ops\/(\w+)\.ts`/.exec(section) ?? [];
  const [, filter = ""] =
    /`deno test -A --filter (\w+) tests\/core\/laws_test\.ts`/.exec(section) ?? [];
  return { name: `${name}.ts`, file: blocks[0]!, line: blocks[1]!, filter };
}

async function deno(cwd: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assertEquals(code, 0, `deno ${args.join(" ")}: ${out}${err}`);
  return out!;
}

Deno.test("readme: the op that it adds is new, takes one file and one export, and its laws hold", async () => {
  const { name, file, line, filter } = await example();
  const before = await opsIn(root);
  assert(!before.has(name), `${name} is in the library: the README must add what is not`);
  const folder = await Deno.makeTempDir();
  try {
    await copyParts(folder);
    await Deno.writeTextFile(join(folder, "core", "ops", name), file);
    await Deno.writeTextFile(join(folder, "core", "ops", "mod.ts"), line, { append: true });

    const after = await opsIn(folder);
    const touched = [...after.keys()].filter((path) => after.get(path) !== before.get(path));
    assertEquals(touched, ["mod.ts", name]);
    assertMatch(after.get("mod.ts")!.slice(before.get("mod.ts")!.length), /^export \{.*\n$/);

    await deno(folder, ["fmt", "--check", join("core", "ops")]);
    await deno(folder, ["check", "--quiet", join("core", "mod.ts")]);
    // The README's filter, and the test that every op has a law, whose list of exports now has this one.
    const laws = ["test", "-A", "--no-check", join("tests", "core", "laws_test.ts")];
    const out = await deno(folder, [...laws, "--filter", `/${filter}|every op/`]);
    const passed = [...out.matchAll(/^laws: (.*?) \.\.\. ok/gm)].map(([, test]) => test);
    assertEquals(passed, [
      "every op has a law of its name",
      `${filter} (${name}) on reference`,
      `${filter} (${name}) on cpu`,
      `${filter} (${name}) on cpu, 64-bit addresses`,
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
