/**
 * Where answers go: a file that is there whole or not at all, or standard output.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { reasonOf } from "../cli/reason.ts";

/** An output that is open. Without `finish` no file is left. */
export interface Output extends AsyncDisposable {
  /** Gives false where nobody reads any more. */
  write(lines: readonly string[]): Promise<boolean>;
  finish(): Promise<void>;
}

async function writeAll(file: Pick<Deno.FsFile, "write">, lines: readonly string[]): Promise<void> {
  const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

/** Standard output. */
export function standardOutput(): Output {
  return {
    async write(lines) {
      try {
        await writeAll(Deno.stdout, lines);
        return true;
      } catch (error) {
        if (error instanceof Deno.errors.BrokenPipe) return false;
        throw error;
      }
    },
    finish: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/**
 * A new file, in the place of an old one.
 *
 * @throws InputError where it cannot be written.
 */
export async function fileOutput(path: string): Promise<Output> {
  const part = `${path}.part`;
  const file = await Deno.open(part, { write: true, create: true, truncate: true })
    .catch((error: Error): never => {
      throw new InputError(`Cannot write ${path}: ${reasonOf(error)}; pass another --out`);
    });
  let finished = false;
  return {
    async write(lines) {
      await writeAll(file, lines);
      return true;
    },
    async finish() {
      await file.sync();
      file.close();
      await Deno.rename(part, path);
      finished = true;
    },
    async [Symbol.asyncDispose]() {
      if (finished) return;
      file.close();
      await Deno.remove(part);
    },
  };
}
