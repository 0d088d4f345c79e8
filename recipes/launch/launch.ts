/**
 * Runs a command as so many ranks, and again where one fails, if it may.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { createToken } from "../../dist/mod.ts";
import { endingText } from "./ending.ts";
import { freePort } from "./free_port.ts";
import { type RanksOptions, startRanks } from "./ranks.ts";
import { backOffOf, pauseOr, WRONG_CALL } from "./restart.ts";
import { onSignals } from "./signals.ts";

/** What is launched. */
export interface LaunchOptions extends Omit<RanksOptions, "env"> {
  /** What starts the ranks in place of this process, as in ["mpiexec"]: it is told how many, and tells each its own place. */
  readonly mpi?: readonly string[] | undefined;
  /** The job's name; made for this call if left out. */
  readonly job?: string | undefined;
  /** What the ranks know and nobody else does; made for this call if left out. */
  readonly token?: string | undefined;
  /** How often all are started again when one has failed. */
  readonly restarts: number;
  /** Says something to a person. */
  readonly note: (line: string) => void;
  /** Waits before the first restart, twice as long before the next, and so on. Units: milliseconds; a second if left out. */
  readonly backOff?: number;
}

/** What launched processes are told of their launcher: its process, whose end is theirs. */
export const LAUNCHER = "MOTIAN_LAUNCHER";

/** A name that no other job has. */
export const newJob = (): string => randomBytes(8).toString("hex");

type Env = Readonly<Record<string, string>>;

/** The places of ranks that are all on this machine. */
function hereEnv(nproc: number, common: Env): RanksOptions["env"] {
  const port = freePort();
  return (rank) => ({
    RANK: String(rank),
    WORLD_SIZE: String(nproc),
    LOCAL_RANK: String(rank),
    LOCAL_WORLD_SIZE: String(nproc),
    MASTER_ADDR: "127.0.0.1",
    MASTER_PORT: String(port),
    ...common,
    [LAUNCHER]: String(Deno.pid),
  });
}

/** One process, which starts the ranks. */
function byMpi(mpi: readonly string[], options: RanksOptions): RanksOptions {
  return { ...options, nproc: 1, command: [...mpi, "-n", `${options.nproc}`, ...options.command] };
}

/**
 * Starts the ranks and waits for them; gives the exit code of the first that failed, or 0. Signals are passed on to all; one rank's failure
 * ends the others, and a line names it.
 */
export async function launch(
  { restarts, note, backOff = 1000, mpi, job = newJob(), token = createToken(), ...ranksOptions }:
    LaunchOptions,
): Promise<number> {
  const { nproc } = ranksOptions;
  let ranks: ReturnType<typeof startRanks> | undefined, isStopped = false;
  const wake = Promise.withResolvers<void>();
  const deafen = onSignals((signal) => {
    isStopped = true;
    wake.resolve();
    ranks?.stop(signal);
  });
  try {
    for (let attempt = 1;; attempt++) {
      const common = { MOTIAN_JOB: job, MOTIAN_GENERATION: String(attempt), MOTIAN_TOKEN: token };
      ranks = startRanks(
        mpi
          ? byMpi(mpi, { ...ranksOptions, env: () => common })
          : { ...ranksOptions, env: hereEnv(nproc, common) },
      );
      const failed = await ranks.ended;
      if (!failed) return 0;
      const others = nproc === 1 || mpi
        ? ""
        : nproc === 2
        ? "; ended the other"
        : "; ended the others";
      const who = mpi ? mpi[0] : `rank ${failed.rank}`;
      const what = `${who} ${endingText(failed)}${isStopped ? "" : others}`;
      if (isStopped || failed.code === WRONG_CALL || attempt > restarts) {
        note(what);
        return failed.code;
      }
      const wait = backOffOf(attempt, backOff);
      note(`${what}; restart ${attempt} of ${restarts} in ${wait / 1000} s`);
      await pauseOr(wait, wake.promise);
      if (isStopped) return failed.code;
    }
  } finally {
    deafen();
  }
}
