/**
 * The vocabulary of a folder in Hugging Face's layout, where its tokenizer is the one of this project: WordPiece in lower case, every
 * Chinese character a token. Any other would give the model other tokens than it was trained on, and is refused.
 *
 * @module
 */
import { join } from "@std/path";
import { exists } from "@std/fs";
import { InputError } from "../cli/input_error.ts";
import { isRecord } from "../cli/schema.ts";
import { readVocabulary } from "../text/read_vocabulary.ts";
import { type Vocabulary, vocabularyOf } from "../text/vocabulary.ts";
import { readJson } from "./read_json.ts";

type Json = Readonly<Record<string, unknown>>;

const object = (value: unknown): Json => isRecord(value) ? value : {};

/** The tokens of a tokenizer.json by their ids. */
function tokensOf(json: Json, path: string): Vocabulary {
  const model = object(json.model), { vocab } = model;
  // Files of 2020, such as Google's Chinese BERT's, do not name the type.
  const { type = typeof model.continuing_subword_prefix === "string" ? "WordPiece" : undefined } =
    model;
  if (type !== "WordPiece" || !isRecord(vocab)) {
    throw new InputError(
      `Cannot read ${path}: its model is ${
        JSON.stringify(type)
      }, only "WordPiece" is read here; take a model with BERT's vocabulary`,
    );
  }
  const added = Array.isArray(json.added_tokens) ? json.added_tokens.map(object) : [];
  const pairs = [...Object.entries(vocab), ...added.map(({ content, id }) => [content, id])];
  const tokens: string[] = [];
  for (const [token, id] of pairs) {
    if (typeof token === "string" && Number.isSafeInteger(id) && id as number >= 0) {
      tokens[id as number] = token;
    } else {
      throw new InputError(
        `Cannot read ${path}: ${JSON.stringify(token)} has the id ${JSON.stringify(id)}`,
      );
    }
  }
  const hole = Array.from(tokens).indexOf(undefined as never);
  if (hole < 0) return vocabularyOf(tokens, path);
  throw new InputError(`Cannot read ${path}: no token has the id ${hole}; ids must be 0, 1, 2 …`);
}

/** Refuses two vocabularies of which one is not the beginning of the other: either may be that of the weights. */
function refuseTwo(folder: string, plain: Vocabulary, full: Vocabulary): void {
  const at = plain.tokens.findIndex((token, id) => token !== (full.tokens[id] ?? token));
  if (at < 0) return;
  throw new InputError(
    `Cannot read ${folder}: token ${at} is "${plain.tokens[at]}" in vocab.txt and "${
      full.tokens[at]
    }" in tokenizer.json; remove the one that is not the model's`,
  );
}

const capital = /\p{Lu}/u, mark = /^(\[.*\]|<.*>)$/;

/** Refuses what a tokenizer does otherwise than the one of this project. */
function refuseOther(folder: string, settings: Json, { tokens }: Vocabulary): void {
  const refuse = (setting: string, why: string): never => {
    throw new InputError(
      `Cannot use the tokenizer of ${folder}: ${setting} is ${
        JSON.stringify(settings[setting])
      }, ${why}; take another model`,
    );
  };
  // Google's Chinese BERT says so too, and has no capital to keep.
  const kept = tokens.find((token) => capital.test(token) && !mark.test(token));
  if (settings.do_lower_case === false && kept !== undefined) {
    refuse("do_lower_case", `and the vocabulary has "${kept}": text is in lower case here`);
  }
  if (settings.tokenize_chinese_chars === false) {
    refuse("tokenize_chinese_chars", "every Chinese character is a token here");
  }
  if (settings.strip_accents === false) refuse("strip_accents", "accents are taken off here");
}

/** What both files say of the text before WordPiece, under the names of `tokenizer_config.json`. */
async function settingsOf(folder: string, json: Json | undefined): Promise<Json> {
  const path = join(folder, "tokenizer_config.json");
  const config = await exists(path) ? await readJson(path) : {};
  const { lowercase, handle_chinese_chars, strip_accents } = object(json?.normalizer);
  return {
    do_lower_case: lowercase ?? config.do_lower_case,
    tokenize_chinese_chars: handle_chinese_chars ?? config.tokenize_chinese_chars,
    strip_accents: strip_accents ?? config.strip_accents,
  };
}

/**
 * Reads the vocabulary of a folder, from `vocab.txt` or `tokenizer.json`.
 *
 * @throws InputError where there is none, or the tokenizer is another.
 */
export async function readTokenizer(folder: string): Promise<Vocabulary> {
  const plain = join(folder, "vocab.txt"), full = join(folder, "tokenizer.json");
  const json = await exists(full) ? await readJson(full) : undefined;
  const hasPlain = await exists(plain);
  if (!hasPlain && !json) {
    const isBpe = await exists(join(folder, "merges.txt"));
    throw new InputError(
      isBpe
        ? `Cannot read ${folder}: its tokenizer is BPE (merges.txt), only WordPiece is read here; take a model with BERT's vocab.txt`
        : `Cannot read ${folder}: it has neither vocab.txt nor tokenizer.json; fetch the model's vocab.txt`,
    );
  }
  const vocabulary = hasPlain ? await readVocabulary(plain) : tokensOf(json!, full);
  if (hasPlain && isRecord(object(json?.model).vocab)) {
    refuseTwo(folder, vocabulary, tokensOf(json!, full));
  }
  refuseOther(folder, await settingsOf(folder, json), vocabulary);
  return vocabulary;
}
