/**
 * Watches one process of a run that several train: what its groups and its loop do, for a trace of all of them, for the table of who
 * waited for whom, and for what is left behind when they fail.
 *
 * @module
 */
import { ensureDir } from "@std/fs";
import { dirname } from "@std/path";
import type { Group, GroupSeen, Observer } from "../../dist/mod.ts";
import { flightObserver, flightOf, writeFlight } from "../observe/flight.ts";
import { clockOffsets, gatherBytes } from "../observe/gather.ts";
import { createRecorder } from "../observe/recorder.ts";
import { createStepTimes, type RankTimes, shareTimes } from "../observe/stragglers.ts";
import { type HostPhase, type RankTrace, teamTrace } from "../observe/team_trace.ts";
import { writeWhole } from "../run/write_whole.ts";
import type { HostWork, Tracer } from "./tracer.ts";

/** What was seen of all processes, for the first of them. */
export interface TeamFindings {
  readonly times: readonly RankTimes[];
  /** A Chrome trace of the last operations, where one was asked for. */
  readonly trace?: string;
}

/** Watches. */
export interface TeamWatch extends Tracer {
  /** To be told of the groups. */
  readonly observer: Observer;
  /** When all steps are taken, on all processes at the same time. */
  finish(group: Group, title: string): Promise<TeamFindings>;
  /** Leaves a flight record of a group that stands. */
  record(why: string): void;
}

/** How to watch. */
export interface TeamWatchOptions {
  /** Where flight records go. */
  readonly folder: string;
  /** Is a trace wanted? */
  readonly trace: boolean;
  readonly note: (line: string) => void;
  /** Another that is told of the groups. */
  readonly also?: Observer | undefined;
}

/** Operations that are kept: for an autopsy, and for a trace, where as many phases of the loop are kept too. */
const KEPT = 256, KEPT_FOR_TRACE = 8192;

/** Does the loop wait for other processes in it? */
const isWait = (work: HostWork): boolean => !["input", "evaluate", "checkpoint"].includes(work);

/** Watches from now on. */
export function teamWatch({ folder, trace, note, also }: TeamWatchOptions): TeamWatch {
  const recorder = createRecorder(trace ? KEPT_FOR_TRACE : KEPT), steps = createStepTimes();
  const flights = flightObserver(folder, recorder, note);
  const phases: HostPhase[] = [], now = (): number => performance.now();
  let step = 0, began: number | undefined, held = 0, kept = 0;
  let standing: GroupSeen | undefined;

  async function phase<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    if (!trace) return await work();
    const start = now(), result = await work();
    phases[kept++ % KEPT_FOR_TRACE] = { name, step, start, end: now() };
    return result;
  }
  return {
    observer(event) {
      flights(event);
      if (event.kind === "joined" && event.group.name === "") standing = event.group;
      if (event.kind === "failed" && event.group.name === "") standing = undefined;
      also?.(event);
    },
    step(taken) {
      step = taken;
      began = now();
      held = 0;
    },
    async host(name, work) {
      if (!isWait(name)) return await phase(name, work);
      const start = now(), result = await phase(name, work), end = now();
      held += end - start;
      // The word of whether there is another step ends this one.
      if (name === "agree" && began !== undefined) {
        steps.add(end - began, held);
        began = undefined;
      }
      return result;
    },
    program: (name, f, ...args) => trace ? phase(name, () => f(...args)) : f(...args),
    async finish(group, title) {
      const times = await shareTimes(group, steps);
      if (!trace) return { times };
      const offsets = await clockOffsets(group);
      const own = JSON.stringify({ phases, operations: recorder.entries() });
      const all = await gatherBytes(group, new TextEncoder().encode(own));
      if (group.rank > 0) return { times };
      const ranks = all.map((bytes, rank): RankTrace => ({
        ...JSON.parse(new TextDecoder().decode(bytes)),
        offset: offsets[rank]!,
      }));
      return { times, trace: teamTrace(title, ranks) };
    },
    record(why) {
      if (standing) writeFlight(folder, flightOf(recorder, standing, why));
    },
  };
}

/** Leaves a flight record before SIGTERM ends this process: the launcher sends it to all when one has failed, and whoever finds a run that hangs. */
export function recordOnSigterm(watch: Pick<TeamWatch, "record">): void {
  if (Deno.build.os === "windows") return;
  const end = (): void => {
    try {
      watch.record("Ended by SIGTERM");
    } finally {
      Deno.removeSignalListener("SIGTERM", end);
      Deno.kill(Deno.pid, "SIGTERM");
    }
  };
  Deno.addSignalListener("SIGTERM", end);
}

/** Leaves a trace in a file; says in words where. */
export async function writeTeamTrace(path: string, trace: string): Promise<string> {
  await ensureDir(dirname(path));
  await writeWhole(path, trace);
  return `trace of all processes in ${path}`;
}
