/**
 * Ranks that work together: every member calls the same operations in the same order, with arrays of the same type and shape.
 *
 * @module
 */
import { DistError } from "../error.ts";
import { bytesOf, part, roomLike, typeOf, type WireArray } from "../message/array.ts";
import { combines } from "../message/combine.ts";
import { MOST_AXES, nameHash, type Operation as Name, type Reduction } from "../message/header.ts";
import type { Subject } from "../message/parts.ts";
import type { Observer } from "../observer.ts";
import type {
  Lane,
  Meeting,
  Membership,
  Transport,
  TransportDoor,
} from "../transport/transport.ts";
import { broadcast } from "./broadcast.ts";
import { chunkOf } from "./chunk.ts";
import { doublingAllReduce, SMALL } from "./doubling.ts";
import { createOperation, type Operation } from "./operation.ts";
import { ringAllGather, ringAllReduce, ringReduceScatter } from "./ring.ts";
import { nodesOf } from "./shard_tree.ts";
import { foldShards, treeAllReduce } from "./shards.ts";
import { type GroupWatch, watchGroup } from "./watch.ts";

/** What one operation may take, and what its arrays are. */
export interface OperationOptions {
  /** Time that it may take from its turn on; then the group fails. Units: milliseconds; the group's own if left out. */
  readonly deadline?: number | undefined;
  /** Ends the operation, and the group with it: the others cannot go on without this rank. */
  readonly signal?: AbortSignal | undefined;
  /** What the elements are arranged as: only compared. All in a row if left out. */
  readonly shape?: readonly number[] | undefined;
}

/** How elements become one. */
export interface ReduceOptions extends OperationOptions {
  /** "sum" if left out. */
  readonly reduction?: Exclude<Reduction, "none"> | undefined;
}

/** What is given of shards. */
export interface ShardOptions extends ReduceOptions {
  /** The arrays are the sums of this rank's shards by whole subtrees, as `nodesOf` names them, and not the shards themselves. */
  readonly folded?: boolean | undefined;
}

/**
 * A group of ranks. Operations are collective and run one after another, in the order in which they are called; they work in place,
 * on arrays that must not be touched meanwhile and may lie in shared memory. The first failure ends the group: from then on every
 * operation is rejected with a {@linkcode DistError}, on every rank, and arrays under way hold nothing of use.
 */
export interface Group {
  /** This process's number, from 0. */
  readonly rank: number;
  /** Members. */
  readonly size: number;
  /** Do operations take arrays in shared memory without a copy, and others not? No, if left out. */
  readonly prefersShared?: boolean;
  /** Everybody gets the sum. The same bits on every rank, and in every run with as many ranks. */
  allReduce<T extends WireArray>(array: T, options?: ReduceOptions): Promise<T>;
  /**
   * The sum over `total` arrays, of which this rank gives those that `chunkOf(total, rank, size)` names; they are used up. The same
   * bits for any number of ranks.
   */
  allReduceShards<T extends WireArray>(
    shards: readonly T[],
    total: number,
    into: T,
    options?: ShardOptions,
  ): Promise<T>;
  /** This rank gets the sum of its chunk, which is given; the rest of the array holds nothing of use. */
  reduceScatter<T extends WireArray>(array: T, options?: ReduceOptions): Promise<T>;
  /** Everybody gets each rank's chunk. */
  allGather<T extends WireArray>(array: T, options?: OperationOptions): Promise<T>;
  /** Everybody gets the root's array. */
  broadcast<T extends WireArray>(array: T, root: number, options?: OperationOptions): Promise<T>;
  /** Resolves when everybody is here. */
  barrier(options?: OperationOptions): Promise<void>;
  /** To one rank, which must receive. Sends to one rank arrive in order, and do not wait for what the group does. */
  send(array: WireArray, to: number, options?: OperationOptions): Promise<void>;
  /** From one rank. */
  receive<T extends WireArray>(array: T, from: number, options?: OperationOptions): Promise<T>;
  /** A group of those who give the same color, an integer of 32 bits, in the order of their ranks. */
  split(color: number, options?: OperationOptions): Promise<Group>;
  /** Calls `f` when the group fails; at once if it has. */
  onFailure(f: (error: DistError) => void): void;
  /** Ends the group for everybody, and tells them why. */
  abort(error: DistError): void;
  /** Leaves in good order, after the operations that were called. */
  close(): Promise<void>;
}

/** How patient a group is. */
export interface GroupOptions {
  /** Time that an operation may take, joining included. Units: milliseconds; five minutes if left out. */
  readonly deadline?: number | undefined;
  /** Time that joining may take. Units: milliseconds; the deadline if left out. */
  readonly joining?: number | undefined;
  /** Is told of everything that the group, and those split from it, do. */
  readonly observer?: Observer | undefined;
}

