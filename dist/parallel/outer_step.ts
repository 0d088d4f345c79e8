/**
 * The arithmetic of DiLoCo's outer optimiser, in f64 on arrays of f32: the same bits wherever the same sums are.
 *
 * Source: Douillard et al. 2023, arXiv 2311.08105; Nesterov's momentum as in PyTorch's SGD. Mixing: Douillard et al. 2025, arXiv
 * 2501.18512.
 *
 * @module
 */

/** How the outer optimiser moves. */
export interface OuterRates {
  /** 1 without momentum takes the mean. */
  readonly rate: number;
  /** Of Nesterov's momentum; 0 for none. */
  readonly beta: number;
}

/** A fragment of what all ranks have. */
export interface OuterState {
  /** θ. */
  readonly params: Float32Array;
  /** m, zeros at first. */
  readonly momentum: Float32Array;
}

/**
 * One outer step, in place: m ← β m + Δ; θ ← θ + rate (Δ + β m), where Δ is how far the ranks have come in the mean.
 *
 * `sum` is what `count` ranks gave: their parameters, or, where they are `relative`, the differences of those from θ.
 *
 * Shapes: all [n].
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { outerStep } from "./outer_step.ts";
 *
 * const outer = { params: Float32Array.of(1), momentum: Float32Array.of(0) };
 * outerStep(outer, Float32Array.of(3 + 5), { count: 2, relative: false, rate: 1, beta: 0 });
 * assertEquals(outer.params[0], 4); // the mean of 3 and 5
 * ```
 */
export function outerStep(
  { params, momentum }: OuterState,
  sum: Float32Array,
  { count, relative, rate, beta }: OuterRates & {
    readonly count: number;
    readonly relative: boolean;
  },
): void {
  for (let i = 0; i < params.length; i++) {
    const theta = params[i]!, mean = sum[i]! / count + (relative ? theta : 0);
    const delta = relative ? sum[i]! / count : mean - theta, m = beta * momentum[i]! + delta;
    momentum[i] = m;
    // θ + rate (Δ + β m), so that a rate of 1 without momentum gives the mean exactly.
    params[i] = (1 - rate) * theta + rate * (mean + beta * m);
  }
}

/**
 * Takes the outer parameters in, in place: local ← α local + (1 - α) outer.
 *
 * Shapes: both [n].
 */
export function mixInto(local: Float32Array, outer: Float32Array, alpha: number): void {
  if (alpha === 0) return local.set(outer);
  for (let i = 0; i < local.length; i++) local[i] = alpha * local[i]! + (1 - alpha) * outer[i]!;
}
