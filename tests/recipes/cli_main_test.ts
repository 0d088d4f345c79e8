import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { dirname, join } from "@std/path";
import { DeviceError } from "../../core/device/error.ts";
import { SafetensorsError } from "../../core/io/safetensors_error.ts";
import { DistError } from "../../dist/error.ts";
import { DivergedError } from "../../recipes/cli/diverged_error.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { exitCode, type Main } from "../../recipes/cli/main.ts";
import { reasonOf } from "../../recipes/cli/reason.ts";

/** A process that only writes down what happens to it. */
function fakeHost() {
  const lines: string[] = [], exits: number[] = [];
  let press = (): void => {};
  let listening = 0;
  return {
    lines,
    exits,
    press: () => press(),
    listening: () => listening,
    onInterrupt(f: () => void) {
      listening++;
      press = f;
      return () => void listening--;
    },
    error: (line: string) => void lines.push(line),
    exit: (code: number) => void exits.push(code),
  };
}

const failing = (error: unknown): Main => () => Promise.reject(error);

Deno.test("exitCode gives what the command gives, and stops listening", async () => {
  for (const code of [0, 1, 2]) {
    const host = fakeHost();
    assertEquals(await exitCode(() => Promise.resolve(code), host), code);
    assertEquals([host.lines, host.listening()], [[], 0]);
  }
});

Deno.test("exitCode makes one line and code 2 of what the user can mend", async () => {
  const errors: readonly (readonly [unknown, number])[] = [
    [new InputError("Cannot read a.txt:\n  no such file"), 2],
    [new SafetensorsError("Cannot read a.txt: no such file"), 2],
    [new DeviceError("Cannot read a.txt: no such file", "absent"), 2],
    [new DeviceError("Cannot read a.txt: no such file", "memory"), 2],
    [new DeviceError("Cannot read a.txt: no such file", "lost"), 1],
    [new DivergedError("Cannot read a.txt: no such file"), 1],
    [new DistError("Cannot read a.txt: no such file", "lost"), 1],
    [new DistError("Cannot read a.txt: no such file", "address"), 2],
  ];
  for (const [error, code] of errors) {
    const host = fakeHost();
    assertEquals(await exitCode(failing(error), host), code);
    assertEquals(host.lines, ["Cannot read a.txt: no such file"]);
    assertEquals(host.listening(), 0);
  }
});

Deno.test("exitCode makes one line of a path that is too long and of a full disk, wherever they are met", async () => {
  const full = Object.assign(new Error("No space left"), { code: "ENOSPC" });
  const met: readonly (readonly [Main, number, RegExp])[] = [
    [async () => (await Deno.stat("x".repeat(300)), 0), 2, /^Cannot go on: File name too long.*xx/],
    // Not 2: a launcher tries again.
    [failing(full), 1, /^Cannot go on: No space left$/],
  ];
  for (const [main, code, said] of met) {
    const host = fakeHost();
    assertEquals([await exitCode(main, host), host.lines.length], [code, 1]);
    assertMatch(host.lines[0]!, said);
  }
});

Deno.test("exitCode shows the stack of any other error, and gives 1", async () => {
  const host = fakeHost();
  assertEquals(await exitCode(failing(new TypeError("Cannot add")), host), 1);
  assertMatch(host.lines.join(), /TypeError: Cannot add\n +at .*cli_main_test/);
  const program = fakeHost();
  assertEquals(await exitCode(failing(new DeviceError("Bad shader", "program")), program), 1);
  assertMatch(program.lines.join(), /Bad shader\n +at /);
  const odd = fakeHost();
  assertEquals(await exitCode(failing("just text"), odd), 1);
  assertEquals(odd.lines, ["just text"]);
});

Deno.test("exitCode tells the command of Ctrl-C, and gives 130", async () => {
  const host = fakeHost();
  const code = await exitCode((interrupt) => {
    assert(!interrupt.requested);
    host.press();
    assert(interrupt.requested);
    return Promise.resolve(0);
  }, host);
  assertEquals([code, host.exits], [130, []]);
  assertEquals(host.lines, ["Stopping in good order; press Ctrl-C again to stop at once"]);
});

Deno.test("exitCode ends the process at the second Ctrl-C", async () => {
  const host = fakeHost();
  await exitCode(() => {
    host.press();
    host.press();
    return Promise.resolve(0);
  }, host);
  assertEquals(host.exits, [130]);
});

Deno.test("exitCode keeps a failure's code though Ctrl-C was pressed", async () => {
  const host = fakeHost();
  const code = await exitCode(() => {
    host.press();
    return Promise.reject(new InputError("Cannot write"));
  }, host);
  assertEquals(code, 2);
});

Deno.test({
  name: "runMain listens to real signals in a real process",
  ignore: Deno.build.os === "windows",
  async fn() {
    const main = new URL("../../recipes/cli/main.ts", import.meta.url).href;
    const program = (loop: string) =>
      `import { runMain } from "${main}";
await runMain(async (interrupt) => {
  console.log("ready");
  ${loop}
  return 0;
});`;
    const wait = "await new Promise((resolve) => setTimeout(resolve, 5));";
    for (
      const [loop, presses] of [
        [`while (!interrupt.requested) ${wait}`, 1],
        [`for (;;) ${wait}`, 2],
      ] as const
    ) {
      const file = await Deno.makeTempFile({ suffix: ".ts" });
      await Deno.writeTextFile(file, program(loop));
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-check", "--no-config", "--allow-all", file],
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const out = child.stdout.getReader(), error = child.stderr.getReader();
      await out.read();
      child.kill("SIGINT");
      await error.read(); // the message: so that two signals are not taken for one
      if (presses === 2) child.kill("SIGINT");
      assertEquals((await child.status).code, 130);
      await Promise.all([out.cancel(), error.cancel(), Deno.remove(file)]);
    }
  },
});

Deno.test("what the system said of a path is told without its number and its call", async () => {
  const missing = join(await Deno.makeTempDir(), "missing");
  const error = await assertRejects(() => Deno.readTextFile(missing));
  assertStringIncludes((error as Error).message, missing);
  assert(!reasonOf(error).includes(missing) && !reasonOf(error).includes("os error"));
  assertEquals(
    reasonOf(new SyntaxError("Unexpected end of JSON input")),
    "Unexpected end of JSON input",
  );
  await Deno.remove(dirname(missing));
});