/** A door to other processes whose links are in another thread: what stands here is whole groups. */
export interface GroupTransport extends TransportDoor {
  /** As the function of this name. @throws DistError */
  joinGroup(member: Membership, options?: GroupOptions): Promise<Group>;
  /** Everybody's address, by rank, for who knows that of rank 0. @throws DistError */
  meet(meeting: Meeting): Promise<readonly string[]>;
}

/**
 * Becomes a member of a group, and waits until all are.
 *
 * @throws DistError
 */
export async function joinGroup(
  transport: Transport | GroupTransport,
  member: Membership,
  options: GroupOptions = {},
): Promise<Group> {
  if ("joinGroup" in transport) return await transport.joinGroup(member, options);
  const { job, generation, group: name, rank, addresses } = member;
  const seen = { job, generation, name, rank, size: addresses.length };
  const watch = watchGroup(seen, transport.clock, options.observer);
  const group = createGroup(transport, member, options, watch);
  await group.barrier({ deadline: options.joining });
  watch.joined();
  return group;
}

function createGroup(
  transport: Transport,
  member: Membership,
  { deadline: patience = 300_000, observer }: GroupOptions,
  watch: GroupWatch,
): Group {
  const { rank } = member, size = member.addresses.length, { clock } = transport;
  const links = transport.join(member), turns = new Map<string, Promise<unknown>>();
  const counts = new Map<string, number>(), ids = { rank, size };
  const common = {
    job: nameHash(member.job),
    generation: member.generation,
    group: nameHash(member.group),
    plan: member.plan,
  };
  const nothing = new Uint8Array(0);
  let { engine } = links, failure: DistError | undefined, splits = 0, isBegun = false;
  links.onFailure((error) => {
    failure = error;
    watch.failed(error);
  });

  const abort = (error: unknown): void => {
    if (error instanceof DistError) return links.abort(error);
    const why = error instanceof Error ? error.message : String(error);
    links.abort(new DistError(`Rank ${rank} failed: ${why}`, "aborted", { rank, cause: error }));
  };
  /** Everybody is at the same operation: its header, which messages without bytes carry, is compared. */
  const agree = (op: Operation): Promise<void> =>
    doublingAllReduce(op, nothing, combines.none, abort);
  /** Runs `body` when its line's turn comes; a line is a row of operations that wait for each other. */
  function run(
    what: Pick<Subject, "operation" | "type" | "reduction" | "shape">,
    { deadline = patience, signal }: OperationOptions,
    body: (op: Operation) => Promise<void>,
    line = "",
  ): Promise<void> {
    const sequence = counts.get(line) ?? 0, name = `${what.operation} #${sequence}`;
    counts.set(line, sequence + 1);
    const seen = watch.called({ ...what, sequence, line });
    async function go(): Promise<void> {
      const waiting = new Set<number>();
      // What an engine does by itself waits for nobody by a link.
      const awaited = (): number[] => [
        ...waiting.size || line !== "" ? waiting : engine?.behind?.() ?? [],
      ];
      const traffic = seen.begun(awaited);
      const op = createOperation(links, { ...common, ...what, sequence }, ids, waiting, traffic);
      const late = (): void => {
        const waited = awaited(), [slow] = waited, whom = waited.sort((a, b) => a - b).join(", ");
        const text = `Rank ${rank} waited ${deadline} ms for rank ${whom} in ${name}`;
        links.abort(new DistError(text, "deadline", { rank: slow, operation: name }));
      };
      const stop = (): void => {
        const text = `Rank ${rank} took back ${name}`;
        const cause: unknown = signal!.reason;
        links.abort(new DistError(text, "aborted", { rank, operation: name, cause }));
      };
      const cancel = clock.after(deadline, late);
      signal?.addEventListener("abort", stop);
      try {
        if (signal?.aborted) stop();
        if (failure) throw failure;
        // With an engine ranks agree first: its calls compare nothing and cannot be taken back.
        if (isBegun && line === "") await agree(op.over(engine!));
        await body(op);
        if (engine && !isBegun) {
          isBegun = await engine.begin(op);
          if (!isBegun) engine = undefined;
        }
        seen.ended();
      } catch (error) {
        abort(error);
        seen.ended(failure ?? error);
        if (!(error instanceof DistError)) throw error;
        throw within(name, failure ?? error);
      } finally {
        cancel();
        signal?.removeEventListener("abort", stop);
      }
    }
    const before = turns.get(line), turn = before ? before.then(go, go) : go();
    turns.set(line, turn);
    return turn;
  }
  const subject = (
    operation: Name,
    array: WireArray,
    shape: readonly number[] = [array.length],
    reduction: Reduction = "none",
  ) => {
    if (shape.length > MOST_AXES || shape.reduce((n, axis) => n * axis, 1) !== array.length) {
      throw new TypeError(`Cannot ${operation} ${array.length} elements as [${shape}]`);
    }
    return { operation, type: typeOf(array), reduction, shape };
  };
  const other = (doing: string, to: number): void => {
    if (Number.isInteger(to) && to >= 0 && to < size && to !== rank) return;
    throw new RangeError(
      `Cannot ${doing} rank ${to}: it must be another of the ranks 0 to ${size - 1}`,
    );
  };
  const point: Lane = "point";

  const group: Group = {
    rank,
    size,
    async allReduce(array, options = {}) {
      const { reduction = "sum", shape } = options, combine = combines[reduction];
      const algorithm = array.byteLength <= SMALL ? doublingAllReduce : ringAllReduce;
      await run(
        subject("allReduce", array, shape, reduction),
        options,
        (op) => engine?.allReduce(array, reduction, op) ?? algorithm(op, array, combine, abort),
      );
      return array;
    },
    async allReduceShards(arrays, total, into, options = {}) {
      const { reduction = "sum", shape, folded = false } = options;
      const { from, to } = chunkOf(total, rank, size);
      if (arrays.length !== (folded ? nodesOf(from, to).length : to - from) || total < 1) {
        throw new RangeError(
          `Cannot sum ${arrays.length} ${
            folded ? "subtrees" : "shards"
          } as rank ${rank} of ${size}: of ${total} shards it has those from ${from} up to ${to}`,
        );
      }
      const odd = arrays.find((a) => a.length !== into.length || typeOf(a) !== typeOf(into));
      if (odd) {
        throw new TypeError(
          `Cannot sum a shard of ${odd.length} ${typeOf(odd)} into ${into.length} ${
            typeOf(into)
          }: they must be alike`,
        );
      }
      // The number of shards stands before the shape, so that ranks that differ in it find out.
      const what = subject("allReduceShards", into, shape, reduction);
      const combine = combines[reduction];
      await run({ ...what, shape: [total, into.length] }, options, (op) => {
        const sums = foldShards(op, { arrays, total, folded }, combine);
        return engine?.allReduceShards(sums, into, reduction, op) ??
          treeAllReduce(op, sums, into, combine, abort);
      });
      return into;
    },
    async reduceScatter(array, options = {}) {
      const { reduction = "sum", shape } = options,
        { from, to } = chunkOf(array.length, rank, size);
      await run(
        subject("reduceScatter", array, shape, reduction),
        options,
        (op) =>
          engine?.reduceScatter(array, reduction) ??
            ringReduceScatter(op, array, combines[reduction], abort),
      );
      return part(array, from, to);
    },
    async allGather(array, options = {}) {
      await run(
        subject("allGather", array, options.shape),
        options,
        (op) => engine?.allGather(array) ?? ringAllGather(op, array, abort),
      );
      return array;
    },
    async broadcast(array, root, options = {}) {
      if (!Number.isInteger(root) || root < 0 || root >= size) {
        throw new RangeError(`Cannot broadcast from rank ${root}: ranks go from 0 to ${size - 1}`);
      }
      await run(
        subject("broadcast", array, options.shape),
        options,
        (op) => engine?.broadcast(array, root, op) ?? broadcast(op, array, root, abort),
      );
      return array;
    },
    async barrier(options = {}) {
      await run(subject("barrier", nothing), options, async (op) => {
        if (!isBegun) await agree(op);
      });
    },
    async send(array, to, options = {}) {
      other("send to", to);
      await run(
        subject("send", array, options.shape),
        options,
        (op) => op.to(to, point).send(bytesOf(array)),
        `to ${to}`,
      );
    },
    async receive(array, from, options = {}) {
      other("receive from", from);
      await run(
        subject("send", array, options.shape),
        options,
        (op) => op.from(from, point).receive(bytesOf(array)),
        `from ${from}`,
      );
      return array;
    },
    async split(color, options = {}) {
      if (!Number.isInteger(color) || color < 0 || color >= 2 ** 32) {
        throw new RangeError(`Cannot split by color ${color}: it must be an integer of 32 bits`);
      }
      const colors = roomLike(new Uint32Array(), size),
        name = `${member.group || "all"}/${splits++}.${color}`;
      colors[rank] = color;
      await run(subject("split", colors), options, (op) => ringAllGather(op, colors, abort));
      const members = Array.from(colors.keys()).filter((r) => colors[r] === color);
      const { addresses } = member;
      return await joinGroup(transport, {
        ...member,
        group: name,
        rank: members.indexOf(rank),
        addresses: members.map((r) => addresses[r]!),
      }, { deadline: options.deadline ?? patience, observer });
    },
    onFailure: links.onFailure,
    abort: links.abort,
    async close() {
      await Promise.allSettled(turns.values());
      await links.close();
    },
  };
  return group;
}

/** The failure as the one operation's that it ended. */
function within(operation: string, failure: DistError): DistError {
  return new DistError(`Cannot finish ${operation}: ${failure.message}`, failure.failure, {
    rank: failure.rank,
    operation,
    cause: failure,
  });
}
