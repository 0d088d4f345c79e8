/**
 * What of a folder's model is exported: a pretrained model with one of its heads, or a fine-tuned one with its own.
 *
 * @module
 */
import { placeholders } from "../../nn/mod.ts";
import { InputError } from "../cli/input_error.ts";
import { holdsTask, savedTask } from "../clue/saved_task.ts";
import { originOf, refuseHeadless } from "../pretrain/init_from.ts";
import { specOf } from "../pretrain/open_model.ts";
import { longestText } from "../pretrain/positions.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import type { ToExport } from "./export_model.ts";
import { type HeadName, taskHeadNames } from "./heads.ts";
import { exportCommand, type ExportOptions } from "./options.ts";

/** A model that is ready to be exported. */
export interface Chosen {
  readonly what: ToExport;
  /** The name of its head. */
  readonly head: HeadName | "task";
  readonly vocabulary: Vocabulary;
  /** What answers to a task are called, in the order of their scores; undefined where they have no names. */
  readonly labels?: readonly string[];
}

type Asked = Pick<ExportOptions, "head" | "length"> & { readonly model: string };

/** Tokens of a row where nothing else is asked for. */
const USUAL = 512;

function lengthOf(
  { length, model }: Asked,
  config: ToExport["config"],
  usual: number = USUAL,
): number {
  const most = longestText(config), least = exportCommand.options.length.min;
  if (most < least) {
    throw new InputError(
      `Cannot export ${model}: it has ${most} positions, and an export needs ${least}; pretrain with a larger model.maxLength`,
    );
  }
  if (length === undefined) return Math.min(usual, most);
  if (length <= most) return length;
  throw new InputError(
    `Cannot export ${model} for ${length} tokens: its scheme "${config.scheme}" has ${most} positions; give --length ${most} or less`,
  );
}

const refuseHead = (path: string, head: string, why: string): never => {
  throw new InputError(`Cannot export ${path} with the head "${head}": ${why}`);
};

async function pretrained(asked: Asked): Promise<Chosen> {
  const { model: path, head = "mlm" } = asked;
  if (head === "task") {
    refuseHead(path, head, "it has learnt no task; take what deno task clue --save left");
  }
  const origin = await originOf(path), { vocabulary, config: { model: config, click } } = origin;
  if (head === "mlm") refuseHeadless(origin);
  if (head === "relevance" && !click) {
    refuseHead(path, head, "it has learnt from no clicks; pass another --head");
  }
  const params = await origin.weights(placeholders(specOf(origin)));
  const own = head as HeadName;
  return {
    what: { head: own, params, config, length: lengthOf(asked, config) },
    head: own,
    vocabulary,
  };
}

async function fineTuned(asked: Asked): Promise<Chosen> {
  const { model: path, head = "task" } = asked;
  const { config: { model: config, length, tuned, texts }, task, vocabulary, weights } =
    await savedTask(path);
  if (!(taskHeadNames as readonly string[]).includes(head)) {
    const known = taskHeadNames.join(", ");
    refuseHead(
      path,
      head,
      `it has learnt the task ${task.name} and has ${known}; pass one of them`,
    );
  }
  const params = await weights(), labels = task.labels ?? task.tags;
  const sizes = { config, length: lengthOf(asked, config, Math.max(USUAL, length)) };
  if (head !== "task") {
    const own = head as HeadName, { encoder } = params;
    const what = { head: own, params: { encoder }, segments: true, ...sizes } as const;
    return { what, head: own, vocabulary };
  }
  const about = {
    head,
    task: task.name,
    texts: String(texts),
    ...labels && { labels: JSON.stringify(labels) },
  };
  const biases = task.labels && tuned || [];
  return {
    what: { head: task.head, params, biases, about, ...sizes },
    ...{ head, vocabulary, ...labels && { labels } },
  };
}

/**
 * Chooses what is exported of a folder: by default the head of a task that was learnt, else scores of tokens.
 *
 * @throws InputError where there is no model in it, or it has not what is asked for.
 */
export async function toExport(asked: Asked): Promise<Chosen> {
  return await (await holdsTask(asked.model) ? fineTuned : pretrained)(asked);
}
