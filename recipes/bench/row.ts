/**
 * What one measurement says: a line of `--json` and of a saved baseline.
 *
 * @module
 */

/** What we are measured on. `cpu` is without a BLAS. */
export type BenchDevice = "cpu" | "cpu+blas" | "webgpu";

/** The devices, in the order in which they are measured. */
export const benchDeviceNames = ["cpu", "cpu+blas", "webgpu"] as const satisfies BenchDevice[];

/** What a figure counts. Of the rates more is better, of the times less. */
export type Unit = "GFLOP/s" | "GB/s" | "tokens/s" | "s" | "ms" | "us" | "MiB";

/** Share of all cores that other programs used. */
export interface Load {
  /** Just before, while nothing of ours ran. */
  readonly before: number;
  /** While we were timed. */
  readonly during: number;
}

/** One row. Where a figure is null, `reason` says why. */
export interface Row {
  readonly name: string;
  readonly device: BenchDevice;
  readonly size: string;
  /** In `unit`, a median. */
  readonly ours: number | null;
  readonly peer: number | null;
  readonly peer_name: string | null;
  readonly unit: Unit;
  /** Above 1: we are faster. */
  readonly ratio: number | null;
  /** Ours as a share of the FLOP/s or GB/s measured in the same run. */
  readonly roof_share: number | null;
  readonly load: Load | null;
  /** Half the distance between the quartiles of our times, as a share of their median. */
  readonly spread: number | null;
  readonly reason: string | null;
}

/** Does more of this unit mean faster? */
export function isRate(unit: Unit): boolean {
  return unit.endsWith("/s");
}

/** What tells rows apart in two runs. */
export function rowKey({ name, device, size, peer_name }: Row): string {
  return [name, size, device, (peer_name ?? "").replace(/[ ,(].*/, "")].join(" | ");
}

/** How much is done in one run of what is timed. */
export interface Work {
  readonly flops?: number;
  /** Bytes that must be read or written at least. */
  readonly bytes?: number;
  readonly tokens?: number;
}

const second: Readonly<Record<string, number>> = { s: 1, ms: 1e3, us: 1e6 };

/** Seconds a run as a figure of a unit. */
export function figure(unit: Unit, seconds: number, work: Work): number {
  if (unit in second) return seconds * second[unit]!;
  const done = unit === "GFLOP/s" ? work.flops : unit === "GB/s" ? work.bytes : work.tokens;
  if (done === undefined) throw new TypeError(`Cannot give ${unit}: the work does not count them`);
  return done / seconds / (unit === "tokens/s" ? 1 : 1e9);
}
