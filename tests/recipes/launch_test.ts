/** Many processes of one command: how they are started, heard, stopped and started again. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { jobVariables } from "../../dist/mod.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { commandOf } from "../../recipes/launch/command_of.ts";
import { freePort, freePorts } from "../../recipes/launch/free_port.ts";
import { launch, LAUNCHER } from "../../recipes/launch/launch.ts";
import { startRanks } from "../../recipes/launch/ranks.ts";
import { permissions, withoutOwn } from "../../recipes/pretrain/many.ts";
import { inFolder } from "../in_folder.ts";
import { kill } from "../kill.ts";
import { within } from "../within.ts";
import { runRecipe } from "./recipe_command.ts";

/** Runs a script as ranks; what they wrote, sorted, what was noted, and the exit code. */
async function launched(
  script: string,
  nproc: number,
  restarts = 0,
  grace = 5000,
): Promise<{ readonly code: number; readonly lines: string[]; readonly notes: string[] }> {
  const lines: string[] = [], notes: string[] = [];
  const code = await launch({
    nproc,
    restarts,
    command: [Deno.execPath(), "eval", script],
    first: "prefixed",
    line: (rank, text, to) => lines.push(`${to} ${rank} ${text}`),
    note: (line) => notes.push(line),
    backOff: 10,
    grace,
  });
  return { code, lines: lines.sort(), notes };
}

const get = (name: string): string => `Deno.env.get("${name}")`;

Deno.test("launch: every rank is told its place, and its lines are told apart", async () => {
  const told = ["RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MOTIAN_GENERATION"];
  const { code, lines, notes } = await launched(
    `console.log([${told.map(get)}].join(" ")); console.error("no " + "end"); ` +
      `await Deno.stdout.write(new TextEncoder().encode(${get("MOTIAN_TOKEN")}.length + ""));`,
    2,
  );
  assertEquals([code, notes], [0, []]);
  assertEquals(lines, [
    "stderr 0 no end",
    "stderr 1 no end",
    "stdout 0 0 2 2 127.0.0.1 1",
    "stdout 0 64",
    "stdout 1 1 2 2 127.0.0.1 1",
    "stdout 1 64",
  ]);
});

Deno.test("launch: one rank that fails ends the others, and is named with its exit code", async () => {
  const { code, notes } = await launched(
    `if (${get("RANK")} === "1") Deno.exit(7); setTimeout(() => {}, 1e8);`,
    3,
  );
  assertEquals([code, notes], [7, ["rank 1 ended with exit code 7; ended the others"]]);
  const killed = await launched(
    `if (${get("RANK")} === "0") Deno.kill(Deno.pid, "SIGKILL"); setTimeout(() => {}, 1e8);`,
    2,
  );
  assertEquals(killed.code, 137);
  assertEquals(killed.notes, ["rank 0 was ended by SIGKILL; ended the other"]);
});

Deno.test("launch: ranks that do not listen to SIGTERM are ended after a while", async () => {
  const { code, notes } = await launched(
    `if (${get("RANK")} === "1") setTimeout(() => Deno.exit(3), 500); ` +
      `else Deno.addSignalListener("SIGTERM", () => {}); setTimeout(() => {}, 1e8);`,
    2,
    0,
    500,
  );
  assertEquals([code, notes], [3, ["rank 1 ended with exit code 3; ended the other"]]);
});

