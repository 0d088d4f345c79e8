/**
 * Which tensor of a micro-batch is the first that is not finite: the weights as the pass rounds them, then the results of the forward
 * pass in its order, the loss, and the gradients from the loss back; and which parameter's gradient is the first of these.
 *
 * It is asked once, when a run cannot go on, so nothing of it costs a step anything: the micro-batch is computed again.
 *
 * @module
 */
import {
  all,
  type AnyTensor,
  cast,
  concat,
  type Device,
  dispose,
  isFinite,
  jit,
  paths,
  read,
  reshape,
  type Tensor,
  type Tree,
  valueGradAux,
} from "../../core/mod.ts";
import { encode, type Encoded, lowered } from "../../nn/mod.ts";
import type { PretrainConfig } from "./config.ts";
import { clickScores, encoderOptions, logitsAt, type Model } from "./model.ts";
import { stepOptions } from "./step.ts";
import {
  type ClickStepInputs,
  type LossInputs,
  passOf,
  type StepInputs,
  stepLosses,
} from "./step_losses.ts";

type Named = readonly [name: string, value: AnyTensor];

/** Parameters as their gradients come last to first: what is nearest to the loss has the greatest rank. */
const PARTS = ["encoder.embeddings.", "encoder.shared.", "encoder.layers.", "encoder.norm.", ""];
const INSIDE = ["norm1.", "attention.", "norm2.", "feedForward.up.", "feedForward.down."];

/** The paths of parameters in the order in which a backward pass comes by them. */
export function backwardOrder(names: readonly string[]): readonly string[] {
  const rank = (name: string): number => {
    const part = PARTS.findIndex((p) => name.startsWith(p));
    const [, layer = "0", rest = ""] = /^encoder\.layers\.(\d+)\.(.*)$/.exec(name) ?? [];
    return (part * 1e4 + Number(layer)) * INSIDE.length +
      Math.max(0, INSIDE.findIndex((p) => rest.startsWith(p)));
  };
  return [...names].sort((a, b) => rank(b) - rank(a)); // stable
}

/** What the encoder makes, first to last. */
function encoded({ states, layers, hidden }: Encoded<"B", "T", "C", "H", "K">): readonly Named[] {
  const of = (i: number): string => `layer ${i + 1} of ${layers.length}`;
  return [
    ["the embeddings", states[0] as AnyTensor],
    ...layers.flatMap(({ q, k, v }, i): Named[] => [
      [`the queries of ${of(i)}`, q as AnyTensor],
      [`the keys of ${of(i)}`, k as AnyTensor],
      [`the values of ${of(i)}`, v as AnyTensor],
      [`the result of ${of(i)}`, states[i + 1] as AnyTensor],
    ]),
    ["the last hidden states", hidden as AnyTensor],
  ];
}

const GRADIENT = "the gradient of ";

/** A micro-batch of either task. */
type Inputs = StepInputs | ClickStepInputs;

/** What is not finite of a micro-batch. */
export interface NotFinite {
  /** The first of all tensors, in words. */
  readonly first: string;
  /** The path of the first parameter whose gradient is not finite, from the loss back. */
  readonly parameter: string | undefined;
}

/** Finds what is not finite of a micro-batch, undefined where all is. Its program is compiled when it is called. */
export function firstNotFinite(
  config: PretrainConfig,
  device: Device,
): (model: Model, inputs: Inputs, own: LossInputs) => Promise<NotFinite | undefined> {
  const options = stepOptions(config, device), { precision, model: sizes } = config;
  const losses = stepLosses(sizes, options);
  const [text, clicks] = [valueGradAux(losses.text), valueGradAux(losses.clicks)];
  let names: readonly string[] = [];
  const flags = jit((model: Model, inputs: Inputs, own: LossInputs) => {
    const pass = passOf(options, inputs), low = lowered(model, precision);
    const made = encode(low.encoder, inputs, encoderOptions(sizes), pass);
    const scores: readonly Named[] = [
      ["the scores of the tokens", logitsAt(low, made.hidden, inputs.positions) as AnyTensor],
      ..."shown" in inputs
        ? [["the scores of the titles", clickScores(low, inputs, sizes, pass).scores] as never]
        : [],
    ];
    const { value, grads } = "shown" in inputs
      ? clicks(model, inputs, own)
      : text(model, inputs, own);
    const slopes = new Map(paths(grads as unknown as Tree<AnyTensor>));
    const found: readonly Named[] = [
      ...paths(low as unknown as Tree<AnyTensor>).map(([path, x]): Named => [
        `the weights ${path} as ${precision}`,
        x,
      ]),
      ...encoded(made as never),
      ...scores,
      ["the loss, scaled", value as AnyTensor],
      ...backwardOrder([...slopes.keys()]).map((path): Named => [
        GRADIENT + path,
        slopes.get(path)!,
      ]),
    ];
    names = found.map(([name]) => name);
    return concat(
      found.map(([, x]): AnyTensor => reshape(cast(all(isFinite(x as Tensor)), "i32"), [1])),
      0,
    ) as AnyTensor;
  }, { device });
  return async (model, inputs, own) => {
    const result = flags(model, inputs, own), found = await read(result as AnyTensor as Tensor);
    dispose(result);
    const bad = names.filter((_, i) => found[i] === 0);
    if (bad.length === 0) return undefined;
    const parameter = bad.find((name) => name.startsWith(GRADIENT))?.slice(GRADIENT.length);
    return { first: bad[0]!, parameter };
  };
}
