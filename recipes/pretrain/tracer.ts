/**
 * Watches the training loop for `--trace`: which phase the host is in, and when the device ran each kernel of a few steps.
 *
 * Profiled steps wait for the device after every program and between kernels, so a trace shows where time goes, not how fast a run
 * is; all other steps run as ever.
 *
 * @module
 */
import type { Device, Explanation, Jitted } from "../../core/mod.ts";
import type { Phase, ProgramRun, Trace } from "../run/trace.ts";

/** Steps before those that are recorded: one that compiles, one that compiles what profiling needs. */
export const WARM_UP = 2;
/** Steps that are recorded. */
const RECORDED = 3;

/** What the host does beside programs. In the last four it waits for other processes: for the first one's word, sums, parameters, checksums. */
export type HostWork =
  | "input"
  | "evaluate"
  | "checkpoint"
  | "agree"
  | "exchange"
  | "share"
  | "compare";

/** What the loop tells its watcher. */
export interface Tracer {
  /** A step begins; so many have been taken. */
  step(taken: number): void;
  /** Does some work of the host. */
  host<T>(phase: HostWork, work: () => Promise<T>): Promise<T>;
  /** Calls a program. */
  program<A extends readonly unknown[], R>(
    phase: "accumulate" | "clicks" | "apply",
    f: Jitted<A, R>,
    ...args: A
  ): R | Promise<R>;
}

/** Nobody watches. */
export const untraced: Tracer = {
  step: () => {},
  host: (_phase, work) => work(),
  program: (_phase, f, ...args) => f(...args),
};

/** A tracer, and what it has seen so far. Evaluations and checkpoints are recorded whenever they come after the warm-up. */
export function tracer(device: Device, title: string): Tracer & { readonly trace: () => Trace } {
  const began = performance.now(), phases: Phase[] = [], runs: ProgramRun[] = [];
  const programs: Record<string, Explanation> = {};
  let begun = 0, step = 0;
  const now = (): number => 1000 * (performance.now() - began);
  const isRecorded = (): boolean => begun > WARM_UP && begun <= WARM_UP + RECORDED;
  const isProfiled = (): boolean => begun === WARM_UP || isRecorded();
  return {
    step: (taken) => {
      step = taken;
      begun++;
    },
    async host(name, work) {
      const startUs = now(), result = await work();
      if (name === "evaluate" || name === "checkpoint" ? begun > WARM_UP : isRecorded()) {
        phases.push({ name, step, startUs, endUs: now() });
      }
      return result;
    },
    async program(name, f, ...args) {
      if (!isProfiled()) return f(...args);
      programs[name] ??= f.explain(...args);
      const startUs = now(), { result, times } = await f.profile(...args), endUs = now();
      if (isRecorded()) {
        phases.push({ name, step, startUs, endUs });
        // The host hears of the end at once, while it is busy before the first kernel begins.
        const took = times.reduce((end, t) => Math.max(end, t.endUs), 0);
        runs.push({ program: name, step, startUs: endUs - took, times });
      }
      return result;
    },
    trace: () => ({ title, device: device.description, phases, runs, programs }),
  };
}
