/**
 * Runs a command as members of an elastic job: one that ends does not end the others, and may be replaced by a newcomer.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { endingText } from "./ending.ts";
import { FENCE, serveFence } from "./fence.ts";
import { freePort, freePorts } from "./free_port.ts";
import { LAUNCHER, type LaunchOptions, newJob } from "./launch.ts";
import { drain, lines } from "./output.ts";
import { backOffOf, pauseOr, WRONG_CALL } from "./restart.ts";
import { onSignals } from "./signals.ts";

/** What is launched. */
export interface ElasticLaunchOptions
  extends Pick<LaunchOptions, "nproc" | "command" | "restarts" | "note" | "backOff" | "grace"> {
  /** Takes what a member writes, line by line. */
  readonly line: (name: string, text: string, to: "stdout" | "stderr") => void;
}

interface Member {
  readonly name: string;
  readonly address: string;
  readonly child: Deno.ChildProcess;
  readonly ended: Promise<Deno.CommandStatus>;
}

/** Others have so long to end when one has come to the end of the work. Units: milliseconds. */
const GRACE = 60_000;

const at = (port: number): string => `ws://127.0.0.1:${port}`;
const seatOf = ({ name, address }: Pick<Member, "name" | "address">): string =>
  `${name}=${address}`;

/**
 * Starts the members and waits for them; gives 0 if one came to the end of the work, else the exit code of the first that failed.
 * `restarts` newcomers, all together, take the places of those that fail.
 */
export async function launchElastic(
  { nproc, command, restarts, note, line, backOff = 1000, grace = GRACE }: ElasticLaunchOptions,
): Promise<number> {
  const [program = "", ...args] = command, alive = new Map<string, Member>();
  const job = newJob(), token = randomBytes(32).toString("hex");
  let restartsLeft = restarts, isStopped = false, isDone = false, failed: number | undefined;
  let harden: ReturnType<typeof setTimeout> | undefined;
  const over = Promise.withResolvers<void>();
  const kill = (member: Member, signal: Deno.Signal): void => {
    try {
      member.child.kill(signal);
    } catch { /* it has ended this moment */ }
  };
  const fence = serveFence(token, async (name) => {
    const member = alive.get(name);
    if (!member) return;
    note(`${name} does not answer the others: ended it`);
    kill(member, "SIGKILL");
    // Not for its output: another process may hold that open.
    await member.child.status;
  });
  const deafen = onSignals((signal) => {
    isStopped = true;
    over.resolve();
    for (const member of alive.values()) kill(member, signal);
  });
  const seats = freePorts(nproc).map((port, slot) => ({ name: `m${slot}`, address: at(port) }));

  function start(slot: number, seat: Pick<Member, "name" | "address">, founders: string): Member {
    const child = new Deno.Command(program, {
      args,
      env: {
        RANK: String(slot),
        WORLD_SIZE: String(nproc),
        LOCAL_RANK: String(slot),
        LOCAL_WORLD_SIZE: String(nproc),
        MOTIAN_JOB: job,
        MOTIAN_GENERATION: "1",
        MOTIAN_TOKEN: token,
        MOTIAN_MEMBER: seatOf(seat),
        MOTIAN_FOUNDERS: founders,
        [FENCE]: String(fence.port),
        [LAUNCHER]: String(Deno.pid),
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
    const reads = (["stdout", "stderr"] as const).map((to) =>
      lines(child[to], (text) => line(seat.name, text, to))
    );
    const ended = child.status.then(async (status) => {
      alive.delete(seat.name);
      await drain(reads);
      return status;
    });
    const member = { ...seat, child, ended };
    alive.set(seat.name, member);
    return member;
  }
  /** One place, whoever fills it. */
  async function fill(slot: number): Promise<void> {
    let member = start(slot, seats[slot]!, seats.map(seatOf).join(","));
    for (let attempt = 2;; attempt++) {
      const { code, signal } = await member.ended, end = { rank: slot, code, signal };
      if (code === 0 && !isDone) {
        isDone = true;
        over.resolve();
        harden = setTimeout(() => [...alive.values()].forEach((m) => kill(m, "SIGKILL")), grace);
      }
      if (isDone) return;
      failed ??= code;
      const others = [...alive.keys()], go = others.length === 1 ? "goes" : "go";
      const on = others.length > 0 && !isStopped ? `; ${others.join(", ")} ${go} on` : "";
      const what = `${member.name} ${endingText(end)}${on}`;
      if (isStopped || code === WRONG_CALL || restartsLeft === 0) return note(what);
      const left = --restartsLeft, name = `m${slot}.${attempt}`;
      const wait = backOffOf(attempt - 1, backOff);
      note(`${what}; ${name} comes in ${wait / 1000} s (${left} more may)`);
      await pauseOr(wait, over.promise);
      if (isStopped || isDone) return;
      // Who lives may not listen yet.
      const taken = new Set([...alive.values()].map(({ address }) => address));
      const seat = { name, address: at(freePort("127.0.0.1", (port) => taken.has(at(port)))) };
      // Who lives lets it in; where nobody does it begins alone.
      member = start(slot, seat, [...alive.values()].map(seatOf).join(",") || seatOf(seat));
    }
  }
  try {
    await Promise.all(seats.map((_, slot) => fill(slot)));
    return isDone ? 0 : failed ?? 1;
  } finally {
    clearTimeout(harden);
    fence.close();
    deafen();
  }
}
