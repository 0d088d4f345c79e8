/**
 * Operands in a list must have one dtype: nothing promotes in silence.
 *
 * @module
 */
import { cannot } from "./result.ts";
import type { Cannot, Result } from "./result.ts";

/** Rule R, if the dtypes in L are all the same. */
export type OneDType<Op extends string, L, R> = L extends
  readonly [infer H extends string, ...infer Rest] ? [Rest[number]] extends [H] ? R
  : Cannot<`${Op} ${H} with ${Exclude<Rest[number], H> & string}`, "dtypes must be equal">
  : R;

/** The dtype, if all are the same. */
export function oneDType<D extends string>(op: string, dtypes: readonly D[]): Result<D> {
  const first = dtypes[0]!, other = dtypes.find((d) => d !== first);
  return other === undefined
    ? { ok: first }
    : cannot(`${op} ${first} with ${other}`, "dtypes must be equal");
}
