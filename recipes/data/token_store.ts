/**
 * Tokens in memory or in files, read alike.
 *
 * Files are read where they are wanted, a sequence at a time: the system keeps in memory what is read often, as it does for a mapped
 * file (Deno has no mmap).
 *
 * @module
 */
import { bytesOf } from "./bytes_of.ts";
import { readInto } from "./read_part.ts";
import { emptyStream, type TokenStream } from "./token_stream.ts";

/** Some tokens in two files: ids of two or four bytes, and a byte for each, 1 where a word begins. */
export interface TokenFile {
  readonly ids: string;
  readonly starts: string;
  readonly tokens: number;
  /** How often a sequence of it is seen in an epoch. */
  readonly weight: number;
}

/** Tokens of many documents, in files one after another. It is plain data: workers open the files themselves. */
export interface TokenFiles {
  readonly files: readonly TokenFile[];
  readonly vocabularySize: number;
  readonly documents: number;
}

/** Where tokens are. */
export type TokenStore = TokenStream | TokenFiles;

/** How many there are. */
export function tokenCount(store: TokenStore): number {
  return "ids" in store
    ? store.ids.length
    : store.files.reduce((sum, { tokens }) => sum + tokens, 0);
}

/** Tokens [from, to) of one file. */
function readFile(
  { vocabularySize }: TokenFiles,
  file: TokenFile,
  from: number,
  to: number,
): Pick<TokenStream, "ids" | "starts"> {
  const part = emptyStream(vocabularySize, to - from);
  readInto(bytesOf(part.ids), file.ids, from * part.ids.BYTES_PER_ELEMENT);
  readInto(part.starts, file.starts, from);
  return part;
}

/** The tokens from `from` to `to`, which are in one file where they are in files. */
export function tokensOf(
  store: TokenStore,
  from: number,
  to: number,
): Pick<TokenStream, "ids" | "starts"> {
  if ("ids" in store) {
    return { ids: store.ids.subarray(from, to), starts: store.starts.subarray(from, to) };
  }
  let before = 0;
  for (const file of store.files) {
    if (from < before + file.tokens) return readFile(store, file, from - before, to - before);
    before += file.tokens;
  }
  throw new RangeError(`Cannot read tokens from ${from}: there are ${before}`);
}

/** All tokens, a part at a time; a part is never cut within a document. */
export function* tokenParts(
  store: TokenStore,
): Generator<Pick<TokenStream, "ids" | "starts"> & { readonly weight: number }> {
  if ("ids" in store) yield { ...store, weight: 1 };
  else {
    for (const file of store.files) {
      yield { ...readFile(store, file, 0, file.tokens), weight: file.weight };
    }
  }
}
