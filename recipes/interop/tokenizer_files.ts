/**
 * The files that tell other libraries how text becomes tokens here: BERT's WordPiece, as `tokenizers` and `transformers` read it.
 *
 * @module
 */
import { SPECIAL_TOKENS, type Vocabulary } from "../text/vocabulary.ts";

/** Longer words become [UNK]. Units: code points. */
const LONGEST = 100;

/** One sequence, and two, with their special tokens and segments. */
function template({ ids }: Vocabulary): unknown {
  const special = (id: string, segment: number) => ({ SpecialToken: { id, type_id: segment } });
  const text = (id: string, segment: number) => ({ Sequence: { id, type_id: segment } });
  const single = [special("[CLS]", 0), text("A", 0), special("[SEP]", 0)];
  const own = (["[CLS]", "[SEP]"] as const)
    .map((id) => [id, { id, ids: [ids.get(id)!], tokens: [id] }] as const);
  return {
    type: "TemplateProcessing",
    single,
    pair: [...single, text("B", 1), special("[SEP]", 1)],
    special_tokens: Object.fromEntries(own),
  };
}

/**
 * The object of a `tokenizer.json`. It makes the tokens that this project's tokenizer makes, but for what its format has no words
 * for: "[MASK]" in a text is always the special token there, and a few Chinese characters beyond the basic plane are parts of words.
 */
export function tokenizerJson(vocabulary: Vocabulary): Readonly<Record<string, unknown>> {
  const { ids } = vocabulary;
  const added = SPECIAL_TOKENS.map((content) => ({
    id: ids.get(content)!,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added.sort((a, b) => a.id - b.id),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: template(vocabulary),
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: LONGEST,
      vocab: Object.fromEntries(ids),
    },
  };
}

/** The object of a `tokenizer_config.json`; `longest` is the longest text that the model has positions for. */
export function tokenizerConfig(longest: number): Readonly<Record<string, unknown>> {
  const names = ["pad", "unk", "cls", "sep", "mask"];
  return {
    tokenizer_class: "BertTokenizer",
    do_lower_case: true,
    tokenize_chinese_chars: true,
    strip_accents: null,
    ...longest < Infinity && { model_max_length: longest },
    ...Object.fromEntries(names.map((name, i) => [`${name}_token`, SPECIAL_TOKENS[i]])),
  };
}
