/** MPI: what groups promise on every transport, by each of its libraries, and what is its own. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { DistError } from "../../dist/error.ts";
import { openMpi } from "../../dist/mpi/world.ts";
import { skip } from "../skip.ts";
import { within } from "../within.ts";
import { hasMpi, hasProgram, LIBRARY_VARIABLE, MPI_VARIABLE, mpiCommand, mpis } from "./mpi.ts";

/** Nothing here takes so long, on however slow a machine. Units: milliseconds. */
const LONG = 240_000;

interface Ended {
  readonly code: number;
  readonly text: string;
  readonly ms: number;
}

async function start(
  [name, ...args]: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const begin = performance.now();
  const { code, stdout, stderr } = await new Deno.Command(name!, {
    args,
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
    signal: AbortSignal.timeout(LONG),
  }).output();
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n");
  return { code, text, ms: performance.now() - begin };
}

const deno = (...args: readonly string[]): readonly string[] => [Deno.execPath(), ...args];
const path = (name: string): string => new URL(name, import.meta.url).pathname;
const program = deno("run", "--no-check", "--allow-all", path("mpi_process.ts"));

/** Does a process live? Asked of the shell, as Deno lets only those who may do everything look. */
async function lives(process: string): Promise<boolean> {
  const { code, stdout } = await new Deno.Command("sh", {
    args: ["-c", `cat /proc/${process}/stat`],
    stderr: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  // One that has ended and was not waited for yet is a zombie.
  return code === 0 && text.slice(text.lastIndexOf(")") + 2)[0] !== "Z";
}

/** The suite of every transport, by two processes. */
async function conforms(which: string, env: Readonly<Record<string, string>>): Promise<void> {
  const suite = deno("test", "--no-check", "--allow-all", path("group_test.ts"));
  const command = [...mpiCommand(which, 2), ...suite];
  const { code, text } = await start(command, { ...env, [MPI_VARIABLE]: which });
  assertEquals(code, 0, text);
  const passed = [...text.matchAll(/(\d+) passed[^|]*\| 0 failed/g)].map(([, n]) => Number(n));
  assertEquals(passed.length, 2, text);
  assert(passed.every((n) => n > 20), text);
}

for (const which of mpis) {
  if (!await hasMpi(which)) {
    skip(`mpi ${which}`, `no mpiexec.${which}`);
    continue;
  }

  Deno.test(`mpi ${which}: two processes keep what groups promise on every transport`, () =>
    conforms(which, {}));

  Deno.test(`mpi ${which}: a rank that is killed ends the job`, async () => {
    const { code, text, ms } = await start([...mpiCommand(which, 2), ...program, "die"]);
    assert(code !== 0 && ms < 60_000, `ended with ${code} after ${ms} ms: ${text}`);
    const processes = [...text.matchAll(/process (\d+)/g)].map(([, process]) => process!);
    assertEquals(processes.length, 2, text);
    const gone = async (process: string): Promise<void> => {
      while (await lives(process)) await new Promise((resolve) => setTimeout(resolve, 50));
    };
    for (const process of processes) await within(`the end of ${process}`, gone(process), 30_000);
  });

  Deno.test(`mpi ${which}: a rank that stops is named, and leaving MPI without it ends the job`, async () => {
    const { code, text, ms } = await start([...mpiCommand(which, 2), ...program, "stop"]);
    assert(code !== 0 && ms < 60_000, `ended with ${code} after ${ms} ms: ${text}`);
    assertMatch(text, /^failed: stalled 1$/m);
  });

  Deno.test(`mpi ${which}: a rank that does not join is named after the job's patience, and MPI is left`, async () => {
    const { code, text, ms } = await start([...mpiCommand(which, 2), ...program, "late"]);
    assert(ms < 60_000, `ended with ${code} after ${ms} ms: ${text}`);
    assertMatch(text, /^failed: deadline 1$/m);
    assertEquals(code, 0, text);
  });

  Deno.test(`mpi ${which}: a world of another size is refused in a line`, async () => {
    const { code, text } = await start([...mpiCommand(which, 2), ...program, "open", "3"]);
    assertEquals(code, 0, text);
    assertMatch(text, /^mismatch: Cannot use a world of size 2: the caller says 3, .*$/m);
  });
}

if (await hasMpi("mpich") && await hasMpi("openmpi")) {
  Deno.test("mpi: another MPI's library than that of mpiexec is refused in a line", async () => {
    const command = [...mpiCommand("openmpi", 2), ...program, "open", "2", "libmpich.so.12"];
    const { text } = await start(command);
    assertMatch(text, /^mismatch: Cannot use a world of size 1: the caller says 2, .*MPICH.*$/m);
  });
}

/** Compiles MPICH's library with the standard ABI in front of it, of some version. */
async function standardAbi(version: number, f: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir(), library = `${folder}/libmpi_abi.so.0`;
  try {
    const flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"];
    const files = [`-DVERSION=${version}`, "-o", library, path("mpi_abi.c"), "-l:libmpich.so.12"];
    const { code, text } = await start(["gcc", ...flags, ...files]);
    assertEquals(code, 0, text);
    await f(library);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (await hasMpi("mpich") && await hasProgram("gcc")) {
  Deno.test("mpi: a library with MPI-5's ABI keeps what groups promise on every transport", () =>
    standardAbi(1, async (library) => {
      const { text } = await start([...mpiCommand("mpich", 2), ...program, "open", "2", library]);
      assertMatch(text, /^rank 1 of 2: MPICH .*libmpi_abi\.so\.0\)$/m);
      await conforms("mpich", { [LIBRARY_VARIABLE]: library });
    }));

  Deno.test("mpi: another version of the standard ABI is refused in a line", () =>
    standardAbi(2, (library) => {
      const error = assertThrows(() => openMpi({ library }), DistError);
      const text = "its version of MPI's standard ABI is 2.0, it must be 1";
      assertEquals([error.failure, error.message], ["engine", `Cannot use ${library}: ${text}`]);
      return Promise.resolve();
    }));
} else skip("mpi's standard ABI", "no mpiexec.mpich or no gcc");

Deno.test("mpi: no library is one line", () => {
  const error = assertThrows(() => openMpi({ library: "libnone.so" }), DistError, "libnone.so");
  assertEquals([error.failure, error.message.split("\n").length], ["engine", 1]);
});
