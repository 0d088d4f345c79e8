/**
 * bf16 two in a word, the lower half first: as on the host. Four aligned ones are two words that one invocation owns. A single
 * one shares its word with a neighbour whom another invocation may write at the same time: it is cleared and set by atomics,
 * which leave the neighbour as it is, in whatever order they come.
 *
 * @module
 */
import type { Lanes } from "./wgsl_expr.ts";

/** What the array of a binding is made of. */
export function packedElement(lanes: Lanes, isWritten: boolean): string {
  return lanes === 4 ? "vec2u" : isWritten ? "atomic<u32>" : "u32";
}

/** The words of f32 that stand at an index of a binding. */
export function loadPacked(name: string, at: string, lanes: Lanes, isWritten: boolean): string {
  if (lanes === 4) return `unpack4(${name}[${at}])`;
  const place = `${name}[(${at}) / 2u]`, word = isWritten ? `atomicLoad(&${place})` : place;
  return `unpack1(${word}, ${at})`;
}

/** A statement that puts the upper halves of words of f32 at an index of a binding. */
export function storePacked(name: string, at: string, words: string, lanes: Lanes): string {
  if (lanes === 4) return `${name}[${at}] = join4(${words});`;
  return `{ let p = ${at}; let q = ${words}; let s = (p & 1u) * 16u; ` +
    `atomicAnd(&${name}[p / 2u], 0xffff0000u >> s); atomicOr(&${name}[p / 2u], (q >> 16u) << s); }`;
}
