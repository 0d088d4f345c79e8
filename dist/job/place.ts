/**
 * Which process of a job this is, as whoever started it says in the environment.
 *
 * @module
 */
import type { Place } from "../net/network.ts";
import { elasticVariables } from "./elastic_place.ts";
import { isLoopback } from "../net/tcp.ts";
import { readToken } from "../transport/token_term.ts";
import { firstHost, tasksOn } from "./slurm.ts";

/** Files of a process that speaks TLS. */
export interface JobTls {
  /** Path of a PEM file: its certificate. */
  readonly cert: string;
  /** Path of a PEM file: the certificate's key. */
  readonly key: string;
  /** Path of a PEM file: the authority that it trusts. */
  readonly ca: string;
  /** Must those who connect show a certificate too? */
  readonly clients: boolean;
}

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
  /** How ranks of one machine exchange arrays: through memory that they share, or as ranks of different ones do, if left out. */
  readonly memory?: "shared" | "apart";
  /** With it processes speak TLS; undefined for TCP alone. */
  readonly tls?: JobTls;
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
/** Of a task: the nodes of its step, this one's name and number among them, and how many tasks each has. */
const NODES = "SLURM_STEP_NODELIST", NODE = "SLURMD_NODENAME", NODE_NUMBER = "SLURM_NODEID";
const TASKS = "SLURM_STEP_TASKS_PER_NODE";
/** Open MPI's process manager sets it: whose library a process must open. */
const PMIX = "PMIX_RANK";

/** Files of TLS: all or none. */
const TLS = ["MOTIAN_TLS_CERT", "MOTIAN_TLS_KEY", "MOTIAN_TLS_CA"] as const;
const CLIENTS = "MOTIAN_TLS_CLIENTS";

/** Where the first process listens if nobody says where: what others take too. */
const MASTER = { hostname: "127.0.0.1", port: 29_500 } as const;

/** Every variable that is looked at. */
export const jobVariables: readonly string[] = [
  ...new Set([
    ...SCHEMES.flat(),
    ...LOCAL,
    ...[STEP, NODES, NODE, NODE_NUMBER, TASKS, PMIX],
    "MASTER_ADDR",
    "MASTER_PORT",
    "MOTIAN_HOST",
    "MOTIAN_JOB",
    "MOTIAN_GENERATION",
    "MOTIAN_TOKEN",
    "MOTIAN_MEMORY",
    ...TLS,
    CLIENTS,
    ...elasticVariables,
  ]),
];

/**
 * This process's place in its job; undefined if it is none of many. Ranks are taken from RANK and WORLD_SIZE, or what Open MPI, PMI
 * (MPICH, Hydra), Slurm's `srun` or an Indexed Job of Kubernetes set; MASTER_ADDR and MASTER_PORT say where rank 0 listens (127.0.0.1,
 * port 29500; under `srun` the first of its nodes), MOTIAN_HOST where this process does, if the first is not on this machine (under
 * `srun` its node); MOTIAN_JOB, MOTIAN_GENERATION and
 * MOTIAN_TOKEN are those of the job. MOTIAN_TLS_CERT, MOTIAN_TLS_KEY and MOTIAN_TLS_CA name PEM files and make links TLS, with
 * MOTIAN_TLS_CLIENTS=1 for who can show a certificate of the authority alone. MOTIAN_MEMORY, the same for all, is
 * "shared" (as on Linux, if it is left out) or "apart".
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
  // Of several nodes: what is on one may stay there.
  const isSlurm = rankName === "SLURM_PROCID", nodes = isSlurm ? given(NODES) ?? "" : "";
  const farMaster = /[[,]/.test(nodes) ? firstHost(nodes) : undefined;
  const master = {
    hostname: given("MASTER_ADDR") ?? farMaster ?? MASTER.hostname,
    port: whole("MASTER_PORT", 1, 65_535, MASTER.port),
  };
  const isHere = isLoopback(master.hostname);
  const hostname = rank === 0 ? master.hostname : given("MOTIAN_HOST") ??
    (isHere ? master.hostname : isSlurm ? given(NODE) : undefined);
  if (hostname === undefined) {
    throw new RangeError(
      `Cannot take part in a job whose rank 0 is at ${master.hostname}: MOTIAN_HOST must say where this rank is`,
    );
  }
  const memory = given("MOTIAN_MEMORY") ?? (Deno.build.os === "linux" ? "shared" : "apart");
  if (memory !== "shared" && memory !== "apart") {
    throw new RangeError(
      `Cannot take part in a job with MOTIAN_MEMORY=${memory}: it must be shared or apart`,
    );
  }
  const onNode = isSlurm
    ? tasksOn(given(TASKS) ?? "", Number(given(NODE_NUMBER) ?? NaN))
    : undefined;
  const tls = tlsOf(given), token = given("MOTIAN_TOKEN");
  if (token !== undefined) readToken(token);
  const local = LOCAL.find((name) => given(name) !== undefined);
  return {
    rank,
    size,
    localSize: local ? whole(local, 1, size) : onNode ?? (isHere ? size : 1),
    master,
    hostname,
    job: given("MOTIAN_JOB") ?? "motian",
    generation: whole("MOTIAN_GENERATION", 1, 2 ** 31 - 1, 1),
    token,
    memory,
    ...tls && { tls },
  };
}

/** The variables that say which files TLS takes. */
export const tlsVariables: readonly string[] = [...TLS, CLIENTS];

/** The files that TLS takes, if the variables name them. @throws RangeError if they name some only */
export function tlsOf(given: (name: string) => string | undefined): JobTls | undefined {
  const [cert, key, ca] = TLS.map(given), clients = given(CLIENTS) ?? "0";
  const refuse = (what: string, must: string): never => {
    throw new RangeError(`Cannot take part in a job with ${what}: ${must}`);
  };
  if (!/^[01]$/.test(clients)) refuse(`${CLIENTS}=${clients}`, "it must be 1 or 0");
  if (cert !== undefined && key !== undefined && ca !== undefined) {
    return { cert, key, ca, clients: clients === "1" };
  }
  const set = [...TLS, CLIENTS].filter((name) => given(name) !== undefined);
  const missing = TLS.filter((name) => given(name) === undefined);
  if (set.length === 0) return undefined;
  return refuse(`${set.join(", ")} and not ${missing.join(", ")}`, "TLS takes all three files");
}
