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
import type { NodeLink } from "./link.ts";

/** What this launcher runs. */
export interface FollowOptions extends Omit<RanksOptions, "env"> {
  /** Where the others find this machine. */
  readonly host: string;
  /** The first launcher, for messages. */
  readonly rdzv: string;
}

const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"] as const, INTERRUPTED = 130;

/** Runs ranks as it is told; gives the exit code that all launchers end with. @throws DistError if the first one is lost */
export async function follow(
  link: NodeLink,
  { host, rdzv, grace = 5000, ...options }: FollowOptions,
): Promise<number> {
  const { nproc } = options;
  let ranks: Ranks | undefined, isStopped = false;
  const listeners = FORWARDED.map((signal) => {
    const forward = (): void => {
      isStopped = true;
      // Who waits for others goes; the first one notices.
      if (ranks) ranks.stop(signal);
      else link.close();
    };
    Deno.addSignalListener(signal, forward);
    return () => Deno.removeSignalListener(signal, forward);
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
    ranks = startRanks({
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
    });
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
    if (isStopped && !ranks) return INTERRUPTED;
    await stop();
    throw new DistError(`Lost the launcher at ${rdzv}: it has gone`, "lost");
  } finally {
    for (const remove of listeners) remove();
    link.close();
  }
}
