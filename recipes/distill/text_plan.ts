/**
 * What a distillation on text is made of, from its options or from the folder that it goes on in.
 *
 * @module
 */
import { join } from "@std/path";
import { InputError } from "../cli/input_error.ts";
import type { ProgressView } from "../cli/progress.ts";
import { fileCorpus } from "../data/corpus_source.ts";
import { cachedCorpus } from "../data/prepared_cache.ts";
import type { PretrainConfig } from "../pretrain/config.ts";
import { refuseHeadless, refuseOtherVocabulary } from "../pretrain/init_from.ts";
import { checkConfig } from "../pretrain/load_config.ts";
import { longestText } from "../pretrain/positions.ts";
import { openPacked, type RunCorpus } from "../pretrain/run_corpus.ts";
import { savedRun } from "../run/run_folder.ts";
import {
  checkDistill,
  type DistillConfig,
  lossesOf,
  refuseUnfit,
  relationHeads,
  relationLayer,
} from "./distill_config.ts";
import type { DistillOptions } from "./options.ts";
import { studentConfig } from "./student_config.ts";
import { type Teacher, teacherOf } from "./teacher.ts";

/** Where prepared corpora are kept, as in pretraining. */
const CACHE = join(".cache", "corpora");

/** A distillation on text. */
export interface TextPlan {
  readonly config: PretrainConfig;
  readonly distill: DistillConfig;
  readonly teacher: Teacher;
  /** One of them is null. */
  readonly corpus: string | null;
  readonly packed: string | null;
}

/** A distillation that goes on. */
async function savedPlan({ out, steps }: DistillOptions): Promise<TextPlan> {
  const { config: saved, configPath } = await savedRun(out!);
  const { corpus, packed, distill: own, ...rest } = saved;
  if (own === undefined) {
    throw new InputError(
      `Cannot resume ${out}: it is no distillation; deno task pretrain --resume goes on with it`,
    );
  }
  const distill = checkDistill(own, configPath), config = checkConfig(rest, configPath);
  return {
    config: steps === undefined ? config : { ...config, steps },
    distill,
    teacher: await teacherOf(distill.teacher, distill.sha256),
    corpus: corpus as string | null,
    packed: packed as string | null,
  };
}

/**
 * The plan of a call.
 *
 * @throws InputError where something does not go together.
 */
export async function textPlan(options: DistillOptions): Promise<TextPlan> {
  if (options.resume) return await savedPlan(options);
  const losses = lossesOf(options.loss ?? "minilm");
  const teacher = await teacherOf(options.teacher!), { model } = teacher.config;
  const { steps, seed, set, data: packed = null, corpus = null } = options;
  const config = await studentConfig(teacher.config, options.student!, {
    set,
    sameHeads: losses.tinybert > 0,
    ...steps !== undefined && { steps },
    ...seed !== undefined && { seed },
  });
  const distill: DistillConfig = {
    teacher: teacher.checkpoint,
    sha256: teacher.sha256,
    losses,
    layer: options.layer ?? relationLayer(model),
    heads: options.heads ?? relationHeads(model, config.model),
    temperature: options.temperature,
  };
  refuseUnfit(distill, model, config.model);
  if (losses.logits > 0) refuseHeadless(teacher);
  if (losses.clicks > 0 && (teacher.config.click === null || config.click === null)) {
    throw new InputError(
      "Cannot distil clicks: teacher and student must both have learnt or learn them; leave clicks out of --loss",
    );
  }
  const length = Math.max(config.data.length, config.click?.length ?? 0), most = longestText(model);
  if (length > most) {
    throw new InputError(
      `Cannot distil on texts of ${length} tokens: the teacher has ${most} positions; give shorter ones with --set data.length or click.length`,
    );
  }
  return { config, distill, teacher, corpus, packed };
}

/**
 * The text of a plan, in the teacher's vocabulary.
 *
 * @throws InputError where it is packed in another one.
 */
export async function textCorpus(
  { config, teacher, corpus, packed }: TextPlan,
  view: ProgressView,
): Promise<RunCorpus> {
  if (packed !== null) {
    const found = await openPacked(packed);
    refuseOtherVocabulary(found.vocabulary, teacher, packed);
    return found;
  }
  const settings = {
    build: { size: config.data.vocabularySize },
    vocabulary: teacher.vocabulary,
  };
  return await cachedCorpus(
    await fileCorpus(corpus!),
    CACHE,
    settings,
    (stage, done) =>
      stage === "read" && view.show({ label: "prepare", done, figures: ["documents"] }),
  );
}
