/**
 * The processes of one attempt: started together, watched, ended together.
 *
 * @module
 */
import { drain, type Lines, lines } from "./output.ts";

/** How ranks are started. */
export interface RanksOptions {
  readonly nproc: number;
  /** A program and its arguments, the same for all. */
  readonly command: readonly string[];
  /** What a rank is told beside what this process's environment says. */
  readonly env: (rank: number) => Readonly<Record<string, string>>;
  /** The first rank has this process's own input and output, and no prefix. */
  readonly first: "own" | "prefixed";
  /** Takes what a rank writes, line by line. */
  readonly line: (rank: number, text: string, to: "stdout" | "stderr") => void;
  /** Time that ranks have to end by themselves when one has failed. Units: milliseconds; 5,000 if left out. */
  readonly grace?: number;
}

/** How one rank ended. */
export interface RankEnd {
  readonly rank: number;
  readonly code: number;
  readonly signal: Deno.Signal | null;
}

/** Ranks that run. */
export interface Ranks {
  /** The first rank that did not end well, once all have ended; undefined if all did. */
  readonly ended: Promise<RankEnd | undefined>;
  /** Tells all that still run to stop. From then on each ends in its own time: one may save what others have no part in. */
  stop(signal: Deno.Signal): void;
}

interface Started {
  readonly child: Deno.ChildProcess;
  readonly reads: readonly Lines[];
}

function end(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch { /* it has ended this moment */ }
}

/** Starts all ranks, or none. When one fails, the others are told to end, and ended after `grace`. @throws Deno.errors.NotFound, and others */
export function startRanks(
  { nproc, command, env, first, line, grace = 5000 }: RanksOptions,
): Ranks {
  const [program = "", ...args] = command;
  const start = (rank: number): Started => {
    const isOwn = rank === 0 && first === "own";
    const output = isOwn ? "inherit" : "piped";
    const child = new Deno.Command(program, {
      args,
      env: { ...env(rank) },
      stdin: isOwn ? "inherit" : "null",
      stdout: output,
      stderr: output,
      // A session of its own: Ctrl-C comes to this process alone, which passes it on once.
      detached: true,
    }).spawn();
    const reads = isOwn
      ? []
      : (["stdout", "stderr"] as const).map((to) =>
        lines(child[to], (text) => line(rank, text, to))
      );
    return { child, reads };
  };
  const children: Started[] = [];
  try {
    for (let rank = 0; rank < nproc; rank++) children.push(start(rank));
  } catch (error) {
    // They have done nothing yet, and would wait for a rank that never comes.
    for (const { child } of children) end(child, "SIGKILL");
    throw error;
  }
  const alive = new Set(children.map(({ child }) => child));
  let isStopping = false,
    failed: RankEnd | undefined,
    harden: ReturnType<typeof setTimeout> | undefined;
  const kill = (signal: Deno.Signal): void => {
    for (const child of alive) end(child, signal);
  };
  const ends = children.map(async ({ child }, rank) => {
    const { code, signal } = await child.status;
    alive.delete(child);
    if (code === 0 || failed) return;
    failed = { rank, code, signal };
    if (isStopping) return;
    kill("SIGTERM");
    harden = setTimeout(() => kill("SIGKILL"), grace);
  });
  const all = async (): Promise<RankEnd | undefined> => {
    await Promise.all(ends);
    clearTimeout(harden);
    await drain(children.flatMap(({ reads }) => reads));
    return failed;
  };
  return {
    ended: all(),
    stop(signal) {
      isStopping = true;
      kill(signal);
    },
  };
}
