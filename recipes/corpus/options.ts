/**
 * The options of `deno task data`: a verb, and what it takes.
 *
 * @module
 */
import type { Command } from "../cli/options.ts";

const common = {
  out: {
    type: "text",
    value: "DIR",
    help: "where the result goes; an interrupted one is gone on with",
  },
  report: {
    type: "text",
    value: "FILE",
    help: "what was done, as a page (.html) or as data (.json)",
  },
  workers: { type: "whole", value: "N", min: 1, help: "threads (as many as there are cores)" },
  json: { type: "flag", help: "the report as one JSON object on standard output" },
} as const;

const corpus = {
  type: "text",
  value: "DIR",
  help: "a corpus, as an earlier step left it",
} as const;

/** The steps, in the order in which a corpus usually goes through them. */
export const commands = {
  clean: {
    name: "data clean",
    about: "Cleans raw text: characters, markup, bad lines, bad documents.",
    options: {
      in: {
        type: "text",
        value: "FILE|DIR",
        help: ".txt and .jsonl files, also .gz and .zst, or a .json list of sources with weights",
      },
      "skip-bad": { type: "flag", help: "count lines that are no UTF-8 or JSON and go on" },
      ...common,
    },
  },
  dedup: {
    name: "data dedup",
    about: "Leaves out documents that were there before, word for word or nearly.",
    options: {
      in: corpus,
      threshold: {
        type: "number",
        value: "S",
        min: 0.5,
        max: 1,
        default: 0.8,
        help: "share of common pieces of near duplicates; 1: equal ones alone",
      },
      shortest: {
        type: "whole",
        value: "N",
        min: 5,
        default: 20,
        help: "shorter documents are compared word for word alone",
      },
      ...common,
    },
  },
  filter: {
    name: "data filter",
    about: "Leaves out documents that are least like text known to be good.",
    options: {
      in: corpus,
      good: { type: "text", value: "DIR", help: "a corpus of good text" },
      keep: {
        type: "choice",
        choices: ["head", "head,middle", "middle", "tail"],
        default: "head,middle",
        help: "which thirds stay",
      },
      ...common,
    },
  },
  check: {
    name: "data check",
    about: "Leaves out documents that hold text of evaluation sets.",
    options: {
      in: corpus,
      against: {
        type: "text",
        value: "FILES",
        help: "files and folders, with commas between them",
      },
      ...common,
    },
  },
  vocab: {
    name: "data vocab",
    about: "Builds the vocabulary of a corpus.",
    options: {
      in: corpus,
      size: { type: "whole", value: "N", min: 100, default: 21128, help: "tokens at most" },
      ...common,
      out: { type: "text", value: "FILE", help: "a new vocab.txt" },
    },
  },
  synonyms: {
    name: "data synonyms",
    about: "Mines a table of synonyms from a corpus, by word vectors that this library trains.",
    options: {
      in: corpus,
      antonyms: {
        type: "text",
        value: "FILE",
        help: "pairs that are never synonyms, 大——小 a line",
      },
      steps: {
        type: "whole",
        value: "N",
        min: 1,
        help:
          "steps of training, of 8192 pairs of words each (as the corpus is worth; 2000 at most)",
      },
      device: {
        type: "choice",
        choices: ["auto", "webgpu", "cpu", "reference"],
        default: "cpu",
        help: "what trains",
      },
      ...common,
      out: { type: "text", value: "FILE", help: "a new table" },
    },
  },
  pack: {
    name: "data pack",
    about: "Segments and tokenizes a corpus for training.",
    options: {
      in: corpus,
      vocab: { type: "text", value: "FILE", help: "a vocab.txt" },
      "held-out": {
        type: "number",
        value: "S",
        max: 0.5,
        default: 0.01,
        help: "share of the documents that is not trained on",
      },
      ...common,
    },
  },
} as const satisfies Readonly<Record<string, Command>>;

/** A step's name. */
export type Verb = keyof typeof commands;
