/** A job on two hosts, which are network namespaces of this machine: other addresses, no loopback in common. */
import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { inFolder } from "../in_folder.ts";
import { skip } from "../skip.ts";
import { runRecipe } from "./recipe_command.ts";

const NAME = "launch --hosts on two hosts: ranks find each other, and sum";
const root = fromFileUrl(new URL("../../", import.meta.url));
const hosts = ["10.213.77.1", "10.213.77.2"] as const,
  names = hosts.map((host) => `motian-${host}`);

async function ip(...lines: readonly string[]): Promise<boolean> {
  for (const line of lines) {
    const { success } = await new Deno.Command("ip", {
      args: line.split(" "),
      stderr: "null",
    }).output().catch(() => ({ success: false }));
    if (!success) return false;
  }
  return true;
}

const clean = async (): Promise<void> => {
  for (const name of names) await ip(`netns del ${name}`);
};

/** Two hosts with a cable between them. */
async function cable(): Promise<boolean> {
  await clean();
  const [a, b] = names;
  return await ip(
    ...[`netns add ${a}`, `netns add ${b}`],
    `link add motian0 netns ${a} type veth peer name motian0 netns ${b}`,
    ...names.flatMap((name, i) => [
      `-n ${name} addr add ${hosts[i]}/24 dev motian0`,
      `-n ${name} link set motian0 up`,
      `-n ${name} link set lo up`,
    ]),
  );
}

const isRoot = Deno.build.os === "linux" && Deno.uid() === 0 && await cable();
await clean();
if (!isRoot) skip(NAME, "network namespaces need root and the ip command of Linux");
else {
  Deno.test(NAME, () =>
    inFolder(async (folder) => {
      const ssh = join(folder, "ssh"), file = join(folder, "hosts");
      await Deno.writeTextFile(
        ssh,
        `#!/bin/sh\nname=motian-$1\nshift\nexec ip netns exec "$name" sh -c "$*"\n`,
      );
      await Deno.chmod(ssh, 0o755);
      await Deno.writeTextFile(file, hosts.map((host) => `${host} 2\n`).join(""));
      const dist = new URL("../../dist/mod.ts", import.meta.url).href;
      const script = `import { jobPlace, joinJob } from "${dist}";
        const { group, close } = await joinJob(jobPlace((name) => Deno.env.get(name)), { plan: 1 });
        const sums = await group.allReduce(new Float32Array(3e6).fill(group.rank + 1));
        console.log(Deno.env.get("MOTIAN_HOST"), sums.every((x) => x === 10));
        await close();`;
      try {
        await cable();
        const { code, out, error } = await runRecipe("launch", root, [
          ...["--hosts", file, "--ssh", ssh, "--rdzv", `${hosts[0]}:29400`],
          ...["--", "deno", "eval", script],
        ]);
        assertEquals(code, 0, error);
        const lines = out.trim().split("\n").map((line) => line.replace(/^\[\d\] /, "")).sort();
        assertEquals(lines, hosts.flatMap((host) => [`${host} true`, `${host} true`]));
      } finally {
        await clean();
      }
    }));
}