Deno.test("launch: where one rank cannot be started, those before it are ended", () =>
  inFolder(async (folder) => {
    const path = join(folder, "pid"), cell = new Int32Array(new SharedArrayBuffer(4));
    let pid = 0;
    const env = (rank: number): Record<string, string> => {
      if (rank === 0) return {};
      // No program may have this, and rank 0 is well on its way.
      while (!pid) {
        Atomics.wait(cell, 0, 0, 10);
        try {
          pid = Number(Deno.readTextFileSync(path));
        } catch { /* it is not there yet */ }
      }
      return { X: "\0" };
    };
    const command = ["sh", "-c", `echo $$ > ${path}; exec sleep 60`];
    const start = () => startRanks({ nproc: 2, command, env, first: "prefixed", line: () => {} });
    assertThrows(start, TypeError);
    const ended = async (): Promise<void> => {
      for (;;) {
        try {
          Deno.kill(pid, "SIGCONT");
        } catch {
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await within("the end of rank 0", ended(), 20_000);
  }));

Deno.test("launch: ports are free, and no two are the same", () => {
  // Of 300 that were drawn one by one two are almost surely the same.
  assertEquals(new Set(freePorts(300)).size, 300);
  const taken = new Set<number>();
  const isTaken = (port: number): boolean =>
    taken.size < 50 ? taken.add(port).has(port) : taken.has(port);
  const port = freePort("127.0.0.1", isTaken);
  assertEquals([taken.size, taken.has(port)], [50, false]);
});

Deno.test("launch: restarts go on with the next generation, and stop at a wrong call", async () => {
  const failing = (code: number, until: number): string =>
    `if (${get("RANK")} === "1" && Number(${get("MOTIAN_GENERATION")}) < ${until}) ` +
    `Deno.exit(${code}); console.log(${get("MOTIAN_GENERATION")});` +
    `if (Number(${get("MOTIAN_GENERATION")}) < ${until}) setTimeout(() => {}, 1e8);`;
  const well = await launched(failing(1, 3), 2, 2);
  assertEquals(well.code, 0);
  assertEquals(well.notes, [
    "rank 1 ended with exit code 1; ended the other; restart 1 of 2 in 0.01 s",
    "rank 1 ended with exit code 1; ended the other; restart 2 of 2 in 0.02 s",
  ]);
  assertEquals(well.lines.filter((line) => line.endsWith(" 3")).length, 2);
  const never = await launched(failing(1, 9), 2, 1);
  assertEquals([never.code, never.notes.length], [1, 2]);
  const wrong = await launched(failing(2, 9), 2, 5);
  assertEquals([wrong.code, wrong.notes.length], [2, 1]);
});

Deno.test("launch: a signal reaches every rank once, and their exit code comes back", () =>
  inFolder(async (folder) => {
    // Rank 1 has something to finish when rank 0 has ended.
    const script = `let n = 0; Deno.addSignalListener("SIGINT", () => { n++; ` +
      `setTimeout(() => { console.log("heard " + n); Deno.exit(130); }, ` +
      `${get("RANK")} === "1" ? 700 : 100); }); ` +
      `console.error("up"); setTimeout(() => {}, 1e8);`;
    let pressed = false;
    const words = ["--nproc", "2", "--", "deno", "eval", script];
    const { code, out, error } = await runRecipe("launch", folder, words, {
      watch(error, child) {
        if (pressed || error.split("up").length < 3) return;
        pressed = true;
        kill(child, "SIGINT");
      },
    });
    assertEquals(code, 130, error);
    assertEquals(out.trim().split("\n").sort(), ["[0] heard 1", "[1] heard 1"]);
    assertMatch(error, /^rank 0 ended with exit code 130$/m);
  }));

Deno.test("launch runs tasks of deno.json, and refuses wrong calls in a line", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(
      join(folder, "main.ts"),
      "console.log(Deno.env.get('RANK'), ...Deno.args);",
    );
    await Deno.writeTextFile(
      join(folder, "deno.json"),
      JSON.stringify({ tasks: { hello: "deno run --allow-env main.ts", two: "echo 1 && echo 2" } }),
    );
    const found = await runRecipe("launch", folder, ["--nproc=2", "--", "hello", "--x", "--", "y"]);
    assertEquals(found.code, 0, found.error);
    assertEquals(found.out.trim().split("\n").sort(), ["[0] 0 --x -- y", "[1] 1 --x -- y"]);
    const wrong: readonly (readonly [words: readonly string[], message: string])[] = [
      [[], "Cannot launch without --nproc N"],
      [["--nproc", "0", "--", "hello"], "Cannot launch with --nproc 0: it must be a whole number"],
      [["--nproc", "2"], "Cannot launch nothing: write -- and a task"],
      [["--nproc", "2", "hello"], 'Cannot launch with "hello"'],
      [["--nproc", "2", "--", "nothing-like-it"], "Cannot launch nothing-like-it: no such task"],
      [["--nproc", "2", "--", "two"], "Cannot launch the task two: it must be one plain"],
    ];
    for (const [words, message] of wrong) {
      const { code, out, error } = await runRecipe("launch", folder, words);
      assertEquals([code, out], [2, ""], error);
      assert(error.startsWith(message) && error.trimEnd().split("\n").length === 1, error);
    }
  }));

Deno.test("the command of a launch: a task's words, or a program's", () => {
  const tasks = { a: "deno run -A x.ts", b: { command: "deno run y.ts" }, c: "deno run $HOME/z" };
  assertEquals(commandOf(["a", "1"], tasks, "D"), ["D", "run", "-A", "x.ts", "1"]);
  assertEquals(commandOf(["b"], tasks, "D"), ["D", "run", "y.ts"]);
  assertEquals(commandOf(["deno", "run", "z"], tasks, "D"), ["D", "run", "z"]);
  assertThrows(() => commandOf(["c"], tasks, "D"), InputError, "one plain");
});

Deno.test("pretrain's processes may do what its task may, and read what a job's place is read from", async () => {
  const { tasks } = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  );
  assertEquals(tasks.pretrain, `deno run ${permissions.join(" ")} recipes/pretrain/main.ts`);
  for (const name of [...jobVariables, LAUNCHER]) assert(tasks.pretrain.includes(name), name);
  assertEquals(
    withoutOwn(["--nproc", "2", "--steps", "3", "--restarts=1", "--json", "--nproc=4"]),
    ["--steps", "3", "--json"],
  );
});
