/**
 * What a run takes, known before it begins: parameters, memory by kind, work a step. Its programs are planned as the run will plan
 * them, on zeros that take no memory.
 *
 * @module
 */
import {
  type AnyTensor,
  type Device,
  leaves,
  type Planned,
  sizesOf,
  type Tensor,
  type Tree,
  zeros,
} from "../../core/mod.ts";
import { describe, placeholders } from "../../nn/mod.ts";
import {
  HELD_OUT_MASK,
  MASK_SETTINGS,
  type MaskSettings,
  predictions,
} from "../masking/mask_settings.ts";
import type { ClickConfig, DataConfig, PretrainConfig } from "./config.ts";
import { evaluationProgram, noTotals } from "./evaluate.ts";
import { EXAMPLES, fillProgram } from "./fill_mask.ts";
import type { MlmInputs } from "./model.ts";
import { type ClickInputs, modelSpec } from "./model.ts";
import { batchesHeld } from "./pace.ts";
import { freshLearning, lossInputs, stepOptions, stepPrograms, zeroSums } from "./step.ts";
import type { StepInputs } from "./step_losses.ts";
import { optimizerOf } from "./train.ts";

/** Numbers of parameters. */
export interface Parameters {
  readonly total: number;
  readonly embeddings: number;
  readonly layers: number;
  /** What the layers share for positions. */
  readonly positions: number;
  /** The last normalisation and the head; its output rows are the embeddings. */
  readonly head: number;
}

/** Memory of the device. Units: bytes. */
export interface MemoryForecast {
  readonly weights: number;
  /** Sums of gradients. */
  readonly gradients: number;
  readonly moments: number;
  /** Activations and all else that a program puts down and takes up again, and what kernels need for themselves. */
  readonly scratch: number;
  /** Batches on their way, and tables that programs hold. */
  readonly inputs: number;
  readonly total: number;
}

/** What a run takes. */
export interface Forecast {
  readonly name: string;
  readonly device: string;
  readonly vocabulary: number;
  readonly parameters: Parameters;
  readonly memory: MemoryForecast;
  /** The most bytes of intermediate results that are alive at once, by program: what scratch cannot be less than. */
  readonly alive: { readonly accumulate: number; readonly apply: number };
  /** Tokens a step. */
  readonly tokens: number;
  readonly microBatches: number;
  /**
   * Multiplications and additions of products and attention in one step. `backward` holds what is computed again. The update has no
   * products.
   */
  readonly flops: {
    readonly forward: number;
    readonly backward: number;
    readonly update: number;
    readonly total: number;
  };
  /** Bytes that one step reads and writes. */
  readonly traffic: number;
}

const bytesOn = ({ planner }: Device, tree: unknown): number =>
  leaves(tree as Tree<AnyTensor>).reduce((sum, x) => {
    const size = sizesOf(x).reduce((a, b) => a * b, 1);
    return sum + planner.storageBytes(size, (x as Tensor).dtype);
  }, 0);

/** A batch of B sequences that takes no memory. */
function emptyBatch({ length: T }: DataConfig, mask: MaskSettings, B: number): MlmInputs {
  const P = B * predictions(T, mask);
  return {
    ids: zeros([B, T], "i32") as AnyTensor,
    keep: zeros([B, T]) as AnyTensor,
    positions: zeros([P], "i32") as AnyTensor,
    labels: zeros([P], "i32") as AnyTensor,
    weights: zeros([P]) as AnyTensor,
  };
}

/** A micro-batch of impressions that takes no memory. */
function emptyClicks(
  { microBatch: I, docs: D, length: T, mlm }: ClickConfig,
  mask: MaskSettings,
): ClickInputs {
  const B = I * D, P = B * (mlm ? predictions(T, mask) : 1);
  const grid = (): AnyTensor => zeros([I, D]) as AnyTensor;
  return {
    ids: zeros([B, T], "i32") as AnyTensor,
    keep: zeros([B, T]) as AnyTensor,
    segments: zeros([B, T], "i32") as AnyTensor,
    positions: zeros([P], "i32") as AnyTensor,
    labels: zeros([P], "i32") as AnyTensor,
    weights: zeros([P]) as AnyTensor,
    shown: { keep: grid(), clicks: grid(), weights: grid(), ranks: grid() },
  };
}

