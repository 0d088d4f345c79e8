/**
 * Checkpoints: `checkpoints/step-00001000/{model.safetensors, optimizer.safetensors, state.json}`, and where many processes remember
 * something each, `rank-00000.safetensors` and so on.
 *
 * A checkpoint is written under another name, synced and renamed when it is whole; `state.json` holds the hashes of the
 * files. So what has its name can be believed, and what was broken afterwards is found.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { ensureDir } from "@std/fs";
import { join } from "@std/path";
import {
  type AnyTensor,
  type Device,
  mapTree,
  paths,
  SafetensorsError,
  sizesOf,
  toDevice,
  type Tree,
  writeSafetensors,
} from "../../core/mod.ts";
import { InputError } from "../cli/input_error.ts";
import { reasonOf } from "../cli/reason.ts";
import { isRecord } from "../cli/schema.ts";
import { openWeights, type Scaled, type WeightsFile, writeWeights } from "./weights_file.ts";
import { writeWhole } from "./write_whole.ts";

/** What a checkpoint holds. */
export interface Checkpointed<M, O> {
  /** Steps taken. */
  readonly step: number;
  readonly model: M;
  readonly optimizer: O;
  /** How often the run had gone back to a checkpoint; 0 where it is left out. */
  readonly rollbacks?: number;
}

/** What processes remember that is not the same for all, a tree each. */
export interface RankFiles {
  /** How many of them there were. */
  readonly size: number;
  /** What one of them remembered. @throws InputError where it was cut short or changed */
  read(rank: number): Promise<ReadonlyMap<string, AnyTensor>>;
}

/** Where checkpoints are in a run's folder. */
export const FOLDER = "checkpoints";

const STATE = "state.json", PART = "part-";
const FILES = ["model", "optimizer"] as const;

/** The folder of the checkpoint after `step` steps. */
export function checkpointPath(run: string, step: number): string {
  return join(run, FOLDER, `step-${String(step).padStart(8, "0")}`);
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  const file = await Deno.open(path);
  for await (const bytes of file.readable) hash.update(bytes); // closes it
  return hash.digest("hex");
}

/** Makes names in a folder last; Windows has no such call and needs none. */
async function syncFolder(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  using folder = await Deno.open(path);
  await folder.sync();
}

/** Removes what a process that died while it wrote a checkpoint has left. */
async function removeParts(parent: string): Promise<void> {
  for await (const { name } of Deno.readDir(parent)) {
    if (name.startsWith(PART)) await Deno.remove(join(parent, name), { recursive: true });
  }
}

/** Writes a checkpoint, in the place of one of the same step. `ranks`: what every process remembers, one after the other. */
export function saveCheckpoint<M, O>(
  run: string,
  state: Checkpointed<M, O>,
  ranks?: AsyncIterable<Tree<AnyTensor>>,
): Promise<void> {
  return save(run, state, ranks);
}

const rankName = (rank: number): string => `rank-${String(rank).padStart(5, "0")}`;

/** Writes a checkpoint of weights alone, in one byte where `scaled` says so: other runs can begin with it, none can go on from it. */
export function saveWeights<M>(
  run: string,
  step: number,
  model: M,
  scaled?: Scaled,
): Promise<void> {
  return save(run, { step, model }, undefined, scaled);
}

type Saved<M, O> = Omit<Checkpointed<M, O>, "optimizer"> & { readonly optimizer?: O };

async function save<M, O>(
  run: string,
  state: Saved<M, O>,
  ranks?: AsyncIterable<Tree<AnyTensor>>,
  scaled?: Scaled,
): Promise<void> {
  const target = checkpointPath(run, state.step), parent = join(run, FOLDER);
  await ensureDir(parent);
  await removeParts(parent);
  const made = await Deno.makeTempDir({ dir: parent, prefix: PART });
  try {
    const hashes: Record<string, string> = {};
    const write = async (name: string, tree: Tree<AnyTensor>): Promise<void> => {
      const path = join(made, `${name}.safetensors`);
      await (scaled ? writeWeights(path, tree, scaled) : writeSafetensors(path, tree));
      hashes[name] = await hashOf(path);
    };
    for (const name of FILES) {
      if (state[name] !== undefined) await write(name, state[name] as Tree<AnyTensor>);
    }
    let rank = 0;
    for await (const tree of ranks ?? []) await write(rankName(rank++), tree);
    const { step, rollbacks = 0 } = state;
    await writeRecord(made, { step, rollbacks, sha256: hashes });
    await syncFolder(made);
    await Deno.remove(target, { recursive: true }).catch(() => {});
    await Deno.rename(made, target);
    await syncFolder(parent);
  } catch (error) {
    await Deno.remove(made, { recursive: true }).catch(() => {});
    throw error;
  }
}

