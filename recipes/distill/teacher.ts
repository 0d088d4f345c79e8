/**
 * The model that is learnt from: a run, one checkpoint of it, or a model in Hugging Face's layout.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { type Device, dispose, toDevice } from "../../core/mod.ts";
import { init } from "../../nn/mod.ts";
import { InputError } from "../cli/input_error.ts";
import { type Origin, originOf } from "../pretrain/init_from.ts";
import { type Model, modelSpec } from "../pretrain/model.ts";
import { weightsHash } from "../run/checkpoint.ts";

/** A teacher, not yet on a device. */
export interface Teacher extends Origin {
  /** Of its weights. */
  readonly sha256: string;
}

/** The hash of all files of tensors in a folder. */
async function filesHash(folder: string): Promise<string> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  const hash = createHash("sha256");
  for (const name of names.filter((name) => name.endsWith(".safetensors")).sort()) {
    const file = await Deno.open(join(folder, name));
    for await (const bytes of file.readable) hash.update(bytes); // closes it
  }
  return hash.digest("hex");
}

/**
 * The teacher in a folder; with `sha256` it must have those weights.
 *
 * @throws InputError
 */
export async function teacherOf(path: string, sha256?: string): Promise<Teacher> {
  const origin = await originOf(path), { layout, checkpoint } = origin;
  const found = await (layout === "run" ? weightsHash : filesHash)(checkpoint);
  if (sha256 !== undefined && sha256 !== found) {
    throw new InputError(
      `Cannot go on learning from ${path}: its weights are not those that the run began with; put them back`,
    );
  }
  return { ...origin, sha256: found };
}

/** Its weights on a device: all that it has, which may be the encoder alone. */
export async function teacherModel(
  { config, vocabulary, hasHead, weights }: Teacher,
  device: Device,
): Promise<Model> {
  const all = modelSpec(config.model, vocabulary.tokens.length, config.click !== null);
  const fresh = init(0, hasHead ? all : { encoder: all.encoder }, device);
  const model = await toDevice(await weights(fresh), device);
  dispose(fresh);
  return model as Model;
}
