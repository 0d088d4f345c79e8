/**
 * What the sums of a step travel as, and what for: `wire` in a configuration.
 *
 * f32 and bf16 have no memory. The others send matrices in few bytes and remember what they did not say; counts, losses and vectors
 * travel as they are. powersgd and 1-bit-lamb have a warm-up in f32 before. `sign` sends signs of gradients to any optimiser, 1-bit LAMB
 * those of what its own optimiser carries.
 *
 * @module
 */
import { read } from "../../core/mod.ts";
import {
  type Codec,
  codedSum,
  type Collective,
  type CompressedExchange,
  createCompressedExchange,
  createExchange,
  type Exchange,
  int4,
  int8,
  isLowRank,
  powerSgd,
  sign,
} from "../../dist/mod.ts";
import { isMatrix } from "../../optim/mod.ts";
import { COMPRESSION, type FactorCode, hasMemory, type PretrainConfig } from "./config.ts";
import { leafOrder } from "./leaf_order.ts";
import type { LearnState, StepPrograms, Sums } from "./step.ts";
import type { Team } from "./team.ts";
import { lengthsOf } from "./tree_arrays.ts";

/** What the configuration says of it. */
export type WireOptions =
  & Pick<PretrainConfig, "shards">
  & Partial<Pick<PretrainConfig, "wire" | "compression">>;

/** One exchange for the warm-up, and one for what comes after it. */
export interface Wires {
  readonly plain: Exchange;
  /** Undefined where the wire has no memory. */
  readonly compressed: CompressedExchange | undefined;
}

const codecs: Readonly<Record<FactorCode, Codec>> = { int8, int4 };

/** The exchanges of sums with such leaves; those whose names begin with "grads." are gradients. */
export function wiresOf(
  group: Collective,
  names: readonly string[],
  shapes: readonly (readonly number[])[],
  { shards, wire = "f32", compression: { rank, factors } = COMPRESSION }: WireOptions,
): Wires {
  const lengths = lengthsOf(shapes);
  const isGradient = (leaf: number): boolean => names[leaf]!.startsWith("grads.");
  const all = [...names.keys()], exact = all.filter((leaf) => !isGradient(leaf));
  const half = wire === "bf16" ? wire : "f32";
  const plain = createExchange(group, {
    lengths,
    shards,
    wire: half,
    exact,
    order: leafOrder(names),
  });
  if (!hasMemory(wire)) return { plain, compressed: undefined };
  const isFit = (shape: readonly number[]): boolean =>
    wire === "powersgd" ? isLowRank(shape, rank) : isMatrix(shape);
  const compressed = createCompressedExchange(group, {
    lengths,
    compressed: all.filter((leaf) => isGradient(leaf) && isFit(shapes[leaf]!)),
    compression: wire === "powersgd"
      ? powerSgd(shapes, rank, codecs[factors])
      : codedSum(wire === "int8" ? int8 : sign),
  });
  return { plain, compressed };
}

/** Steps of a stage whose gradients travel as f32 although the wire has a memory. */
export function warmSteps(
  { wire, compression: { warmup }, steps }: Pick<PretrainConfig, "wire" | "compression" | "steps">,
): number {
  if (wire === "1-bit-lamb") return Math.max(1, Math.round(warmup * steps));
  return wire === "powersgd" ? Math.round(warmup * steps) : 0;
}

/** The way of a step's sums to the others and back. */
export interface Carrier {
  /** Hands in the sums of one shard, which are used up. */
  give(state: LearnState, sums: Sums): Promise<void>;
  /** The sums of all, when all of this process's are handed in; without a team what was handed in. */
  take(state: LearnState): Promise<Sums>;
}

/** The way that a configuration's sums take between the processes of a team, or within one. */
export function carrierOf(
  config: PretrainConfig,
  team: Team | undefined,
  { carry, land }: Pick<StepPrograms, "carry" | "land">,
): Carrier {
  const warm = warmSteps(config);
  let isWarm = true, own: Sums | undefined;
  return {
    async give(state, sums) {
      // The optimiser's own count: of skipped steps it knows nothing.
      isWarm = !hasMemory(config.wire) || (await read(state.count))[0]! < warm;
      const sent = isWarm || !carry ? sums : await carry(state, sums);
      if (team) await team.give(sent, !isWarm);
      else own = sent;
    },
    async take(state) {
      const sums = team ? await team.take() : own!;
      return isWarm || !land ? sums : await land(state, sums);
    },
  };
}
