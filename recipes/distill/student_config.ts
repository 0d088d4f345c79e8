/**
 * The configuration of a student: its teacher's, but for what is said otherwise, and for what a student has not.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { isRecord, overridden } from "../cli/schema.ts";
import { MASK_SETTINGS } from "../masking/mask_settings.ts";
import { FULL_PRECISION, type PretrainConfig } from "../pretrain/config.ts";
import { changed, checkConfig } from "../pretrain/load_config.ts";

/** What a configuration takes of the command line beside `--student`. */
export interface StudentChanges {
  /** As `--set` of pretraining. */
  readonly set: readonly string[];
  readonly steps?: number;
  readonly seed?: number;
  /** As many heads as the teacher has, where no number is given, instead of heads as wide. */
  readonly sameHeads?: boolean;
}

/** A JSON object in the words themselves, or in the file that they name. */
async function objectOf(words: string): Promise<Readonly<Record<string, unknown>>> {
  const refuse = (why: string): never => {
    throw new InputError(`Cannot use --student ${words}: ${why}`);
  };
  const isInline = words.trimStart().startsWith("{");
  const content = isInline ? words : await Deno.readTextFile(words).catch((error) =>
    refuse(
      error instanceof Deno.errors.NotFound
        ? 'no such file; give one, or JSON as in {"layers": 2, "width": 128}'
        : (error as Error).message,
    )
  );
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    refuse(`it is no JSON: ${(error as Error).message}`);
  }
  return isRecord(value) ? value : refuse('it must be an object, as {"layers": 2, "width": 128}');
}

/** What follows from a width: heads as wide as the teacher's, or as many, and its share of hidden width. */
function sizesFor(
  { width = 0, heads, hidden }: Readonly<Record<string, unknown>>,
  { model }: PretrainConfig,
  words: string,
  sameHeads: boolean,
): Readonly<Record<string, unknown>> {
  if (typeof width !== "number" || width < 1 || width === model.width) return {};
  const headWidth = model.width / model.heads;
  const asWide = heads === undefined && !sameHeads;
  if (asWide && width % headWidth !== 0) {
    throw new InputError(
      `Cannot use --student ${words}: the teacher's heads are ${headWidth} wide, which does not divide width ${width}; give heads too`,
    );
  }
  return {
    ...asWide && { heads: width / headWidth },
    ...hidden === undefined &&
      { hidden: Math.max(1, Math.round(width * model.hidden / model.width)) },
  };
}

/**
 * The student's configuration. `words` are a JSON object of what its model has otherwise than the teacher's, or a file of one: heads stay as
 * wide and `hidden` as many times the width where they are not given. It has no dropout: a student is too small to learn by heart.
 *
 * @throws InputError
 */
export async function studentConfig(
  teacher: PretrainConfig,
  words: string,
  { set, steps, seed, sameHeads = false }: StudentChanges,
): Promise<PretrainConfig> {
  const own = await objectOf(words);
  const model = overridden(
    { ...teacher.model, dropout: 0, ...sizesFor(own, teacher, words, sameHeads) },
    own,
  ) as PretrainConfig["model"];
  const source = `--student ${words}`;
  const config = checkConfig({
    ...teacher,
    name: `${teacher.name}-${model.layers}x${model.width}`,
    model,
    mask: { ...MASK_SETTINGS, synonyms: null, antonyms: null, phrases: null },
    then: [],
    diloco: null,
    shards: 0,
    wire: "f32",
    optimizer: { ...teacher.optimizer, sharded: false },
    ...FULL_PRECISION,
    ...steps !== undefined && { steps },
    ...seed !== undefined && { seed },
  }, source);
  const found = set.length === 0 ? config : changed(config, set);
  const rules = [
    [found.then.length === 0, "then: a student has one stage"],
    [found.diloco === null, "diloco: a student learns by one process"],
    [found.shards === 0, `shards ${found.shards}: a student learns by one process`],
    [found.wire === "f32", `wire "${found.wire}": a student learns by one process`],
    [!found.optimizer.sharded, "optimizer.sharded: a student learns by one process"],
    [found.precision === "f32", `precision "${found.precision}": a student learns in f32`],
  ] as const;
  const broken = rules.find(([right]) => !right);
  if (broken) throw new InputError(`Cannot distil with ${broken[1]}; leave it out`);
  return found;
}
