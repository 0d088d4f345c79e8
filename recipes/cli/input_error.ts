/**
 * What a person did wrong, as opposed to what the program did.
 *
 * @module
 */

/**
 * Bad input from outside: a file, a folder, an option. The message is one line that says what is wrong, where, and what
 * to do; a command prints it on standard error and exits with code 2.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { InputError } from "./input_error.ts";
 *
 * const error = new InputError("Cannot read corpus.txt: no such file; pass --corpus FILE|DIR");
 * assertEquals(error.name, "InputError");
 * ```
 */
export class InputError extends RangeError {
  override readonly name = "InputError";
}
