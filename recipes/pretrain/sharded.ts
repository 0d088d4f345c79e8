/**
 * Moments that are shared out among the processes of a run (`optimizer.sharded`): each keeps those of some parameters, moves these, and
 * gives them to the others after every step.
 *
 * @module
 */
import {
  type AnyTensor,
  dispose,
  fromArray,
  leaves,
  mapTree,
  paths,
  read,
  type Tensor,
  type Tree,
} from "../../core/mod.ts";
import { isTensor } from "../../core/tensor.ts";
import { type Collective, ownersOf, shareLeaves } from "../../dist/mod.ts";
import type { Group } from "../../optim/mod.ts";
import type { PretrainConfig } from "./config.ts";
import type { Model } from "./model.ts";
import type { LearnState } from "./step.ts";
import { lengthsOf, shapesOf } from "./tree_arrays.ts";

/** One process's part of the moments. */
export interface Sharded {
  /** The parameters that this process's optimiser must leave alone. */
  readonly others: Group;
  /** This process's part of a whole state; the rest is freed. */
  keep(state: LearnState): LearnState;
  /** The model with everybody's parameters, where each process has moved its own. */
  share(model: Model): Promise<Model>;
  /** The whole state, for the first process; what they have, for others. All must ask for it at the same time. */
  gather(state: LearnState): Promise<LearnState>;
}

type List = readonly AnyTensor[];

/** The lists of `count` tensors in a tree: what a transform remembers of each parameter. Always in the same order. */
function listsOf(tree: unknown, count: number): readonly List[] {
  if (isTensor(tree) || typeof tree !== "object" || tree === null) return [];
  if (Array.isArray(tree) && tree.every(isTensor)) return tree.length === count ? [tree] : [];
  return Object.keys(tree).sort().flatMap((key) =>
    listsOf((tree as Record<string, unknown>)[key], count)
  );
}

/** The tree with other lists in their places. */
function withLists(tree: unknown, others: ReadonlyMap<unknown, List>): unknown {
  if (others.has(tree)) return others.get(tree);
  if (isTensor(tree) || typeof tree !== "object" || tree === null) return tree;
  const entries = Object.keys(tree).map((key): [string, unknown] => [
    key,
    withLists((tree as Record<string, unknown>)[key], others),
  ]);
  return Array.isArray(tree) ? entries.map(([, x]) => x) : Object.fromEntries(entries);
}

/** Shares the moments of a model's parameters out. */
export function shardMoments(
  group: Collective,
  model: Model,
  { optimizer: { stateDtype } }: Pick<PretrainConfig, "optimizer">,
): Sharded {
  const { rank, size } = group, all = paths(model as unknown as Tree<AnyTensor>);
  const shapes = shapesOf(model), lengths = lengthsOf(shapes);
  const owners = ownersOf(lengths, size);
  const isOwn = (_: unknown, leaf: number): boolean => owners[leaf] === rank;
  const names = all.map(([name]) => name);
  const foreign = names.filter((name, leaf) => !isOwn(name, leaf)).map(RegExp.escape);
  const own = names.length - foreign.length;
  return {
    others: { match: new RegExp(`^(?:${foreign.join("|")})$`), frozen: true },
    keep({ transforms, ...rest }) {
      const lists = listsOf(transforms, names.length);
      for (const list of lists) dispose(list.filter((x, leaf) => !isOwn(x, leaf)));
      const kept = new Map(lists.map((list) => [list, list.filter(isOwn)]));
      return { ...rest, transforms: withLists(transforms, kept) as LearnState["transforms"] };
    },
    async share(model) {
      const tensors = leaves(model as unknown as Tree<AnyTensor>);
      const mine = await Promise.all(
        tensors.map((x, leaf) => isOwn(x, leaf) ? read(x as Tensor) : undefined),
      );
      const arrays = await shareLeaves(group, owners, lengths, (leaf) => mine[leaf]);
      let leaf = 0;
      const shared = mapTree(model as unknown as Tree<AnyTensor>, (x) => {
        const at = leaf++;
        return isOwn(x, at) ? x : fromArray(arrays[at]!, shapes[at]!) as AnyTensor;
      }) as unknown as Model;
      dispose(tensors.filter((x, leaf) => !isOwn(x, leaf)));
      return shared;
    },
    async gather({ transforms, ...rest }) {
      const lists = listsOf(transforms, own), whole = new Map<List, List>();
      for (const list of lists) {
        const waiting = [...list], found: AnyTensor[] = [];
        for (const [leaf, owner] of owners.entries()) {
          const x = owner === rank ? waiting.shift()! : undefined;
          if (rank !== 0) {
            if (x) await group.send(await read(x as Tensor), 0);
          } else if (x) found.push(x);
          else {
            const bits = stateDtype === "bf16" ? Uint16Array : Float32Array;
            const array = await group.receive(new bits(lengths[leaf]!), owner);
            found.push(fromArray(array, shapes[leaf]!, stateDtype) as AnyTensor);
          }
        }
        if (rank === 0) whole.set(list, found);
      }
      return { ...rest, transforms: withLists(transforms, whole) as LearnState["transforms"] };
    },
  };
}
