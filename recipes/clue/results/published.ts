/**
 * What others have published: to stand beside our results, and in no average of ours.
 *
 * @module
 */
import type { SplitName } from "../task.ts";

/** Where figures are from. */
export interface FigureSource {
  readonly name: string;
  readonly about: string;
}

/** One figure of others. */
export interface Published {
  /** A model, or people. */
  readonly system: string;
  readonly human: boolean;
  readonly task: string;
  readonly split: SplitName;
  readonly metric: string;
  /** Units: percent. */
  readonly value: number;
  readonly source: FigureSource;
}

const README: FigureSource = {
  name: "CLUE's README",
  about:
    "github.com/CLUEbenchmark/CLUE, tables of classification and reading: official tests of CLUE 1.0, CMRC 2018 by exact match",
};
const TNEWS11: FigureSource = {
  name: "CLUE issue 123",
  about: "github.com/CLUEbenchmark/CLUE/issues/123: TNEWS, official test of CLUE 1.1",
};
const PADDLE: FigureSource = {
  name: "PaddleNLP",
  about:
    "github.com/PaddlePaddle/PaddleNLP, examples/benchmark/clue: official dev splits, the best of a grid of rates (1e-5 to 5e-5), batches (16, 32, 64) and dropouts (0, 0.1)",
};
const CLUENER: FigureSource = {
  name: "CLUENER2020",
  about: "arXiv 2001.04351 and github.com/CLUEbenchmark/CLUENER2020: official test",
};
const QBQTC: FigureSource = {
  name: "QBQTC's README",
  about: "github.com/CLUEbenchmark/QBQTC: its public test",
};
const HUMAN: FigureSource = {
  name: "CLUE's board",
  about:
    "the line HUMAN of www.cluebenchmarks.com in 2021, at second hand; CMRC 2018 by exact match",
};

/** Columns of CLUE's README. */
const README_TASKS = [
  ...["afqmc", "tnews", "iflytek", "cmnli", "cluewsc", "csl"],
  ...["cmrc2018", "chid", "c3"],
];
/** Tasks as PaddleNLP lists them, and as people have been asked. */
const TEN = [
  ...["afqmc", "tnews", "iflytek", "cmnli", "ocnli", "cluewsc", "csl"],
  ...["cmrc2018", "chid", "c3"],
];

const metricOf = (task: string): string => task === "cmrc2018" ? "em" : "accuracy";

/** Figures of one system. */
function figures(
  system: string,
  split: SplitName,
  source: FigureSource,
  tasks: readonly string[],
  values: readonly number[],
): readonly Published[] {
  return tasks.map((task, i) => ({
    ...{ system, human: source === HUMAN, task, split, metric: metricOf(task) },
    ...{ value: values[i]!, source },
  }));
}

/** A figure by another metric. */
const one = (
  system: string,
  task: string,
  [split, metric, value]: readonly [SplitName, string, number],
  source: FigureSource,
  human = false,
): Published => ({ system, human, task, split, metric, value, source });

const BERT = "BERT-base", BASE = "RoBERTa-wwm-ext", LARGE = "RoBERTa-wwm-large";

/** All figures: people first, then the larger models before the smaller ones. */
export const published: readonly Published[] = [
  ...figures(
    ...["people", "test", HUMAN, TEN] as const,
    [81, 71, 80.3, 76, 90.3, 98, 84, 92.4, 87.1, 96],
  ),
  one("people", "cluener", ["test", "macro_f1", 63.41], CLUENER, true),
  ...figures(
    ...[LARGE, "test", README, README_TASKS] as const,
    [76.55, 58.61, 62.98, 82.12, 74.6, 82.13, 77.95, 85.37, 73.82],
  ),
  one(LARGE, "tnews", ["test", "accuracy", 57.42], TNEWS11),
  ...figures(
    ...[LARGE, "dev", PADDLE, TEN] as const,
    [76, 59.33, 62.02, 83.88, 78.81, 90.79, 83.67, 70.58, 85.72, 75.26],
  ),
  one(LARGE, "cmrc2018", ["dev", "f1", 89.82], PADDLE),
  one(LARGE, "cluener", ["test", "macro_f1", 80.42], CLUENER),
  one(LARGE, "qbqtc", ["test", "macro_f1", 66.3], QBQTC),
  one(LARGE, "qbqtc", ["test", "accuracy", 73.1], QBQTC),
  ...figures(
    ...[BASE, "test", README, README_TASKS] as const,
    [74.04, 56.94, 60.31, 80.51, 67.8, 81, 75.2, 83.62, 66.5],
  ),
  ...figures(
    ...[BERT, "test", README, README_TASKS] as const,
    [73.7, 56.58, 60.29, 79.69, 62, 80.36, 71.6, 82.04, 64.5],
  ),
  ...figures(
    ...[BERT, "dev", PADDLE, TEN] as const,
    [74.63, 57.13, 61.29, 80.97, 75.22, 81.91, 81.9, 65.3, 82.01, 65.38],
  ),
  one(BERT, "cmrc2018", ["dev", "f1", 86.53], PADDLE),
  one(BERT, "cluener", ["test", "macro_f1", 78.82], CLUENER),
  one(BERT, "qbqtc", ["test", "macro_f1", 64.1], QBQTC),
  one(BERT, "qbqtc", ["test", "accuracy", 71.8], QBQTC),
  one("BiLSTM-CRF", "cluener", ["test", "macro_f1", 70], CLUENER),
  ...figures(
    ...["ALBERT-tiny (4M)", "test", README, README_TASKS] as const,
    [69.92, 53.35, 48.71, 70.61, 58.5, 74.56, 53.35, 43.53, 50.26],
  ),
];
