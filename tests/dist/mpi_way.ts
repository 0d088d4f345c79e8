/** Ranks that are processes of an MPI world: every process runs every test. */
import { deserialize, serialize } from "node:v8";
import { DistError } from "../../dist/error.ts";
import { openLibrary } from "../../dist/mpi/library.ts";
import { openMpi } from "../../dist/mpi/world.ts";
import type { Transport } from "../../dist/transport/transport.ts";
import { LIBRARY_VARIABLE } from "./mpi.ts";
import type { Way } from "./ranks.ts";

/** Enters MPI. */
export function mpiWay(): Way {
  const library = Deno.env.get(LIBRARY_VARIABLE), world = openMpi({ library });
  const { rank, size, addresses } = world;
  const { abi, calls, check, objects } = openLibrary(library, (name) => Deno.env.get(name));
  const indices = Array.from({ length: size }, (_, r) => r);

  /** Everybody's bytes, straight by MPI. */
  async function gather(array: Uint8Array | Int32Array, lengths: readonly number[]): Promise<void> {
    const type = objects.types[array instanceof Int32Array ? "i32" : "u8"];
    const places = lengths.map((_, i) => lengths.slice(0, i).reduce((sum, n) => sum + n, 0));
    const [counts, starts] = [steady(lengths), steady(places)];
    const { world: comm } = objects;
    const code = calls.allGatherWaiting(abi.inPlace, 0, type, array, counts, starts, type, comm);
    check("gather outcomes", await code);
  }
  async function share(outcome: Uint8Array): Promise<readonly Uint8Array[]> {
    const lengths = steady(indices.map(() => outcome.length));
    await gather(lengths, indices.map(() => 1));
    const ends = indices.map((r) => lengths.subarray(0, r + 1).reduce((sum, n) => sum + n, 0));
    const all = new Uint8Array(new ArrayBuffer(ends.at(-1)!));
    all.set(outcome, ends[rank]! - outcome.length);
    await gather(all, [...lengths]);
    return indices.map((r) => all.slice(ends[r]! - lengths[r]!, ends[r]));
  }
  return {
    name: "mpi",
    most: size,
    async each<T>(
      count: number,
      f: (transports: readonly Transport[], rank: number) => Promise<T>,
    ): Promise<readonly PromiseSettledResult<T>[]> {
      const transport = world.transport();
      const transports = addresses.slice(0, count).map((address, r) =>
        r === rank ? transport : { address } as Transport
      );
      const [outcome] = await Promise.allSettled(rank < count ? [f(transports, rank)] : []);
      // A door stays open until nobody asks any more, and the next one opens when all of these are closed.
      const all = await share(serialize(outcome && packed(outcome)));
      await transport.close();
      check("wait for all", await calls.barrierWaiting(objects.world));
      return all.slice(0, count).map((bytes) => unpacked<T>(deserialize(bytes)));
    },
    end: world.close,
  };
}

type Packed<T> = { readonly value: T } | {
  readonly message: string;
  readonly dist?: Pick<DistError, "failure" | "rank" | "operation">;
};

function packed<T>(outcome: PromiseSettledResult<T>): Packed<T> {
  if (outcome.status === "fulfilled") return { value: outcome.value };
  const error: unknown = outcome.reason;
  if (!(error instanceof DistError)) {
    return { message: error instanceof Error ? error.stack ?? error.message : String(error) };
  }
  const { message, failure, rank, operation } = error;
  return { message, dist: { failure, rank, operation } };
}

function unpacked<T>(outcome: Packed<T>): PromiseSettledResult<T> {
  if ("value" in outcome) return { status: "fulfilled", value: outcome.value };
  const { message, dist } = outcome;
  const reason = dist ? new DistError(message, dist.failure, dist) : new RangeError(message);
  return { status: "rejected", reason };
}

/** Numbers that do not move while another thread reads them. */
function steady(numbers: readonly number[]): Int32Array {
  const array = new Int32Array(new ArrayBuffer(4 * numbers.length));
  array.set(numbers);
  return array;
}
