/**
 * Operations of a group whose ranks share memory, all of them or those of each host: inside a host straight through memory, between
 * hosts by messages of each one's first rank.
 *
 * @module
 */
import { DistError } from "../../error.ts";
import { broadcast } from "../../group/broadcast.ts";
import { doublingAllReduce, SMALL } from "../../group/doubling.ts";
import { among, type Operation } from "../../group/operation.ts";
import { ringAllReduce } from "../../group/ring.ts";
import { nodesOf, type ShardNode } from "../../group/shard_tree.ts";
import { type ShardSums, treeAllReduce } from "../../group/shards.ts";
import { roomLike, type WireArray } from "../../message/array.ts";
import type { Reduction } from "../../message/header.ts";
import type { Engine, Links, Membership } from "../../transport/transport.ts";
import { type Bells, createBells } from "./bells.ts";
import { type Hosts, meetHosts, type Said } from "./hosts.ts";
import { layoutOf } from "./layout.ts";
import type { Libc } from "./libc.ts";
import { combineFor } from "./f32_add.ts";
import { createMail, type Mail } from "./mail.ts";
import { type Segment, shareSegment } from "./segment.ts";
import { createSteps, type Steps } from "./steps.ts";
import { createSums, type Sums } from "./sums.ts";

/** How memory is shared. */
export interface SharingOptions {
  /** Ranks share memory only with those of the same name here; the same for all of a machine if left out. */
  readonly host?: string | undefined;
  /** Bytes of each of a rank's two windows, at least 8 KiB for every rank of its host; 4 MiB if left out, and more for many ranks. */
  readonly window?: number | undefined;
  /** A rank that waits stays on its core for so long before it sleeps. Units: milliseconds; 0.2 if left out, 0 where ranks are more than cores. */
  readonly moment?: number | undefined;
}

const WINDOW = 4 << 20, WINDOW_A_RANK = 32 << 10, LEAST_A_RANK = 8 << 10, MOMENT = 0.2;

/** What a rank has once all have met. */
interface Met extends Hosts {
  /** On hosts with several ranks. */
  readonly mail?: Mail;
  readonly sums?: Sums;
}

