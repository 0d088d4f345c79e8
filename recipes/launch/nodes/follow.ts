/**
 * Every launcher's part, the first one's too: it does what the first one says.
 *
 * @module
 */
import { DistError } from "../../../dist/error.ts";
import { freePort } from "../free_port.ts";
import { LAUNCHER } from "../launch.ts";
import { type Ranks, type RanksOptions, startRanks } from "../ranks.ts";
import { endingText } from "../ending.ts";
import { WRONG_CALL } from "../restart.ts";
import { onSignals } from "../signals.ts";
import type { NodeLink } from "./link.ts";

/** What this launcher runs. */
export interface FollowOptions extends Omit<RanksOptions, "env"> {
  /** Where the others find this machine. */
  readonly host: string;
  /** The first launcher, for messages. */
  readonly rdzv: string;
}

/** Characters of what is told of a failure: a line has room for it. */
const LONGEST_TEXT = 1000;

/**
 * Runs ranks as it is told; gives the exit code that all launchers end with, or undefined where a signal came before there were ranks.
 *
 * @throws DistError if the first one is lost
 */
export async function follow(
  link: NodeLink,
  { host, rdzv, grace = 5000, ...options }: FollowOptions,
): Promise<number | undefined> {
  const { nproc } = options;
  let ranks: Ranks | undefined, isStopped = false;
  const deafen = onSignals((signal) => {
    isStopped = true;
    // Who waits for others goes; the first one notices.
    if (ranks) ranks.stop(signal);
    else link.close();
  });
  async function stop(): Promise<void> {
    const running = ranks;
    running?.stop("SIGTERM");
    const harden = setTimeout(() => running?.stop("SIGKILL"), grace);
    await running?.ended;
    clearTimeout(harden);
  }
  async function start(words: readonly string[]): Promise<void> {
    const [generation, job, first, size, master, port] = words as [
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    const started: RanksOptions = {
      ...options,
      grace,
      line: (rank, text, to) => options.line(Number(first) + rank, text, to),
      env: (rank) => ({
        RANK: String(Number(first) + rank),
        WORLD_SIZE: size,
        LOCAL_RANK: String(rank),
        LOCAL_WORLD_SIZE: String(nproc),
        MASTER_ADDR: master,
        MASTER_PORT: port,
        MOTIAN_HOST: host,
        MOTIAN_JOB: job,
        MOTIAN_GENERATION: generation,
        [LAUNCHER]: String(Deno.pid),
      }),
    };
    try {
      ranks = startRanks(started);
    } catch (error) {
      const { message } = error as Error;
      const text = `cannot start ${options.command[0]}: ${message.replaceAll("\n", " ")}`;
      // No other machine's ranks need to begin again for what is missing here.
      const code = error instanceof Deno.errors.NotFound ? WRONG_CALL : 1;
      return await link.send(`ended ${code} 0 ${text.slice(0, LONGEST_TEXT)}`).catch(() => {});
    }
    const failed = await ranks.ended;
    ranks = undefined;
    const text = failed
      ? `rank ${Number(first) + failed.rank} ${endingText(failed)}`
      : "all ranks ended well";
    await link.send(`ended ${failed?.code ?? 0} ${isStopped ? 1 : 0} ${text}`).catch(() => {});
  }
  try {
    // A port that is free now, below those of outgoing connections: should this machine be the first.
    await link.send(`join ${host} ${nproc} ${freePort(host)}`);
    for (let line = await link.next(); line !== undefined; line = await link.next()) {
      const [word, ...words] = line.split(" ");
      if (word === "start") start(words);
      else if (word === "stop") stop();
      else if (word === "over") return Number(words[0]);
    }
    if (isStopped && !ranks) return undefined;
    await stop();
    throw new DistError(`Lost the launcher at ${rdzv}: it has gone`, "lost");
  } finally {
    deafen();
    link.close();
  }
}
