/**
 * The model that is learnt from: a run, or one checkpoint of it.
 *
 * @module
 */
import { type Device, dispose } from "../../core/mod.ts";
import { init } from "../../nn/mod.ts";
import { InputError } from "../cli/input_error.ts";
import { type Origin, originOf } from "../pretrain/init_from.ts";
import { type Model, modelSpec } from "../pretrain/model.ts";
import { checkpointModel, weightsHash } from "../run/checkpoint.ts";

/** A teacher, not yet on a device. */
export interface Teacher extends Origin {
  /** Of its weights. */
  readonly sha256: string;
}

/**
 * The teacher in a folder; with `sha256` it must have those weights.
 *
 * @throws InputError
 */
export async function teacherOf(path: string, sha256?: string): Promise<Teacher> {
  const origin = await originOf(path), found = await weightsHash(origin.checkpoint);
  if (sha256 !== undefined && sha256 !== found) {
    throw new InputError(
      `Cannot go on learning from ${path}: its weights are not those that the run began with; put them back`,
    );
  }
  return { ...origin, sha256: found };
}

/** Its weights on a device. */
export async function teacherModel(teacher: Teacher, device: Device): Promise<Model> {
  const { config, vocabulary, checkpoint } = teacher;
  const fresh = init(
    0,
    modelSpec(config.model, vocabulary.tokens.length, config.click !== null),
    device,
  );
  const model = await checkpointModel(checkpoint, fresh, device);
  dispose(fresh);
  return model;
}
