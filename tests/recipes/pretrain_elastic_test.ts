/** `deno task pretrain --nproc N --elastic`: processes are killed and replaced, and no bit changes. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { skip } from "../skip.ts";
import { inWorkplace, type Workplace } from "./pretrain_command.ts";
import { timeless } from "./timeless.ts";

const STEPS = 40;
const words = ["--corpus", "corpus.txt", "--device", "cpu", "--config", "long.json"];

/** The processes that a process has started, in that order. By `cat`: Deno lets nobody read /proc who may not do all. */
async function childrenOf(pid: number): Promise<readonly number[]> {
  const path = `/proc/${pid}/task/${pid}/children`;
  const { stdout } = await new Deno.Command("cat", { args: [path] }).output();
  const ids = new TextDecoder().decode(stdout).trim().split(" ");
  return ids.filter((id) => id !== "").map(Number).sort((a, b) => a - b);
}

/** Trains by many, and does something to them when so many rows are logged. */
async function disturbed(
  { folder, pretrain, rows }: Workplace,
  more: readonly string[],
  deeds: readonly (readonly [rows: number, deed: (children: readonly number[]) => void])[],
): Promise<string> {
  let isBegun = false, isDone = false;
  const many = await pretrain([...words, "--out", "many", ...more], {
    watch(_, child) {
      if (isBegun) return;
      isBegun = true;
      (async () => {
        const run = join(folder, "many", "metrics.jsonl");
        const logged = async (): Promise<number> =>
          (await Deno.readTextFile(run).catch(() => "")).split("\n").length - 1;
        for (const [rows, deed] of deeds) {
          while (await logged() < rows) await new Promise((resolve) => setTimeout(resolve, 5));
          deed(await childrenOf(child.pid));
        }
        isDone = true;
      })();
    },
  });
  assertEquals(many.code, 0, many.error);
  assert(isDone, many.error);
  const steps = (await rows("many/metrics.jsonl")).map(({ step }) => step);
  assertEquals(steps, Array.from({ length: STEPS }, (_, i) => i + 1));
  return many.error;
}

Deno.test("pretrain --elastic: what is wrong with the call is said once", () =>
  inWorkplace(async ({ pretrain }) => {
    const wrong: readonly (readonly [line: string, message: string])[] = [
      ["--elastic", "Cannot pretrain with --elastic alone: it is for many processes; add --nproc"],
      ["--nproc 2 --heartbeat 9", "Cannot pretrain with --heartbeat and --nproc alone"],
      ["--heartbeat 9", "Cannot pretrain with --heartbeat alone"],
      ["--nproc 2 --elastic --set optimizer.sharded=true", "the moments of a process that dies"],
      ["--nproc 2 --elastic --set wire=sign", "what a process that dies remembers would be lost"],
      ["--nproc 2 --elastic --set diloco.every=4", "Cannot pretrain with --elastic and diloco"],
      ["--nproc 2 --elastic --trace t.json", "Cannot pretrain with --elastic and --trace"],
      ["--nproc 2 --elastic --metrics m.prom", "Cannot pretrain with --elastic and --metrics"],
      ["--nproc 9 --elastic", "Cannot pretrain by 9 processes: a step has 8 sequences"],
    ];
    for (const [line, message] of wrong) {
      const words = ["--corpus", "corpus.txt", "--device", "cpu", "--config", "toy.json"];
      const { code, out, error } = await pretrain([...words, "--out", "no", ...line.split(" ")]);
      assertEquals([code, out], [2, ""], error);
      assertStringIncludes(error, message);
      assertEquals(error.trimEnd().split("\n").length, 1, error);
    }
    // What the environment asks of a run of many, and of a member.
    const toy = [...words.slice(0, -1), "toy.json", "--out", "no"], seat = "a=ws://127.0.0.1:4000";
    const places:
      readonly (readonly [env: Record<string, string>, more: readonly string[], what: string])[] = [
        [{ MOTIAN_TLS_CA: "ca.pem" }, ["--nproc", "2", "--elastic"], "--elastic and MOTIAN_TLS_CA"],
        [{ MOTIAN_TLS_KEY: "k", MOTIAN_MEMBER: seat }, [], "--elastic and MOTIAN_TLS_KEY"],
        [{ MOTIAN_MEMBER: seat }, ["--trace", "t.json"], "--trace as a member of an elastic run"],
        [{ MOTIAN_MEMBER: seat }, ["--metrics", "m.prom"], "--metrics as a member"],
      ];
    for (const [env, more, what] of places) {
      const { code, out, error } = await pretrain([...toy, ...more], { env });
      assertEquals([code, out], [2, ""], error);
      assertStringIncludes(error, `Cannot pretrain with ${what}`);
      assertEquals(error.trimEnd().split("\n").length, 1, error);
    }
  }));

const NAME = "pretrain --elastic: processes that are killed and replaced change no bit";
if (Deno.build.os !== "linux") skip(NAME, "only Linux says here what a process has started");
else {
  Deno.test(NAME, () =>
    inWorkplace(async (place) => {
      const { folder, pretrain } = place;
      const toy = JSON.parse(await Deno.readTextFile(join(folder, "toy.json")));
      const long = { ...toy, steps: STEPS, shards: 4, evalEvery: 20, checkpointEvery: 20 };
      await Deno.writeTextFile(join(folder, "long.json"), JSON.stringify(long));
      const one = await pretrain([...words, "--out", "one"]);
      assertEquals(one.code, 0, one.error);
      const weights = (run: string): Promise<Uint8Array> =>
        Deno.readFile(join(folder, run, "checkpoints", "step-00000040", "model.safetensors"));

      const more = ["--nproc", "3", "--elastic", "--restarts", "1", "--heartbeat", "15"];
      const error = await disturbed(place, more, [
        // The first, which leads and writes; a newcomer takes its place.
        [10, ([first]) => Deno.kill(first!, "SIGKILL")],
      ]);
      assertEquals(await weights("many"), await weights("one"));
      for (const file of ["metrics.jsonl", "eval.jsonl"]) {
        const [many, alone] = await Promise.all(
          ["many", "one"].map((run) => place.rows(`${run}/${file}`)),
        );
        assertEquals(timeless(many!), timeless(alone!));
      }
      assertStringIncludes(error, "m0 was ended by SIGKILL; m1, m2 go on; m0.2 comes in 1 s");
      assertStringIncludes(error, "generation 2: m1, m2");
    }));
}
