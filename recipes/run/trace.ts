/**
 * What a few steps were made of: phases of the host and kernels of the device, as a Chrome trace, which chrome://tracing, Perfetto
 * and Firefox's profiler open.
 *
 * The format: "Trace Event Format", Google, 2016; complete events ("X") on two threads of one process.
 *
 * @module
 */
import type { Explanation, KernelTime } from "../../core/mod.ts";

/** A phase of the host. Units: microseconds since the trace began. */
export interface Phase {
  readonly name: string;
  /** Steps that were taken before it. */
  readonly step: number;
  readonly startUs: number;
  readonly endUs: number;
}

/** One run of a program on the device. */
export interface ProgramRun {
  readonly program: string;
  /** Steps that were taken before it. */
  readonly step: number;
  /** When its first kernel began, in microseconds since the trace began. */
  readonly startUs: number;
  /** From then on. */
  readonly times: readonly KernelTime[];
}

/** A trace. */
export interface Trace {
  readonly title: string;
  /** The device in words. */
  readonly device: string;
  readonly phases: readonly Phase[];
  readonly runs: readonly ProgramRun[];
  /** What the programs of `runs` consist of, by their names. */
  readonly programs: { readonly [name: string]: Explanation };
}

const PROCESS = 1;
/** The tracks, by their thread numbers. */
const HOST = 1, DEVICE = 2;

/** The trace as JSON. */
export function chromeTrace({ title, device, phases, runs, programs }: Trace): string {
  const named = (kind: string, tid: number, name: string): object => ({
    ph: "M",
    name: kind,
    pid: PROCESS,
    tid,
    args: { name },
  });
  const event = (
    tid: number,
    name: string,
    cat: string,
    [startUs, endUs]: readonly [number, number],
    args: object,
  ): object => ({ ph: "X", name, cat, pid: PROCESS, tid, ts: startUs, dur: endUs - startUs, args });
  const host = phases.map(({ name, step, startUs, endUs }) =>
    event(HOST, name, "host", [startUs, endUs], { step })
  );
  const kernels = runs.flatMap(({ program, step, startUs, times }) =>
    times.map((t) => {
      const line = programs[program]!.lines[t.kernel]!, span = [t.startUs, t.endUs] as const;
      return event(
        DEVICE,
        line.split(":")[0]!,
        program,
        [startUs + span[0], startUs + span[1]],
        { step, kernel: t.kernel, line },
      );
    })
  );
  const traceEvents = [
    named("process_name", HOST, title),
    named("thread_name", HOST, "host"),
    named("thread_name", DEVICE, `device: ${device}`),
    ...host,
    ...kernels,
  ];
  return JSON.stringify({ displayTimeUnit: "ms", traceEvents });
}
