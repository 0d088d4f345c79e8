/**
 * Files of one JSON object.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { isRecord } from "../cli/schema.ts";

/**
 * The object in a file.
 *
 * @throws InputError where it cannot be read or holds something else.
 */
export async function readJson(path: string): Promise<Readonly<Record<string, unknown>>> {
  let value: unknown;
  try {
    value = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    const isAbsent = error instanceof Deno.errors.NotFound;
    const why = isAbsent ? "no such file" : (error as Error).message;
    throw new InputError(`Cannot read ${path}: ${why}; fetch it again`);
  }
  if (isRecord(value)) return value;
  throw new InputError(`Cannot read ${path}: it must be a JSON object; fetch it again`);
}
