/**
 * A vocabulary: tokens and their ids, in the `vocab.txt` format of BERT (one token a line, the line number is the id).
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";

/** The special tokens, in the order that a vocabulary built here begins with. */
export const SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] as const;

/** Tokens by id and ids by token. */
export interface Vocabulary {
  readonly tokens: readonly string[];
  readonly ids: ReadonlyMap<string, number>;
  readonly pad: number;
  readonly unk: number;
  readonly cls: number;
  readonly sep: number;
  readonly mask: number;
}

/**
 * A vocabulary from its tokens in order. `source` names it in messages.
 *
 * @throws InputError where a special token is missing, a token is empty, broken or there twice.
 */
export function vocabularyOf(tokens: readonly string[], source = "the vocabulary"): Vocabulary {
  const ids = new Map<string, number>();
  tokens.forEach((token, id) => {
    const line = `line ${id + 1} of ${source}`;
    if (token === "") throw new InputError(`Cannot use ${line}: it is empty; remove it`);
    if (/[\p{Cc} \uFFFD]/u.test(token)) {
      throw new InputError(
        `Cannot use ${line}: ${
          JSON.stringify(token)
        } holds a space, a control or a broken character; ` +
          `write one token a line in UTF-8`,
      );
    }
    const first = ids.get(token);
    if (first !== undefined) {
      throw new InputError(
        `Cannot use ${line}: "${token}" is on line ${first + 1} already; remove one`,
      );
    }
    ids.set(token, id);
  });
  const missing = SPECIAL_TOKENS.filter((token) => !ids.has(token));
  if (missing.length > 0) {
    throw new InputError(
      `Cannot use ${source}: ${missing.join(", ")} missing; a BERT vocab.txt has ${
        SPECIAL_TOKENS.join(" ")
      } among its lines`,
    );
  }
  const [pad, unk, cls, sep, mask] = SPECIAL_TOKENS.map((token) => ids.get(token)!);
  return { tokens, ids, pad: pad!, unk: unk!, cls: cls!, sep: sep!, mask: mask! };
}

/** Is this the id of [PAD], [UNK], [CLS], [SEP] or [MASK]? */
export function isSpecial(vocabulary: Vocabulary, id: number): boolean {
  return id === vocabulary.pad || id === vocabulary.unk || id === vocabulary.cls ||
    id === vocabulary.sep || id === vocabulary.mask;
}

/** The text of a `vocab.txt`. */
export function formatVocabulary(vocabulary: Vocabulary): string {
  return vocabulary.tokens.join("\n") + "\n";
}
