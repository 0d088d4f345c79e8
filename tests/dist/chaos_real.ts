/** Schedules of disturbances against real processes on this machine, each from a seed; what they meet is up to the machine. */
import { randomOf } from "../../dist/sim/random.ts";
import { freePort, freePorts } from "../../recipes/launch/free_port.ts";
import { kill } from "../kill.ts";
import { openProxy, type Proxy } from "./chaos_proxy.ts";
import { alonesBits } from "./steps.ts";

/** What may happen. */
export const realKinds = [
  "kill",
  "stop",
  "coordinator killed",
  "late join",
  "cut",
  "one-way cut",
  "delay",
  "corruption",
] as const;
export type RealKind = typeof realKinds[number];

/** Units: milliseconds. */
const SILENCE = 4000, HANG = 180_000;
const STEPS = 60;

/** A line of a member. */
interface Line {
  readonly at: number;
  readonly step?: number;
  readonly failed?: string;
  readonly generation?: number;
  readonly end?: string;
  readonly rank?: number;
  readonly bits?: number;
  readonly message?: string;
}

interface Member {
  readonly name: string;
  readonly process: Deno.ChildProcess;
  readonly lines: Line[];
  isDead: boolean;
  /** Its last line, or undefined if it ended without one. */
  readonly over: Promise<void>;
}

/** What came of a schedule. */
export interface RealStory {
  readonly seed: number;
  readonly kind: RealKind;
  readonly size: number;
  readonly deeds: readonly string[];
  readonly ends: readonly string[];
  readonly generations: number;
  /** From the deed to the last survivor's failed operation; undefined where none failed. Units: milliseconds. */
  readonly known: number | undefined;
  /** From the deed to the first step of the next generation. Units: milliseconds. */
  readonly resumed: number | undefined;
  readonly faults: readonly string[];
}

function start(name: string, port: number, founders: string): Member {
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-check", "--allow-net=127.0.0.1"],
      new URL("elastic_process.ts", import.meta.url).pathname,
      ...[name, String(port), founders, String(SILENCE), String(STEPS)],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines: Line[] = [];
  const read = async (): Promise<void> => {
    let text = "";
    for await (const piece of process.stdout.pipeThrough(new TextDecoderStream())) {
      const whole = (text + piece).split("\n");
      text = whole.pop()!;
      for (const line of whole) lines.push(JSON.parse(line));
    }
  };
  return { name, process, lines, isDead: false, over: read() };
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs the schedule of a seed. */
export async function realSchedule(seed: number, only?: RealKind): Promise<RealStory> {
  const random = randomOf(seed), kind = only ?? realKinds[seed % realKinds.length]!;
  const whole = (n: number): number => Math.floor(random() * n);
  const least = kind === "kill" || kind === "late join" ? 2 : 3, size = least + whole(2);
  const ports = freePorts(size), proxies: Proxy[] = ports.map(openProxy);
  const founders = proxies.map(({ port }, i) => `m${i}=ws://127.0.0.1:${port}`).join(",");
  const members = ports.map((port, i) => start(`m${i}`, port, founders));
  const deeds: string[] = [], faults: string[] = [];
  let deedAt: number | undefined, isHung = false;
  const log = (text: string): void => {
    deedAt ??= Date.now();
    deeds.push(text);
  };
  const slay = (member: Member, why = ""): void => {
    log(`kill ${member.name}${why}`);
    member.isDead = true;
    kill(member.process);
  };
  const hang = setTimeout(() => {
    isHung = true;
    for (const { process } of members) kill(process);
  }, HANG);
  try {
    // At any step, and anywhere in it.
    const at = 2 + whole(STEPS / 2), victim = members[whole(size)]!;
    const works = ({ lines }: Member): boolean => lines.some(({ step }) => step === at);
    while (!isHung && !members.every(works)) await wait(2);
    await wait(6 * random());
    const proxy = proxies[members.indexOf(victim)]!;
    if (kind === "kill") slay(victim);
    else if (kind === "coordinator killed") {
      slay(members.at(-1)!);
      await wait(200 * random());
      if (size > 3 || random() < 0.5) slay(members[0]!, ", who decides");
    } else if (kind === "stop") {
      const ms = random() < 0.3 ? SILENCE / 3 : 2.5 * SILENCE;
      log(`stop ${victim.name} for ${ms.toFixed(0)} ms`);
      kill(victim.process, "SIGSTOP");
      await wait(ms);
      kill(victim.process, "SIGCONT");
    } else if (kind === "late join") {
      log("m9 comes");
      members.push(start("m9", freePort(), founders));
    } else if (kind === "cut" || kind === "one-way cut") {
      const ways = kind === "cut"
        ? [proxy.there, proxy.back]
        : [random() < 0.5 ? proxy.there : proxy.back];
      const ms = random() < 0.3 ? SILENCE / 3 : 2.5 * SILENCE;
      log(`cut ${victim.name}'s door for ${ms.toFixed(0)} ms`);
      for (const way of ways) way.isCut = true;
      await wait(ms);
      for (const way of ways) way.isCut = false;
    } else if (kind === "delay") {
      log(`delay at ${victim.name}'s door`);
      proxy.there.delay = proxy.back.delay = 1 + whole(10);
    } else {
      log(`damage at ${victim.name}'s door`);
      proxy.back.damage = 1 + whole(3);
    }
    await Promise.all(members.map(async ({ over, process }) => {
      await over;
      await process.status;
    }));
  } finally {
    clearTimeout(hang);
    for (const { process } of members) {
      kill(process);
      await process.status;
    }
    for (const proxy of proxies) proxy.close();
  }
  if (isHung) faults.push("hang");
  const right = await alonesBits(20_000, STEPS);
  const ends = members.map(({ name, lines, isDead }) => {
    const last = lines.at(-1);
    if (isDead && last?.end === undefined) return `${name} dead`;
    if (last?.end === undefined) faults.push(`${name} ended without a word`);
    else if (last.end === "done" && last.bits !== right) faults.push(`${name} has wrong bits`);
    else if (last.end !== "done" && last.end !== "over" && last.rank === undefined) {
      faults.push(`${name} names no rank: ${last.message}`);
    }
    return `${name} ${last?.end}${last?.message ? ` (${last.message})` : ""}`;
  });
  const isDone = ends.some((end) => end.endsWith(" done"));
  if (!isDone) faults.push("nobody has come to the end");
  const alive = members.filter(({ isDead }) => !isDead);
  const after = (found: (line: Line) => boolean): number[] =>
    alive.flatMap(({ lines }) => {
      const line = lines.find((line) => line.at >= deedAt! && found(line));
      return line ? [line.at - deedAt!] : [];
    });
  const failures = kind === "kill" || kind === "coordinator killed"
    ? after(({ failed }) => failed !== undefined)
    : [];
  const generation = Math.max(
    0,
    ...alive.flatMap(({ lines }) => lines.map((l) => l.generation ?? 0)),
  );
  const known = failures.length > 0 ? Math.max(...failures) : undefined;
  const steps = alive.flatMap(({ lines }) => {
    const from = lines.findIndex((line) => line.generation === generation);
    const step = lines.slice(from).find(({ step }) => step !== undefined);
    return from >= 0 && lines[from]!.at >= deedAt! && step ? [step.at - deedAt!] : [];
  });
  const resumed = steps.length > 0 ? Math.min(...steps) : undefined;
  return { seed, kind, size, deeds, ends, generations: generation, known, resumed, faults };
}
