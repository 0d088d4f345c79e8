/**
 * What processes remember between exchanges, on its way to the first one, which saves it, and back.
 *
 * @module
 */
import { type AnyTensor, fromArray, read, type Tensor, type Tree } from "../../core/mod.ts";
import type { Collective, CompressedExchange, Memory, Remembered } from "../../dist/mod.ts";
import { InputError } from "../cli/input_error.ts";
import type { RankFiles } from "../run/checkpoint.ts";

type Exchange = CompressedExchange | undefined;

const fields = ["worker", "server", "basis"] as const;

/** The arrays of a memory that have something in them, with their names. */
function arraysOf(memory: readonly Memory[]): [name: string, array: Float32Array<ArrayBuffer>][] {
  return memory.flatMap((bucket, b) =>
    fields.flatMap((field): [string, Float32Array<ArrayBuffer>][] =>
      bucket[field].length > 0 ? [[`${b}.${field}`, bucket[field]]] : []
    )
  );
}

/** The memories of all, for the first process, one after the other. The others must hand in theirs at the same time. */
export async function* gatherMemory(
  group: Collective,
  exchange: CompressedExchange,
): AsyncIterable<Tree<AnyTensor>> {
  for (let rank = 0; rank < group.size; rank++) {
    const arrays = arraysOf(rank === 0 ? exchange.memory : exchange.fresh(rank));
    for (const [, array] of arrays) if (rank > 0) await group.receive(array, rank);
    yield Object.fromEntries(
      arrays.map(([name, array]) => [name, fromArray(array.slice(), [array.length]) as AnyTensor]),
    );
  }
}

/** Gives the first process what this one remembers. */
export async function handMemory(group: Collective, exchange: CompressedExchange): Promise<void> {
  for (const [, array] of arraysOf(exchange.memory)) await group.send(array, 0);
}

/** Gives every process what it goes on with after those that left `files`; called by the first, while the others hear. */
export async function leadMemory(
  group: Collective,
  exchange: Exchange,
  files: RankFiles | undefined,
): Promise<void> {
  if (!exchange) return;
  await group.broadcast(Uint8Array.of(files ? 1 : 0), 0);
  if (!files) return;
  const before = remembered(exchange, files);
  try {
    for (let rank = 1; rank < group.size; rank++) {
      for (const [, array] of arraysOf(await exchange.moved(before, rank))) {
        await group.send(array, rank);
      }
    }
    exchange.remember(await exchange.moved(before, 0));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InputError(`${error.message}; go on without it: remove this checkpoint's folder`);
  }
}

/** What the first process gives this one. */
export async function hearMemory(group: Collective, exchange: Exchange): Promise<void> {
  if (!exchange) return;
  const [is] = await group.broadcast(new Uint8Array(1), 0);
  if (is === 0) return;
  const memory = exchange.fresh(group.rank);
  for (const [, array] of arraysOf(memory)) await group.receive(array, 0);
  exchange.remember(memory);
}

/** Files as what ranks remember. */
function remembered({ memory }: CompressedExchange, files: RankFiles): Remembered {
  return {
    size: files.size,
    async read(rank) {
      const found = await files.read(rank);
      const array = async (name: string): Promise<Float32Array<ArrayBuffer>> => {
        const tensor = found.get(name);
        return tensor ? new Float32Array(await read(tensor as Tensor)) : new Float32Array(0);
      };
      return await Promise.all(memory.map(async (_, b) => ({
        worker: await array(`${b}.worker`),
        server: await array(`${b}.server`),
        basis: await array(`${b}.basis`),
      })));
    },
  };
}
