/**
 * `@std/assert` over `node:assert`: std's names and signatures.
 *
 * One difference, on the strict side: {@linkcode assertEquals} tells `0` from `-0` and compares prototypes.
 *
 * @module
 */
import { deepStrictEqual, notDeepStrictEqual } from "node:assert/strict";
import { inspect } from "node:util";

/** What every assertion here throws. */
export class AssertionError extends Error {
  /** Takes the whole message. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

type AnyConstructor = abstract new (...args: never[]) => unknown;
type ErrorConstructor<E extends Error> = abstract new (...args: never[]) => E;

const because = (msg?: string): string => msg ? `: ${msg}` : "";

/** Fails always. */
export function fail(msg?: string): never {
  throw new AssertionError(`Failed assertion${because(msg)}`);
}

/** Asserts that `expr` is truthy. */
export function assert(expr: unknown, msg = "Expected a truthy value"): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Asserts that `expr` is falsy. */
export function assertFalse(expr: unknown, msg = "Expected a falsy value"): void {
  if (expr) throw new AssertionError(msg);
}

/** Asserts deep equality. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  try {
    deepStrictEqual(actual, expected);
  } catch (cause) {
    throw new AssertionError(`${(cause as Error).message}${because(msg)}`);
  }
}

/** Asserts deep inequality. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  try {
    notDeepStrictEqual(actual, expected);
  } catch (cause) {
    throw new AssertionError(`${(cause as Error).message}${because(msg)}`);
  }
}

/** Asserts identity, as `Object.is` has it. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  fail(`Expected ${inspect(actual)} to be ${inspect(expected)}${because(msg)}`);
}

/** Asserts that two numbers are within `tolerance`, by default 1e-7 of the expected one. */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
): void {
  if (Object.is(actual, expected)) return;
  const limit = tolerance ?? (Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  const delta = Math.abs(expected - actual);
  if (delta <= limit) return;
  fail(
    `Expected ${actual} to be within ${limit} of ${expected}, it is ${delta} away${because(msg)}`,
  );
}

type Ordered = number | bigint | string | Date;

function compared(holds: boolean, actual: Ordered, sign: string, expected: Ordered, msg?: string) {
  if (!holds) fail(`Expected ${inspect(actual)} ${sign} ${inspect(expected)}${because(msg)}`);
}

/** Asserts `actual > expected`. */
export function assertGreater<T extends Ordered>(actual: T, expected: T, msg?: string): void {
  compared(actual > expected, actual, ">", expected, msg);
}

/** Asserts `actual >= expected`. */
export function assertGreaterOrEqual<T extends Ordered>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  compared(actual >= expected, actual, ">=", expected, msg);
}

/** Asserts `actual < expected`. */
export function assertLess<T extends Ordered>(actual: T, expected: T, msg?: string): void {
  compared(actual < expected, actual, "<", expected, msg);
}

/** Asserts `actual <= expected`. */
export function assertLessOrEqual<T extends Ordered>(actual: T, expected: T, msg?: string): void {
  compared(actual <= expected, actual, "<=", expected, msg);
}

/** Asserts that a value is neither null nor undefined. */
export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) {
    fail(`Expected ${actual} to be neither null nor undefined${because(msg)}`);
  }
}

/** Asserts that a string contains another. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (!actual.includes(expected)) {
    fail(`Expected ${inspect(actual)} to contain ${inspect(expected)}${because(msg)}`);
  }
}

/** Asserts that a string matches. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (!expected.test(actual)) {
    fail(`Expected ${inspect(actual)} to match ${expected}${because(msg)}`);
  }
}

/** Asserts that a string does not match. */
export function assertNotMatch(actual: string, expected: RegExp, msg?: string): void {
  if (expected.test(actual)) {
    fail(`Expected ${inspect(actual)} not to match ${expected}${because(msg)}`);
  }
}

/** Asserts that an array includes every expected value, by deep equality. */
export function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  msg?: string,
): void {
  const same = (a: T, b: T): boolean => {
    try {
      deepStrictEqual(a, b);
      return true;
    } catch {
      return false;
    }
  };
  const missing = Array.from(expected).filter((e) => !Array.from(actual).some((a) => same(a, e)));
  if (missing.length) {
    fail(`Expected ${inspect(actual)} to include ${inspect(missing)}${because(msg)}`);
  }
}

/** Asserts that a value is an instance of a class. */
export function assertInstanceOf<T extends AnyConstructor>(
  actual: unknown,
  expectedType: T,
  msg?: string,
): asserts actual is InstanceType<T> {
  if (!(actual instanceof expectedType)) {
    fail(`Expected ${inspect(actual)} to be an instance of ${expectedType.name}${because(msg)}`);
  }
}

/** Asserts that a value is an error, of a class and with a part of its message. */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  ErrorClass?: ErrorConstructor<E>,
  msgMatches?: string | RegExp,
  msg?: string,
): asserts error is E {
  if (!(error instanceof Error)) fail(`Expected an Error, got ${inspect(error)}${because(msg)}`);
  if (ErrorClass && !(error instanceof ErrorClass)) {
    fail(`Expected a ${ErrorClass.name}, got ${error.name}: ${error.message}${because(msg)}`);
  }
  if (typeof msgMatches === "string") assertStringIncludes(error.message, msgMatches, msg);
  if (msgMatches instanceof RegExp) assertMatch(error.message, msgMatches, msg);
}

/** Asserts that a function throws, and returns what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Asserts that a function throws an error of a class, with a part of its message. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorConstructor<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error>(
  fn: () => unknown,
  classOrMsg?: ErrorConstructor<E> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  let thrown: unknown;
  try {
    fn();
  } catch (error) {
    thrown = error;
    if (typeof classOrMsg === "function") assertIsError(error, classOrMsg, msgIncludes, msg);
    return thrown;
  }
  return fail(
    `Expected the function to throw${because(typeof classOrMsg === "string" ? classOrMsg : msg)}`,
  );
}

/** Asserts that a promise is rejected, and gives what it was rejected with. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
/** Asserts that a promise is rejected with an error of a class and a part of its message. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorConstructor<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error>(
  fn: () => PromiseLike<unknown>,
  classOrMsg?: ErrorConstructor<E> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (error) {
    return fail(`Expected a rejected promise, the function threw at once: ${inspect(error)}`);
  }
  try {
    await promise;
  } catch (error) {
    if (typeof classOrMsg === "function") assertIsError(error, classOrMsg, msgIncludes, msg);
    return error;
  }
  return fail(
    `Expected the promise to be rejected${
      because(typeof classOrMsg === "string" ? classOrMsg : msg)
    }`,
  );
}
