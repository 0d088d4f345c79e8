/**
 * Examples of every task of classes in the form of its official files, written for the tests.
 *
 * @module
 */
import { tasks } from "../../recipes/clue/tasks.ts";
import type { Task } from "../../recipes/clue/task.ts";
import { tokenizer } from "../../recipes/text/tokenize.ts";
import { SPECIAL_TOKENS, vocabularyOf } from "../../recipes/text/vocabulary.ts";
import { type FilesToWrite, inFolder } from "../in_folder.ts";

type Line = Readonly<Record<string, unknown>>;

/** What a task's files look like, and what is to be read from the first line of each. */
export interface Fixture {
  readonly train: readonly Line[];
  readonly test: readonly Line[];
  /** Labels of `train` in a submission's words. */
  readonly labels: readonly string[];
  /** Texts that the model reads of the first example. */
  readonly reads: readonly string[];
  /** The answers' file in CLUE's layout, and in FewCLUE's. */
  readonly submission: string;
  readonly few?: string;
}

const pair = (sentence1: string, sentence2: string, rest: Line): Line => ({
  sentence1,
  sentence2,
  ...rest,
});
const wsc = (noun: [string, number], pronoun: [string, number], rest: Line): Line => ({
  target: {
    ...{ span2_index: pronoun[1], span1_index: noun[1] },
    ...{ span1_text: noun[0], span2_text: pronoun[0] },
  },
  ...rest,
});
const nli = { level: "easy", label0: "neutral", label1: null, genre: "gov", prem_id: "gov_1" };

/** By the names of the tasks. */
export const fixtures: Readonly<Record<string, Fixture>> = {
  afqmc: {
    train: [
      pair("怎么还款", "还款怎么还", { label: "1" }),
      pair("额度多少", "怎么还款", { label: "0" }),
    ],
    test: [pair("可以取钱吗", "取钱可以吗", { id: 0 }), pair("不行", "行不行", { id: 1 })],
    labels: ["1", "0"],
    reads: ["怎么还款", "还款怎么还"],
    submission: "afqmc_predict.json",
  },
  lcqmc: {
    train: [pair("天多高", "天有多高", { label: 1 }), pair("天多高", "山多高", { label: 0 })],
    test: [pair("山多高", "山有多高", { id: 0 })],
    labels: ["1", "0"],
    reads: ["天多高", "天有多高"],
    submission: "lcqmc_predict.json",
  },
  bustm: {
    train: [
      pair("唱个歌", "唱首歌", { id: 7, label: "1" }),
      pair("唱个歌", "讲个笑话", { id: 3, label: "0" }),
    ],
    test: [pair("几点了", "现在几点", { id: 3000 })],
    labels: ["1", "0"],
    reads: ["唱个歌", "唱首歌"],
    submission: "bustm_predict.json",
    few: "bustm_predict.json",
  },
  tnews: {
    train: [
      {
        ...{ label: "104", label_desc: "news_finance", sentence: "股市今天大涨" },
        keywords: "股市,大涨",
      },
      { label: 116, label_desc: "news_game", sentence: "新游戏上线", keywords: "" },
    ],
    test: [{ id: 0, sentence: "新车上市" }, { id: "1", sentence: "高考作文" }],
    labels: ["104", "116"],
    reads: ["股市今天大涨"],
    submission: "tnews11_predict.json",
    few: "tnewsf_predict.json",
  },
  iflytek: {
    train: [
      { label: "118", label_des: "其他", sentence: "一个软件\u2028很好用" },
      { label: 0, label_des: "打车", sentence: "打车软件" },
    ],
    test: [{ id: 0, sentence: "地图软件" }],
    labels: ["118", "0"],
    reads: ["一个软件很好用"],
    submission: "iflytek_predict.json",
    few: "iflytekf_predict.json",
  },
  cmnli: {
    train: [
      pair("他在家", "他不在家", { label: "contradiction" }),
      pair("他在家", "他在睡觉", { label: "-" }),
      pair("他在家", "他在屋里", { label: "entailment" }),
    ],
    test: [pair("今天下雨", "今天有雨", { id: 0 })],
    labels: ["contradiction", "entailment"],
    reads: ["他在家", "他不在家"],
    submission: "cmnli_predict.json",
  },
  ocnli: {
    train: [
      pair("两年后涨价", "价会涨", { ...nli, label: "entailment", id: 5 }),
      pair("两年后涨价", "价会跌", { ...nli, label: "-", id: 6 }),
      pair("两年后涨价", "都很高兴", { ...nli, label: "neutral", id: 7 }),
    ],
    test: [pair("门开着", "门没关", { id: 0 })],
    labels: ["entailment", "neutral"],
    reads: ["两年后涨价", "价会涨"],
    submission: "ocnli_50k_predict.json",
    few: "ocnlif_predict.json",
  },
  cluewsc: {
    train: [
      wsc(["小明", 0], ["他", 4], { idx: 0, label: "true", text: "小明说，他饿了" }),
      wsc(["妈妈", 3], ["她", 0], { idx: 1, label: "false", text: "她问：妈妈在哪" }),
    ],
    test: [wsc(["小明", 0], ["他", 4], { id: 0, text: "小明说，他饿了" })],
    labels: ["true", "false"],
    reads: ["_小明_说，[他]饿了"],
    submission: "cluewsc11_predict.json",
    few: "cluewscf_predict.json",
  },
  csl: {
    train: [
      { id: 1, abst: "本文研究水的流动", keyword: ["水", "流动"], label: "1" },
      { id: 2, abst: "本文研究水的流动", keyword: ["水", "火"], label: "0" },
    ],
    test: [{ id: 0, abst: "本文研究山", keyword: ["山"] }],
    labels: ["1", "0"],
    reads: ["水流动", "本文研究水的流动"],
    submission: "csl_predict.json",
    few: "cslf_predict.json",
  },
  qbqtc: {
    train: [
      { id: 0, query: "小孩咳嗽", title: "小孩咳嗽怎么办", label: "2" },
      { id: 1, query: "小孩咳嗽", title: "小孩学画", label: "0" },
    ],
    test: [{ id: 0, query: "天气", title: "今天天气" }],
    labels: ["2", "0"],
    reads: ["小孩咳嗽", "小孩咳嗽怎么办"],
    submission: "qbqtc_predict.json",
  },
  chnsenticorp: {
    train: [{ label: "1", text_a: "房间很好" }, { label: "0", text_a: "服务太差" }],
    test: [{ id: 0, text_a: "还行" }],
    labels: ["1", "0"],
    reads: ["房间很好"],
    submission: "chnsenticorp_predict.json",
  },
};

const characters = [...new Set(JSON.stringify(fixtures))].sort();

/** A vocabulary of the characters above. */
export const tokens = tokenizer(vocabularyOf([...SPECIAL_TOKENS, ...characters]));

/** Lines of a file. */
export const linesText = (lines: readonly Line[]): string =>
  lines.map((line) => JSON.stringify(line)).join("\n") + "\n";

/** Runs a test on a folder that holds these files. */
export const withFiles = (
  files: FilesToWrite,
  test: (folder: string) => Promise<void>,
): Promise<void> => inFolder(test, files);

/** A task by its name. */
export function taskOf(name: string): Task {
  const found = tasks[name];
  if (!found) throw new RangeError(`Cannot find ${name}: it must be a task`);
  return found;
}

/** Outputs of a model that is sure of a class for each unit. */
export const sureOf = (classes: readonly number[]): readonly Float32Array[] =>
  classes.map((k) => new Float32Array(119).with(k, 5));
