/**
 * What a shape rule gives, the same at compile time and at run time: a shape, or the text of the error.
 * Boxed, because a bare type parameter as a result would leave the rules that read it stuck.
 *
 * @module
 */
import type { Shape } from "./dim.ts";

/** The rule holds. */
export interface Good<S> {
  /** The shape. */
  readonly ok: S;
}
/** The rule is broken; M says how. */
export interface Fail<M> {
  /** The text of the error. */
  readonly fail: M;
}
/** The one form of all texts: what was tried, with shapes; then what must hold. */
export type Cannot<What extends string, Must extends string> = Fail<`Cannot ${What}: ${Must}`>;
/** What the run-time twin of a rule returns. */
export type Result<T = readonly number[]> = Good<T> | Fail<string>;

/** The type of an argument: T, or the error text, which the compiler then prints beside the argument. */
export type Arg<R, T> = R extends Fail<infer M> ? M : T;
/** The resulting shape; any rank after a failure, so that one mistake gives one error. */
export type Ok<R> = R extends Good<infer S> ? S : Shape;

/** A broken rule, in the form of all texts. */
export function cannot(what: string, must: string): Fail<string> {
  return { fail: `Cannot ${what}: ${must}` };
}

/**
 * The result of a rule, or the error that its text makes.
 * @throws {TypeError} if the rule is broken
 */
export function unwrap<T>(result: Result<T>): T {
  if ("fail" in result) throw new TypeError(result.fail);
  return result.ok;
}
