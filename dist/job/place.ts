/**
 * Which process of a job this is, as whoever started it says in the environment.
 *
 * @module
 */
import type { Place } from "../net/network.ts";
import { elasticVariables } from "./elastic_place.ts";

/** A process among those of its job. */
export interface JobPlace {
  /** Its number, from 0. */
  readonly rank: number;
  /** How many there are. */
  readonly size: number;
  /** How many of them are on this machine, as far as that is known. */
  readonly localSize: number;
  /** Where the first one listens. */
  readonly master: Place;
  /** Where this one does. */
  readonly hostname: string;
  /** The job's name. */
  readonly job: string;
  /** Grows with every restart, from 1. */
  readonly generation: number;
  /** What the processes of the job know and nobody else does. */
  readonly token: string | undefined;
}

/** Names of a rank's and a size's variables, in the order in which they are looked for. Slurm's are a batch script's too: see below. */
const SCHEMES = [
  ["RANK", "WORLD_SIZE"],
  ["OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"],
  ["PMI_RANK", "PMI_SIZE"],
  ["SLURM_PROCID", "SLURM_NTASKS"],
  ["JOB_COMPLETION_INDEX", "WORLD_SIZE"],
] as const;
const LOCAL = ["LOCAL_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"] as const;
/** Whose environment is a task's, not a batch script's. */
const STEP = "SLURM_STEP_ID";

/** Where the first process listens if nobody says where: what others take too. */
const MASTER = { hostname: "127.0.0.1", port: 29_500 } as const;

/** Every variable that is looked at. */
export const jobVariables: readonly string[] = [
  ...new Set([
    ...SCHEMES.flat(),
    ...LOCAL,
    STEP,
    "MASTER_ADDR",
    "MASTER_PORT",
    "MOTIAN_HOST",
    "MOTIAN_JOB",
    "MOTIAN_GENERATION",
    "MOTIAN_TOKEN",
    ...elasticVariables,
  ]),
];

/**
 * This process's place in its job; undefined if it is none of many. Ranks are taken from RANK and WORLD_SIZE, or what Open MPI, PMI
 * (MPICH, Hydra), Slurm's `srun` or an Indexed Job of Kubernetes set; MASTER_ADDR and MASTER_PORT say where rank 0 listens (127.0.0.1,
 * port 29500), MOTIAN_HOST where this process does, if the first is not on this machine; MOTIAN_JOB, MOTIAN_GENERATION and
 * MOTIAN_TOKEN are those of the job.
 *
 * @throws RangeError if the variables contradict each other, or one is missing
 *
 * @example
 * ```ts
 * import { jobPlace } from "./place.ts";
 * const env = new Map([["RANK", "1"], ["WORLD_SIZE", "2"]]);
 * console.log(jobPlace((name) => env.get(name))?.rank); // 1
 * ```
 */
export function jobPlace(env: (name: string) => string | undefined): JobPlace | undefined {
  const given = (name: string): string | undefined => env(name) || undefined;
  const found = SCHEMES.find(([rank]) =>
    given(rank) !== undefined && (rank !== "SLURM_PROCID" || given(STEP) !== undefined)
  );
  if (!found) {
    if (given("WORLD_SIZE") === undefined || given("WORLD_SIZE") === "1") return undefined;
    throw new RangeError(
      `Cannot take part in a job of WORLD_SIZE=${given("WORLD_SIZE")}: RANK must be set too`,
    );
  }
  const [rankName, sizeName] = found;
  const whole = (name: string, least: number, most: number, otherwise?: number): number => {
    const text = given(name);
    if (text === undefined && otherwise !== undefined) return otherwise;
    const value = /^\d{1,9}$/.test(text ?? "") ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    throw new RangeError(
      `Cannot take part in a job with ${name}${
        text === undefined ? " not set" : `=${text}`
      }: it must be a whole number from ${least} to ${most}`,
    );
  };
  const size = whole(sizeName, 1, 100_000), rank = whole(rankName, 0, size - 1);
  const master = {
    hostname: given("MASTER_ADDR") ?? MASTER.hostname,
    port: whole("MASTER_PORT", 1, 65_535, MASTER.port),
  };
  const isHere = /^(localhost|::1|127(\.\d{1,3}){3})$/.test(master.hostname);
  const hostname = rank === 0 ? master.hostname : given("MOTIAN_HOST") ??
    (isHere ? master.hostname : undefined);
  if (hostname === undefined) {
    throw new RangeError(
      `Cannot take part in a job whose rank 0 is at ${master.hostname}: MOTIAN_HOST must say where this rank is`,
    );
  }
  const local = LOCAL.find((name) => given(name) !== undefined);
  return {
    rank,
    size,
    localSize: local ? whole(local, 1, size) : isHere ? size : 1,
    master,
    hostname,
    job: given("MOTIAN_JOB") ?? "motian",
    generation: whole("MOTIAN_GENERATION", 1, 2 ** 31 - 1, 1),
    token: given("MOTIAN_TOKEN"),
  };
}
