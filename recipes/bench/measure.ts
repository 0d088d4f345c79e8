/**
 * Timing two sides fairly: in turn, so that a machine that slows down slows both, and by medians, so that an interruption counts
 * little. Each turn is long enough for the clock and for what a side pays once a turn (waking threads, waiting for a GPU).
 *
 * @module
 */

/** One side of a comparison, ready to run. */
export interface Side {
  /** Runs so many times and waits for the last; gives the seconds of all. */
  time(times: number): Promise<number>;
}

/** How long a measurement may take. */
export interface Pace {
  /** Turns of each side, at most. */
  readonly rounds: number;
  /** Units: seconds that one turn should take at least. */
  readonly turn: number;
  /** A turn is one run, as it is: it takes long, and warms up by itself. */
  readonly single?: boolean;
  /** Units: seconds for all, after which no turn but the third begins. */
  readonly limit: number;
}

/** Seconds a run. */
export interface Timing {
  readonly median: number;
  /** Half the distance between the quartiles, as a share of the median. */
  readonly spread: number;
  readonly turns: number;
}

/** Two medians of fewer turns than this say nothing. */
const FEWEST = 3;

/** A run that takes so many seconds is not repeated to warm up, and the fewest turns must do. */
const SLOW = 5;

/** Threads of the side before spin for a while before they sleep: those of OpenBLAS for 2^28 cycles, a tenth of a second. */
const SETTLE_MS = 200;

/** Median and spread of some numbers. */
export function timingOf(seconds: readonly number[]): Timing {
  const median = quantile(seconds, 0.5);
  const spread = (quantile(seconds, 0.75) - quantile(seconds, 0.25)) / 2 / median;
  return { median, spread, turns: seconds.length };
}

/** By linear interpolation. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b), at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)]!, high = sorted[Math.ceil(at)]!;
  return low + (high - low) * (at - Math.floor(at));
}

/** Runs until the times settle, and gives how many runs make a turn; undefined if one run is too long to be repeated. */
async function warmUp(side: Side, turn: number): Promise<number | undefined> {
  if (await side.time(1) >= SLOW) return undefined;
  let times = 1;
  for (let again = 0; again < 12; again++) {
    const seconds = await side.time(times);
    if (seconds >= turn / 2) {
      // What came first was also compiled and paged in: it says too little of how many runs fill a turn.
      const settled = times === 1 ? seconds : await side.time(times);
      return Math.max(1, Math.round(times * turn / settled));
    }
    times = Math.ceil(times * Math.min(10, turn / Math.max(seconds, turn / 100)));
  }
  return times;
}

/** Times the sides in turn. `watch` is told when the first one's turns begin and end. */
export async function interleave(
  sides: readonly Side[],
  { rounds, turn, limit, single = false }: Pace,
  watch: { begin(): void; end(): void } = { begin() {}, end() {} },
): Promise<readonly Timing[]> {
  const times: number[] = [], seconds: number[][] = sides.map(() => []);
  const fewest = Math.min(FEWEST, rounds);
  let most = rounds;
  for (const side of sides) {
    const enough = single ? 1 : await warmUp(side, turn);
    if (enough === undefined) most = fewest;
    times.push(enough ?? 1);
  }
  const start = performance.now();
  for (let round = 0; round < most; round++) {
    if (round >= fewest && performance.now() - start > 1000 * limit) break;
    for (const [i, side] of sides.entries()) {
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      if (i === 0) watch.begin();
      seconds[i]!.push(await side.time(times[i]!) / times[i]!);
      if (i === 0) watch.end();
    }
  }
  return seconds.map(timingOf);
}
