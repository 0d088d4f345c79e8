/**
 * What every process that takes its steps apart has for itself, on its way to the first one, which saves it, and back.
 *
 * @module
 */
import { type AnyTensor, fromArray, paths, read, type Tensor, type Tree } from "../../core/mod.ts";
import type { Collective, WireArray } from "../../dist/mod.ts";
import { InputError } from "../cli/input_error.ts";
import type { RankFiles } from "../run/checkpoint.ts";
import type { LearnState } from "./step.ts";
import { arraysOf, treeOf } from "./tree_arrays.ts";

/** What a process goes on with beside the outer parameters. Parameters are in a row. */
export interface Own {
  /** Of the outer parameters; the same for all. */
  readonly momentum: Float32Array<ArrayBuffer>;
  readonly params: Float32Array<ArrayBuffer>;
}

const rowOf = (array: Float32Array): AnyTensor => fromArray(array, [array.length]) as AnyTensor;

/** What all have, for the first process, one after the other. The others must hand in theirs at the same time. */
export async function* gatherOwn(
  group: Collective,
  { momentum, params }: Own,
  learning: LearnState,
): AsyncIterable<Tree<AnyTensor>> {
  // What the first one's optimiser remembers is in every checkpoint.
  yield { momentum: rowOf(momentum.slice()), params: rowOf(params.slice()) };
  const like: readonly WireArray[] = await arraysOf(learning);
  for (let rank = 1; rank < group.size; rank++) {
    const found = [params, ...like].map((array) => array.slice());
    for (const array of found) await group.receive(array, rank);
    const [own, ...rest] = found;
    yield {
      params: rowOf(own as Float32Array),
      learning: treeOf(learning, rest) as unknown as Tree<AnyTensor>,
    };
  }
}

/** Gives the first process what this one has. */
export async function handOwn(
  group: Collective,
  { params }: Own,
  learning: LearnState,
): Promise<void> {
  for (const array of [params, ...await arraysOf(learning)]) await group.send(array, 0);
}

/**
 * Gives every process what it goes on with; called by the first, which gets its own, while the others hear. `learning` is its own.
 *
 * @throws InputError where the checkpoint is of another number of processes, or something is missing in it
 */
export async function leadOwn(
  group: Collective,
  files: RankFiles | undefined,
  learning: LearnState,
): Promise<Own> {
  if (files?.size !== group.size) {
    throw new InputError(
      `Cannot go on by ${group.size} processes that take steps apart: the checkpoint is of ${
        files?.size ?? 0
      }; remove its folder to go on from the one before`,
    );
  }
  const find = async (rank: number, names: readonly string[]): Promise<WireArray[]> => {
    const found = await files.read(rank);
    return await Promise.all(names.map(async (name) => {
      const tensor = found.get(name);
      if (tensor) return await read(tensor as Tensor) as WireArray;
      throw new InputError(
        `Cannot go on: the checkpoint's file of rank ${rank} has no '${name}'; remove its folder`,
      );
    }));
  };
  const [momentum, params] = await find(0, ["momentum", "params"]) as Float32Array<ArrayBuffer>[];
  await group.broadcast(momentum!, 0);
  const names = paths(learning as unknown as Tree<AnyTensor>).map(([name]) => `learning.${name}`);
  for (let rank = 1; rank < group.size; rank++) {
    for (const array of await find(rank, ["params", ...names])) await group.send(array, rank);
  }
  return { momentum: momentum!, params: params! };
}

/** What the first process gives this one: its own, and what its optimiser remembers. `like` is such a state. */
export async function hearOwn(
  group: Collective,
  length: number,
  like: LearnState,
): Promise<{ readonly own: Own; readonly optimizer: LearnState }> {
  const momentum = new Float32Array(length), params = new Float32Array(length);
  await group.broadcast(momentum, 0);
  const arrays: readonly WireArray[] = await arraysOf(like);
  for (const array of [params, ...arrays]) await group.receive(array, 0);
  return { own: { momentum, params }, optimizer: treeOf(like, arrays) };
}
