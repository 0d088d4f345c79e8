/**
 * The tensors of a folder: one `model.safetensors`, or the shards that `model.safetensors.index.json` names.
 *
 * @module
 */
import { basename, join } from "@std/path";
import { exists } from "@std/fs";
import { read, type Tensor } from "../../core/mod.ts";
import { fromHost } from "../../core/dtype.ts";
import type { SafetensorsEntry } from "../../core/io/safetensors_header.ts";
import { InputError } from "../cli/input_error.ts";
import { isRecord } from "../cli/schema.ts";
import { openWeights } from "../run/weights_file.ts";
import { readJson } from "./read_json.ts";

const WHOLE = "model.safetensors", INDEX = `${WHOLE}.index.json`;
/** What PyTorch saves by itself: programs that are run when they are read. */
const PICKLED = ["pytorch_model.bin", "pytorch_model.bin.index.json"];

/** What a folder holds, seen by its headers alone. */
export interface StoredTensors {
  /** For messages. */
  readonly folder: string;
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  /** Numbers of some tensors, one after another, as f32. */
  readonly each: (
    names: readonly string[],
    take: (name: string, values: Float32Array) => void,
  ) => Promise<void>;
}

/** The names of the files that hold the tensors of an index. */
async function shardsOf(folder: string): Promise<readonly string[]> {
  const path = join(folder, INDEX), { weight_map: map } = await readJson(path);
  const refuse = (why: string): never => {
    throw new InputError(`Cannot read ${path}: ${why}`);
  };
  if (!isRecord(map) || Object.keys(map).length === 0) {
    return refuse("weight_map must say which file every tensor is in");
  }
  const names = [...new Set(Object.values(map))];
  const odd = names.find((name) => typeof name !== "string" || basename(name) !== name);
  if (odd !== undefined) {
    refuse(`weight_map names ${JSON.stringify(odd)}, it must name files beside the index`);
  }
  for (const name of names as readonly string[]) {
    if (!await exists(join(folder, name))) refuse(`${name} is not beside it; fetch it again`);
  }
  return names as readonly string[];
}

async function filesOf(folder: string): Promise<readonly string[]> {
  if (await exists(join(folder, WHOLE))) return [WHOLE];
  if (await exists(join(folder, INDEX))) return await shardsOf(folder);
  for (const name of PICKLED) {
    if (!await exists(join(folder, name))) continue;
    const save = `AutoModelForMaskedLM.from_pretrained("${folder}").save_pretrained("NEW_DIR")`;
    throw new InputError(
      `Cannot read ${join(folder, name)}: a pickle is a program, only safetensors are read; ` +
        `save it as such where transformers is installed: ${save}`,
    );
  }
  throw new InputError(
    `Cannot read ${folder}: it has neither ${WHOLE} nor ${INDEX}; fetch the weights as safetensors`,
  );
}

/** Refuses what Git leaves in the place of a large file where Git LFS is not installed. */
async function refusePointer(path: string): Promise<void> {
  const begin = "version https://git-lfs", bytes = new Uint8Array(begin.length);
  using file = await Deno.open(path);
  await file.read(bytes);
  if (new TextDecoder().decode(bytes) !== begin) return;
  throw new InputError(
    `Cannot read ${path}: it is a pointer of Git LFS, not the file itself; fetch it with git lfs pull`,
  );
}

/**
 * Looks at the headers of a folder's files.
 *
 * @throws InputError where there are none, or a shard is missing. @throws SafetensorsError where one is broken.
 */
export async function storedTensors(folder: string): Promise<StoredTensors> {
  const places = new Map<string, string>(), entries = new Map<string, SafetensorsEntry>();
  for (const file of await filesOf(folder)) {
    const path = join(folder, file);
    await refusePointer(path);
    await using open = await openWeights(path);
    for (const [name, entry] of open.entries) {
      if (entries.has(name)) {
        throw new InputError(
          `Cannot read ${path}: '${name}' is in ${places.get(name)} too; keep one`,
        );
      }
      places.set(name, path);
      entries.set(name, entry);
    }
  }
  return {
    folder,
    entries,
    async each(names, take) {
      const wanted = Map.groupBy(names, (name) => places.get(name)!);
      for (const [path, own] of wanted) {
        await using open = await openWeights(path);
        for (const name of own) {
          const tensor = await open.read(name), { dtype } = entries.get(name)!;
          const values = fromHost(await read(tensor as Tensor), dtype!);
          take(name, values as Float32Array);
        }
      }
    },
  };
}
