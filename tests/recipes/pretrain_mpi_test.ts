/** `mpiexec -n 2 deno task pretrain`, over sockets and over MPI itself. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { permissions } from "../../recipes/pretrain/many.ts";
import { hasMpi, mpiCommand, mpis } from "../dist/mpi.ts";
import { skip } from "../skip.ts";
import { inWorkplace } from "./pretrain_command.ts";
import { runRecipe } from "./recipe_command.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));
/** What the task runs, with no more than its permissions. */
const task = [
  ...["run", "--quiet", "--no-check", ...permissions, `--config=${join(root, "deno.json")}`],
  join(root, "recipes/pretrain/main.ts"),
];
const base = ["--corpus", "corpus.txt", "--device", "cpu", "--config", "toy.json"];
const canonical = ["--set", "shards=2"];

async function mpiexec(
  which: string,
  folder: string,
  words: readonly string[],
): Promise<{ readonly code: number; readonly text: string }> {
  const [name, ...args] = mpiCommand(which, 2);
  const { code, stdout, stderr } = await new Deno.Command(name!, {
    args: [...args, Deno.execPath(), ...task, ...words],
    cwd: folder,
    env: { NO_COLOR: "1" },
    stdin: "null",
    signal: AbortSignal.timeout(240_000),
  }).output();
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n");
  return { code, text };
}

/** The weights after a step. */
const weights = (folder: string, run: string, step: number): Promise<Uint8Array> => {
  const name = `step-${String(step).padStart(8, "0")}`;
  return Deno.readFile(join(folder, run, "checkpoints", name, "model.safetensors"));
};

/** The processes that a process has started, and those that these have. By `cat`: Deno lets nobody read /proc who may not do all. */
async function descendants(pid: number): Promise<readonly number[]> {
  const path = `/proc/${pid}/task/${pid}/children`;
  const { stdout } = await new Deno.Command("cat", { args: [path], stderr: "null" }).output();
  const own = new TextDecoder().decode(stdout).trim().split(" ").filter(Boolean).map(Number);
  return [...own, ...(await Promise.all(own.map(descendants))).flat()];
}

const found = await Promise.all(mpis.map(async (which) => await hasMpi(which) ? [which] : []));
const here = found.flat();
for (const which of mpis) if (!here.includes(which)) skip(`pretrain ${which}`, `no mpiexec`);

if (here.length > 0) {
  Deno.test("pretrain under mpiexec has the bits of one process, over sockets and over MPI", () =>
    inWorkplace(async ({ folder, pretrain }) => {
      const one = await pretrain([...base, ...canonical, "--out", "one"]);
      assertEquals(one.code, 0, one.error);
      // By sockets under one mpiexec and by MPI under the other, where there are two.
      for (const [which, engine] of [[here.at(-1)!, "ws"], [here[0]!, "mpi"]] as const) {
        const out = `${which}-${engine}`, words = ["--engine", engine, "--out", out];
        const { code, text } = await mpiexec(which, folder, [...base, ...canonical, ...words]);
        assertEquals(code, 0, text);
        assertEquals(await weights(folder, out, 8), await weights(folder, "one", 8));
      }
      const wrong = await pretrain([...base, "--engine", "mpi"]);
      assertEquals(wrong.code, 2);
      assertStringIncludes(wrong.error, "start it as mpiexec -n N deno task pretrain");
      const both = await pretrain([...base, "--engine", "mpi", "--nproc", "2"]);
      assertEquals(both.code, 2);
      assertStringIncludes(both.error, "MPI starts its own processes");
    }));
}

Deno.test("pretrain --engine mpi over TLS is refused in a line", () =>
  inWorkplace(async ({ folder }) => {
    const env = {
      ...{ RANK: "0", WORLD_SIZE: "2", MOTIAN_TLS_CERT: "cert.pem" },
      ...{ MOTIAN_TLS_KEY: "key.pem", MOTIAN_TLS_CA: "ca.pem" },
    };
    const words = [...base, "--engine", "mpi", "--out", "tls"];
    const { code, error } = await runRecipe("pretrain", folder, words, { env });
    assertEquals(code, 2, error);
    assertStringIncludes(error, "Cannot pretrain with --engine mpi over TLS: MPI carries bytes");
    assertEquals(error.trim().split("\n").length, 1, error);
  }));

if (here.includes("mpich") && Deno.build.os === "linux") {
  Deno.test("launch --mpi --restarts 1: the job that a killed rank ends goes on from its checkpoint", () =>
    inWorkplace(async ({ folder, pretrain, rows }) => {
      const toy = JSON.parse(await Deno.readTextFile(join(folder, "toy.json")));
      const long = { ...toy, steps: 60, shards: 2, evalEvery: 0, checkpointEvery: 10 };
      await Deno.writeTextFile(join(folder, "long.json"), JSON.stringify(long));
      const words = ["--corpus", "corpus.txt", "--device", "cpu", "--config", "long.json"];
      const one = await pretrain([...words, "--out", "one"]);
      assertEquals(one.code, 0, one.error);
      let killing: Promise<void> | undefined;
      const many = await runRecipe("launch", folder, [
        ...["--nproc", "2", "--restarts", "1", "--mpi", "mpiexec.mpich", "--", "deno"],
        ...[...task, ...words, "--engine", "mpi", "--out", "many"],
      ], {
        watch(_, child) {
          killing ??= (async () => {
            const log = join(folder, "many", "metrics.jsonl");
            const logged = async (): Promise<number> =>
              (await Deno.readTextFile(log).catch(() => "")).split("\n").length - 1;
            while (await logged() < 15) await new Promise((resolve) => setTimeout(resolve, 5));
            Deno.kill((await descendants(child.pid)).at(-1)!, "SIGKILL");
          })();
        },
      });
      await killing;
      assertEquals(many.code, 0, many.error);
      assert(/mpiexec\.mpich .*; restart 1 of 1 in 1 s/.test(many.error), many.error);
      assertEquals((await rows("many/metrics.jsonl")).length, 60);
      assertEquals(await weights(folder, "many", 60), await weights(folder, "one", 60));
    }));
}
