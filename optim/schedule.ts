/**
 * Learning rates as functions of the step's number, computed on the device: nothing is sent or compiled anew as a run goes on.
 *
 * @module
 */
import {
  add,
  cast,
  clamp,
  cos,
  div,
  full,
  less,
  mul,
  neg,
  pow,
  type Tensor,
  where,
} from "../core/mod.ts";

/** The rate of step `count` (from 1). */
export type Schedule = (count: Tensor<[], "i32">) => Tensor<[]>;

/** A rate that is a schedule, or one number for ever. */
export type Rate = number | Schedule;

/** The rate at a step. */
export function rateAt(rate: Rate, count: Tensor<[], "i32">): Tensor<[]> {
  return typeof rate === "number" ? full([], rate) : rate(count);
}

/** What the schedules with a warm-up share. Units: steps. */
export interface WarmupOptions {
  /** Highest rate, reached at the end of the warm-up. */
  readonly peak: number;
  /** All steps; after them the rate stays at its last value. */
  readonly total: number;
  /** Steps of linear growth from 0. */
  readonly warmup?: number;
}

/** Share of the run that is over, 0 to 1. */
function progress(count: Tensor<[], "i32">, total: number): Tensor<[]> {
  return clamp(div(cast(count, "f32"), total), 0, 1);
}

/** 1 - share. */
function remaining(share: Tensor<[]>): Tensor<[]> {
  return add(neg(share), 1);
}

function warmed(
  { peak, total, warmup = 0 }: WarmupOptions,
  after: (share: Tensor<[]>) => Tensor<[]>,
): Schedule {
  if (!(total > 0) || !(warmup >= 0)) {
    throw new RangeError(
      `Cannot schedule ${total} steps after ${warmup} of warm-up: both must be positive`,
    );
  }
  return (count) => {
    const t = progress(count, total);
    const rate = mul(after(t), peak);
    if (warmup === 0) return rate;
    const rising = mul(t, peak * total / warmup);
    return where(less(t, warmup / total), rising, rate);
  };
}

/**
 * BERT's schedule: linear warm-up, then peak · (1 - t/T)^power. Decay counts from step 0, so the rate jumps down a little at
 * the end of the warm-up; that is how the reference behaves.
 *
 * Source: NVIDIA DeepLearningExamples, BERT, schedulers.py, PolyWarmUpScheduler (power 0.5).
 */
export function polynomial(options: WarmupOptions & { readonly power?: number }): Schedule {
  return warmed(options, (t) => pow(remaining(t), options.power ?? 0.5));
}

/** Linear warm-up, then linearly down to 0. */
export function linear(options: WarmupOptions): Schedule {
  return warmed(options, remaining);
}

/** Linear warm-up, then half a cosine down to 0. Source: Loshchilov and Hutter 2017. */
export function cosine(options: WarmupOptions): Schedule {
  return warmed(options, (t) => mul(add(cos(mul(t, Math.PI)), 1), 0.5));
}

/** Linear warm-up, then the peak for ever. */
export function constantRate(options: WarmupOptions): Schedule {
  return warmed(options, () => full([], 1));
}
