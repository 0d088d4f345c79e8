/**
 * Reads a `vocab.txt`.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { reasonOf } from "../cli/reason.ts";
import { type Vocabulary, vocabularyOf } from "./vocabulary.ts";

/**
 * A vocabulary from a file of one token a line, UTF-8.
 *
 * @throws InputError where the file cannot be read, is not UTF-8 text, or is no vocabulary.
 */
export async function readVocabulary(path: string): Promise<Vocabulary> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    throw new InputError(
      `Cannot read the vocabulary ${path}: ${reasonOf(error)}; pass a vocab.txt`,
    );
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(`Cannot read the vocabulary ${path}: it is not UTF-8 text; convert it`);
  }
  const lines = text.split("\n").map((line) => line.endsWith("\r") ? line.slice(0, -1) : line);
  if (lines.at(-1) === "") lines.pop();
  return vocabularyOf(lines, path);
}
