/**
 * The processes of a run, between and around its steps: the first tells the others what to train from, and when it is over. It alone reads
 * and writes the run's folder.
 *
 * @module
 */
import {
  type AnyTensor,
  type Device,
  fromArray,
  leaves,
  mapTree,
  paths,
  sizesOf,
  toDevice,
  type Tree,
} from "../../core/mod.ts";
import { DistError, giveState, type Group, type NamedArray } from "../../dist/mod.ts";
import type { RankFiles } from "../run/checkpoint.ts";
import { leadMemory } from "./rank_memory.ts";
import type { RunCorpus } from "./run_corpus.ts";
import { arraysOf, createTeam, type Team, type TeamOptions } from "./team.ts";
import type { TrainState } from "./train.ts";

/** What the others train next. */
export interface Order {
  /** The stage's number, from 1, and the step of it that training goes on from. */
  readonly stage: number;
  readonly step: number;
  readonly rollbacks: number;
}

/** The other processes, as the first one sees them. */
export interface Crew {
  /** Gives all the same state, each what it remembers, and a team to take steps with. */
  begin(order: Order, state: TrainState, ranks?: RankFiles): Promise<Team>;
  /** Lets the others go. */
  end(): Promise<void>;
}

/** The first process's side. */
export function leadCrew(group: Group, options: TeamOptions): Crew {
  const tell = (...order: readonly number[]): Promise<unknown> =>
    group.broadcast(Float64Array.from({ length: 4 }, (_, i) => order[i] ?? 0), 0);
  return {
    async begin({ stage, step, rollbacks }, { model, optimizer }, ranks) {
      await tell(1, stage, step, rollbacks);
      await giveState(group, await namedArrays({ model, optimizer }), 0);
      const team = createTeam(group, model, options);
      await leadMemory(group, team.compressed, ranks);
      return team;
    },
    async end() {
      await tell(0);
    },
  };
}

/** The contents of a tree's leaves, with their names. */
async function namedArrays(tree: unknown): Promise<readonly NamedArray[]> {
  const arrays = await arraysOf(tree);
  return paths(tree as Tree<AnyTensor>).map(([name], i) => [name, arrays[i]!]);
}

/** What the first process wants next; undefined if nothing. */
export async function hearOrder(group: Group): Promise<Order | undefined> {
  const [goesOn, stage, step, rollbacks] = await group.broadcast(new Float64Array(4), 0);
  return goesOn === 1 ? { stage: stage!, step: step!, rollbacks: rollbacks! } : undefined;
}

/** The state that the first process gives all; `like` is one of the same model. */
export async function hearState(
  group: Group,
  like: Pick<TrainState, "model" | "optimizer">,
  device: Device,
): Promise<Pick<TrainState, "model" | "optimizer">> {
  const { model, optimizer } = like, tree = { model, optimizer } as unknown as Tree<AnyTensor>;
  const tensors = leaves(tree), named = await namedArrays(tree);
  await giveState(group, named, 0);
  let i = 0;
  const heard = mapTree(tree, (x) => {
    const found = fromArray(named[i]![1], [...sizesOf(x)], tensors[i]!.dtype) as AnyTensor;
    i++;
    return found;
  });
  return await toDevice(heard, device) as unknown as Pick<TrainState, "model" | "optimizer">;
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
