/** `deno task launch --nnodes MIN:MAX --rdzv ADDRESS`, and `--hosts FILE`: several launchers, here on one machine. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { createToken } from "../../dist/transport/token_term.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { freePort } from "../../recipes/launch/free_port.ts";
import { readHosts } from "../../recipes/launch/nodes/launch_hosts.ts";
import { launchNodes, type NodesOptions } from "../../recipes/launch/nodes/launch_nodes.ts";
import { createLead } from "../../recipes/launch/nodes/lead.ts";
import type { NodeLink } from "../../recipes/launch/nodes/link.ts";
import { launchOptions } from "../../recipes/launch/options.ts";
import { inFolder } from "../in_folder.ts";
import { kill } from "../kill.ts";
import { within } from "../within.ts";
import { runRecipe } from "./recipe_command.ts";

const get = (name: string): string => `Deno.env.get("${name}")`;
const root = fromFileUrl(new URL("../../", import.meta.url));

/** A job of launchers that are all in this process: what its ranks wrote, sorted, what was noted, and how each ended. */
async function launchers(script: string, changes: readonly Partial<NodesOptions>[]) {
  const lines: string[] = [], notes: string[] = [], token = createToken({ life: 600 });
  const command = [Deno.execPath(), "eval", script];
  const common: NodesOptions = {
    ...{ nproc: 1, min: changes.length, max: changes.length, restarts: 0, words: ["x"], command },
    rdzv: { hostname: "127.0.0.1", port: freePort() },
    env: (name) => name === "MOTIAN_TOKEN" ? token : undefined,
    line: (rank, text) => lines.push(`${rank}: ${text}`),
    note: (line) => notes.push(line),
    ...{ settle: 300, backOff: 10, patience: 60_000 },
  };
  const ends = await Promise.allSettled(changes.map((c) => launchNodes({ ...common, ...c })));
  return { lines: lines.sort(), notes, ends, rdzv: common.rdzv };
}

const codes = (ends: readonly PromiseSettledResult<number>[]): readonly number[] =>
  ends.map((end) => {
    assert(end.status === "fulfilled", String(end.status === "rejected" && end.reason));
    return end.value;
  });

Deno.test("launchers: ranks of all machines have one numbering, and restart together", async () => {
  const told = ["RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR"];
  const script = `const generation = Number(${get("MOTIAN_GENERATION")}), rank = ${get("RANK")};` +
    `if (generation === 1) { if (rank === "1") Deno.exit(7); setTimeout(() => {}, 1e8); }` +
    `else console.log(generation, [${told.map(get)}].join(" "));`;
  const { lines, notes, ends } = await launchers(script, [
    { nproc: 2, restarts: 1 },
    { nproc: 2, restarts: 1 },
  ]);
  assertEquals(codes(ends), [0, 0], notes.join("\n"));
  assertEquals(lines, [
    "0: 2 0 4 0 2 127.0.0.1",
    "1: 2 1 4 1 2 127.0.0.1",
    "2: 2 2 4 0 2 127.0.0.1",
    "3: 2 3 4 1 2 127.0.0.1",
  ]);
  assertMatch(
    notes.at(-1)!,
    /^127\.0\.0\.1: rank 1 ended with exit code 7; restart 1 of 1 in 0\.01 s$/,
  );
});

Deno.test("launchers: they meet over TLS, and show certificates", async () => {
  const tls = (name: string): string => join(root, "tests/dist/tls", name), token = createToken();
  const variables: Readonly<Record<string, string>> = {
    MOTIAN_TOKEN: token,
    MOTIAN_TLS_CERT: tls("cert.pem"),
    MOTIAN_TLS_KEY: tls("key.pem"),
    MOTIAN_TLS_CA: tls("ca.pem"),
    MOTIAN_TLS_CLIENTS: "1",
  };
  const one = { env: (name: string) => variables[name] }, port = freePort();
  const both = { ...one, rdzv: { hostname: "127.0.0.1", port } };
  const { lines, ends } = await launchers(`console.log(${get("WORLD_SIZE")})`, [both, both]);
  assertEquals(codes(ends), [0, 0]);
  assertEquals(lines, ["0: 2", "1: 2"]);
});