/** The steps after which a run has checkpoints, ascending. */
export async function checkpointSteps(run: string): Promise<readonly number[]> {
  const steps: number[] = [];
  try {
    for await (const { name } of Deno.readDir(join(run, FOLDER))) {
      if (/^step-\d{8,}$/.test(name)) steps.push(Number(name.slice("step-".length)));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return steps.sort((a, b) => a - b);
}

/** The folder of the newest checkpoint. */
async function newest(run: string): Promise<string> {
  const last = (await checkpointSteps(run)).at(-1);
  if (last !== undefined) return checkpointPath(run, last);
  throw new InputError(
    `Cannot resume ${run}: it has no checkpoint; start a new run with another --out`,
  );
}

const MEND = "remove this checkpoint's folder to go on from the one before";
/** What helps who begins with a checkpoint. */
const OTHER = "pass another --init";

interface Recorded {
  readonly step: number;
  readonly rollbacks?: number;
  readonly sha256: Readonly<Record<string, string>>;
}

function writeRecord(folder: string, record: Recorded): Promise<void> {
  return writeWhole(join(folder, STATE), JSON.stringify(record, null, 2) + "\n");
}

async function recorded(folder: string, mend = MEND): Promise<Recorded> {
  const path = join(folder, STATE);
  try {
    const state: unknown = JSON.parse(await Deno.readTextFile(path));
    if (isRecord(state) && Number.isSafeInteger(state.step) && isRecord(state.sha256)) {
      return state as unknown as Recorded;
    }
  } catch (error) {
    throw new InputError(
      `Cannot read the checkpoint ${path}: ${reasonOf(error)}; ${mend}`,
    );
  }
  throw new InputError(`Cannot read the checkpoint ${path}: it must have step and sha256; ${mend}`);
}

const failing = (path: string, mend: string) => (why: string): never => {
  throw new InputError(`Cannot read the checkpoint ${path}: ${why}; ${mend}`);
};

/** All tensors of one file. */
function readAll(
  path: string,
  hash: string | undefined,
): Promise<ReadonlyMap<string, AnyTensor>> {
  return reading(path, hash, failing(path, MEND), async (file) => {
    const found = new Map<string, AnyTensor>();
    for (const name of file.entries.keys()) found.set(name, await file.read(name));
    return found;
  });
}

/** The tensors of one file, in the structure, shapes and dtypes of `like`. */
async function readTree<T>(
  path: string,
  hash: string | undefined,
  like: T,
  mend = MEND,
): Promise<T> {
  const fail = failing(path, mend);
  return await reading(path, hash, fail, async (file) => {
    const found = new Map<string, AnyTensor>(), wants = new Map(paths(like as Tree<AnyTensor>));
    for (const [name, want] of wants) {
      const got = file.entries.get(name);
      const wanted = `${want.dtype as string} [${sizesOf(want)}]`,
        is = got && `${got.dtype ?? got.stored} [${got.shape}]`;
      if (is !== wanted) fail(`'${name}' must be ${wanted} (${is ?? "missing"})`);
      found.set(name, await file.read(name));
    }
    const more = [...file.entries.keys()].find((name) => !wants.has(name));
    if (more !== undefined) fail(`this model has no '${more}'`);
    return mapTree(like as Tree<AnyTensor>, (_, name) => found.get(name)!) as T;
  });
}

/** Reads a file that is as it was written; what is wrong with it goes to `fail`. */
async function reading<T>(
  path: string,
  hash: string | undefined,
  fail: (why: string) => never,
  read: (file: WeightsFile) => Promise<T>,
): Promise<T> {
  try {
    if (await hashOf(path) !== hash) {
      fail("it was changed since it was written (its SHA-256 differs)");
    }
    await using file = await openWeights(path);
    return await read(file);
  } catch (error) {
    if (error instanceof InputError) throw error;
    if (error instanceof Deno.errors.NotFound) return fail("no such file");
    if (error instanceof SafetensorsError) return fail(error.message);
    throw error;
  }
}

/**
 * The newest checkpoint of a run, on a device. `like` is a state of the same model, such as a fresh one.
 *
 * @throws InputError where there is none, or it was cut short or changed.
 */
export async function latestCheckpoint<M, O>(
  run: string,
  like: Checkpointed<M, O>,
  device: Device,
): Promise<Checkpointed<M, O> & { readonly ranks?: RankFiles }> {
  const folder = await newest(run), { step, rollbacks = 0, sha256 } = await recorded(folder);
  if (sha256.optimizer === undefined) {
    throw new InputError(
      `Cannot resume ${run}: its checkpoint has weights alone; begin a new run with --init ${run}`,
    );
  }
  const read = <T>(name: typeof FILES[number], tree: T): Promise<T> =>
    readTree(join(folder, `${name}.safetensors`), sha256[name], tree);
  const state = {
    model: await read("model", like.model),
    optimizer: await read("optimizer", like.optimizer),
  };
  const size = Object.keys(sha256).filter((name) => /^rank-\d+$/.test(name)).length;
  const ranks: RankFiles = {
    size,
    read: (rank) => readAll(join(folder, `${rankName(rank)}.safetensors`), sha256[rankName(rank)]),
  };
  return { step, rollbacks, ...size > 0 && { ranks }, ...await toDevice(state, device) };
}

/**
 * The weights of one checkpoint, on the host. `like` is a model of the same sizes, such as a fresh one or placeholders.
 *
 * @throws InputError where it was cut short or changed, or is of another model.
 */
export async function checkpointWeights<M>(folder: string, like: M): Promise<M> {
  const { sha256 } = await recorded(folder, OTHER);
  return await readTree(join(folder, "model.safetensors"), sha256.model, like, OTHER);
}

/**
 * The SHA-256 of a checkpoint's weights, as they were written.
 *
 * @throws InputError where there is none.
 */
export async function weightsHash(folder: string): Promise<string> {
  const { model } = (await recorded(folder, OTHER)).sha256;
  if (model !== undefined) return model;
  throw new InputError(`Cannot read the checkpoint ${folder}: it names no weights; ${OTHER}`);
}

/**
 * Removes the checkpoints after step `good`, and notes in the newest that is left that the run went back to it; gives its step,
 * undefined where none is left. A process that dies in between leaves a run that can be resumed.
 */
export async function dropAfter(
  run: string,
  good: number,
  rollbacks: number,
): Promise<number | undefined> {
  const steps = await checkpointSteps(run), left = steps.findLast((step) => step <= good);
  for (const step of steps.toReversed()) {
    if (step > good) await Deno.remove(checkpointPath(run, step), { recursive: true });
  }
  if (left === undefined) return undefined;
  const folder = checkpointPath(run, left);
  await writeRecord(folder, { ...await recorded(folder), rollbacks });
  return left;
}