/** The engine of one group. `open` gives the C library, or throws why not. */
export function hostEngine(
  open: () => Libc,
  { rank, addresses: { length: size } }: Membership,
  links: Links,
  { host: name = "", window, moment }: SharingOptions,
): Engine {
  const left = new Map<number, DistError>();
  let met: Met | undefined, bells: Bells | undefined, segment: Segment | undefined;
  let steps: Steps | undefined;
  let libc: Libc | undefined, failure: DistError | undefined, users = 0;
  // The end in good order is one too.
  links.onFailure((error) => {
    failure = error;
    if (segment) bells?.fail(error);
    giveBack();
  });
  links.onLeave((error) => {
    left.set(error.rank!, error);
    if (segment) bells?.look();
  });
  const abort = (error: unknown): void => {
    if (error instanceof DistError) links.abort(error);
  };
  function giveBack(): void {
    if (!failure || users > 0 || !segment) return;
    libc!.unmap(segment.mapping);
    segment = undefined;
  }
  /** Memory stays as long as somebody is in here; who looks at it otherwise asks first whether it is there. */
  async function use<T>(f: () => Promise<T>): Promise<T> {
    if (failure) throw failure;
    users++;
    try {
      return await f();
    } finally {
      users--;
      giveBack();
    }
  }
  function introduce(): Said {
    try {
      libc = open();
      return { host: `${libc.host()} ${name}` };
    } catch (error) {
      if (!(error instanceof DistError)) throw error;
      return { error: error.message };
    }
  }
  async function begin(op: Operation): Promise<boolean> {
    const hosts = await meetHosts(op, introduce(), abort);
    const { all, host, local } = hosts, members = all[host]!, { length: count } = members;
    if (all.length === size) return false;
    met = hosts;
    if (count === 1) return true;
    const windowBytes = window ?? Math.max(WINDOW, count * WINDOW_A_RANK);
    if (!(windowBytes >= count * LEAST_A_RANK) || windowBytes % 64 !== 0) {
      throw new RangeError(
        `Cannot share windows of ${windowBytes} bytes among ${count} ranks: it must be a multiple of 64 from ${
          count * LEAST_A_RANK
        } on`,
      );
    }
    const layout = layoutOf(count, windowBytes);
    segment = await shareSegment(libc!, layout, op, members);
    const { bytes } = segment.mapping, here = { rank: local, size: count };
    const stay = moment ?? (count > navigator.hardwareConcurrency ? 0 : MOMENT);
    bells = createBells(libc!, segment.mapping, layout, { ...here, moment: stay });
    if (failure) bells.fail(failure);
    try {
      segment.arrive();
      bells.ring();
      const { areAll } = segment;
      await bells.until(areAll);
    } finally {
      segment.seal();
    }
    const mail = createMail(bytes, layout, bells, local, (r) => left.get(r));
    steps = createSteps(bytes, layout, bells, { ...here, windowBytes });
    met = { ...hosts, mail, sums: createSums(steps, here) };
    return true;
  }
  const leaders = (): readonly number[] => met!.all.map(([first]) => first!);
  /** What one rank a host does in the name of all of it, then all ranks of the host get what it has. */
  async function between(
    op: Operation,
    heads: readonly number[],
    array: WireArray,
    go: (op: Operation) => Promise<void>,
  ): Promise<void> {
    const { all, host, sums } = met!;
    if (heads.includes(rank)) await go(among(op, heads));
    await sums?.broadcast(array, all[host]!.indexOf(heads[host]!));
  }

  return {
    begin: (op) => use(() => begin(op)),
    outgoing(to, lane) {
      const { all, host, mail } = met!, local = all[host]!.indexOf(to);
      if (local < 0 || !mail) return links.outgoing(to, lane);
      const way = mail.outgoing(local, rank, to);
      return Promise.resolve({
        ...way,
        send: (head: Uint8Array, body: Uint8Array) => use(() => way.send(head, body)),
      });
    },
    incoming(from, lane) {
      const { all, host, mail } = met!, local = all[host]!.indexOf(from);
      if (local < 0 || !mail) return links.incoming(from, lane);
      const way = mail.incoming(local, from, rank);
      return Promise.resolve({
        ...way,
        receive: (head: Uint8Array) => use(() => way.receive(head)),
      });
    },
    allReduce: (array, reduction, op) =>
      use(async () => {
        const { all, host, sums } = met!,
          isWhole = all.length === 1,
          combine = combineFor(reduction, array);
        await sums?.sum({
          nodes: all[host]!.map((_, from) => [{ from, size: 1 }]),
          arrays: [array],
          into: [array],
          combine,
          getters: isWhole ? "all" : "first",
          isTotal: true,
        });
        if (isWhole) return;
        const algorithm = array.byteLength <= SMALL ? doublingAllReduce : ringAllReduce;
        await between(op, leaders(), array, (op) => algorithm(op, array, combine, abort));
      }),
    allReduceShards(shards, into, reduction, op) {
      const { all } = met!, folded = all.length === 1 ? undefined : nodesByHost(all, shards);
      // Shards of a host that do not follow one another are no subtrees of it.
      if (all.length > 1 && !folded) return undefined;
      return use(() => sumShards(shards, into, reduction, op, folded));
    },
    reduceScatter(array, reduction) {
      const { all, sums } = met!;
      if (all.length > 1) return undefined;
      return use(() =>
        sums!.sum({
          nodes: all[0]!.map((_, from) => [{ from, size: 1 }]),
          arrays: [array],
          into: [array],
          combine: combineFor(reduction, array),
          getters: "none",
          isTotal: true,
        })
      );
    },
    allGather(array) {
      const { all, sums } = met!;
      return all.length > 1 ? undefined : use(() => sums!.gather(array));
    },
    broadcast: (array, root, op) =>
      use(async () => {
        // The root speaks for its host.
        const heads = met!.all.map((ranks) => ranks.includes(root) ? root : ranks[0]!);
        await between(
          op,
          heads,
          array,
          (op) =>
            op.size === 1 ? Promise.resolve() : broadcast(op, array, heads.indexOf(root), abort),
        );
      }),
    // Asked when a group has failed, too: memory that was given back says nothing.
    behind: () =>
      segment && steps ? steps.behind().map((local) => met!.all[met!.host]![local]!) : [],
  };

  async function sumShards(
    { nodes, mine }: ShardSums,
    into: WireArray,
    reduction: Reduction,
    op: Operation,
    folded: readonly (readonly ShardNode[])[] | undefined,
  ): Promise<void> {
    const { all, host, sums } = met!, combine = combineFor(reduction, into);
    const here = { nodes: all[host]!.map((r) => nodes[r]!), arrays: mine, combine };
    if (!folded) return await sums!.sum({ ...here, into: [into], getters: "all", isTotal: true });
    let tops = mine;
    if (sums) {
      const rooms = folded[host]!.map(() => roomLike(into, into.length));
      if (rooms.length) {
        await sums.sum({ ...here, into: rooms, getters: "first", isTotal: false });
      }
      tops = rooms;
    }
    await between(
      op,
      leaders(),
      into,
      (op) => treeAllReduce(op, { nodes: folded, mine: tops }, into, combine, abort),
    );
  }
}

/** The subtrees of each host, if its ranks' shards follow one another. */
function nodesByHost(
  all: readonly (readonly number[])[],
  { nodes }: ShardSums,
): readonly (readonly ShardNode[])[] | undefined {
  const found = all.map((ranks) => {
    const own = ranks.flatMap((r) => nodes[r]!);
    const gap = own.some(({ from }, i) => i > 0 && own[i - 1]!.from + own[i - 1]!.size !== from);
    const [first] = own, last = own.at(-1);
    return gap ? undefined : first ? nodesOf(first.from, last!.from + last!.size) : [];
  });
  return found.includes(undefined) ? undefined : found as readonly (readonly ShardNode[])[];
}