Deno.test("launchers: a rank that fails for good ends all, with its exit code", async () => {
  const script = `if (${get("RANK")} === "1") Deno.exit(2); setTimeout(() => {}, 1e8);`;
  const { notes, ends } = await launchers(script, [{ restarts: 5 }, { restarts: 5 }]);
  assertEquals(codes(ends), [2, 2]);
  assertEquals(notes.at(-1), "127.0.0.1: rank 1 ended with exit code 2");
});

Deno.test("launchers: a program that is not there is said once, and not tried again", async () => {
  const command = ["no-such-program"];
  const alone = await launchers("", [{ restarts: 5, command }]);
  assertEquals(codes(alone.ends), [2]);
  assertMatch(
    alone.notes.at(-1)!,
    /^127\.0\.0\.1: cannot start no-such-program: .*entity not found/,
  );
  // Where one machine alone lacks it, the others end too.
  const { notes, ends } = await launchers(`setTimeout(() => {}, 1e8)`, [
    { restarts: 5 },
    { restarts: 5, command },
  ]);
  assertEquals(codes(ends), [2, 2]);
  assertMatch(notes.at(-1)!, /^127\.0\.0\.1: cannot start no-such-program: /);
});

/** A launcher that a test plays: what it was told, and what it says. */
function played(onTold: (line: string) => Promise<void> = () => Promise.resolve()) {
  const told: string[] = [], said: (string | undefined)[] = [];
  let wake = Promise.withResolvers<void>();
  const say = (line: string | undefined): void => {
    said.push(line);
    wake.resolve();
  };
  const link: NodeLink = {
    async send(line) {
      told.push(line);
      await onTold(line);
    },
    async next() {
      while (said.length === 0) {
        wake = Promise.withResolvers();
        await wake.promise;
      }
      return said.shift();
    },
    close: () => {},
  };
  return { link, told, say };
}

