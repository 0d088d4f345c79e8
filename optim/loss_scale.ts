/**
 * A loss scale that finds itself: small gradients of f16 would vanish, so the loss is multiplied before the backward pass and the
 * gradients are divided after it.
 *
 * The scale is always a power of two, so multiplying and dividing by it change no digit. All of it is on the device: `where` between
 * the old state and the new, and nothing is read by the host.
 *
 * Source: Micikevicius et al. 2018 (arXiv 1710.03740), section 3.2; NVIDIA apex, amp/scaler.py (the doubling and halving).
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  bitcast,
  equal,
  full,
  greaterEqual,
  mapTree,
  maximum,
  minimum,
  mul,
  sub,
  type Tensor,
  type Tree,
  where,
  zeros,
} from "../core/mod.ts";

/** How a loss scale moves. The scales (`first`, `floor`, `most`) are powers of two. */
export interface LossScaleOptions {
  /** The scale of the first step; 2^15. */
  readonly first?: number;
  /** Steps without an overflow, one after another, after which the scale doubles; 2000. */
  readonly growEvery?: number;
  /** It never falls below; 1. */
  readonly floor?: number;
  /** It never grows beyond; 2^24, or `first` if that is more. */
  readonly most?: number;
}

/** A loss scale and what it remembers: part of what a checkpoint holds. */
export interface LossScaleState {
  /** What the next step's loss is multiplied with. */
  readonly scale: Tensor<[]>;
  /** Steps without an overflow since the last one, or since the scale was last to double. */
  readonly good: Tensor<[], "i32">;
  /** Steps skipped so far. */
  readonly skipped: Tensor<[], "i32">;
  /** Steps skipped at the floor, one after another, up to now: halving could not help them. */
  readonly stuck: Tensor<[], "i32">;
}

const defaults: Required<LossScaleOptions> = {
  first: 2 ** 15,
  growEvery: 2000,
  floor: 1,
  most: 2 ** 24,
};

/**
 * The options, with what they leave out.
 *
 * @throws {RangeError} if a scale is not a power of two, the floor is above the first, the first above the most, or `growEvery` is no whole number above 0.
 */
function completed(options: LossScaleOptions): Required<LossScaleOptions> {
  const all = { ...defaults, ...options }, { first, growEvery, floor } = all;
  const most = options.most ?? Math.max(defaults.most, first);
  for (const [name, scale] of Object.entries({ first, floor, most })) {
    const isPower = scale >= 2 ** -126 && scale <= 2 ** 126 && Number.isInteger(Math.log2(scale));
    if (isPower) continue;
    throw new RangeError(`Cannot scale losses, ${name} ${scale}: it must be a power of two`);
  }
  if (!(floor <= first)) {
    throw new RangeError(
      `Cannot scale losses, first ${first}, floor ${floor}: the floor must not be above`,
    );
  }
  if (!(first <= most)) {
    throw new RangeError(
      `Cannot scale losses, first ${first}, most ${most}: the first must not be above`,
    );
  }
  if (!Number.isInteger(growEvery) || growEvery < 1) {
    throw new RangeError(
      `Cannot scale losses, growEvery ${growEvery}: it must be a whole number above 0`,
    );
  }
  return { first, growEvery, floor, most };
}

/**
 * The state before the first step.
 *
 * @throws {RangeError} if the options are out of range.
 */
export function freshLossScale(options: LossScaleOptions = {}): LossScaleState {
  const { first } = completed(options), none = (): Tensor<[], "i32"> => zeros([], "i32");
  return { scale: full([], first), good: none(), skipped: none(), stuck: none() };
}

/** 1 / a power of two, by its exponent: a division may be off by two bits on a GPU. */
function inverse(scale: Tensor<[]>): Tensor<[]> {
  const one: Tensor<[], "u32"> = full([], 0x7f000000, "u32");
  return bitcast(sub(one, bitcast(scale, "u32")), "f32");
}

/**
 * Gradients of a scaled loss, divided by the scale: exact, as long as nothing becomes subnormal. What is not finite stays so.
 *
 * Shapes: every tensor keeps its own.
 */
export function unscaled<T>(grads: T, { scale }: Pick<LossScaleState, "scale">): T {
  const by = inverse(scale);
  return mapTree(grads as Tree<AnyTensor>, (g) => mul(g, by) as AnyTensor) as T;
}

/**
 * The state after a step whose gradients were all `finite`, or not.
 *
 *     finite: good + 1; the growEvery-th doubles the scale and begins to count anew
 *     not:    scale / 2, down to the floor; the step has to be skipped (`take` of `Optimizer.step`)
 *
 * Gradients that are summed over micro-batches are judged by the sum.
 *
 * @throws {RangeError} if the options are out of range.
 *
 * @example
 * ```ts
 * import { isFinite, mul, read, tensor, type Tensor } from "@motian/motian";
 * import { freshLossScale, type LossScaleState, nextLossScale, unscaled } from "@motian/motian/optim";
 * import { assertEquals } from "@std/assert";
 *
 * const options = { first: 1024, growEvery: 2 };
 * let state = freshLossScale(options);
 * // A slope of 100, in a type that ends at 65504: 102400 overflows, 51200 does not.
 * const after = async (state: LossScaleState): Promise<LossScaleState> => {
 *   const [scale] = await read(state.scale), fits = 100 * scale! <= 65504;
 *   const grad = mul(tensor([fits ? 100 : Infinity]), state.scale);
 *   const [slope] = await read(unscaled(grad, state));
 *   assertEquals(slope, fits ? 100 : Infinity);
 *   return nextLossScale(state, isFinite(tensor(slope!)) as Tensor<[], "bool">, options);
 * };
 * const scales: number[] = [];
 * for (let i = 0; i < 5; i++) {
 *   scales.push(...await read(state.scale));
 *   state = await after(state);
 * }
 * assertEquals(scales, [1024, 512, 512, 1024, 512]);
 * assertEquals([...await read(state.skipped)], [2]);
 * ```
 */
export function nextLossScale(
  state: LossScaleState,
  finite: Tensor<[], "bool">,
  options: LossScaleOptions = {},
): LossScaleState {
  const { growEvery, floor, most } = completed(options), { scale, skipped } = state;
  const good = add(state.good, 1), grows = greaterEqual(good, growEvery);
  const zero: Tensor<[], "i32"> = zeros([], "i32");
  const onwards = where(grows, minimum(mul(scale, 2), most), scale);
  const isLowest = equal(scale, floor);
  return {
    scale: where(finite, onwards, maximum(mul(scale, 0.5), floor)),
    good: where(finite, where(grows, zero, good), zero),
    skipped: where(finite, skipped, add(skipped, 1)),
    stuck: where(finite, zero, where(isLowest, add(state.stuck, 1), zero)),
  };
}
