/** Units: milliseconds. Nothing in the tests takes so long, on however slow a machine. */
const LONG = 120_000;

/**
 * What a promise gives, or an error that says what was waited for: without this a test that waits for ever ends with its whole group,
 * after minutes and without a word.
 */
export async function within<T>(what: string, promise: Promise<T>, ms = LONG): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new RangeError(`Cannot wait for ${what} any longer: ${ms / 1000} s are over`)),
    ms,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
