/**
 * What a folder can be asked: a pretraining run, one of its checkpoints, a model in Hugging Face's layout, or a fine-tuned one that
 * `clue --save` left.
 *
 * @module
 */
import { basename, resolve } from "@std/path";
import { type Device, toDevice } from "../../core/mod.ts";
import { placeholders, type TensorsOf } from "../../nn/mod.ts";
import { InputError } from "../cli/input_error.ts";
import type { Head, HeadSpec } from "../clue/heads/head.ts";
import { holdsTask, savedTask } from "../clue/saved_task.ts";
import type { TaskQuestions } from "../clue/task_questions.ts";
import type { ModelConfig } from "../pretrain/config.ts";
import { originOf } from "../pretrain/init_from.ts";
import type { Model } from "../pretrain/model.ts";
import { specOf } from "../pretrain/open_model.ts";
import { longestText } from "../pretrain/positions.ts";
import { type Tokenizer, tokenizer } from "../text/tokenize.ts";

/** What a model is asked, in the order in which it is shown. */
export const asks = [
  ...["embed", "relevance", "fill-mask", "classify"] as const,
  ...["entities", "answer", "choose"] as const,
] as const;

/** One of them. */
export type Ask = typeof asks[number];

/** What a classifier answers. */
export interface Classes {
  readonly task: string;
  readonly labels: readonly string[];
  /** Added to the scores of labels; empty where nothing is. Units: nats. */
  readonly biases: readonly number[];
  /** It reads one text, or a pair. */
  readonly texts: number;
}

/** All that is known of a model without its weights. */
export interface Facts {
  /** The name of its folder. */
  readonly name: string;
  readonly model: ModelConfig;
  readonly tokenizer: Tokenizer;
  /** What it has heads for. */
  readonly asks: readonly Ask[];
  /** Tokens of a row at most, [CLS] and [SEP] included. */
  readonly limit: number;
  readonly classes?: Classes;
  /** What a task answers that knows no classes. */
  readonly questions?: TaskQuestions;
  /** Choices at most, where it is asked to choose. */
  readonly choices?: number;
}

/** Its weights, on a device. */
export interface Weights {
  readonly encoder: Model["encoder"];
  readonly head?: Model["head"];
  readonly click?: Model["click"];
  /** A task's head on single rows. */
  readonly task?: { readonly head: Head; readonly params: TensorsOf<HeadSpec> };
}

/** A model whose weights are not read yet. */
export interface ModelSource {
  readonly facts: Facts;
  readonly open: (device: Device) => Promise<Weights>;
}

/** Tokens of a row, where nothing else is asked for. */
const USUAL = 512;

function limitOf(path: string, model: ModelConfig, asked: number | undefined): number {
  const most = longestText(model);
  if (asked === undefined) return Math.min(USUAL, most);
  if (asked <= most) return asked;
  throw new InputError(
    `Cannot read texts of ${asked} tokens with ${path}: its scheme "${model.scheme}" has ${most} positions; give --max-tokens ${most} or less`,
  );
}

async function taskSource(path: string, asked: number | undefined): Promise<ModelSource> {
  const { task, config, vocabulary, open } = await savedTask(path), { model } = config;
  const { labels, questions = {}, head: whole } = task;
  const own = asks.filter((ask) => Object.hasOwn(questions, ask));
  return {
    facts: {
      name: basename(resolve(path)),
      model,
      tokenizer: tokenizer(vocabulary),
      asks: ["embed", ...labels ? ["classify"] as const : [], ...own],
      questions,
      ...questions.choose && { choices: whole.rows },
      limit: limitOf(path, model, asked ?? config.length),
      ...labels && {
        classes: { task: task.name, labels, biases: config.tuned ?? [], texts: config.texts },
      },
    },
    async open(device) {
      const { encoder, head: params } = await open(device);
      return { encoder, task: { head: whole.alone ?? whole, params } };
    },
  };
}

/**
 * Looks into a folder. `limit` is the tokens of a row at most: 512, or what a fine-tuned model learnt from, where it is left out.
 *
 * @throws InputError where there is no model in it, it is broken, or has no positions for so many tokens.
 */
export async function modelSource(path: string, limit?: number): Promise<ModelSource> {
  if (await holdsTask(path)) return await taskSource(path, limit);
  const origin = await originOf(path), { config: { model, click }, vocabulary, hasHead } = origin;
  const like = placeholders(specOf(origin)) as Weights;
  return {
    facts: {
      name: basename(resolve(path)),
      model,
      tokenizer: tokenizer(vocabulary),
      asks: [
        "embed",
        ...click ? ["relevance"] as const : [],
        ...hasHead ? ["fill-mask"] as const : [],
      ],
      limit: limitOf(path, model, limit),
    },
    open: async (device) => await toDevice(await origin.weights(like), device),
  };
}

/** What it would take to be asked so. */
const NEEDS: Readonly<Record<Ask, string>> = {
  embed: "",
  relevance: "it has learnt from no clicks; pretrain it with a click log (click.log)",
  "fill-mask": "it has no head for masked words; take the run that it was made of",
  classify: "it knows no classes; learn some with deno task clue --save DIR, and take that folder",
  entities: "it knows no names; learn cluener with deno task clue --save DIR, and take that folder",
  answer:
    "it finds no answers; learn cmrc2018 with deno task clue --save DIR, and take that folder",
  choose:
    "it has learnt no choices; learn c3 or chid with deno task clue --save DIR, and take that folder",
};

/** Why a model cannot be asked so; undefined where it can. */
export function whyNot({ name, asks }: Facts, ask: Ask): string | undefined {
  return asks.includes(ask) ? undefined : `Cannot ask ${name} for ${ask}: ${NEEDS[ask]}`;
}
