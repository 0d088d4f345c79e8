/** How often something is measured at most. */
const TRIES = 5;

/**
 * The least of some measurements; the first one below the bar is the last one. A machine that has other things to do makes anything
 * slow now and then, and nothing fast: so a bar that is met once is met. What must hold every time is asserted in `measure`, whose
 * errors end all.
 */
export async function leastOf(
  bar: number,
  measure: () => number | Promise<number>,
  tries = TRIES,
): Promise<number> {
  let least = Infinity;
  for (let n = 0; n < tries && !(least < bar); n++) {
    if (n > 0) console.log(`measured again: ${least} is not below ${bar}`);
    least = Math.min(least, await measure());
  }
  return least;
}
