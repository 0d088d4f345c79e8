/**
 * Operands in a list must have one dtype: nothing promotes in silence.
 *
 * @module
 */
import type { Eq } from "./dim.ts";
import { cannot } from "./result.ts";
import type { Cannot, Result } from "./result.ts";

/** Rule R, if the dtypes in L are all the same. */
export type OneDType<Op extends string, L, R> = L extends
  readonly [infer A extends string, infer B extends string, ...infer Rest]
  ? Accepts<A, B> extends true ? OneDType<Op, [A, ...Rest], R>
  : Cannot<`${Op} ${A} with ${B}`, "dtypes must be equal">
  : R;

/**
 * Equal, or `any`: a tensor of an untyped border.
 * @internal
 */
export type Accepts<A extends string, B extends string> = 0 extends 1 & (A | B) ? true : Eq<A, B>;

/** The dtype, if all are the same. */
export function oneDType<D extends string>(op: string, dtypes: readonly D[]): Result<D> {
  const first = dtypes[0]!, other = dtypes.find((d) => d !== first);
  return other === undefined
    ? { ok: first }
    : cannot(`${op} ${first} with ${other}`, "dtypes must be equal");
}
