/**
 * Words of English as the Penn Treebank cuts them: what CMRC 2018's judge does with all that is not Chinese.
 *
 * Source: the rules of R. MacIntyre's tokenizer for the Penn Treebank (1995), as `NLTKWordTokenizer` of NLTK 3.8 has extended them. NLTK's
 * `word_tokenize` cuts sentences first, with a trained model; here the text is one sentence, which differs where a full stop stands inside.
 *
 * @module
 */

type Rule = readonly [pattern: RegExp, replacement: string];

/** Python's \w. */
const W = String.raw`[\p{L}\p{N}_]`;
/** Python's \b. */
const EDGE = `(?:(?<=${W})(?!${W})|(?<!${W})(?=${W}))`;
/** Two words that are written as one. */
const parted = (pattern: string): Rule => [new RegExp(pattern, "giu"), " $1 $2 "];

/** In this order. */
const RULES: readonly Rule[] = [
  // Opening quotes.
  [/([«“‘„]|`+)/g, " $1 "],
  [/^"/g, "``"],
  [/(``)/g, " $1 "],
  [/([ ([{<])("|'{2})/g, "$1 `` "],
  [new RegExp(String.raw`'(?!re|ve|ll|m|t|s|d|n)(${W})(?!${W})`, "giu"), "' $1"],
  // Punctuation. A full stop is cut off at the end alone; commas and colons stay between digits.
  [/([^.])(\.)([\])}>"'»”’ ]*)\s*$/gu, "$1 $2 $3 "],
  [/([:,])(\P{Nd})/gu, " $1 $2"],
  [/([:,])$/g, " $1 "],
  [/(\.{2,})/g, " $1 "],
  [/([;@#$%&])/g, " $1 "],
  [/([^.])(\.)([\])}>"']*)\s*$/gu, "$1 $2$3 "],
  [/([?!])/g, " $1 "],
  [/([^'])' /gu, "$1 ' "],
  [/([*])/g, " $1 "],
  [/([\][(){}<>])/g, " $1 "],
  [/(--)/g, " $1 "],
];

/** In a text with a space on both sides. */
const ENDINGS: readonly Rule[] = [
  // Closing quotes, then what is joined to a word.
  [/([»”’])/g, " $1 "],
  [/('')/g, " $1 "],
  [/"/g, " '' "],
  [/\s+/g, " "],
  [/([^' ])('s|'m|'d|') /giu, "$1 $2 "],
  [/([^' ])('ll|'re|'ve|n't) /giu, "$1 $2 "],
  ...[["can", "not"], ["d", "'ye"], ["gim", "me"], ["gon", "na"], ["got", "ta"], ["lem", "me"]]
    .map(([a, b]) => parted(`${EDGE}(${a})(${b})${EDGE}`)),
  parted(`${EDGE}(more)('n)${EDGE}`),
  parted(`${EDGE}(wan)(na)(?=\\s)`),
  parted(` ('t)(is|was)${EDGE}`),
];

const applied = (text: string, rules: readonly Rule[]): string =>
  rules.reduce((own, [pattern, replacement]) => own.replace(pattern, replacement), text);

/** The words of a text. */
export function treebankWords(text: string): readonly string[] {
  return applied(` ${applied(text, RULES)} `, ENDINGS).split(/\s+/).filter((word) => word !== "");
}
