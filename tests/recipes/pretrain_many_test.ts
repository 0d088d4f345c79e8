/** `deno task pretrain --nproc N`: several processes leave what one leaves. */
import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { compareFlights } from "../../recipes/observe/compare_flights.ts";
import { readFlights } from "../../recipes/observe/flight.ts";
import { kill } from "../kill.ts";
import { skip } from "../skip.ts";
import { inWorkplace, type Workplace } from "./pretrain_command.ts";

const base = ["--corpus", "corpus.txt", "--device", "cpu", "--config", "toy.json"];
const CANONICAL = ["--set", "shards=4"], SHARDED = ["--set", "optimizer.sharded=true"];

/** The weights after the last step. */
const weights = ({ folder }: Workplace, run: string): Promise<Uint8Array> =>
  Deno.readFile(join(folder, run, "checkpoints", "step-00000008", "model.safetensors"));

Deno.test("pretrain --nproc 2 has the losses of one process, and the first alone speaks and writes", () =>
  inWorkplace(async ({ folder, pretrain, rows }) => {
    const one = await pretrain([...base, "--out", "one"]);
    assertEquals(one.code, 0, one.error);
    const watched = ["--trace", "seen/trace.json", "--metrics", "run.prom"];
    // Through memory nothing is sent.
    const env = { MOTIAN_MEMORY: "apart" };
    const two = await pretrain(
      [...base, "--out", "two", "--nproc", "2", "--json", ...watched],
      { env },
    );
    assertEquals(two.code, 0, two.error);
    const printed = two.out.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(printed.at(-1).steps, 8);
    for (const [file, field, steps] of [["metrics", "loss", 8], ["eval", "mlm_ppl", 2]] as const) {
      const [a, b] = await Promise.all(["one", "two"].map((run) => rows(`${run}/${file}.jsonl`)));
      assertEquals([a!.length, b!.length], [steps, steps]);
      a!.forEach((row, i) => {
        const relative = Math.abs(row[field]! - b![i]![field]!) / row[field]!;
        assertLess(relative, file === "eval" ? 1e-4 : 1e-5, `${file} ${row.step}`);
      });
    }
    for (const { exchange_s } of await rows("two/metrics.jsonl")) assert(exchange_s! > 0);
    const names = (run: string): string[] =>
      Array.from(Deno.readDirSync(join(folder, run)), ({ name }) => name).sort();
    assertEquals(names("two"), names("one"));

    // Who waited for whom, and what all did, by one clock.
    const { processes } = printed.at(-1);
    assertEquals(processes.map((p: { rank: number; steps: number }) => [p.rank, p.steps]), [
      [0, 8],
      [1, 8],
    ]);
    assertStringIncludes(two.error, "waits for others");
    assertStringIncludes(await Deno.readTextFile(join(folder, "two", "report.html")), "Processes");
    const { traceEvents } = JSON.parse(
      await Deno.readTextFile(join(folder, "seen", "trace.json")),
    ) as { readonly traceEvents: readonly TraceEvent[] };
    for (const pid of [0, 1]) {
      const own = traceEvents.filter((e) => e.pid === pid && e.ph === "X");
      const steps = (name: string): readonly number[] =>
        own.filter((e) => e.name === name).map(({ args }) => args.step!);
      assertEquals(steps("exchange"), [0, 1, 2, 3, 4, 5, 6, 7]);
      assertEquals(new Set(steps("accumulate")).size, 8);
      const sums = own.filter(({ cat }) => cat === "allReduce");
      assert(sums.length >= 16 && sums.every(({ args }) => args.bytes! > 0 && args.sent! > 0));
      // A sum of both ends on each after it has begun on the other.
      for (const sum of sums) {
        const other = traceEvents.find((e) => e.name === sum.name && e.pid !== pid)!;
        assert(sum.ts + sum.dur > other.ts - 50_000, `${sum.name} of ${pid}`);
      }
    }
    const metrics = await Deno.readTextFile(join(folder, "run.prom"));
    assertStringIncludes(metrics, "\nmotian_step 8\n");
    assertStringIncludes(metrics, "\nmotian_generation 1\n");
    assertMatch(metrics, /^motian_link_bytes_total\{way="sent"\} [1-9]/m);
    assertMatch(metrics, /^motian_operation_seconds_count\{operation="allReduce"\} [1-9]/m);
  }));

