/**
 * The processes of one attempt: started together, watched, ended together.
 *
 * @module
 */

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

/** Time that the output of ended processes has to come to its end: another process may hold it open. */
const DRAIN = 2000;

/** Starts all ranks. When one fails, the others are told to end, and ended after `grace`. */
export function startRanks(
  { nproc, command, env, first, line, grace = 5000 }: RanksOptions,
): Ranks {
  const [program = "", ...args] = command;
  const children = Array.from({ length: nproc }, (_, rank) => {
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
  });
  const alive = new Set(children.map(({ child }) => child));
  let isStopping = false,
    failed: RankEnd | undefined,
    harden: ReturnType<typeof setTimeout> | undefined;
  const kill = (signal: Deno.Signal): void => {
    for (const child of alive) {
      try {
        child.kill(signal);
      } catch { /* it has ended this moment */ }
    }
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
    const drained = Promise.all(children.flatMap(({ reads }) => reads.map(({ done }) => done)));
    let late: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([drained, new Promise((resolve) => late = setTimeout(resolve, DRAIN))]);
    clearTimeout(late);
    for (const { reads } of children) for (const { stop } of reads) await stop();
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

/** Reads text line by line, the last one too if it does not end. */
export function lines(
  stream: ReadableStream<Uint8Array>,
  line: (text: string) => void,
): { readonly done: Promise<void>; readonly stop: () => Promise<void> } {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  async function read(): Promise<void> {
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const whole = (text + value).split("\n");
      text = whole.pop()!;
      whole.forEach(line);
    }
    if (text !== "") line(text);
  }
  return { done: read(), stop: () => reader.cancel().catch(() => {}) };
}
