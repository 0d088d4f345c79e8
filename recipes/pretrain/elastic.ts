/**
 * `deno task pretrain --nproc N --elastic`: a run whose processes may die, and newcomers come, while the others train on.
 *
 * The process that is first in a generation leads it, from the state that it has kept: each leads as the first process of any run of
 * many, and follows as any other. The run's folder is made before any of them is started, so that all of them resume it.
 *
 * @module
 */
import {
  DistError,
  type ElasticPlace,
  elasticPlace,
  jobVariables,
  joinElastic,
  planHash,
  type Term,
} from "../../dist/mod.ts";
import { tlsVariables } from "../../dist/job/place.ts";
import { InputError } from "../cli/input_error.ts";
import { askFence, FENCE } from "../launch/fence.ts";
import type { Renewal } from "./between_steps.ts";
import { hasMemory, type PretrainConfig } from "./config.ts";
import { leadCrew } from "./crew.ts";
import { follow } from "./follow.ts";
import { createKept } from "./kept.ts";
import { watchLauncher } from "./member.ts";
import type { PretrainOptions } from "./options.ts";
import { PATIENCE } from "./patience.ts";
import { type Finished, pretrain, type RunOptions } from "./run.ts";

/**
 * This process's place in an elastic run, if it has one.
 *
 * @throws InputError where the environment is not what it must be
 */
export function elasticHere(): ElasticPlace | undefined {
  const isAllowed = (variable: string): boolean =>
    Deno.permissions.querySync({ name: "env", variable }).state === "granted";
  if (!jobVariables.every(isAllowed)) return undefined;
  let place: ElasticPlace | undefined;
  try {
    place = elasticPlace((name) => Deno.env.get(name));
  } catch (error) {
    throw error instanceof RangeError ? new InputError(error.message) : error;
  }
  if (place) refuseTls();
  return place;
}

/**
 * Refuses what other runs of many do, and members of an elastic one would not.
 *
 * @throws InputError
 */
export function refuseTls(): void {
  const set = tlsVariables.find((name) => Deno.env.get(name));
  if (set === undefined) return;
  throw new InputError(
    `Cannot pretrain with --elastic and ${set}: its processes speak TCP alone, with a token; unset it`,
  );
}

/**
 * Refuses what cannot go on without a process.
 *
 * @throws InputError
 */
export function checkElastic({ optimizer, wire, diloco }: PretrainConfig): void {
  if (optimizer.sharded) {
    throw new InputError(
      "Cannot pretrain with --elastic and optimizer.sharded: the moments of a process that dies would be lost; set it to false",
    );
  }
  if (hasMemory(wire)) {
    throw new InputError(
      `Cannot pretrain with --elastic and wire=${wire}: what a process that dies remembers would be lost; take f32 or bf16`,
    );
  }
  if (diloco) {
    throw new InputError(
      "Cannot pretrain with --elastic and diloco: the parameters and moments that a process that dies has alone would be lost; leave one out",
    );
  }
}

/**
 * Refuses to be watched where another process may take the place of the first.
 *
 * @throws InputError
 */
export function refuseWatched(
  { trace, metrics }: Pick<PretrainOptions, "trace" | "metrics">,
): void {
  const option = trace !== undefined ? "--trace" : metrics !== undefined ? "--metrics" : undefined;
  if (option === undefined) return;
  throw new InputError(
    `Cannot pretrain with ${option} as a member of an elastic run: its first process may change; leave it out`,
  );
}

/** Takes part until the run is over; what came of it, where this process led at the end. */
export async function trainElastic(
  place: ElasticPlace,
  run: Omit<RunOptions, "crew" | "kept">,
  { heartbeat, others, began }: {
    /** Units: seconds. */
    readonly heartbeat: number;
    /** What all must have been told, beside the configuration. */
    readonly others: readonly unknown[];
    readonly began: number;
  },
): Promise<Finished | undefined> {
  const { config, corpus, device, skipBad = false, view } = run, kept = createKept();
  const { seat: { name }, token = "" } = place;
  const port = Number(Deno.env.get(FENCE) ?? 0);
  watchLauncher();
  const lead = (term: Term, renew: Renewal): Promise<Finished> =>
    pretrain({
      ...run,
      kept,
      stepped: term.stepped,
      crew: leadCrew(term.group, device, renew),
    }, began);
  return await joinElastic(place, {
    plan: planHash([], config, others),
    deadline: PATIENCE,
    silence: 1000 * heartbeat,
    fence: port > 0
      ? async ({ name }, rank) => {
        if (await askFence(port, token, name)) return;
        throw new DistError(`Cannot ask the launcher to end ${name}`, "lost", { rank });
      }
      : undefined,
    onTerm({ generation, members }, why) {
      if (members[0]!.name !== name || generation === 1) return;
      const names = members.map(({ name }) => name).join(", ");
      const from = why && why.failure !== "renewed" ? `${why.message}; ` : "";
      view.note(`${from}generation ${generation}: ${names}`);
    },
  }, async (term) => {
    const { group } = term;
    const renew = { isWanted: () => term.waiting > 0, error: term.renewal };
    if (group.rank === 0) return await lead(term, renew);
    const { stepped } = term;
    await follow({ config, corpus, device, group, skipBad, kept, renew, stepped });
    return undefined;
  });
}
