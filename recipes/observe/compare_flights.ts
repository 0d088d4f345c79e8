/**
 * Puts the flight records of a group's processes side by side: who was behind, in which operation, and who was waited for.
 *
 * @module
 */
import { aligned } from "../cli/aligned.ts";
import { short } from "../cli/format.ts";
import type { Flight } from "./flight.ts";
import type { Entry } from "./recorder.ts";

/** Where one process stood in the operations that all do one after another. */
export interface Standing {
  readonly rank: number;
  /** Number of the last one that it had finished, and of the one that it was in, or null. */
  readonly finished: number | null;
  readonly inside: number | null;
  /** The last one in words, and for how long it had been in it. Units: milliseconds. */
  readonly doing: string;
  readonly ms: number | null;
  readonly waiting: readonly number[];
  readonly why: string;
}

/** What came of comparing. */
export interface Comparison {
  readonly job: string;
  readonly generation: number;
  readonly size: number;
  readonly ranks: readonly Standing[];
  /** Ranks that left no record. */
  readonly missing: readonly number[];
  /** Ranks with a record that had come less far than others. */
  readonly behind: readonly number[];
  /** What the records say, in sentences. */
  readonly verdict: readonly string[];
}

const isShared = ({ group, line }: Entry): boolean => group === "" && line === "";
const wordsOf = ({ operation, sequence, type, shape }: Entry): string =>
  `${operation} #${sequence} of ${type} [${shape.join(", ")}]`;
const list = (ranks: readonly number[]): string =>
  `${ranks.length === 1 ? "rank" : "ranks"} ${ranks.join(", ")}`;

function standingOf({ rank, at, why, operations }: Flight): Standing {
  const shared = operations.filter(isShared);
  // An operation that its group's failure ended was not finished.
  const isDone = (e: Entry): boolean => e.ended !== undefined && e.error === undefined;
  const done = shared.findLast(isDone),
    now = shared.find((e) => e.begun !== undefined && !isDone(e));
  const open = operations.filter((e) => e.waiting !== undefined);
  return {
    rank,
    finished: done?.sequence ?? null,
    inside: now?.sequence ?? null,
    doing: now ? wordsOf(now) : done ? `after ${wordsOf(done)}` : "nothing yet",
    ms: now ? at - now.begun! : null,
    waiting: [...new Set(open.flatMap((e) => e.waiting!))].sort((a, b) => a - b),
    why,
  };
}

/** The first operation whose records do not say the same thing on all ranks, in words. */
function difference(flights: readonly Flight[]): string | undefined {
  const byNumber = Map.groupBy(
    flights.flatMap(({ rank, operations }) =>
      operations.filter(isShared).map((entry) => ({ rank, entry }))
    ),
    ({ entry }) => entry.sequence,
  );
  for (const [, all] of [...byNumber].sort(([a], [b]) => a - b)) {
    const said = Map.groupBy(all, ({ entry }) => `${wordsOf(entry)}, ${entry.reduction}`);
    if (said.size < 2) continue;
    const sides = [...said].map(([words, own]) => `${list(own.map((o) => o.rank))}: ${words}`);
    return `They did not do the same thing: ${sides.join("; ")}.`;
  }
  return undefined;
}

/** Compares records of one generation. */
export function compareFlights(flights: readonly Flight[]): Comparison {
  const { job, generation, size } = flights[0]!, ranks = flights.map(standingOf);
  const missing = Array.from({ length: size }, (_, r) => r)
    .filter((r) => !ranks.some(({ rank }) => rank === r));
  /** Number of the last operation that it had begun: within one, some are done a moment before others. */
  const begunBy = ({ finished, inside }: Standing): number =>
    Math.max(finished ?? -1, inside ?? -1);
  const furthest = Math.max(...ranks.map(begunBy)),
    ahead = ranks.filter((r) => begunBy(r) === furthest);
  const behind = ranks.filter((r) => begunBy(r) < furthest);
  const waited = Map.groupBy(
    ranks.flatMap(({ rank, waiting }) => waiting.map((whom) => ({ rank, whom }))),
    ({ whom }) => whom,
  );
  const blamed = Map.groupBy(flights.filter((f) => f.culprit !== null), (f) => f.culprit!);
  const different = difference(flights);
  return {
    ...{ job, generation, size, ranks, missing },
    behind: behind.map(({ rank }) => rank),
    verdict: [
      ...missing.length > 0
        ? [`${list(missing)} left no record: killed, or its folder is on another machine.`]
        : [],
      ...different ? [different] : [],
      ...behind.map(({ rank, doing }) =>
        `rank ${rank} was behind: ${doing}, when ${list(ahead.map((r) => r.rank))} had come to ${
          ahead[0]!.doing.replace(/^after /, "")
        }.`
      ),
      ...[...waited].sort(([, a], [, b]) => b.length - a.length).map(([whom, by]) =>
        `${list(by.map(({ rank }) => rank))} waited for rank ${whom}.`
      ),
      ...[...blamed].map(([whom, by]) =>
        `${list(by.map(({ rank }) => rank))} held rank ${whom} to be at fault.`
      ),
    ],
  };
}

/** A comparison for people. */
export function comparisonLines(found: Comparison): readonly string[] {
  const { job, generation, size, ranks, verdict } = found;
  const number = (n: number | null): string => n === null ? "-" : `#${n}`;
  return [
    `job ${job}, generation ${generation}: records of ${ranks.length} of ${size} ranks`,
    ...aligned([
      ["rank", "finished", "inside", "for", "waits for", "doing"],
      ...ranks.map(({ rank, finished, inside, ms, waiting, doing }) => [
        String(rank),
        number(finished),
        number(inside),
        ms === null ? "-" : `${short(ms / 1000)} s`,
        waiting.join(", ") || "-",
        doing,
      ]),
    ], ["right", "right", "right", "right", "left", "left"]),
    ...ranks.map(({ rank, why }) => `rank ${rank}: ${why}`),
    ...verdict,
  ];
}
