/**
 * Many processes of this machine find each other by a token and sum, exactly; what it takes, and what the model of `docs/scaling.md` says
 * that it takes:
 *
 *     deno run -A tests/dist/measure_many.ts [rounds] [processes ...]
 *
 * First a doctor measures the links of two processes, and last comes the bar: 128 processes have found each other and summed once in
 * 60 s. A line of JSON each goes to standard output: keep them as `docs/scaling.jsonl`.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { allReduce, measured, processor, seconds } from "../../recipes/doctor/model.ts";
import type { NetConstants } from "../../recipes/doctor/net_summary.ts";
import type { ManyRanks } from "../../recipes/doctor/scaling_tables.ts";
import { launch } from "../../recipes/launch/launch.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));
const SIZES = [4, 65_536, 1 << 20, 16 << 20];

/** What rank 0 of a command writes, as objects. */
async function ranks(nproc: number, words: readonly string[]): Promise<readonly Measured[]> {
  const found: Measured[] = [];
  const code = await launch({
    nproc,
    restarts: 0,
    command: [Deno.execPath(), "run", "-A", "--no-check", `--config=${root}deno.json`, ...words],
    first: "prefixed",
    line: (rank, text, to) => {
      if (to === "stderr") console.error(`[${rank}] ${text}`);
      else found.push(JSON.parse(text));
    },
    note: (line) => console.error(line),
  });
  if (code !== 0) Deno.exit(code);
  return found;
}

/** A line of either kind. */
type Measured = NetConstants & ManyRanks;

const [rounds = "5", ...sizes] = Deno.args, BAR = 128;
const net = (await ranks(2, [`${root}recipes/doctor/main.ts`, "--net", "--json"])).at(-1)!;
console.log(JSON.stringify(net));
const asked = (sizes.length > 0 ? sizes : ["16", "32", "64"]).map(Number);
const runs = [...asked.map((n) => ({ n, rounds, bytes: SIZES })), {
  n: BAR,
  rounds: "1",
  bytes: [4, 1 << 20],
}];
for (const { n, rounds, bytes } of runs) {
  const began = Date.now(), words = [String(began), rounds, ...bytes.map(String)];
  const [found] = await ranks(n, [`${root}tests/dist/many_process.ts`, ...words]);
  const load = Deno.loadavg()[0]!.toFixed(1);
  const whole_s = (Date.now() - began) / 1000;
  console.log(JSON.stringify({ kind: "many", ...found, whole_s, load: Number(load) }));
  console.error(
    `${n} processes: all there after ${found!.joined_s.toFixed(1)} s, one exact sum after ${
      found!.first_sum_s.toFixed(1)
    } s (load ${load})`,
  );
  for (const { bytes, ms, best_ms, cpu_ms } of found!.sums) {
    const work = allReduce(n, bytes), machine = measured(net, n);
    const model = 1000 * seconds(work, machine), cpu = 1000 * n * processor(work, machine);
    console.error(
      `  ${bytes} bytes: best ${best_ms?.toFixed(2)} ms, median ${ms.toFixed(2)}, model ${
        model.toFixed(2)
      }; processors ${cpu_ms?.toFixed(1)} ms, model ${cpu.toFixed(1)}`,
    );
  }
}