function parametersOf(specs: unknown): Parameters {
  const found = { embeddings: 0, layers: 0, positions: 0, head: 0 };
  for (const { path, shape } of describe(specs)) {
    const part = path.startsWith("encoder.embeddings.")
      ? "embeddings"
      : path.startsWith("encoder.layers.")
      ? "layers"
      : path.startsWith("encoder.shared.")
      ? "positions"
      : "head";
    found[part] += shape.reduce((a, b) => a * b, 1);
  }
  const { embeddings, layers, positions, head } = found;
  return { total: embeddings + layers + positions + head, ...found };
}

/**
 * What a run of this configuration over `vocabulary` tokens would take on a device, where nothing is put.
 *
 * @throws {DeviceError} if a tensor is larger than any that the device can hold.
 */
export function forecast(config: PretrainConfig, vocabulary: number, device: Device): Forecast {
  const { data, model: sizes, click } = config;
  const specs = modelSpec(sizes, vocabulary, click !== null);
  const optimizer = optimizerOf(config), model = placeholders(specs);
  const sums = zeroSums(model), state = freshLearning(config, optimizer, model);
  const batch = emptyBatch(data, config.mask, data.microBatch);
  const scalar = zeros([], "i32");
  const place = { step: scalar, first: scalar, share: zeros([]) };
  const inputs: StepInputs = { ...batch, ...place };
  const learnt = lossInputs(state);
  const programs = stepPrograms(sizes, optimizer, stepOptions(config, device));
  const accumulate = programs.accumulate.plan(model, sums, inputs, learnt);
  const apply = programs.apply.plan(model, state, sums);
  const evaluate = evaluationProgram(sizes, device)
    .plan(model, noTotals(), emptyBatch(data, HELD_OUT_MASK, data.microBatch));
  // In the order of a run.
  const all = [accumulate];
  if (click) {
    const own = { ...emptyClicks(click, config.mask), ...place, clickShare: zeros([]) };
    all.push(programs.accumulateClicks.plan(model, sums, own, learnt));
  }
  all.push(apply);
  if (config.evalEvery > 0) {
    all.push(
      evaluate,
      fillProgram(sizes, device).plan(model, emptyBatch(data, MASK_SETTINGS, EXAMPLES)),
    );
  }
  const memory = {
    // Where processes take steps apart, it is the outer parameters that are evaluated, beside the process's own.
    weights: bytesOn(device, model) * (config.diloco && config.evalEvery > 0 ? 2 : 1),
    gradients: bytesOn(device, sums),
    moments: bytesOn(device, state),
    scratch: device.planner.workspaceBytes(all),
    inputs: batchesHeld(device) * bytesOn(device, inputs) +
      all.reduce((sum, p) => sum + p.capturedBytes, 0),
  };
  const microBatches = data.batch / data.microBatch;
  const whole = (of: (p: Planned) => number): number => microBatches * of(accumulate) + of(apply);
  const forward = microBatches * evaluate.flops, total = whole((p) => p.flops);
  return {
    name: config.name,
    device: device.description,
    vocabulary,
    parameters: parametersOf(specs),
    memory: { ...memory, total: Object.values(memory).reduce((a, b) => a + b, 0) },
    alive: { accumulate: accumulate.peakBytes, apply: apply.peakBytes },
    tokens: data.batch * data.length,
    microBatches,
    flops: { forward, backward: total - forward - apply.flops, update: apply.flops, total },
    traffic: whole((p) => p.trafficBytes),
  };
}
