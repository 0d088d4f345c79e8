/**
 * Streams a text file, and says in words why a file is no UTF-8 text.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { reasonOf } from "../cli/reason.ts";
import { encodingAdvice, isUtf16 } from "./encoding_advice.ts";

const CHUNK = 1 << 20;

function newlines(text: string): number {
  let count = 0;
  for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) count++;
  return count;
}

/** Why these bytes, after `lines` whole lines, are no UTF-8. */
function wrongBytes(path: string, bytes: Uint8Array, lines: number): InputError {
  const text = new TextDecoder().decode(bytes);
  const line = lines + newlines(text.slice(0, text.indexOf("\uFFFD"))) + 1;
  return new InputError(
    `Cannot read ${path}: line ${line} is not UTF-8; ${encodingAdvice(bytes)}`,
  );
}

function refuseBinary(path: string, bytes: Uint8Array, first: boolean): void {
  if (first && isUtf16(bytes)) {
    throw new InputError(`Cannot read ${path}: ${encodingAdvice(bytes)}`);
  }
  if (bytes.includes(0)) {
    throw new InputError(
      `Cannot read ${path}: it is binary (it holds a NUL byte); pass UTF-8 text`,
    );
  }
}

/**
 * The text of a UTF-8 file in pieces of at most 1 MiB; a byte-order mark is left out.
 *
 * @throws InputError where the file cannot be read, is binary, or is not UTF-8.
 */
export async function* readText(path: string): AsyncGenerator<string, void, unknown> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (error) {
    throw new InputError(`Cannot read ${path}: ${reasonOf(error)}; pass a text file`);
  }
  using opened = file;
  yield* decoded(opened, path);
}

/** What bytes are read from. */
export type ByteReader = Pick<Deno.FsFile, "read">;

/** The same of what is open already, such as standard input; `path` is what it is called. */
export async function* decoded(
  opened: ByteReader,
  path: string,
): AsyncGenerator<string, void, unknown> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const buffer = new Uint8Array(CHUNK);
  let lines = 0;
  let first = true;
  for (;;) {
    const size = await opened.read(buffer);
    const bytes = buffer.subarray(0, size ?? 0);
    refuseBinary(path, bytes, first);
    first = false;
    let text: string;
    try {
      text = decoder.decode(bytes, { stream: size !== null });
    } catch {
      throw wrongBytes(path, bytes, lines);
    }
    lines += newlines(text);
    if (text !== "") yield text;
    if (size === null) return;
  }
}
