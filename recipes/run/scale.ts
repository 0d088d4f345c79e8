/**
 * Axes: from values to positions, and where the marks stand.
 *
 * @module
 */

/** An axis. */
export interface Scale {
  /** Where a value stands, 0 at the begin of the axis and 1 at its end. */
  at(value: number): number;
  /** Values to mark, ascending. */
  readonly ticks: readonly number[];
}

/** An axis of round numbers that holds [min, max], with about `count` marks. */
export function linearScale(min: number, max: number, count: number): Scale {
  if (max === min) {
    // Half of a number near the smallest is that number again.
    [min, max] = Math.abs(min) < 1e-300
      ? [0, 1]
      : [min - Math.abs(min) / 2, max + Math.abs(max) / 2];
  }
  const rough = (max - min) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= rough * (1 - 1e-9))!;
  const first = Math.floor(min / step + 1e-9), last = Math.ceil(max / step - 1e-9);
  const ticks = Array.from(
    { length: last - first + 1 },
    (_, i) => Number(((first + i) * step).toPrecision(15)),
  );
  const [low, high] = [first * step, last * step];
  return { at: (value) => (value - low) / (high - low), ticks };
}

/** A logarithmic axis that holds [min, max], both above 0, marked at 1, 2 and 5 times the powers of ten, or at the powers only. */
export function logScale(min: number, max: number): Scale {
  const powers = Array.from(
    { length: Math.ceil(Math.log10(max)) - Math.floor(Math.log10(min)) + 1 },
    (_, i) => 10 ** (Math.floor(Math.log10(min)) + i),
  );
  const fine = powers.length > 4
    ? powers
    : powers.flatMap((power) => [power, 2 * power, 5 * power]);
  const low = fine.filter((tick) => tick <= min * (1 + 1e-9)).at(-1) ?? min;
  const high = fine.find((tick) => tick >= max * (1 - 1e-9) && tick > low) ?? max;
  const ticks = fine.filter((tick) => tick >= low && tick <= high);
  const span = Math.log(high / low);
  return { at: (value) => Math.log(value / low) / span, ticks };
}
