/** The error function in f64, for checking. */

/**
 * erf(x) to about 1e-14: its series for small x, the continued fraction of erfc for large.
 *
 * Source: Abramowitz and Stegun 7.1.6 and 7.1.14
 */
export function erf64(x: number): number {
  const a = Math.abs(x);
  if (a > 3) {
    let fraction = a;
    for (let n = 60; n > 0; n--) fraction = a + n / 2 / fraction;
    return Math.sign(x) * (1 - Math.exp(-a * a) / fraction / Math.sqrt(Math.PI));
  }
  let term = a, sum = a;
  for (let n = 1; term > 1e-17 * sum; n++) {
    term *= 2 * a * a / (2 * n + 1);
    sum += term;
  }
  return 2 / Math.sqrt(Math.PI) * Math.exp(-a * a) * sum * Math.sign(x);
}
