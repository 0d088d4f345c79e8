/**
 * The model of a task: an encoder, and the task's head on it.
 *
 * @module
 */
import { type Device, dispose, toDevice } from "../../core/mod.ts";
import { type Dropout, encode, type EncoderOptions, init, type TensorsOf } from "../../nn/mod.ts";
import type { ModelConfig } from "../pretrain/config.ts";
import { leftOutLine, originOf } from "../pretrain/init_from.ts";
import { encoderOptions, type Model, modelSpec } from "../pretrain/model.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import type { Head, HeadInputs, HeadSpec } from "./heads/head.ts";
import type { RowInputs } from "./unit_batches.ts";

/** A task's model; what the head has, the head knows. */
export interface TaskModel {
  readonly encoder: Model["encoder"];
  readonly head: TensorsOf<HeadSpec>;
}

/** A pretrained model to begin with. */
export interface Start {
  readonly model: ModelConfig;
  readonly options: EncoderOptions;
  readonly vocabulary: Vocabulary;
  /** What is to be said of it before it is used. */
  readonly note?: string;
  /** A model with a fresh head, on the device; training takes it over. */
  readonly begin: (head: Head, seed: number, device: Device) => Promise<TaskModel>;
}

/**
 * The best checkpoint of a run, or a model in Hugging Face's layout; with `scratch` an encoder of its sizes that is drawn from the seed.
 *
 * @throws InputError where there is none.
 */
export async function startOf(run: string, scratch: boolean): Promise<Start> {
  const origin = await originOf(run), { weights, config: { model, click }, vocabulary } = origin;
  const all = modelSpec(model, vocabulary.tokens.length, click !== null),
    note = leftOutLine(origin);
  const spec = origin.hasHead ? all : { encoder: all.encoder };
  return {
    ...note !== undefined && { note },
    model,
    options: encoderOptions(model),
    vocabulary,
    async begin(head, seed, device) {
      const fresh = init(seed, spec, device);
      const found = scratch ? fresh : await toDevice(await weights(fresh), device);
      if (found !== fresh) dispose(fresh);
      const { encoder, ...rest } = found;
      dispose(rest);
      return { encoder, head: init(seed, head.spec(model.width), device) };
    },
  };
}

/** Hidden states of a batch, as heads take them. */
export function hiddenOf(
  { encoder }: TaskModel,
  inputs: RowInputs,
  options: EncoderOptions,
  dropout?: Dropout<"B">,
): HeadInputs {
  const { hidden } = encode(encoder, inputs, options, dropout ? { dropout } : {});
  return { hidden, keep: inputs.keep, ...dropout && { dropout } };
}
