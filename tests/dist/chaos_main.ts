/**
 * `deno task chaos [--from SEED] [--count N] [--kind KIND]`: many schedules of disturbances against elastic members on a simulated
 * network, and a table of what came of them. A schedule is its seed: `--from SEED --count 1` is the same story again, told in full.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { type Kind, kinds, schedule, type Story } from "./chaos.ts";

const asked = parseArgs(Deno.args, {
  string: ["from", "count", "kind"],
  default: { from: "1", count: "10000" },
});
const from = Number(asked.from), count = Number(asked.count);
const kind = asked.kind as Kind | undefined;
if (!(from >= 0 && count > 0) || (kind !== undefined && !kinds.includes(kind))) {
  console.error(`Cannot run chaos so: --from SEED --count N --kind ${kinds.join("|")}`);
  Deno.exit(2);
}

interface Line {
  schedules: number;
  generations: number;
  readonly ends: Map<string, number>;
  faults: number;
}
const lines = new Map<Kind, Line>();
const tell = ({ seed, kind, size, deeds, endings, faults }: Story): void => {
  console.log(`seed ${seed}: ${kind}, ${size} members`);
  for (const deed of deeds) console.log(`  ${deed}`);
  for (const { host, end, time, message } of endings) {
    console.log(`  ${time.toFixed(0)} ms: ${host} ends: ${end}${message && `, ${message}`}`);
  }
  for (const fault of faults) console.log(`  FAULT: ${fault}`);
};

const began = performance.now();
let faults = 0;
for (let seed = from; seed < from + count; seed++) {
  const story = await schedule(seed, kind);
  const line = lines.get(story.kind) ??
    { schedules: 0, generations: 0, ends: new Map<string, number>(), faults: 0 };
  lines.set(story.kind, line);
  line.schedules++;
  line.generations += story.generations;
  line.faults += story.faults.length;
  faults += story.faults.length;
  for (const { end } of story.endings) line.ends.set(end, (line.ends.get(end) ?? 0) + 1);
  if (count === 1 || story.faults.length > 0) tell(story);
}
console.log("kind                schedules  generations  faults  endings");
for (const [kind, { schedules, generations, ends, faults }] of lines) {
  const found = [...ends].sort(([, a], [, b]) => b - a).map(([end, n]) => `${end} ${n}`).join(", ");
  const numbers = [[schedules, 9], [generations, 11], [faults, 6]] as const;
  const row = numbers.map(([n, width]) => String(n).padStart(width)).join("  ");
  console.log(`${kind.padEnd(18)}  ${row}  ${found}`);
}
console.log(
  `${count} schedules from seed ${from}, ${faults} faults, ${
    ((performance.now() - began) / 1000).toFixed(0)
  } s`,
);
Deno.exit(faults > 0 ? 1 : 0);
