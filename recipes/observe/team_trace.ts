/**
 * One Chrome trace of many processes: what the host of each did, and the operations of its groups, by the clock of the first. Perfetto,
 * chrome://tracing and Firefox's profiler open it.
 *
 * The format: "Trace Event Format", Google, 2016; a process a rank, complete events ("X") on a thread each for phases and operations,
 * and one for messages to or from each other rank.
 *
 * @module
 */
import type { Entry } from "./recorder.ts";

/** A phase of a process. Units: milliseconds of its own clock. */
export interface HostPhase {
  readonly name: string;
  readonly step: number;
  readonly start: number;
  readonly end: number;
}

/** What one process saw. */
export interface RankTrace {
  readonly phases: readonly HostPhase[];
  readonly operations: readonly Entry[];
  /** Its clock less the first process's. Units: milliseconds. */
  readonly offset: number;
}

const HOST = 1, OPERATIONS = 2;

/** The trace as JSON. */
export function teamTrace(title: string, ranks: readonly RankTrace[]): string {
  const starts = ranks.flatMap(({ phases, operations, offset }) => [
    ...phases.map((p) => p.start - offset),
    ...operations.flatMap((o) => o.begun === undefined ? [] : [o.begun - offset]),
  ]);
  const began = starts.reduce((least, t) => Math.min(least, t), Infinity);
  const traceEvents = ranks.flatMap(({ phases, operations, offset }, rank) => {
    const us = (ms: number): number => 1000 * (ms - offset - began);
    const event = (
      tid: number,
      name: string,
      cat: string,
      [start, end]: readonly [number, number],
      args: object,
    ): object => ({
      ...{ ph: "X", name, cat, pid: rank, tid },
      ...{ ts: us(start), dur: 1000 * (end - start), args },
    });
    const named = (kind: string, tid: number, name: string): object => ({
      ...{ ph: "M", name: kind, pid: rank, tid, args: { name } },
    });
    const lanes = new Map([["", OPERATIONS]]);
    for (const o of operations) {
      const lane = laneOf(o);
      if (!lanes.has(lane)) lanes.set(lane, OPERATIONS + lanes.size);
    }
    return [
      named("process_name", HOST, `rank ${rank}${rank === 0 ? `: ${title}` : ""}`),
      { ph: "M", name: "process_sort_index", pid: rank, args: { sort_index: rank } },
      named("thread_name", HOST, "host"),
      ...[...lanes].map(([lane, tid]) => named("thread_name", tid, lane || "operations")),
      ...phases.map((p) => event(HOST, p.name, "host", [p.start, p.end], { step: p.step })),
      ...operations.flatMap((o) => {
        const { begun, heard, ended } = o, tid = lanes.get(laneOf(o))!;
        if (begun === undefined || ended === undefined) return [];
        const { operation, sequence, type, shape, reduction, bytes, sent, received } = o;
        const args = {
          ...{ sequence, type, shape, reduction, bytes, sent, received },
          queued_us: 1000 * (begun - o.called),
          ...o.error !== undefined && { error: o.error },
        };
        return [
          event(tid, `${operation} #${sequence}`, operation, [begun, ended], args),
          // Inside of it: nobody else was there yet, and what came then.
          ...heard === undefined ? [] : [
            event(tid, "wait", "phase", [begun, heard], {}),
            event(tid, "transfer", "phase", [heard, ended], {}),
          ],
        ];
      }),
    ];
  });
  return JSON.stringify({ displayTimeUnit: "ms", traceEvents });
}

/** Operations that may overlap stand on tracks of their own. */
const laneOf = ({ group, line }: Entry): string => [group, line].filter(Boolean).join(" ");
