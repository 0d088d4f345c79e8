/**
 * The losses of a student that reads the same masked text as its teacher, and the same pairs of a query and a title.
 *
 * Every loss is a sum and what it is to be divided by in the whole step, so that any split of a batch into micro-batches adds up to the
 * same: `minilm` and `tinybert` are means over sequences, `logits` and `mlm` over masked places, `clicks`
 * over pairs.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  cast,
  greater,
  max,
  mul,
  reshape,
  sizesOf,
  stack,
  sum,
  type Tensor,
  zeros,
} from "../../core/mod.ts";
import { attentionScores, crossEntropy, encode } from "../../nn/mod.ts";
import type { ModelConfig } from "../pretrain/config.ts";
import {
  type ClickInputs,
  encoderOptions,
  logitsAt,
  type MlmInputs,
  type Model,
  type ModelSpec,
  modelSpec,
  type Pass,
  scoresOf,
} from "../pretrain/model.ts";
import { activeLosses, type DistillConfig, type LossName } from "./distill_config.ts";
import {
  type Bridge,
  type BridgeSpec,
  bridgeSpec,
  layerLoss,
  type Layers,
} from "./losses/layers.ts";
import { relationLoss } from "./losses/relations.ts";
import { softLabelLoss } from "./losses/soft_labels.ts";

/** What is learnt: the student, and what leads from its states to the teacher's where those are compared. */
export interface Pupil {
  readonly model: Model;
  readonly bridge?: Bridge;
}

/** The specs of a student over so many tokens; with `clicks` it scores titles too. */
export function pupilSpec(
  { losses }: Pick<DistillConfig, "losses">,
  student: ModelConfig,
  teacher: ModelConfig,
  vocabulary: number,
  clicks: boolean,
): { readonly model: ModelSpec; readonly bridge?: BridgeSpec } {
  return {
    model: modelSpec(student, vocabulary, clicks),
    ...losses.tinybert > 0 && { bridge: bridgeSpec(student.width, teacher.width) },
  };
}

/** Sums of losses over a micro-batch, and what they are to be divided by. */
export interface LossSums {
  /** In the order of `activeLosses`. Shapes: [K]. */
  readonly losses: AnyTensor;
  /** Sequences that count. */
  readonly rows: Tensor<[]>;
  /** Masked places. */
  readonly places: Tensor<[]>;
  /** Pairs. */
  readonly pairs: Tensor<[]>;
}

/** Masked text, or masked pairs. */
export type TextInputs = MlmInputs & Partial<Pick<ClickInputs, "segments" | "shown">>;

/** One over what losses are divided by, or what they are divided by. */
export type Counts = Pick<LossSums, "rows" | "places" | "pairs">;

/** What a loss is a mean over. */
const over: Readonly<Record<LossName, keyof Counts>> = {
  minilm: "rows",
  tinybert: "rows",
  logits: "places",
  mlm: "places",
  clicks: "pairs",
};

/** For every active loss what it is a mean over, and what it counts. Shapes: [K]. */
export function perLoss(
  distill: Pick<DistillConfig, "losses">,
  counts: Counts,
): { readonly counts: AnyTensor; readonly weights: readonly number[] } {
  const names = activeLosses(distill);
  return {
    counts: stack(names.map((name): AnyTensor => counts[over[name]]), 0) as AnyTensor,
    weights: names.map((name) => distill.losses[name]),
  };
}

/** Does a sequence count? Those that fill up a batch predict nothing, or were not shown. Shapes: weights [B · P] -> [B]. */
function counted({ ids, weights, shown }: TextInputs): AnyTensor {
  if (shown) return reshape(shown.keep, [-1]);
  const all: AnyTensor = reshape(weights, [sizesOf(ids)[0]!, -1]);
  return cast(greater(max(all, 1), 0), "f32");
}

/** Scores of yes against 0 for no, as logits of two classes. Shapes: [I, D] -> [I · D, 2]. */
function asLogits(scores: AnyTensor): AnyTensor {
  const yes: AnyTensor = reshape(cast(scores, "f32"), [-1]);
  const no: AnyTensor = zeros([...sizesOf(yes)]);
  return stack([no, yes], 1) as AnyTensor;
}

/** States and scores of all layers. */
function layersOf(
  { encoder }: Model,
  { states, layers, positions }: ReturnType<typeof encode<"B", "T", "V", "C", "H", "K", "F">>,
): Layers {
  const scores = layers.map((own, m): AnyTensor =>
    attentionScores(encoder.layers[m]!.attention, own, positions)
  );
  return { states, scores };
}

/** The losses of a student of these sizes: what they add up to over a micro-batch. */
export function textLosses(
  distill: DistillConfig,
  student: ModelConfig,
  teacher: ModelConfig,
): (pupil: Pupil, knows: Model, inputs: TextInputs, pass?: Pass) => LossSums {
  return ({ model, bridge }, knows, inputs, pass = {}) => {
    const own = encode(model.encoder, inputs, encoderOptions(student), pass);
    const other = encode(knows.encoder, inputs, encoderOptions(teacher));
    const keep: AnyTensor = inputs.keep,
      rows = counted(inputs),
      weights: AnyTensor = inputs.weights;
    const found = logitsAt(model, own.hidden, inputs.positions, student);
    const each: Readonly<Record<LossName, () => AnyTensor>> = {
      minilm: () => {
        const read = own.layers.at(-1)!, shown = other.layers[distill.layer - 1]!;
        return sum(mul(relationLoss(read, shown, keep, distill.heads), rows));
      },
      tinybert: () => {
        const [learnt, known] = [layersOf(model, own), layersOf(knows, other)];
        return sum(mul(layerLoss(learnt, known, bridge!, keep), rows));
      },
      logits: () => {
        const wanted = logitsAt(knows, other.hidden, inputs.positions, teacher);
        return sum(mul(softLabelLoss(found, wanted, distill.temperature), weights));
      },
      mlm: () => crossEntropy(found, inputs.labels, inputs.weights).sum,
      clicks: () => {
        const { shown } = inputs;
        if (!shown) return zeros([]);
        const [scores, wanted] = [
          scoresOf(model, own.hidden, shown),
          scoresOf(knows, other.hidden, shown),
        ]
          .map(asLogits);
        return sum(mul(softLabelLoss(scores!, wanted!, distill.temperature), rows));
      },
    };
    const losses = activeLosses(distill).map((name): AnyTensor => each[name]());
    const total = (x: AnyTensor): AnyTensor => sum(x);
    return {
      losses: stack(losses, 0) as AnyTensor,
      rows: total(rows),
      places: total(weights),
      pairs: inputs.shown ? total(rows) : zeros([]),
    };
  };
}

/** Sums of two micro-batches. */
export function addSums(a: LossSums, b: LossSums): LossSums {
  return {
    losses: add(a.losses, b.losses) as AnyTensor,
    rows: add(a.rows, b.rows),
    places: add(a.places, b.places),
    pairs: add(a.pairs, b.pairs),
  };
}