interface TraceEvent {
  readonly ph: string;
  readonly pid: number;
  readonly name: string;
  readonly cat: string;
  readonly ts: number;
  readonly dur: number;
  readonly args: { readonly step?: number; readonly bytes?: number; readonly sent?: number };
}

Deno.test("pretrain: shards make the bits those of any number of processes, resumed by another too", () =>
  inWorkplace(async (place) => {
    const { folder, pretrain } = place;
    const one = await pretrain([...base, ...CANONICAL, "--out", "one"]);
    assertEquals(one.code, 0, one.error);
    const two = await pretrain([...base, ...CANONICAL, ...SHARDED, "--out", "many", "--nproc=2"]);
    assertEquals(two.code, 0, two.error);
    const expected = await weights(place, "one");
    assertEquals(await weights(place, "many"), expected);
    await Deno.remove(join(folder, "many", "checkpoints", "step-00000008"), { recursive: true });
    const three = await pretrain(["--device", "cpu", "--out", "many", "--resume", "--nproc", "3"]);
    assertEquals(three.code, 0, three.error);
    assertEquals(await weights(place, "many"), expected);
  }));

/** The processes that a process has started, in that order. By `cat`: Deno lets nobody read /proc who may not do all. */
async function childrenOf(pid: number): Promise<readonly number[]> {
  const path = `/proc/${pid}/task/${pid}/children`;
  const { success, stdout } = await new Deno.Command("cat", { args: [path] }).output();
  assert(success, `${path} cannot be read`);
  const ids = new TextDecoder().decode(stdout).trim().split(" ");
  return ids.filter((id) => id !== "").map(Number).sort((a, b) => a - b);
}

const KILLED = "pretrain --nproc 2 --restarts 1: a killed process changes no bit";
if (Deno.build.os !== "linux") skip(KILLED, "only Linux says here what a process has started");
else {
  Deno.test(KILLED, () =>
    inWorkplace(async (place) => {
      const { pretrain, rows, folder } = place;
      const toy = JSON.parse(await Deno.readTextFile(join(folder, "toy.json")));
      // So long that the kill comes while it trains.
      await Deno.writeTextFile(
        join(folder, "long.json"),
        JSON.stringify({ ...toy, steps: 100, shards: 2, evalEvery: 0, checkpointEvery: 20 }),
      );
      const words = ["--corpus", "corpus.txt", "--device", "cpu", "--config", "long.json"];
      const one = await pretrain([...words, "--out", "one"]);
      assertEquals(one.code, 0, one.error);
      let begun = false, killed = false;
      const many = await pretrain(
        [...words, "--out", "many", "--nproc", "2", "--restarts", "1"],
        {
          watch(_, child) {
            if (begun) return;
            begun = true;
            (async () => {
              const run = join(folder, "many", "metrics.jsonl");
              const logged = async (): Promise<number> =>
                (await Deno.readTextFile(run).catch(() => "")).split("\n").length - 1;
              while (await logged() < 25) await new Promise((resolve) => setTimeout(resolve, 5));
              const [, second] = await childrenOf(child.pid);
              Deno.kill(second!, "SIGKILL");
              killed = true;
            })();
          },
        },
      );
      assertEquals(many.code, 0, many.error);
      assert(killed);
      assertStringIncludes(
        many.error,
        "rank 1 was ended by SIGKILL; ended the other; restart 1 of 1",
      );
      assertEquals((await rows("many/metrics.jsonl")).length, 100);
      // The one that was killed left nothing; the other says whom it missed.
      const [flight, ...others] = await readFlights(join(folder, "many"));
      assertEquals([flight!.rank, flight!.generation, others], [0, 1, []]);
      assertEquals(compareFlights([flight!]).missing, [1]);
      const last = ["checkpoints", "step-00000100", "model.safetensors"];
      assertEquals(
        await Deno.readFile(join(folder, "many", ...last)),
        await Deno.readFile(join(folder, "one", ...last)),
      );
    }));
}