Deno.test("launchers: one that goes while others are told to start is missed", async () => {
  const notes: string[] = [];
  const lead = createLead({
    ...{ min: 2, max: 2, restarts: 0, settle: 10, backOff: 10, job: "j" },
    note: (line) => notes.push(line),
  });
  const second = played(),
    first = played(async (line) => {
      if (line === "stop") first.say("ended 0 0 all ranks ended well");
      if (!line.startsWith("start")) return;
      second.say(undefined);
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
  lead.add(first.link);
  first.say("join a 1 4000");
  lead.add(second.link);
  second.say("join b 1 4000");
  assertEquals(await within("the end", lead.ended, 20_000), 1);
  assertEquals(notes.at(-1), "b: its launcher has gone");
  assertEquals(first.told, ["start 1 j 0 2 a 4000", "stop", "over 1"]);
});

Deno.test("launchers: all is over when all have heard so", async () => {
  let hasHeard = false;
  const lead = createLead({
    ...{ min: 1, max: 1, restarts: 0, settle: 10, backOff: 10, job: "j", note: () => {} },
  });
  const one = played(async (line) => {
    if (line.startsWith("start")) one.say("ended 0 0 all ranks ended well");
    else {
      await new Promise((resolve) => setTimeout(resolve, 50));
      hasHeard = true;
    }
  });
  lead.add(one.link);
  one.say("join a 1 4000");
  assertEquals([await within("the end", lead.ended, 20_000), hasHeard], [0, true]);
});

Deno.test("launchers: who has another token or command is refused, and who has no token told how to make one", async () => {
  // Long enough for both to ask.
  const never = `setTimeout(() => {}, 1500)`, other = createToken({ life: 60 });
  const alone = { min: 1, max: 1 };
  const find = (ends: readonly PromiseSettledResult<number>[]): readonly string[] =>
    ends.flatMap((end) => end.status === "rejected" ? [String(end.reason.message)] : []);
  // The first of them, whichever it is, goes alone.
  const command = await launchers(never, [alone, { ...alone, words: ["y"] }]);
  assertMatch(find(command.ends).join(), /hash \d+, these have \d+; all launchers must be given/);
  const token = await launchers(never, [alone, {
    ...alone,
    env: (name) => name === "MOTIAN_TOKEN" ? other : undefined,
  }]);
  assertMatch(find(token.ends).join(), /it has another token, made at \S+ for \d+ s; that of/);
  const none = await launchers(never, [{ ...alone, env: () => undefined }]);
  assert(none.ends[0]!.status === "rejected" && none.ends[0]!.reason instanceof InputError);
  assertMatch(find(none.ends)[0]!, /without MOTIAN_TOKEN: make one by deno task launch --make-/);
  const far = { hostname: "no-such-host.invalid", port: 1 };
  const lost = await launchers(never, [{ ...alone, rdzv: far }]);
  assert(lost.ends[0]!.status === "rejected" && lost.ends[0]!.reason instanceof Error);
  assertMatch(lost.ends[0]!.reason.message, /no-such-host\.invalid/);
});

Deno.test("launchers: one that is killed is gone, and the others go on without it, if they are enough", () =>
  inFolder(async (folder) => {
    // Alone, the first gives up until the other has come and gone. Ranks of a launcher that has gone end too, as those of pretrain do.
    const mark = JSON.stringify(join(folder, "killed"));
    const script =
      `const parent = Deno.ppid, size = ${get("WORLD_SIZE")}; console.log("up", size);` +
      `if (size === "1") { try { Deno.statSync(${mark}); Deno.exit(0); } catch { Deno.exit(1); } }` +
      `else setInterval(() => Deno.ppid === parent || Deno.exit(1), 100);` +
      // One that begins after its launcher's end sees another parent from the first.
      `setTimeout(() => Deno.exit(1), 60000);`;
    const token = createToken({ life: 600 }), port = freePort(), words = ["deno", "eval", script];
    const lines: string[] = [], notes: string[] = [];
    const second = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-check", "--allow-all", `--config=${root}deno.json`],
        ...[join(root, "recipes/launch/main.ts"), "--nproc", "1", "--nnodes", "1:2"],
        ...["--rdzv", `127.0.0.1:${port}`, "--", ...words],
      ],
      env: { MOTIAN_TOKEN: token },
      stdout: "null",
      stderr: "null",
    });
    let child: Deno.ChildProcess | undefined, killed = false;
    const code = await launchNodes({
      ...{ nproc: 1, min: 1, max: 2, restarts: 30, words },
      ...{ command: [Deno.execPath(), "eval", script], rdzv: { hostname: "127.0.0.1", port } },
      env: (name) => name === "MOTIAN_TOKEN" ? token : undefined,
      line(rank, text) {
        lines.push(`${rank}: ${text}`);
        // The first leads, as it is up: the other one comes, and goes when both are.
        child ??= second.spawn();
        if (text !== "up 2" || killed) return;
        Deno.writeTextFileSync(join(folder, "killed"), "");
        killed = kill(child);
      },
      note: (line) => notes.push(line),
      ...{ settle: 300, backOff: 10 },
    });
    await child?.status;
    assert(killed);
    assertEquals(code, 0, notes.join("\n"));
    assert(notes.some((note) => note.startsWith("127.0.0.1: its launcher has gone; restart")));
    assertEquals([lines.at(0), ...lines.slice(-2)], ["0: up 1", "0: up 2", "0: up 1"]);
  }));

