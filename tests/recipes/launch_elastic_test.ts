/** Members of an elastic job, as the launcher starts, replaces and ends them. */
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { elasticPlace } from "../../dist/job/elastic_place.ts";
import { launchElastic } from "../../recipes/launch/elastic.ts";
import { askFence, serveFence } from "../../recipes/launch/fence.ts";

/** Runs a script as members; what they wrote, what was noted, and the exit code. */
function launched(script: string, nproc: number, restarts = 0, grace = 20_000): Promise<Launched> {
  const words = [Deno.execPath(), "eval", `const get = (n) => Deno.env.get(n); ${script}`];
  return launchedCommand(words, nproc, restarts, grace);
}

interface Launched {
  readonly code: number;
  readonly lines: string[];
  readonly notes: string[];
}

async function launchedCommand(
  command: readonly string[],
  nproc: number,
  restarts: number,
  grace: number,
): Promise<Launched> {
  const lines: string[] = [], notes: string[] = [];
  const code = await launchElastic({
    ...{ nproc, restarts, grace, backOff: 10, command },
    line: (name, text, to) => lines.push(`${to} ${name} ${text}`),
    note: (line) => notes.push(line),
  });
  return { code, lines: lines.sort(), notes };
}

const isFirst = `get("RANK") === "0"`;

Deno.test("launch elastic: members are told who they are and who the others are", async () => {
  const { code, lines, notes } = await launched(
    `console.log(get("MOTIAN_MEMBER"), get("MOTIAN_FOUNDERS"), get("WORLD_SIZE"))`,
    2,
  );
  assertEquals([code, notes], [0, []]);
  const [seat, founders] = lines[1]!.split(" ").slice(2);
  const env = new Map([["MOTIAN_MEMBER", seat], ["MOTIAN_FOUNDERS", founders]]);
  const place = elasticPlace((name) => env.get(name))!;
  assertEquals([place.seat.name, place.founders.length], ["m1", 2]);
  assertEquals(place.founders[1], place.seat);
  assertMatch(lines[0]!, /^stdout m0 m0=ws:\/\/127\.0\.0\.1:\d+ m0=.*,m1=.* 2$/);
});

/** Scripts that wait for each other: one listens where it should, and one connects there. */
const meeting = `
  const portOf = (name) => Number(get("MOTIAN_FOUNDERS").match(name + "=ws://127.0.0.1:([0-9]+)")[1]);
  const own = () => Number(get("MOTIAN_MEMBER").split(":").at(-1));
  const meets = async (n) => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: own() }), all = [];
    for (; n > 0; n--) all.push(await listener.accept());
    return all;
  };
  const finds = async (name) => {
    for (;;) {
      try { return await Deno.connect({ hostname: "127.0.0.1", port: portOf(name) }); }
      catch { await new Promise((resolve) => setTimeout(resolve, 20)); }
    }
  };
`;

Deno.test("launch elastic: one that fails ends nobody, and is replaced while there are restarts", async () => {
  // The others end a while after it: the launcher has noticed by then.
  const alone = await launched(
    `${meeting} if (get("RANK") === "1") { await meets(2); Deno.exit(7); }
    await (await finds("m1")).read(new Uint8Array(1)).catch(() => {});
    setTimeout(() => {}, 1500);`,
    3,
  );
  assertEquals([alone.code, alone.notes], [0, ["m1 ended with exit code 7; m0, m2 go on"]]);
  const replaced = await launched(
    `${meeting} if (${isFirst}) await meets(1);
    else if (get("MOTIAN_MEMBER").startsWith("m1=")) Deno.exit(7);
    else { console.log(get("MOTIAN_FOUNDERS")); await finds("m0"); }`,
    2,
    1,
  );
  assertEquals([replaced.code, replaced.notes], [0, [
    "m1 ended with exit code 7; m0 goes on; m1.2 comes in 0.01 s (0 more may)",
  ]]);
  assertMatch(replaced.lines[0]!, /^stdout m1\.2 m0=ws:/);
});

Deno.test("launch elastic: the job fails with the first of its members if all do, and ends with the first that is done", async () => {
  assertEquals((await launched(`Deno.exit(3)`, 2)).code, 3);
  // The other one never ends by itself.
  const { code } = await launched(`if (!(${isFirst})) setTimeout(() => {}, 1e8);`, 2, 0, 10);
  assertEquals(code, 0);
});

Deno.test("launch elastic: who knows the token can have a member ended, and it is dead then", async () => {
  const { href } = new URL("../../recipes/launch/fence.ts", import.meta.url);
  const { code, notes, lines } = await launched(
    `if (!(${isFirst})) setTimeout(() => {}, 1e8); else { const { askFence } = await import("${href}");
    const port = Number(get("MOTIAN_FENCE"));
    console.log(await askFence(port, "another", "m1"), await askFence(port, get("MOTIAN_TOKEN"), "m1")); }`,
    2,
  );
  assertEquals([code, lines], [0, ["stdout m0 false true"]]);
  assertEquals(notes[0], "m1 does not answer the others: ended it");
  assertMatch(notes[1] ?? "m1 was ended by SIGKILL", /^m1 was ended by SIGKILL/);
});

Deno.test("launch elastic: the fence bears strangers, and is gone when it is closed", async () => {
  const ended: string[] = [];
  const fence = serveFence("token", (name) => {
    ended.push(name);
    return Promise.resolve();
  });
  using stranger = await Deno.connect({ hostname: "127.0.0.1", port: fence.port });
  await stranger.write(new Uint8Array(300));
  assertEquals(await stranger.read(new Uint8Array(10)), null);
  assertEquals(await askFence(fence.port, "token", "m3"), true);
  assertEquals(ended, ["m3"]);
  fence.close();
  assertEquals(await askFence(fence.port, "token", "m3"), false);
  assert(ended.length === 1);
});

Deno.test("launch elastic: what a member has left behind and still holds its output delays nobody", async () => {
  const start = performance.now();
  // The others' recovery waits for the fence's word.
  const { href } = new URL("../../recipes/launch/fence.ts", import.meta.url);
  const { code, lines } = await launched(
    `${meeting} if (${isFirst}) {
      const { askFence } = await import("${href}");
      await finds("m1");
      console.log(await askFence(Number(get("MOTIAN_FENCE")), get("MOTIAN_TOKEN"), "m1"));
    } else {
      new Deno.Command("sleep", { args: ["40"], stdout: "inherit", stderr: "inherit" }).spawn();
      await meets(1);
      setTimeout(() => {}, 1e8);
    }`,
    2,
  );
  assertEquals([code, lines], [0, ["stdout m0 true"]]);
  const left = await launchedCommand(["sh", "-c", "echo a; sleep 40 & exit 0"], 1, 0, 20_000);
  assertEquals(left, { code: 0, lines: ["stdout m0 a"], notes: [] });
  assertLess(performance.now() - start, 35_000);
});

Deno.test("launch elastic: who asks a fence that says nothing knows no death, after a while", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const asked = listener.accept();
  const { port } = listener.addr as Deno.NetAddr;
  assertEquals(await askFence(port, "token", "m1", 100), false);
  (await asked).close();
});