const LAST =
  "pretrain --nproc 2: where a process is killed, the last line says how to read what is left";
if (Deno.build.os !== "linux") skip(LAST, "only Linux says here what a process has started");
else {
  Deno.test(LAST, () =>
    inWorkplace(async ({ folder, pretrain }) => {
      const toy = JSON.parse(await Deno.readTextFile(join(folder, "toy.json")));
      await Deno.writeTextFile(
        join(folder, "long.json"),
        JSON.stringify({ ...toy, steps: 100_000, evalEvery: 20 }),
      );
      const words = ["--corpus", "corpus.txt", "--device", "cpu", "--config", "long.json"];
      let killed = false;
      const ended = await pretrain([...words, "--out", "run", "--nproc", "2"], {
        watch(error, child) {
          if (killed || !error.includes("held-out")) return;
          killed = true;
          childrenOf(child.pid).then(([, second]) => Deno.kill(second!, "SIGKILL"));
        },
      });
      assertEquals(ended.code, 137, ended.error);
      assertEquals(ended.error.trimEnd().split("\n").slice(-2), [
        "rank 1 was ended by SIGKILL; ended the other",
        "what the processes were doing: deno task doctor --flight run",
      ]);
      assertEquals((await readFlights(join(folder, "run"))).map(({ rank }) => rank), [0]);
    }));
}

Deno.test("pretrain --nproc: Ctrl-C stops all in good order; what is wrong is said once", () =>
  inWorkplace(async ({ folder, pretrain, rows }) => {
    const toy = JSON.parse(await Deno.readTextFile(join(folder, "toy.json")));
    await Deno.writeTextFile(join(folder, "long.json"), JSON.stringify({ ...toy, steps: 100_000 }));
    let pressed = false;
    const words = ["--corpus", "corpus.txt", "--device", "cpu", "--config", "long.json"];
    const stopped = await pretrain([...words, "--out", "run", "--nproc", "2"], {
      watch(error, child) {
        if (pressed || !error.includes("held-out")) return;
        pressed = true;
        kill(child, "SIGINT");
      },
    });
    assertEquals(stopped.code, 130, stopped.error);
    const last = (await rows("run/metrics.jsonl")).at(-1)!.step!;
    const saved = Array.from(Deno.readDirSync(join(folder, "run", "checkpoints")), (e) => e.name);
    assert(saved.includes(`step-${String(last).padStart(8, "0")}`), saved.join());

    // Its processes hold the other end of its standard error: that this comes back says that they have ended.
    let orphaned = false;
    await pretrain([...words, "--out", "orphaned", "--nproc", "2"], {
      watch(error, child) {
        if (!orphaned && error.includes("held-out")) orphaned = kill(child);
      },
    });
    assert(orphaned);

    const wrong: readonly (readonly [line: string, message: string])[] = [
      ["--nproc 9", "Cannot pretrain by 9 processes: a step has 8 sequences"],
      ["--nproc 3 --set shards=2", "Cannot pretrain by 3 processes: shards is 2"],
      ["--set shards=9", "shards is 9, it must not be above data.batch 8"],
      ["--set shards=2 --set wire=bf16", 'wire is "bf16", with shards it must be "f32"'],
      ["--restarts 2", "Cannot pretrain with --restarts alone"],
      ["--dry-run --metrics 9", "Cannot pretrain with --dry-run and --metrics"],
    ];
    for (const [line, message] of wrong) {
      const { code, out, error } = await pretrain([...base, "--out", "no", ...line.split(" ")]);
      assertEquals([code, out], [2, ""], error);
      assertStringIncludes(error, message);
      assertEquals(error.trimEnd().split("\n").length, 1, error);
    }
    const inside = await pretrain([...base, "--nproc", "2"], {
      env: { RANK: "1", WORLD_SIZE: "2" },
    });
    assertEquals(inside.code, 2);
    assertStringIncludes(inside.error, "as process 1 of 2");
  }));
