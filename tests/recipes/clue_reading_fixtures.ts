/**
 * Files of the tasks of reading and of names in the form of the official ones, written for the tests.
 *
 * @module
 */
import type { Asked, Prepared, SplitName } from "../../recipes/clue/task.ts";
import { tasks } from "../../recipes/clue/tasks.ts";
import type { Unit } from "../../recipes/clue/unit.ts";
import { tokenizer } from "../../recipes/text/tokenize.ts";
import { SPECIAL_TOKENS, vocabularyOf } from "../../recipes/text/vocabulary.ts";
import { inFolder } from "../in_folder.ts";

/** Contents of files by name: text, or what is written as JSON. */
export type Files = Readonly<Record<string, unknown>>;

const passages =
  "海明港号是一艘巡洋舰。，舰名取自皇家港（Port Royal），1862年下水。他画龙点睛之笔，令人拍案叫绝。甲乙丙丁小王在北京大学读书，看《红楼梦》。男女：票卖完了吗？卖光了。";
/** Characters, some words and pieces. */
export const vocabulary = vocabularyOf([
  ...SPECIAL_TOKENS,
  ...new Set([...passages.replace(/[A-Za-z0-9\s]/g, ""), ..."无天地人舰船"]),
  ...["port", "royal", "186", "##2", "##x", "q", "1", "2", "3", "-", '"', "."],
]);
export const tokens = tokenizer(vocabulary);

/** Runs on a folder that holds these files. */
export function withFiles<T>(files: Files, run: (folder: string) => Promise<T>): Promise<T> {
  const texts = Object.entries(files).map(([name, content]) =>
    [name, typeof content === "string" ? content : JSON.stringify(content)] as const
  );
  return inFolder(run, Object.fromEntries(texts));
}

/** A split of a task from files. */
export async function loaded(
  name: string,
  split: SplitName,
  files: Files,
  length = 64,
): Promise<Prepared> {
  return (await withFiles(files, (folder) => tasks[name]!.load(folder, split, tokens, length)))!;
}

/** What a model that knows the answers of choices, spans or tags would say of units. */
export function perfect(units: readonly Unit[]): readonly Float32Array[] {
  return units.map(({ rows, target }) => {
    const T = rows[0]!.ids.length, last = target[1] ?? 0;
    if (rows.length > 1) return Float32Array.from(rows, (_, n) => n === target[0] ? 5 : 0);
    if (target.length > 2) return Float32Array.from(target);
    const out = new Float32Array(2 * T);
    // A window without the answer points at [CLS], more weakly than the answer's own.
    out[target[0]!] = target[0]! > 0 ? 9 : 1;
    out[T + last] = last > 0 ? 9 : 1;
    return out;
  });
}

/** Lines of JSON. */
export const lines = (all: readonly unknown[]): string =>
  all.map((one) => JSON.stringify(one)).join("\n") + "\n";

const context = "海明港号是一艘巡洋舰。，舰名取自皇家港（Port Royal），1862年下水。";
const answer = (text: string, at = context.indexOf(text)) => ({ text, answer_start: at });

/** A document of CMRC 2018. */
export const cmrc = (answers: Files = {}, id = "A") => ({
  version: "v1.0",
  data: [{
    id,
    title: "海明港号",
    paragraphs: [{
      id,
      context,
      qas: [
        { id: `${id}_QUERY_0`, question: "舰名取自？", answers: [answer("皇家港"), answer("港")] },
        { id: `${id}_QUERY_1`, question: "何年下水？", answers: [answer("1862年", -1)] },
        { id: `${id}_QUERY_2`, question: "皇家港在？", answers: [answer("Port Royal")] },
      ].map((one) => ({ ...one, ...answers })),
    }],
  }],
});

/** A dialogue and a text of C3. */
export const dialogues = [
  [["男：票卖完了吗？", "女：卖光了。"], [
    { question: "票？", choice: ["卖光了", "没卖", "卖完"], answer: "卖光了" },
    { question: "女人？", choice: ["卖票", "画龙"], answer: "画龙" },
  ], "11-5"],
];
export const texts = [
  [["小王在北京大学读书。"], [
    { question: "他在？", choice: ["北京", "皇家港", "舰", "地"], answer: "地" },
  ], "11-5"],
];

/** Groups of ChID and their answers. */
export const groups = [
  {
    content: ["他#idiom000001#之笔，令人#idiom000002#。", "“#idiom000003#”——他…"],
    candidates: ["画龙点睛", "拍案叫绝", "甲乙丙丁"],
  },
  { content: ["令人#idiom000004#。"], candidates: ["甲乙丙丁", "拍案叫绝"] },
];
export const groupAnswers = {
  "#idiom000001#": 0,
  "#idiom000002#": 1,
  "#idiom000003#": 2,
  "#idiom000004#": 1,
};

/** One blank of FewCLUE. */
export const few = [
  {
    id: 7,
    candidates: ["甲乙丙丁", "拍案叫绝", "画龙点睛"],
    content: "令人#idiom#。",
    answer: 1,
  },
  { id: 8, candidates: ["甲乙丙丁", "画龙点睛"], content: "他#idiom#之笔", answer: 1 },
];

/** Sentences of CLUENER. */
export const sentences = [
  {
    text: "小王在北京大学读书，看《红楼梦》",
    label: {
      name: { 小王: [[0, 1]] },
      organization: { 北京大学: [[3, 6]] },
      address: { 北京: [[3, 4]] },
      book: { "《红楼梦》": [[11, 15]] },
    },
  },
  { text: "𠀀王，王在", label: { name: { 王: [[1, 1], [3, 3]] } } },
  { text: "在读书", label: {} },
];

/** What is wrong with a submission to a test. */
export function faultsOf(name: string, asked: Asked | undefined, text: string) {
  return tasks[name]!.faults(asked!.path, text, asked!.submission);
}
