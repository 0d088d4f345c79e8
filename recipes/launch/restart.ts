/**
 * When what has failed is started again.
 *
 * @module
 */

/** Exit code of a wrong call or bad input: trying again changes nothing. */
export const WRONG_CALL = 2;

/** Units: milliseconds. */
const LONGEST_BACK_OFF = 30_000;

/** The wait before a restart: `backOff` before the first, twice as long before the next, and so on. Units: milliseconds. */
export function backOffOf(restart: number, backOff: number): number {
  return Math.min(LONGEST_BACK_OFF, backOff * 2 ** (restart - 1));
}

/** Waits, but no longer than until it is over. Units: milliseconds. */
export async function pauseOr(ms: number, over: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([new Promise<void>((resolve) => timer = setTimeout(resolve, ms)), over]);
  clearTimeout(timer);
}
