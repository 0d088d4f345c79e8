/**
 * A process of a run that several train together: how it finds the others, and what they do at the same time beside steps.
 *
 * @module
 */
import { join } from "@std/path";
import { crc32 } from "node:zlib";
import type { Device } from "../../core/mod.ts";
import { type Group, type JobPlace, joinJob, type Observer, planHash } from "../../dist/mod.ts";
import { InputError } from "../cli/input_error.ts";
import { LAUNCHER } from "../launch/launch.ts";
import { placeHere as placeInJob } from "../launch/place_here.ts";
import type { PretrainConfig } from "./config.ts";
import { compareCorpora, type Crew, leadCrew } from "./crew.ts";
import type { PretrainOptions } from "./options.ts";
import { PATIENCE } from "./patience.ts";
import type { RunCorpus } from "./run_corpus.ts";
import { stagesOf } from "./stages.ts";

/** Where MPI carries links, the main thread has them, and is taken for stopped after so long without a turn. Units: milliseconds. */
const SILENCE = 120_000;
/** The others wait for the first while it prepares a corpus. Units: milliseconds. */
const CORPUS_PATIENCE = 24 * PATIENCE;

/** One process among those of its run. */
export interface Member {
  readonly rank: number;
  readonly group: Group;
  /** Resolves on all processes once the first has come here. */
  afterFirst(): Promise<void>;
  /** Have all the same text? @throws DistError where they do not */
  compare(corpus: RunCorpus): Promise<void>;
  /** The others, for the first process. */
  lead(device: Device): Crew;
  close(): Promise<void>;
}

/**
 * This process's place in a job, if whoever started it says that there is one.
 *
 * @throws InputError where the environment contradicts itself, or MPI is asked for and did not start this process
 */
export function placeHere(engine: PretrainOptions["engine"] = "ws"): JobPlace | undefined {
  const place = placeInJob();
  if (place?.tls && engine === "mpi") {
    throw new InputError(
      "Cannot pretrain with --engine mpi over TLS: MPI carries bytes itself; unset MOTIAN_TLS_CERT, MOTIAN_TLS_KEY and MOTIAN_TLS_CA",
    );
  }
  if (place || engine === "ws") return place;
  throw new InputError(
    "Cannot pretrain with --engine mpi alone: start it as mpiexec -n N deno task pretrain …, N at least 2",
  );
}

/** Options of a process that is started again: it goes on with its run, if there is one yet. */
export async function goesOn(
  options: PretrainOptions,
  place: JobPlace | undefined,
): Promise<PretrainOptions> {
  const { out } = options;
  if (place === undefined || place.generation === 1 || out === undefined) return options;
  const isThere = await Deno.stat(join(out, "config.json")).then(() => true, () => false);
  if (options.resume || !isThere) return options;
  // Its configuration has the steps that it was given.
  return { ...options, resume: true, steps: undefined };
}

/**
 * Threads of a cpu device: the processes of one machine share its cores. All have as many as one alone where bits must be those of one
 * alone: products by a BLAS depend on it.
 */
export function threadsOf(
  place: Pick<JobPlace, "localSize"> | undefined,
  { shards }: PretrainConfig,
): number | undefined {
  if (!place || place.localSize === 1 || shards > 0) return undefined;
  return Math.max(1, Math.floor(navigator.hardwareConcurrency / place.localSize));
}

/**
 * Refuses more processes than there are parts of a step, and another number than what takes steps apart.
 *
 * @throws InputError
 */
export function checkSize(size: number, config: PretrainConfig): void {
  const { shards, diloco } = config;
  if (diloco && size !== diloco.workers) {
    throw new InputError(
      `Cannot pretrain by ${size} ${
        size === 1 ? "process" : "processes"
      }: diloco.workers is ${diloco.workers}, and a run needs all of them; start as many, or set it`,
    );
  }
  if (shards > 0 && size > shards) {
    throw new InputError(
      `Cannot pretrain by ${size} processes: shards is ${shards}, one a process at least; raise it or start fewer`,
    );
  }
  const batch = Math.min(...stagesOf(config).map((stage) => stage.config.data.batch));
  if (size > batch) {
    throw new InputError(
      `Cannot pretrain by ${size} processes: a step has ${batch} sequences; start fewer`,
    );
  }
}

/**
 * Finds the other processes; all must have been told the same.
 *
 * @throws DistError where somebody is missing or was told something else
 */
export async function joinRun(
  place: JobPlace,
  config: PretrainConfig,
  others: readonly unknown[],
  engine?: PretrainOptions["engine"],
  observer?: Observer,
): Promise<Member> {
  checkSize(place.size, config);
  watchLauncher();
  const { group, close } = await joinJob(place, {
    plan: planHash([], config, others),
    deadline: PATIENCE,
    // A corpus is packed in one piece: no turn of the event loop for minutes.
    ...engine === "mpi" ? { engine, silence: SILENCE } : { thread: {} },
    observer,
  });
  return {
    rank: place.rank,
    group,
    afterFirst: () => group.barrier({ deadline: CORPUS_PATIENCE }),
    compare: (corpus) => compareCorpora(group, corpus, (text) => crc32(text)),
    lead: (device) => leadCrew(group, device),
    close,
  };
}

/** Ends this process when the one that launched it has gone: nobody would pass a signal on any more. */
export function watchLauncher(): void {
  const asked = { name: "env", variable: LAUNCHER } as const;
  if (Deno.permissions.querySync(asked).state !== "granted") return;
  const launcher = Number(Deno.env.get(LAUNCHER));
  if (!(launcher > 0)) return;
  const timer = setInterval(() => {
    if (Deno.ppid === launcher) return;
    console.error("Cannot go on: the process that launched this one has gone");
    Deno.exit(1);
  }, 1000);
  Deno.unrefTimer(timer);
}
