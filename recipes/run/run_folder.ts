/**
 * The folder of a run: `config.json`, `vocab.txt`, `metrics.jsonl`, `eval.jsonl`, `checkpoints/`, `report.html`; and
 * `rollbacks.jsonl` where it diverged. A run never overwrites another.
 *
 * @module
 */
import { ensureDir } from "@std/fs";
import { join } from "@std/path";
import { InputError } from "../cli/input_error.ts";
import { reasonOf } from "../cli/reason.ts";
import { isRecord } from "../cli/schema.ts";
import { readVocabulary } from "../text/read_vocabulary.ts";
import { formatVocabulary, type Vocabulary } from "../text/vocabulary.ts";
import { writeWhole } from "./write_whole.ts";

const CONFIG = "config.json", VOCABULARY = "vocab.txt";

/** A new folder's name for a run that is given none, as in runs/motian-tiny-20260131-235959. */
export function newRunName(name: string, now: Date = new Date()): string {
  const digits = now.toISOString().replace(/\D/g, "");
  return join("runs", `${name}-${digits.slice(0, 8)}-${digits.slice(8, 14)}`);
}

async function namesIn(path: string, mend = "another --out"): Promise<readonly string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(path), ({ name }) => name)).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    const why = error instanceof Deno.errors.NotADirectory ? "it is a file" : reasonOf(error);
    throw new InputError(`Cannot use ${path} as a run's folder: ${why}; pass ${mend}`);
  }
}

/**
 * Makes a folder, and refuses one that cannot be written: better than after hours of work. `option` is the one that named it.
 *
 * @throws InputError
 */
export async function refuseUnwritable(path: string, option = "--out"): Promise<void> {
  try {
    await ensureDir(path);
    await Deno.remove(await Deno.makeTempFile({ dir: path, prefix: "part-" }));
  } catch (error) {
    throw new InputError(
      `Cannot write in the folder ${path}: ${reasonOf(error)}; pass another ${option}`,
    );
  }
}

/** `saveRun` begins with this file and makes `config.json` of it at last. */
const BEGUN = `${CONFIG}.part`;

/** What of these names is not left by a run that died before its configuration was there; or whose processes did not find each other. */
function used(names: readonly string[]): readonly string[] {
  const begun = names.includes(BEGUN) ? [BEGUN, VOCABULARY, `${VOCABULARY}.part`] : [];
  const left = [...begun, "flight"];
  return names.filter((name) => !left.includes(name));
}

/**
 * Makes the folder of a new run, empty: until `saveRun` is done in it, the same call works again. `option` is the one that named it.
 *
 * @throws InputError where the folder is used already, or cannot be written.
 */
export async function newRun(path: string, option: "--out" | "--save" = "--out"): Promise<void> {
  const [first, ...more] = used(await namesIn(path, `another ${option}`));
  if (first !== undefined) {
    const found = more.length > 0 ? `${first} and ${more.length} more` : first;
    const resume = option === "--out" ? ", or --resume to go on" : "";
    throw new InputError(
      `Cannot start a run in ${path}: it is not empty (${found}); pass another ${option}${resume}`,
    );
  }
  await refuseUnwritable(path, option);
}

/** Writes what a run is made of: all of its configuration, resolved, and its vocabulary. */
export async function saveRun(
  path: string,
  config: object,
  vocabulary: Vocabulary,
): Promise<void> {
  await Deno.writeTextFile(join(path, BEGUN), "");
  await writeWhole(join(path, VOCABULARY), formatVocabulary(vocabulary));
  await writeWhole(join(path, CONFIG), JSON.stringify(config, null, 2) + "\n");
}

/**
 * Makes the length that a run is resumed with its own: `config.json` has it from now on, and says what else it said.
 *
 * @throws InputError where there is no run in the folder, or it is broken.
 */
export async function saveLength(
  path: string,
  length: { readonly steps: number; readonly then?: readonly object[] },
): Promise<void> {
  const { config, configPath } = await readRun(path, "resume");
  const [before, after] = [config, { ...config, ...length }]
    .map((value) => JSON.stringify(value, null, 2) + "\n");
  if (after !== before) await writeWhole(configPath, after!);
}

/** A run to go on with. */
export interface SavedRun {
  /** What `config.json` holds, not checked yet, and its path for messages. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly configPath: string;
  readonly vocabulary: Vocabulary;
}

/**
 * Reads a run's folder; `purpose` says in messages what for.
 *
 * @throws InputError where there is no run in it, or it is broken.
 */
export async function readRun(path: string, purpose: "resume" | "start from"): Promise<SavedRun> {
  const configPath = join(path, CONFIG),
    fail = (why: string): never => {
      throw new InputError(`Cannot ${purpose} ${path}: ${why}`);
    };
  const mend = purpose === "resume" ? "a run's folder to --out" : "the folder of a model";
  if (!(await namesIn(path, mend)).includes(CONFIG)) {
    fail(`no ${CONFIG} in it; pass ${mend}`);
  }
  const text = await Deno.readTextFile(configPath);
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (error) {
    fail(`${CONFIG} is no JSON (${(error as Error).message}); restore it`);
  }
  if (!isRecord(config)) return fail(`${CONFIG} holds no JSON object; restore it`);
  return { config, configPath, vocabulary: await readVocabulary(join(path, VOCABULARY)) };
}

/**
 * Reads a run's folder to go on with it.
 *
 * @throws InputError where there is no run in it, it is broken, or it cannot be written.
 */
export async function savedRun(path: string): Promise<SavedRun> {
  const saved = await readRun(path, "resume");
  await refuseUnwritable(path);
  return saved;
}
