/**
 * What every process that takes its steps apart has for itself, together in a checkpoint, and how it comes there and back.
 *
 * @module
 */
import {
  type AnyTensor,
  fromArray,
  leaves,
  mapTree,
  read,
  sizesOf,
  type Tensor,
  type Tree,
  zeros,
} from "../../core/mod.ts";
import type { Collective, WireArray } from "../../dist/mod.ts";
import type { PretrainConfig } from "./config.ts";
import type { Model } from "./model.ts";
import type { LearnState } from "./step.ts";
import { arraysOf } from "./team.ts";

/** All processes' own, on the host. Parameters are in a row. */
export interface Workers {
  /** Of the outer parameters. */
  readonly momentum: AnyTensor;
  /** The first process's parameters, or, where this is told to one, that one's. */
  readonly own: AnyTensor;
  /** The other processes' parameters, and what their optimisers remember. */
  readonly others: readonly { readonly params: AnyTensor; readonly learning: LearnState }[];
}

/** A state with places for all processes' own, without values, where the configuration has some. */
export function withWorkers<S extends { readonly model: Model; readonly optimizer: LearnState }>(
  { diloco }: Pick<PretrainConfig, "diloco">,
  like: S,
): S & { readonly workers?: Workers } {
  if (!diloco) return like;
  const length = leaves(like.model as unknown as Tree<AnyTensor>).reduce(
    (sum, x) => sum + sizesOf(x).reduce((n, axis) => n * axis, 1),
    0,
  );
  const row = (): AnyTensor => zeros([length]) as AnyTensor;
  const others = Array.from({ length: diloco.workers - 1 }, () => ({
    params: row(),
    learning: like.optimizer,
  }));
  return { ...like, workers: { momentum: row(), own: row(), others } };
}

/** A tree like another, of these arrays. */
function treeOf<T>(like: T, arrays: readonly WireArray[]): T {
  const tensors = leaves(like as Tree<AnyTensor>);
  let i = 0;
  return mapTree(like as Tree<AnyTensor>, (x) => {
    const at = i++;
    return fromArray(arrays[at]!, [...sizesOf(x)], tensors[at]!.dtype) as AnyTensor;
  }) as T;
}

const rowOf = (array: Float32Array): AnyTensor =>
  fromArray(array.slice(), [array.length]) as AnyTensor;

/** The first process gets what all have; the others, which must call it too, nothing. @throws DistError */
export async function gatherWorkers(
  group: Collective,
  params: Float32Array,
  momentum: Float32Array,
  learning: LearnState,
): Promise<Workers | undefined> {
  const arrays: readonly WireArray[] = await arraysOf(learning);
  if (group.rank > 0) {
    for (const array of [params, ...arrays]) await group.send(array, 0);
    return undefined;
  }
  const others: Workers["others"][number][] = [];
  for (let rank = 1; rank < group.size; rank++) {
    const found = [params, ...arrays].map((array) => array.slice());
    for (const array of found) await group.receive(array, rank);
    const [own, ...rest] = found;
    others.push({ params: rowOf(own as Float32Array), learning: treeOf(learning, rest) });
  }
  return { momentum: rowOf(momentum), own: rowOf(params), others };
}

/** The first process gives everybody what is theirs. @throws DistError */
export async function giveWorkers(group: Collective, { momentum, others }: Workers): Promise<void> {
  await group.broadcast(await read(momentum as Tensor), 0);
  for (const [i, { params, learning }] of others.entries()) {
    for (const array of await arraysOf({ params, learning })) await group.send(array, i + 1);
  }
}

/** What the first process gives this one: its own alone, and what its optimiser remembers. @throws DistError */
export async function hearWorkers(
  group: Collective,
  length: number,
  like: LearnState,
): Promise<{ readonly workers: Workers; readonly optimizer: LearnState }> {
  const momentum = await group.broadcast(new Float32Array(length), 0);
  // In the order of the tree that is given.
  const arrays = [...await arraysOf(like), new Float32Array(length)];
  for (const array of arrays) await group.receive(array, 0);
  const own = arrays.pop() as Float32Array;
  return {
    workers: { momentum: rowOf(momentum), own: rowOf(own), others: [] },
    optimizer: treeOf(like, arrays),
  };
}
