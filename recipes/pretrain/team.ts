/**
 * Processes that take a step together: each computes some shards of its batch, the sums are exchanged once, and all apply the same ones.
 *
 * The first process decides when the steps are over.
 *
 * @module
 */
import { type AnyTensor, type Device, dispose, jit, paths, type Tree } from "../../core/mod.ts";
import {
  addLeaves,
  alone,
  type Collective,
  compareChecksums,
  type CompressedExchange,
  type Exchange,
  type Span,
} from "../../dist/mod.ts";
import { type BetweenSteps, betweenSteps, type Renewal } from "./between_steps.ts";
import type { Model } from "./model.ts";
import { type Sums, zeroSums } from "./step.ts";
import { arraysOf, readsOf, shapesOf, treeOf } from "./tree_arrays.ts";
import { type WireOptions, wiresOf } from "./wire.ts";

/** What the loop needs of the processes that take part in it. */
export interface Team extends BetweenSteps {
  readonly size: number;
  /** Shards of a step, and those of them that this process computes. */
  readonly total: number;
  readonly own: Span;
  /** Is this the process that decides, evaluates and saves? */
  readonly isFirst: boolean;
  /** Seconds that exchanges took so far beyond what was computed meanwhile, waiting for the others included. */
  readonly exchanged: number;
  /** Zeros, to begin a shard with. */
  zero(model: Model): Sums;
  /**
   * Hands in the sums of one shard, which are used up; compressed, where there is a way. They may still be computed: what is there of the
   * last shard goes out at once, if it is not compressed.
   */
  give(sums: Sums, isCompressed?: boolean): Promise<void>;
  /** The sums of all shards, when all of this process's are handed in. */
  take(): Promise<Sums>;
  readonly group: Collective;
  /** The exchange that has a memory, if there is one. */
  readonly compressed: CompressedExchange | undefined;
  /** Are the parameters the same bits everywhere? Asked after every step, looked at every so many. @throws DistError where they are not */
  check(step: number, model: Model): Promise<void>;
}

/** How a team works. */
export interface TeamOptions extends WireOptions {
  readonly device: Device;
  readonly renew?: Renewal | undefined;
  /** Steps between two comparisons of parameters. */
  readonly checkEvery?: number;
}

/** Rows of a step's batch that a process computes, shard by shard. */
export function rowSpans(B: number, team: Pick<Team, "own" | "total"> | undefined): Span[] {
  const { own: { from, to }, total } = team ?? { own: { from: 0, to: 1 }, total: 1 };
  return Array.from({ length: to - from }, (_, i) => spanOf(B, from + i, total));
}

/** The part of `length` things that belongs to one of `total` shards. */
export function spanOf(length: number, shard: number, total: number): Span {
  const at = (s: number): number => Math.floor(length * s / total);
  return { from: at(shard), to: at(shard + 1) };
}

/** A team of the processes of a group. All of them must have the same model. */
export function createTeam(
  group: Collective,
  model: Model,
  { device, renew, checkEvery = 100, ...wire }: TeamOptions,
): Team {
  const zero = jit((m: Model): Sums => zeroSums(m), { device });
  const like = zeroSums(model), shapes = shapesOf(like);
  const names = paths(like as unknown as Tree<AnyTensor>).map(([name]) => name);
  const { plain, compressed } = wiresOf(group, names, shapes, wire);
  let exchange: Exchange = plain;
  let ms = 0;
  return {
    size: group.size,
    total: plain.total,
    own: plain.own,
    isFirst: group.rank === 0,
    get exchanged() {
      return ms / 1000;
    },
    zero,
    async give(sums, isCompressed = false) {
      exchange = isCompressed && compressed ? compressed : plain;
      await addLeaves(exchange, readsOf(sums) as Promise<Float32Array>[], 1);
      dispose(sums);
    },
    async take() {
      const began = performance.now(), { arrays } = await exchange.sum();
      ms += performance.now() - began;
      return treeOf(like, arrays);
    },
    group,
    ...betweenSteps(group, renew),
    compressed,
    async check(step, model) {
      if (group.size === 1 || step % checkEvery !== 0) return;
      const names = paths(model as unknown as Tree<AnyTensor>).map(([name]) => name);
      const arrays = await arraysOf(model);
      await compareChecksums(group, names.map((name, i) => [name, arrays[i]!]));
    },
  };
}

/** One process alone; shards are summed apart there too, where their number is fixed: the bits are those of any number of processes. */
export function soloTeam(shards: number, model: Model, device: Device): Team | undefined {
  return shards > 0 ? createTeam(alone(), model, { shards, device }) : undefined;
}
