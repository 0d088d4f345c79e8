/**
 * Which process the others waited for: of every step the time that each one worked, and the time that it was held up by the others.
 *
 * All come out of a step's exchange at about the same moment, and the last to come into it is held up least: what that one takes is the
 * exchange itself, and whatever others take above it is a wait. No clocks are compared.
 *
 * @module
 */
import type { Group } from "../../dist/mod.ts";
import { aligned } from "../cli/aligned.ts";
import { short } from "../cli/format.ts";
import { median } from "./median.ts";

/** One process. Units: seconds. */
export interface RankTimes {
  readonly rank: number;
  readonly steps: number;
  /** Working by itself: in all, and of a step the median and the longest. */
  readonly working: number;
  readonly workingMedian: number;
  readonly workingLongest: number;
  /** Waiting for others: in all, and the longest of a step. */
  readonly waiting: number;
  readonly waitingLongest: number;
  /** Exchanging, when all were there. */
  readonly exchanging: number;
}

/** Steps of one process. */
export interface StepTimes {
  /** A step is over: how long it took, and how much of that the process was held up in exchanges. Units: milliseconds. */
  add(ms: number, held: number): void;
  readonly count: number;
  /** The last so many. */
  last(count: number): { readonly ms: Float64Array; readonly held: Float64Array };
}

/** No steps yet. */
export function createStepTimes(): StepTimes {
  const all: number[] = [], holds: number[] = [];
  return {
    add(ms, held) {
      all.push(ms);
      holds.push(held);
    },
    get count() {
      return all.length;
    },
    last: (count) => ({
      ms: Float64Array.from(all.slice(all.length - count)),
      held: Float64Array.from(holds.slice(holds.length - count)),
    }),
  };
}

const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
const most = (values: Float64Array): number => values.reduce((a, b) => Math.max(a, b), 0);

/** The times of all ranks, for each of them. All must call it; of processes that have taken more steps than others the last count. */
export async function shareTimes(group: Group, times: StepTimes): Promise<readonly RankTimes[]> {
  const { rank, size } = group;
  const [steps] = await group.allReduce(Float64Array.of(times.count), { reduction: "min" });
  if (steps === 0) return [];
  const { ms, held } = times.last(steps!);
  const least = await group.allReduce(held.slice(), { reduction: "min" });
  const working = ms.map((t, i) => t - held[i]!), waiting = held.map((t, i) => t - least[i]!);
  const row = [
    ...[sum(working), median(working), most(working)],
    ...[sum(waiting), most(waiting), sum(least)],
  ];
  const table = new Float64Array(size * row.length);
  table.set(row, rank * row.length);
  await group.allGather(table);
  return Array.from({ length: size }, (_, rank): RankTimes => {
    const own = table.slice(rank * row.length, (rank + 1) * row.length).map((ms) => ms / 1000);
    const [all, usual, longest, waited, waitedLongest, exchanging] = own;
    return {
      ...{ rank, steps: steps!, working: all!, workingMedian: usual!, workingLongest: longest! },
      ...{ waiting: waited!, waitingLongest: waitedLongest!, exchanging: exchanging! },
    };
  });
}

/** A process is slow whose median step takes it this many times that of the median process. */
const SLOW = 1.2;

/** Who is slow, in sentences. */
export function slowLines(times: readonly RankTimes[]): readonly string[] {
  // Of two in the middle the faster: of two processes, the other.
  const sorted = times.map((t) => t.workingMedian).sort((a, b) => a - b);
  const usual = sorted[(sorted.length - 1) >> 1]!;
  return times.filter((t) => t.workingMedian > SLOW * usual).map((t) =>
    `rank ${t.rank} is slow: a step takes it ${span(t.workingMedian)}, others ${span(usual)}`
  );
}

const span = (seconds: number): string =>
  seconds >= 1 ? `${short(seconds)} s` : `${short(1000 * seconds)} ms`;

/** The table for people. */
export function timesLines(times: readonly RankTimes[]): readonly string[] {
  if (times.length === 0) return [];
  return aligned([
    ["rank", "works", "a step, median", "longest", "waits for others", "longest", "exchanges"],
    ...times.map((t) => [
      String(t.rank),
      ...[t.working, t.workingMedian, t.workingLongest].map(span),
      ...[t.waiting, t.waitingLongest, t.exchanging].map(span),
    ]),
  ]);
}

/** The table of a run's report. */
export function timesTable(times: readonly RankTimes[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    times.map((t) => [
      `rank ${t.rank}`,
      `works ${span(t.working)} (a step ${span(t.workingMedian)}, the longest ${
        span(t.workingLongest)
      }), waits ${span(t.waiting)}, exchanges ${span(t.exchanging)}`,
    ]),
  );
}
