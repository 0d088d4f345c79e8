/**
 * `deno task chaos`: many schedules of disturbances against elastic members on a simulated network, and a table of what came of them.
 *
 *     deno task chaos [--from SEED] [--count N] [--kind KIND]
 *     deno task chaos --real [--from SEED] [--count N] [--kind KIND]
 *
 * A simulated schedule is its seed: `--from SEED --count 1` is the same story again, told in full. With `--real` members are processes
 * of this machine, 200 schedules if nothing else is said; what they meet is up to the machine too.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { kinds, schedule } from "./chaos.ts";
import { realKinds, realSchedule } from "./chaos_real.ts";

const asked = parseArgs(Deno.args, { string: ["from", "count", "kind"], boolean: ["real"] });
const from = Number(asked.from ?? 1), count = Number(asked.count ?? (asked.real ? 200 : 10_000));
const known: readonly string[] = asked.real ? realKinds : kinds, kind = asked.kind;
if (!(from >= 0 && count > 0) || (kind !== undefined && !known.includes(kind))) {
  console.error(`Cannot run chaos so: --from SEED --count N --kind ${known.join("|")}`);
  Deno.exit(2);
}

/** A schedule of either sort. */
interface Told {
  readonly kind: string;
  readonly generations: number;
  readonly faults: readonly string[];
  readonly ends: readonly string[];
  /** In full. */
  readonly lines: readonly string[];
  readonly known?: number | undefined;
  readonly resumed?: number | undefined;
}

async function simulated(seed: number): Promise<Told> {
  const { endings, deeds, size, ...story } = await schedule(seed, kind as typeof kinds[number]);
  return {
    ...story,
    ends: endings.map(({ end }) => end),
    lines: [
      `seed ${seed}: ${story.kind}, ${size} members`,
      ...deeds,
      ...endings.map(({ host, end, time, message }) =>
        `${time.toFixed(0)} ms: ${host} ends: ${end}${message && `, ${message}`}`
      ),
    ],
  };
}

async function real(seed: number): Promise<Told> {
  const { ends, deeds, size, ...story } = await realSchedule(
    seed,
    kind as typeof realKinds[number],
  );
  return {
    ...story,
    ends: ends.map((end) => end.split(" ")[1]!),
    lines: [`seed ${seed}: ${story.kind}, ${size} members`, ...deeds, ...ends],
  };
}

const lines = new Map<string, Told[]>(), began = performance.now();
let faults = 0;
for (let seed = from; seed < from + count; seed++) {
  const story = await (asked.real ? real : simulated)(seed);
  lines.set(story.kind, [...lines.get(story.kind) ?? [], { ...story, lines: [] }]);
  faults += story.faults.length;
  if (count === 1 || story.faults.length > 0) {
    for (const line of story.lines) console.log(line);
    for (const fault of story.faults) console.log(`FAULT: ${fault}`);
  }
}
const median = (all: readonly (number | undefined)[]): string => {
  const found = all.filter((x) => x !== undefined).sort((a, b) => a - b);
  return found.length === 0 ? "" : `${found[found.length >> 1]} (${found.at(-1)})`;
};
const head = ["kind", "schedules", "generations", "faults"];
if (asked.real) head.push("all know, ms", "next step, ms");
console.log([...head, "endings"].map((word) => word.padEnd(18)).join(""));
for (const [kind, stories] of lines) {
  const ends = Map.groupBy(stories.flatMap((story) => story.ends), (end) => end);
  const sum = (f: (story: Told) => number): number => stories.reduce((n, each) => n + f(each), 0);
  const cells = [
    ...[kind, stories.length, sum((s) => s.generations), sum((s) => s.faults.length)],
    ...asked.real
      ? [median(stories.map((s) => s.known)), median(stories.map((s) => s.resumed))]
      : [],
    [...ends].sort(([, a], [, b]) => b.length - a.length)
      .map(([end, all]) => `${end} ${all.length}`).join(", "),
  ];
  console.log(cells.map((cell) => String(cell).padEnd(18)).join(""));
}
const seconds = ((performance.now() - began) / 1000).toFixed(0);
if (asked.real) console.log("times: median (longest)");
console.log(`${count} schedules from seed ${from}, ${faults} faults, ${seconds} s`);
Deno.exit(faults > 0 ? 1 : 0);
