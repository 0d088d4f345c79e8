/**
 * A tag for every token, chosen together: which tags follow one another is learnt.
 *
 * @module
 */
import { type AnyTensor, cast, neg, size } from "../../../core/mod.ts";
import {
  crfLogLikelihood,
  crfMarginals,
  type CrfSpec,
  crfSpec,
  type LinearSpec,
  viterbi,
} from "../../../nn/mod.ts";
import { type Head, head } from "./head.ts";
import { bestTags, tagged, tagHits, tagScores, tagSpec, unitMeans } from "./tags.ts";

/** Parameters of the head. */
export interface CrfHeadSpec {
  readonly out: LinearSpec<"C", "L">;
  readonly crf: CrfSpec<"L">;
}

/** The head over L tags; every kept token must have a target. Shapes: outputs [U, T, L], answers [U, T], targets [U, T]. */
export function crf(L: number): Head {
  const best = (p: unknown, outputs: AnyTensor, keep: unknown): AnyTensor =>
    viterbi(p as never, outputs, keep as AnyTensor).labels as AnyTensor;
  return head<CrfHeadSpec>({
    rows: 1,
    targets: "tokens",
    spec: (width) => ({ out: tagSpec(width, L), crf: crfSpec(size("L", L)) }),
    outputs: ({ out }, inputs) => tagScores(out as never, inputs),
    answers: (p, outputs, { keep }) => cast(best(p.crf, outputs, keep), "f32") as AnyTensor,
    learnt: ({ crf: { start, between, end } }) => ({
      crf_start: start as AnyTensor,
      crf_transitions: between as AnyTensor,
      crf_end: end as AnyTensor,
    }),
    probabilities: (p, outputs, { keep }) =>
      crfMarginals(p.crf as never, outputs, keep as AnyTensor) as AnyTensor,
    decide: (probabilities) => bestTags(probabilities, L),
    loss(p, outputs, _, all) {
      const targets = all.targets as AnyTensor, on = tagged(targets);
      const nll: AnyTensor = neg(
        crfLogLikelihood(p.crf as never, outputs, targets, on) as AnyTensor,
      );
      return unitMeans(nll, tagHits(best(p.crf, outputs, on), targets), all);
    },
  });
}
