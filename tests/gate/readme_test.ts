import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { root } from "./sources.ts";

Deno.test("readme: every task that it names is there", async () => {
  const readme = await Deno.readTextFile(join(root, "README.md"));
  const { tasks } = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  const named = [...readme.matchAll(/\bdeno(?:@[\d.]+)? task ([a-z]+)/g)].map(([, task]) => task!);
  assert(named.includes("pretrain") && named.includes("test"));
  assertEquals(named.filter((task) => !Object.hasOwn(tasks, task)), []);
});

Deno.test("readme: the gate's script runs the Deno that the README names", async () => {
  const versions = async (path: string) =>
    new Set((await Deno.readTextFile(join(root, path))).match(/\bdeno@[\d.]+/g));
  const readme = await versions("README.md");
  assertEquals(readme.size, 1);
  assertEquals(await versions(".ci/run"), readme);
});