Deno.test("launch --hosts: a launcher on each host of a file, by ssh, with the token on its standard input", () =>
  inFolder(async (folder) => {
    const ssh = join(folder, "ssh"), hosts = join(folder, "hosts");
    // As sshd does: the words, by a shell. What it was given is kept.
    await Deno.writeTextFile(
      ssh,
      `#!/bin/sh\necho "$*" >> ${folder}/said\nshift\nexec sh -c "$*"\n`,
    );
    await Deno.chmod(ssh, 0o755);
    await Deno.writeTextFile(hosts, "127.0.0.1 2 # the first\n\n127.0.0.2\n");
    const script = `console.log(["RANK", "WORLD_SIZE", "MOTIAN_HOST"].map((x) => Deno.env.get(x))` +
      `.join(" "), Deno.env.get("MOTIAN_TOKEN").length)`;
    const { code, out, error } = await runRecipe("launch", root, [
      ...["--hosts", hosts, "--ssh", ssh, "--rdzv", `127.0.0.1:${freePort()}`],
      ...["--", "deno", "eval", script],
    ]);
    assertEquals(code, 0, error);
    const lines = out.trim().split("\n").sort();
    assertEquals(lines.length, 3, out);
    // Whichever launcher comes first has the first ranks.
    for (const line of lines) assertMatch(line, /^\[([012])\] \1 3 127\.0\.0\.[12] 64$/);
    const said = await Deno.readTextFile(join(folder, "said"));
    assertMatch(said, /^127\.0\.0\.2 cd .* --nproc 1 --nnodes 2 --rdzv/m);
    assert(!/[0-9a-f]{64}/.test(said), said);
    const failing = await runRecipe("launch", root, [
      ...["--hosts", hosts, "--ssh", ssh, "--rdzv", `127.0.0.1:${freePort()}`],
      ...["--", "deno", "eval", "Deno.exit(5)"],
    ]);
    assertEquals(failing.code, 5, failing.error);
  }));

Deno.test("a file of hosts is read, and what is wrong in it is said by its line", () => {
  assertEquals(readHosts("a 2\n# b\nc.d\n", "f", 3), [
    { host: "a", nproc: 2 },
    { host: "c.d", nproc: 3 },
  ]);
  const wrong: readonly (readonly [string, string])[] = [
    ["a\na 2", "f:2: a is there twice"],
    ["a x", 'f:1: "a x" must be a host'],
    ["-oProxyCommand=x", "f:1:"],
    ["a 0", "f:1:"],
    ["# none", "f: it names no host"],
  ];
  for (const [text, message] of wrong) {
    assertThrows(() => readHosts(text, "f"), InputError, message);
  }
});

Deno.test("launch: wrong calls of several machines are refused in a line", () => {
  const wrong: readonly (readonly [line: string, message: string])[] = [
    ["--nproc 1 --nnodes 2", "Cannot launch with --nnodes alone"],
    ["--nproc 1 --rdzv a:1", "Cannot launch with --rdzv alone"],
    ["--nproc 1 --nnodes 3:2 --rdzv a:1", "Cannot launch with --nnodes 3:2: it must be a number"],
    ["--nproc 1 --nnodes 2 --rdzv a", "Cannot launch with --rdzv a: it must be like node1:29400"],
    ["--nproc 1 --nnodes 2 --rdzv a:1 --mpi x", "Cannot launch with --mpi and --nnodes"],
    [
      "--nproc 1 --nnodes 2:3 --template slurm",
      "Cannot launch with --template slurm and --nnodes 2:3: it must be one number of machines",
    ],
    ["--nproc 1 --ssh x", "Cannot launch with --ssh alone: it is for --hosts"],
    ["--nproc 1 --name x", "Cannot launch with --name alone: it is for --template"],
    ["--make-token 0", "Cannot launch with --make-token 0: it must be a whole number from 1"],
  ];
  for (const [line, message] of wrong) {
    assertThrows(() => launchOptions([...line.split(" "), "--", "x"]), InputError, message);
  }
});

Deno.test("launch: a file of hosts that is not there is one line", () =>
  inFolder(async (folder) => {
    const { code, out, error } = await runRecipe("launch", folder, ["--hosts", "none", "--", "x"]);
    assertEquals([code, out], [2, ""], error);
    assertMatch(error, /^Cannot read none: .*\n$/);
  }));
