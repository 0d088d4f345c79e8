/**
 * Parameter groups, by path: what is decayed, how fast it learns, whether it learns at all.
 *
 * @module
 */
import type { Float } from "../core/mod.ts";

/** What holds for one parameter. */
export interface Settings {
  /** Factor on the learning rate. */
  readonly rate: number;
  /** Weight decay. */
  readonly decay: number;
  /** May the layer-wise trust ratio scale it? */
  readonly trustRatio: boolean;
  /** Not changed at all, and without moments. */
  readonly frozen: boolean;
  /** What its moments are stored as; they are computed in f32. */
  readonly stateDtype: Float;
}

/** Settings for the parameters whose path matches; later groups overrule earlier ones. */
export interface Group extends Partial<Settings> {
  /** Tested against the path, as in "layers.0.norm1.gain". */
  readonly match: RegExp;
}

/** The settings of the parameter at `path`. */
export function settingsOf(path: string, base: Settings, groups: readonly Group[]): Settings {
  return groups.filter((g) => g.match.test(path)).reduce(
    (settings, { match: _match, ...own }) => ({ ...settings, ...own }),
    base,
  );
}

/**
 * Biases, gains and other vectors by their names: BERT decays none of them, and apex's LAMB then also leaves out
 * their trust ratio.
 *
 * Source: NVIDIA DeepLearningExamples, BERT, run_pretraining.py: no decay for "bias", "gamma", "beta", "LayerNorm".
 */
export const noDecay: Group = {
  match: /(^|\.)(b|bias|gain|gamma|beta|b[0-9qkvo]|norm[^.]*)(\.|$)/,
  decay: 0,
};
