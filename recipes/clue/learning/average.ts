/**
 * The mean of the weights of some epochs, which often answers better than each of them.
 *
 * Source: Izmailov et al. 2018 (arXiv 1803.05407); that it must be better on the dev split than the best of them is the rule of Wortsman et
 * al. 2022 (arXiv 2203.05482), section 2.
 *
 * @module
 */
import { type Device, toDevice } from "../../../core/mod.ts";
import { arraysOf, treeOf } from "../../pretrain/tree_arrays.ts";

/** The weights of an epoch, off the device. */
interface Kept {
  readonly epoch: number;
  readonly score: number;
  /** In the fixed order of leaves. */
  readonly weights: readonly Float32Array[];
}

/** The best epochs so far. */
export interface BestEpochs<M> {
  /** Shows it an epoch; its weights are copied where it is among the best, of equals the earlier. */
  readonly offer: (epoch: number, score: number, model: M) => Promise<void>;
  /** The epochs of the mean, in their order. */
  readonly epochs: () => readonly number[];
  /** The mean of their weights, on the device of its own; undefined where there are fewer than two. `like` is a model of the same sizes. */
  readonly mean: (like: M, device: Device) => Promise<M | undefined>;
}

/** Means in f64 of the same places in some arrays. */
function meanOf(all: readonly Float32Array[]): Float32Array {
  return all[0]!.map((_, i) => all.reduce((sum, own) => sum + own[i]!, 0) / all.length);
}

/** Keeps the weights of the `count` epochs of greatest score; with less than 2 none. */
export function bestEpochs<M>(count: number): BestEpochs<M> {
  let kept: readonly Kept[] = [];
  return {
    async offer(epoch, score, model) {
      const place = kept.findIndex((own) => own.score < score);
      const at = place < 0 ? kept.length : place;
      if (count < 2 || at >= count) return;
      const weights = (await arraysOf(model)).map((array) => Float32Array.from(array));
      kept = kept.toSpliced(at, 0, { epoch, score, weights }).slice(0, count);
    },
    epochs: () => kept.map(({ epoch }) => epoch).toSorted((a, b) => a - b),
    async mean(like, device) {
      if (kept.length < 2) return undefined;
      const means = kept[0]!.weights.map((_, i) => meanOf(kept.map(({ weights }) => weights[i]!)));
      return await toDevice(treeOf(like, means), device);
    },
  };
}
