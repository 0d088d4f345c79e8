/**
 * TNEWS: which of 15 kinds of news is a headline of Toutiao?
 *
 * The keywords that come with training examples are not read: the tests of CLUE 1.1 have none, and published figures are without them.
 *
 * Source: Xu et al. 2020 (arXiv 2004.05986); files of https://github.com/CLUEbenchmark/CLUE and FewCLUE.
 *
 * @module
 */
import { classTask } from "../class_task.ts";
import { defaults } from "../defaults.ts";
import { field } from "../fields.ts";
import { ngrams } from "../heads/ngrams.ts";

/** What labels mean. 105 and 111 are not in use. */
const KINDS: Readonly<Record<string, string>> = {
  100: "news_story",
  101: "news_culture",
  102: "news_entertainment",
  103: "news_sports",
  104: "news_finance",
  106: "news_house",
  107: "news_car",
  108: "news_edu",
  109: "news_tech",
  110: "news_military",
  112: "news_travel",
  113: "news_world",
  114: "news_stock",
  115: "news_agriculture",
  116: "news_game",
};

/** The task. */
export const tnews = classTask({
  name: "tnews",
  about: "kind of a headline, of 15 (Toutiao)",
  labels: Object.keys(KINDS),
  defaults: defaults.tnews,
  reading: ngrams,
  submits: {
    files: { "test.json": "tnews11", "test1.1.json": "tnews11", "test1.0.json": "tnews10" },
    few: "tnewsf",
  },
  read(object, fail) {
    const { label, label_desc: said } = object, meant = KINDS[String(label)];
    if (meant !== undefined && said !== undefined && said !== meant) {
      fail(`label ${label} is ${meant}, "label_desc" says ${JSON.stringify(said)}`);
    }
    return { texts: [field(object, "sentence", fail)] };
  },
  also: (label, submission): Readonly<Record<string, string>> =>
    submission.startsWith("tnews10") ? { label_desc: KINDS[label]! } : {},
});
