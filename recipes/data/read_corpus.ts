/**
 * Reads a corpus as documents.
 *
 * In a `.jsonl` file a line is `{"text": "..."}`. In any other file, documents are separated by blank lines if its first
 * megabyte has one between lines of text, otherwise a line is a document.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { corpusFiles } from "./corpus_files.ts";
import { readText } from "./read_text.ts";

/** A longer document goes on as another one, parted at a line end if there is one. Units: UTF-16. */
const MAX_DOCUMENT = 8192;

/**
 * Lines of a text given in pieces, without their ends, many at a time: the last line, which may have no end, comes with those of
 * the last piece. Only "\n" and "\r\n" end a line.
 */
async function* linesOf(
  pieces: AsyncIterable<string>,
): AsyncGenerator<readonly string[], void, unknown> {
  let lines: string[] = [];
  let rest = "";
  for await (const piece of pieces) {
    if (lines.length > 0) yield lines;
    lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    lines = lines.map((line) => line.endsWith("\r") ? line.slice(0, -1) : line);
  }
  yield rest === "" ? lines : [...lines, rest];
}

function isBlank(line: string): boolean {
  return line.trim() === "";
}

/** Are documents paragraphs, that is, is there a blank line between lines of text? */
function hasParagraphs(lines: readonly string[]): boolean {
  const first = lines.findIndex((line) => !isBlank(line));
  const blank = lines.findIndex((line, i) => i > first && isBlank(line));
  return first >= 0 && blank >= 0 && lines.findIndex((line, i) => i > blank && !isBlank(line)) >= 0;
}

function textOfJson(line: string, where: string): string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new InputError(`Cannot read ${where}: it is not JSON; write {"text": "..."} a line`);
  }
  const text = (value as { text?: unknown } | null)?.text;
  if (typeof text !== "string") {
    throw new InputError(`Cannot read ${where}: no "text" in it; write {"text": "..."} a line`);
  }
  return text;
}

/** Cuts what is too long, at a line end if there is one in the second half. */
function pieces(document: string): readonly string[] {
  if (document.length <= MAX_DOCUMENT) return [document];
  const cut = document.lastIndexOf("\n", MAX_DOCUMENT);
  let at = cut > MAX_DOCUMENT / 2 ? cut : MAX_DOCUMENT;
  if (/[\uDC00-\uDFFF]/.test(document[at]!)) at--; // never between the halves of a character
  return [document.slice(0, at), ...pieces(document.slice(at))];
}

/** The documents of one file, in batches. */
async function* readDocuments(path: string): AsyncGenerator<readonly string[], void, unknown> {
  const json = path.endsWith(".jsonl");
  let paragraphs: boolean | undefined;
  let open: string[] = [];
  let size = 0;
  let number = 0;
  for await (const lines of linesOf(readText(path))) {
    const documents: string[] = [];
    paragraphs ??= !json && hasParagraphs(lines);
    for (const line of lines) {
      number++;
      if (paragraphs) {
        if (!isBlank(line)) size += open.push(line) && line.length;
        if (open.length > 0 && (isBlank(line) || size > MAX_DOCUMENT)) {
          documents.push(...pieces(open.join("\n")));
          open = [];
          size = 0;
        }
      } else if (!isBlank(line)) {
        documents.push(...pieces(json ? textOfJson(line, `${path}, line ${number}`) : line));
      }
    }
    yield documents;
  }
  if (open.length > 0) yield pieces(open.join("\n"));
}

/**
 * All documents of a file or a folder, in the order of the sorted paths, in batches.
 *
 * @throws InputError where the corpus is missing, empty, binary, or not UTF-8.
 */
export async function* readCorpus(path: string): AsyncGenerator<readonly string[], void, unknown> {
  for (const file of await corpusFiles(path)) yield* readDocuments(file.path);
}
