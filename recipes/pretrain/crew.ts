/**
 * The processes of a run, between and around its steps: the first tells the others what to train from, and when it is over. It alone reads
 * and writes the run's folder.
 *
 * @module
 */
import { type AnyTensor, type Device, paths, toDevice, type Tree } from "../../core/mod.ts";
import {
  alone,
  type Collective,
  DistError,
  giveState,
  type Group,
  type NamedArray,
} from "../../dist/mod.ts";
import type { RankFiles } from "../run/checkpoint.ts";
import { type Apart, createApart } from "./apart.ts";
import type { Renewal } from "./between_steps.ts";
import type { PretrainConfig } from "./config.ts";
import { leadMemory } from "./rank_memory.ts";
import type { RunCorpus } from "./run_corpus.ts";
import { createTeam } from "./team.ts";
import type { TrainHooks, TrainState } from "./train.ts";
import { arraysOf, treeOf } from "./tree_arrays.ts";
import { leadOwn } from "./workers.ts";

/** What the others train next. */
export interface Order {
  /** The stage's number, from 1, and the step of it that training goes on from. */
  readonly stage: number;
  readonly step: number;
  readonly rollbacks: number;
}

/** How a process takes its steps with the others: each of them together, or apart. */
export type Together = Pick<TrainHooks, "team" | "apart">;

/** The other processes, as the first one sees them. */
export interface Crew {
  /** Gives all the same state, each what it has for itself, and what they take the steps of a stage with. */
  begin(
    order: Order,
    state: TrainState,
    config: PretrainConfig,
    ranks?: RankFiles,
  ): Promise<Together>;
  /** Lets the others go. */
  end(): Promise<void>;
}

/** The first process's side. */
export function leadCrew(group: Group, device: Device, renew?: Renewal): Crew {
  const beside = besideOf(group);
  const tell = (...order: readonly number[]): Promise<unknown> =>
    group.broadcast(Float64Array.from({ length: 4 }, (_, i) => order[i] ?? 0), 0);
  return {
    async begin({ stage, step, rollbacks }, state, config, ranks) {
      await tell(1, stage, step, rollbacks);
      const { model, optimizer } = state;
      // Who takes steps apart has an optimiser of its own.
      const told = config.diloco ? { model } : { model, optimizer };
      await giveState(group, await namedArrays(told), 0);
      if (config.diloco) {
        return { apart: await leadApart(group, beside.open, config, state, ranks, device) };
      }
      const team = createTeam(group, model, { ...config, device, renew });
      await leadMemory(group, team.compressed, ranks);
      return { team };
    },
    async end() {
      await tell(0);
      await beside.close();
    },
  };
}

/** The contents of a tree's leaves, with their names. */
async function namedArrays(tree: unknown): Promise<readonly NamedArray[]> {
  const arrays = await arraysOf(tree);
  return paths(tree as Tree<AnyTensor>).map(([name], i) => [name, arrays[i]!]);
}

/** The first process's side of steps that are taken apart from here on. */
async function leadApart(
  group: Collective,
  openBeside: () => Collective | Promise<Collective>,
  config: PretrainConfig,
  { step, model, optimizer }: TrainState,
  ranks: RankFiles | undefined,
  device: Device,
): Promise<Apart> {
  // At a stage's first step everybody begins with the same, and nobody has moments.
  const own = step > 0 ? await leadOwn(group, ranks, optimizer) : undefined;
  // After that, as the others do.
  return await createApart(group, await openBeside(), config, { model, own }, device);
}

/** What one process alone takes the steps of a stage with. */
export async function beginAlone(
  state: TrainState,
  config: PretrainConfig,
  ranks: RankFiles | undefined,
  device: Device,
): Promise<Together> {
  if (!config.diloco) return {};
  return { apart: await leadApart(alone(), alone, config, state, ranks, device) };
}

/** A group of the same processes whose operations wait for none of the first one's; all ask for it at the same time. */
export function besideOf(group: Group): { open(): Promise<Group>; close(): Promise<void> } {
  let beside: Promise<Group> | undefined;
  return {
    open: () => beside ??= group.split(0),
    close: async () => await (await beside)?.close(),
  };
}

/** What the first process wants next; undefined if nothing. */
export async function hearOrder(group: Group): Promise<Order | undefined> {
  const [goesOn, stage, step, rollbacks] = await group.broadcast(new Float64Array(4), 0);
  return goesOn === 1 ? { stage: stage!, step: step!, rollbacks: rollbacks! } : undefined;
}

/** What the first process gives all: a state, or a part of it; `like` is one of the same model. */
export async function hearState<S extends Partial<Pick<TrainState, "model" | "optimizer">>>(
  group: Group,
  like: S,
  device: Device,
): Promise<S> {
  const named = await namedArrays(like);
  await giveState(group, named, 0);
  const heard = treeOf(like, named.map(([, array]) => array));
  return await toDevice(heard as unknown as Tree<AnyTensor>, device) as unknown as S;
}

/**
 * Do all processes learn from the same text?
 *
 * @throws DistError where they do not
 */
export async function compareCorpora(
  group: Group,
  { vocabulary, report }: RunCorpus,
  hash: (text: string) => number,
): Promise<void> {
  const own = [hash(vocabulary.tokens.join("\n")), report.trainTokens];
  const all = new Float64Array(2 * group.size);
  all.set(own, 2 * group.rank);
  await group.allGather(all);
  for (let rank = 1; rank < group.size; rank++) {
    for (const [i, what] of ["vocabulary", "number of tokens"].entries()) {
      if (all[2 * rank + i] === all[i]) continue;
      throw new DistError(
        `Cannot train together: rank ${rank} has another ${what} (${
          all[2 * rank + i]
        }) than rank 0 (${all[i]})`,
        "mismatch",
        { rank },
      );
    }
  }
}
