/**
 * Why a call of the system failed.
 *
 * @module
 */

/**
 * The system's own words, without its number and the call with its paths: a message names the path that the user gave.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { reasonOf } from "./reason.ts";
 *
 * const { NotFound } = Deno.errors;
 * const error = new NotFound("No such file or directory (os error 2): stat 'none'");
 * assertEquals(reasonOf(error), "No such file or directory");
 * assertEquals(reasonOf(new Error("EEXIST: file already exists, mkdir 'there'")), "file already exists");
 * assertEquals(reasonOf(new SyntaxError("it is no JSON")), "it is no JSON");
 * ```
 */
export const reasonOf = (error: unknown): string =>
  (error as Error).message
    .replace(/ \(os error \d+\)(?:: .*)?$/s, "")
    .replace(/^E[A-Z0-9]+: (.+), \w+ '.*'$/s, "$1");
