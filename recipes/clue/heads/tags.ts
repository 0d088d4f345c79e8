/**
 * A tag for every token, each chosen alone.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  argmax,
  cast,
  div,
  einsum,
  equal,
  expandDims,
  greaterEqual,
  logSumExp,
  maximum,
  mul,
  size,
  softmax,
  squeeze,
  sub,
  sum,
  takeAlongAxis,
} from "../../../core/mod.ts";
import { dropout, type LinearSpec, linearSpec, type LossSum } from "../../../nn/mod.ts";
import { type Head, head, HEAD_SITE, type HeadInputs, type Targets } from "./head.ts";

/** Parameters of the head. */
export interface TagsSpec {
  readonly out: LinearSpec<"C", "L">;
}

/** The specs of scores for L tags. */
export const tagSpec = (width: number, L: number): LinearSpec<"C", "L"> =>
  linearSpec(size("C", width), size("L", L), 0.02);

/** The score of every tag for every token. Shapes: w [C, L] -> [U, T, L]. */
export function tagScores(
  { w, b }: { readonly w: AnyTensor; readonly b: AnyTensor },
  { hidden, dropout: dropped }: HeadInputs,
): AnyTensor {
  const kept = dropout(hidden as never, dropped as never, HEAD_SITE) as AnyTensor;
  return add(einsum("btc,cl->btl", kept, w) as AnyTensor, b) as AnyTensor;
}

/** Where a token has a target: 1, else 0. Shapes: [U, T]. */
export const tagged = (targets: AnyTensor): AnyTensor =>
  cast(greaterEqual(targets, 0) as AnyTensor, "f32") as AnyTensor;

/** Sums over tokens with a target, as a mean over each unit's: long units count as short ones do. Shapes: [U] -> LossSum. */
export function unitMeans(
  wrong: AnyTensor,
  right: AnyTensor,
  { targets, weights }: Targets,
): LossSum {
  const counts: AnyTensor = maximum(sum(tagged(targets as AnyTensor), 1) as AnyTensor, 1);
  const of = (sums: AnyTensor): AnyTensor => sum(mul(div(sums, counts), weights as AnyTensor));
  return { sum: of(wrong), weight: sum(weights as AnyTensor) as AnyTensor, correct: of(right) };
}

/** How many tokens have their target as the best tag. Shapes: scores or tags of tokens [U, T], targets [U, T] -> [U]. */
export function tagHits(tags: AnyTensor, targets: AnyTensor): AnyTensor {
  const hit: AnyTensor = cast(equal(cast(tags, "i32") as AnyTensor, targets) as AnyTensor, "f32");
  return sum(mul(hit, tagged(targets)), 1) as AnyTensor;
}

/** The most probable of L tags for every token. */
export function bestTags(probabilities: Float32Array, L: number): Float32Array {
  return Float32Array.from({ length: probabilities.length / L }, (_, t) => {
    const own = probabilities.subarray(t * L, (t + 1) * L);
    return own.indexOf(Math.max(...own));
  });
}

/** The head over L tags. Shapes: outputs [U, T, L], answers [U, T], targets [U, T]. */
export function tags(L: number): Head {
  return head<TagsSpec>({
    rows: 1,
    targets: "tokens",
    spec: (width) => ({ out: tagSpec(width, L) }),
    outputs: ({ out }, inputs) => tagScores(out as never, inputs),
    answers: (_, outputs) => cast(argmax(outputs, 2) as AnyTensor, "f32") as AnyTensor,
    probabilities: (_, outputs, { keep }) =>
      mul(softmax(outputs, 2) as AnyTensor, expandDims(keep as AnyTensor, 2)) as AnyTensor,
    decide: (probabilities) => bestTags(probabilities, L),
    loss(_, outputs, __, all) {
      const targets = all.targets as AnyTensor;
      const ids: AnyTensor = expandDims(maximum(targets, 0) as AnyTensor, 2);
      const own: AnyTensor = squeeze(takeAlongAxis(outputs, ids, 2) as AnyTensor, 2);
      const nll: AnyTensor = mul(sub(logSumExp(outputs, 2), own), tagged(targets));
      const best: AnyTensor = argmax(outputs, 2);
      return unitMeans(sum(nll, 1) as AnyTensor, tagHits(best, targets), all);
    },
  });
}
