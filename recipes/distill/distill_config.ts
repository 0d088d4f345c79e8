/**
 * What a student learns from its teacher: every number that changes it and is no part of the student's own configuration.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { anyOf, suggestion } from "../cli/nearest.ts";
import { between, type Check, positive, record, text, whole } from "../cli/schema.ts";
import type { ModelConfig } from "../pretrain/config.ts";

/**
 * `minilm`: relations between tokens; `tinybert`: states and scores of all layers; `logits`: what the teacher predicts at masked places;
 * `mlm`: what stood there; `clicks`: how well the teacher finds that a title fits a query.
 */
export const lossNames = ["minilm", "tinybert", "logits", "mlm", "clicks"] as const;

/** The name of a loss. */
export type LossName = typeof lossNames[number];

/** What is learnt on text, and from whom. */
export interface DistillConfig {
  /** The folder of the teacher's checkpoint. */
  readonly teacher: string;
  /** Of its weights: a run that is resumed goes on with the same teacher. */
  readonly sha256: string;
  /** What each loss counts; 0 where it is not learnt. */
  readonly losses: Readonly<Record<LossName, number>>;
  /** The layer of the teacher whose relations are learnt, counted from 1. */
  readonly layer: number;
  /** Relation heads. */
  readonly heads: number;
  /** Of logits. */
  readonly temperature: number;
}

/** What `config.json` holds of it, checked; `source` names it in messages. */
export function checkDistill(value: unknown, source: string): DistillConfig {
  const weight = between(0, 1e6, true);
  const check: Check<DistillConfig> = record<DistillConfig>({
    teacher: text,
    sha256: text,
    losses: record<DistillConfig["losses"]>({
      minilm: weight,
      tinybert: weight,
      logits: weight,
      mlm: weight,
      clicks: weight,
    }),
    layer: whole(1),
    heads: whole(1),
    temperature: positive,
  });
  return check(value, { source, path: "distill" });
}

/** The losses that count. */
export function activeLosses({ losses }: Pick<DistillConfig, "losses">): readonly LossName[] {
  return lossNames.filter((name) => losses[name] > 0);
}

/** Does it learn to predict tokens? Else the head over the vocabulary stays as it was drawn. */
export function predicts({ losses }: Pick<DistillConfig, "losses">): boolean {
  return losses.logits > 0 || losses.mlm > 0;
}

/**
 * The losses of a list such as `minilm,logits=0.5`; without a number one counts 1.
 *
 * @throws InputError
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { lossesOf } from "./distill_config.ts";
 *
 * assertEquals(lossesOf("minilm,logits=0.5"), { minilm: 1, tinybert: 0, logits: 0.5, mlm: 0, clicks: 0 });
 * ```
 */
export function lossesOf(list: string): DistillConfig["losses"] {
  const found = list.split(",").map((word): readonly [LossName, number] => {
    const [name = "", weight = "1"] = word.split("=");
    const refuse = (why: string): never => {
      throw new InputError(`Cannot distil with --loss ${list}: ${why}`);
    };
    if (!lossNames.includes(name as LossName)) {
      refuse(suggestion(name, lossNames, `the losses are ${anyOf(lossNames)}`));
    }
    const value = weight.trim() === "" ? NaN : Number(weight);
    if (!(value > 0 && value <= 1e6)) refuse(`${name} counts ${weight}, it must be above 0`);
    return [name as LossName, value];
  });
  const losses = Object.fromEntries([...lossNames.map((name) => [name, 0]), ...found]);
  return losses as DistillConfig["losses"];
}

type Sizes = Pick<ModelConfig, "layers" | "width" | "heads">;

/**
 * The layer whose relations are learnt where none is named: of 24 layers and more one of the upper middle, else the last.
 *
 * Source: MiniLMv2 (arXiv 2012.15828), section 5.2: layer 21 of BERT-large's 24, the last of a base model.
 */
export function relationLayer({ layers }: Pick<Sizes, "layers">): number {
  return layers >= 24 ? Math.round(7 * layers / 8) : layers;
}

/** Relation heads where no number is given: as wide as 16 in the teacher, or wider where that does not divide both widths. */
export function relationHeads(
  teacher: Pick<Sizes, "width">,
  student: Pick<Sizes, "width">,
): number {
  let heads = Math.max(1, Math.floor(teacher.width / 16));
  while (teacher.width % heads !== 0 || student.width % heads !== 0) heads--;
  return heads;
}

/**
 * Refuses what teacher and student cannot do together.
 *
 * @throws InputError
 */
export function refuseUnfit(distill: DistillConfig, teacher: Sizes, student: Sizes): void {
  const refuse = (why: string): never => {
    throw new InputError(`Cannot distil ${why}`);
  };
  const { layer, heads, losses } = distill;
  if (losses.minilm > 0) {
    if (layer > teacher.layers) {
      const most = teacher.layers;
      refuse(`layer ${layer}: the teacher has ${most} layers; give --layer ${most} or less`);
    }
    for (const [whose, { width }] of [["teacher", teacher], ["student", student]] as const) {
      if (width % heads === 0) continue;
      const other = relationHeads(teacher, student);
      refuse(
        `with ${heads} relation heads: they must divide the ${whose}'s width ${width}; give --heads ${other}`,
      );
    }
  }
  if (losses.tinybert === 0) return;
  for (
    const [name, fits] of [
      ["layers", teacher.layers % student.layers === 0],
      ["heads", teacher.heads === student.heads],
    ] as const
  ) {
    if (fits) continue;
    const must = name === "layers" ? "divide" : "equal";
    refuse(
      `with tinybert: the student's ${name} (${student[name]}) must ${must} the teacher's (${
        teacher[name]
      }); give others, or --loss minilm`,
    );
  }
}
