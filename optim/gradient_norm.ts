/**
 * Gradient normalisation: a gradient gives the direction, not the size, of a step.
 *
 * @module
 */
import { div, globalNorm, greater, maximum, where } from "../core/mod.ts";
import type { Transform } from "./transform.ts";

/** `off`; `clip`: divide by max(1, norm / max); `always`: divide by the norm, so that no scale of the gradients matters. */
export type GradientNorm = "off" | "clip" | "always";

/**
 * Divides all gradients by one number that depends on their global norm G: clip g / max(1, G / maxNorm), always g / G.
 *
 * A norm of 0 divides by 1. The metric `grad_norm` is G before the division.
 *
 * Source: NVLAMB, apex fused_lamb.py (clip, maxNorm 1); "always" is the article's literal reading.
 */
export function normalizeGradients(mode: GradientNorm, maxNorm = 1): Transform {
  return {
    init: () => ({}),
    update: (updates, state, _params, step) => {
      const norm = step.norm ?? globalNorm(updates);
      const metrics = { grad_norm: norm };
      if (mode === "off") return { updates, state, metrics };
      const by = mode === "clip"
        ? maximum(div(norm, maxNorm), 1)
        : where(greater(norm, 0), norm, 1);
      return { updates: updates.map((u) => div(u, by)), state, metrics };
    },
  };
}
