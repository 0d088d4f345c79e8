/**
 * Finds evaluation text in a document: 13 characters in a row, or a whole sentence, of letters, digits and Chinese characters alone.
 *
 * 13 in a row is what GPT-3 looked for (arXiv 2005.14165, appendix C). Most queries are shorter: a sentence that is a whole evaluation
 * sentence counts at any length, but where fewer than 5 characters say little it must be all of the document.
 *
 * @module
 */
import { normalizeText } from "../data/clean_document.ts";
import { addHash, type HashSet, hashSet, valueOf } from "../hash/hash_set.ts";
import type { EvaluationFile } from "./evaluation_texts.ts";
import { hash64, mix32 } from "../hash/hash64.ts";
import { comparable } from "./minhash.ts";
import { simplify } from "./simplify.ts";

/** Characters in a row. */
export const RUN = 13;
/** A shorter sentence must be all of the document. */
const TELLING = 5;

/** What documents are held against. */
export interface Evaluation {
  readonly runs: HashSet;
  readonly sentences: HashSet;
}

/** What was found in a document. */
export interface Found {
  readonly rule: "run" | "sentence";
  /** The number of the evaluation file. */
  readonly file: number;
}

const ENDS = /[。！？!?；;…\n\t]+/;

/** The sentences of a text, comparable. */
function sentencesOf(text: string): readonly string[] {
  return text.split(ENDS).map(comparable).filter((sentence) => sentence !== "");
}

const FACTOR_A = 0x01000193, FACTOR_B = 0x5bd1e995;
const power = (x: number, n: number): number => n === 0 ? 1 : Math.imul(x, power(x, n - 1));
const OUT_A = power(FACTOR_A, RUN - 1), OUT_B = power(FACTOR_B, RUN - 1);

/** Two rolling hashes of every 13 characters in a row. */
function eachRun(text: string, visit: (low: number, high: number) => boolean | void): void {
  let a = 0, b = 0;
  for (let i = 0; i < text.length; i++) {
    if (i >= RUN) {
      const out = mix32(text.charCodeAt(i - RUN));
      a = a - Math.imul(out, OUT_A) | 0;
      b = b - Math.imul(out, OUT_B) | 0;
    }
    const unit = mix32(text.charCodeAt(i));
    a = Math.imul(a, FACTOR_A) + unit | 0;
    b = Math.imul(b, FACTOR_B) + unit | 0;
    if (i >= RUN - 1 && visit(mix32(a) >>> 0 || 1, mix32(b) >>> 0)) return;
  }
}

const words = new Uint32Array(2);

/** Collects what evaluation files say. */
export function evaluationOf(files: readonly EvaluationFile[]): Evaluation {
  const clean = files.map(({ texts }) =>
    texts.map((text) => simplify(text.split("\n").map(normalizeText)).join("\n"))
  );
  const size = clean.flat().reduce((sum, text) => sum + text.length, 0);
  const runs = hashSet(size), sentences = hashSet(size / 4 + 2 * clean.flat().length);
  clean.forEach((texts, file) => {
    for (const text of texts) {
      const whole = comparable(text);
      eachRun(whole, (low, high) => addHash(runs, low, high, file));
      for (const sentence of [whole, ...sentencesOf(text)]) {
        if (sentence === "") continue;
        hash64(sentence, words, 0);
        addHash(sentences, words[0]! || 1, words[1]!, file);
      }
    }
  });
  return { runs, sentences };
}

/** What of the evaluation sets is in a clean document, if anything. */
export function contamination(text: string, { runs, sentences }: Evaluation): Found | undefined {
  const whole = comparable(text);
  let found: Found | undefined;
  eachRun(whole, (low, high) => {
    const file = valueOf(runs, low, high);
    if (file >= 0) found = { rule: "run", file };
    return file >= 0;
  });
  if (found) return found;
  for (const sentence of [whole, ...sentencesOf(text)]) {
    if (sentence === "" || sentence.length < TELLING && sentence !== whole) continue;
    hash64(sentence, words, 0);
    const file = valueOf(sentences, words[0]! || 1, words[1]!);
    if (file >= 0) return { rule: "sentence", file };
  }
  return undefined;
}
