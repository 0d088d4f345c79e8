/**
 * The training step in this library: one program, loss to new parameters, on state that it replaces.
 *
 * @module
 */
import {
  type AnyTensor,
  type Device,
  dispose,
  div,
  fromArray,
  jit,
  type Jitted,
  mapTree,
  ones,
  readNumber,
  size,
  sizesOf,
  type Tensor,
  toDevice,
  type Tree,
  valueAndGrad,
} from "../../core/mod.ts";
import {
  crossEntropy,
  describe,
  encode,
  type EncoderOptions,
  encoderSpec,
  mlmHeadSpec,
  mlmLogits,
  schemes,
} from "../../nn/mod.ts";
import { lamb, type Optimizer, type OptimizerState } from "../../optim/mod.ts";
import type { Model, ModelSpec } from "../pretrain/model.ts";
import type { Runner } from "./bench_case.ts";
import {
  lambSettings,
  LOSSES,
  startValues,
  stepBatch,
  type StepSizes,
  vectors,
} from "./step_sizes.ts";

const options: EncoderOptions = { scheme: schemes.t5, norm: "pre" };

/** The specs of the model. */
export function stepSpec({ layers, width, heads, hidden, vocabulary }: StepSizes): ModelSpec {
  const sizes = {
    vocabulary: size("V", vocabulary),
    width: size("C", width),
    heads: size("H", heads),
    headWidth: size("K", width / heads),
    hidden: size("F", hidden),
    layers,
  };
  return {
    encoder: encoderSpec(sizes, options),
    head: mlmHeadSpec(sizes.vocabulary, sizes.width),
  };
}

/** Initial parameters, those that every peer starts from. */
export function stepModel(sizes: StepSizes): Model {
  const spec = stepSpec(sizes), infos = new Map(describe(spec).map((info) => [info.path, info]));
  return mapTree(spec as unknown as Tree<object>, (_, path): AnyTensor => {
    const { shape } = infos.get(path)!, count = shape.reduce((a, b) => a * b, 1);
    return fromArray(startValues(path, count), [...shape]);
  }) as unknown as Model;
}

interface Inputs {
  readonly ids: Tensor<["B", "T"], "i32">;
  readonly positions: Tensor<["P"], "i32">;
  readonly labels: Tensor<["P"], "i32">;
}

/** The mean cross-entropy at the masked positions. */
export function stepLoss(model: Model, { ids, positions, labels }: Inputs): Tensor<[]> {
  const { hidden } = encode(model.encoder, { ids }, options);
  const logits = mlmLogits(model.head, model.encoder.embeddings.tokens, hidden, positions);
  const { sum, weight } = crossEntropy(logits, labels, ones([sizesOf(positions)[0]!]) as AnyTensor);
  return div(sum, weight);
}

/** The optimiser of the step. */
export function stepOptimizer(): Optimizer {
  return lamb({ ...lambSettings, groups: [{ match: vectors, decay: 0 }] });
}

/** What a step leaves. */
export interface Stepped {
  readonly loss: Tensor<[]>;
  readonly model: Model;
  readonly state: OptimizerState;
}

/** The compiled step. */
export function stepProgram(
  device: Device,
): Jitted<[model: Model, state: OptimizerState, inputs: Inputs], Stepped> {
  const optimizer = stepOptimizer(), gradient = valueAndGrad(stepLoss);
  return jit((model: Model, state: OptimizerState, inputs: Inputs): Stepped => {
    const { value, grads } = gradient(model, inputs);
    const next = optimizer.step(model, grads, state);
    return { loss: value, model: next.params, state: next.state };
  }, { device, donate: [0, 1] });
}

/** The tensors of the batch. */
export function stepInputs(sizes: StepSizes): Inputs {
  const { ids, positions, labels } = stepBatch(sizes);
  const ints = (data: Int32Array, shape: number[]): AnyTensor => fromArray(data, shape, "i32");
  return {
    ids: ints(ids, [sizes.batch, sizes.length]),
    positions: ints(positions, [positions.length]),
    labels: ints(labels, [labels.length]),
  };
}

/** The step on a device. Its values are the losses from the initial parameters on. */
export async function stepRunner(device: Device, sizes: StepSizes): Promise<Runner> {
  const step = stepProgram(device), inputs = await toDevice(stepInputs(sizes), device);
  let now: Omit<Stepped, "loss"> & { readonly loss?: Stepped["loss"] };
  const restart = async (): Promise<void> => {
    const model = await toDevice(stepModel(sizes), device);
    now = { model, state: stepOptimizer().init(model) };
  };
  const advance = (): void => {
    dispose(now.loss);
    now = step(now.model, now.state, inputs);
  };
  await restart();
  return {
    async time(times) {
      const start = performance.now();
      for (let i = 0; i < times; i++) advance();
      await device.synchronize();
      return (performance.now() - start) / 1000;
    },
    async values(at) {
      dispose(now);
      await restart();
      const losses: number[] = [];
      for (let i = 0; i < LOSSES; i++) {
        advance();
        losses.push(await readNumber(now.loss!));
      }
      return at.map((i) => losses[i] ?? NaN);
    },
    close() {
      dispose(now);
      dispose(inputs);
    },
  };
}
