/**
 * Does a run fit, and into which memory? A cpu device is opened as small as the run allows: 32-bit addresses need no bounds checks.
 *
 * @module
 */
import { cpu, type Device, type MemorySize } from "../../core/mod.ts";
import { InputError } from "../cli/input_error.ts";
import type { PretrainConfig } from "./config.ts";
import type { Forecast } from "./forecast.ts";

const GIB = 2 ** 30;

/** Free space that a memory must have beside what a run takes: gaps between blocks, copies that are read. */
export const MARGIN = 0.05;

/** What a cpu device's memory may be, the smallest first. */
const SIZES: readonly (readonly [size: MemorySize, bytes: number])[] = [
  ["4GiB", 4 * GIB],
  ["16GiB", 16 * GIB],
];

/** Where a run goes. */
export interface Fit {
  readonly fits: boolean;
  /** What it takes, with the margin. Units: bytes. */
  readonly needed: number;
  /** What there is; null where the device does not say. */
  readonly available: number | null;
  /** The cpu device's memory. */
  readonly memory?: MemorySize;
}

/** Physical memory of the machine; undefined where asking is not allowed. Units: bytes. */
export function machineMemory(): number | undefined {
  const asked = { name: "sys", kind: "systemMemoryInfo" } as const;
  if (Deno.permissions.querySync(asked).state !== "granted") return undefined;
  return Deno.systemMemoryInfo().total;
}

/**
 * The fit of so many bytes on a device of this kind.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { fitOf } from "./fit.ts";
 *
 * assertEquals(fitOf(2 ** 30, "cpu").memory, "4GiB");
 * assertEquals(fitOf(5 * 2 ** 30, "cpu").memory, "16GiB");
 * assertEquals(fitOf(16 * 2 ** 30, "cpu").fits, false);
 * ```
 */
export function fitOf(bytes: number, kind: Device["kind"], machine = Infinity): Fit {
  if (kind !== "cpu") return { fits: true, needed: bytes, available: null };
  const needed = Math.ceil((1 + MARGIN) * bytes);
  const found = SIZES.find(([, size]) => needed <= size), largest = SIZES.at(-1)![1];
  const available = Math.min(found?.[1] ?? largest, machine);
  return { fits: needed <= available, needed, available, ...found && { memory: found[0] } };
}

const inGiB = (bytes: number): string => `${(bytes / GIB).toFixed(bytes < 10 * GIB ? 2 : 1)} GiB`;

/** A line about where a run goes. */
export function fitLine({ memory: { total } }: Forecast, fit: Fit): string {
  const { available, memory } = fit;
  if (available === null) return `memory: ${inGiB(total)}; the device does not say what it has`;
  const where = memory === undefined
    ? inGiB(available)
    : `${inGiB(available)} with ${memory === "4GiB" ? 32 : 64}-bit addresses`;
  return `memory: ${inGiB(total)} of ${where}`;
}

/** What can make a run smaller, where there is something. */
function advice({ data, optimizer }: PretrainConfig): string {
  const all = [
    ...data.microBatch > 1 ? [`data.microBatch (${data.microBatch})`] : [],
    "data.length",
    "model's sizes",
  ].join(", ");
  const also = [
    ...data.recompute ? [] : ["set data.recompute to true"],
    ...optimizer.stateDtype === "f32" ? ['set optimizer.stateDtype to "bf16"'] : [],
  ];
  return [`lower ${all}`, ...also].join(" or ");
}

/**
 * Refuses a run that does not fit.
 *
 * @throws InputError
 */
export function checkFit(config: PretrainConfig, { memory }: Forecast, fit: Fit): void {
  if (fit.fits) return;
  throw new InputError(
    `Cannot train ${config.name}: it takes ${inGiB(memory.total)} (${
      inGiB(fit.needed)
    } with a margin of ${100 * MARGIN} %), and the cpu device has ${
      inGiB(fit.available!)
    } at most here; ${advice(config)}`,
  );
}

/** A device of the memory that a run needs, one of many processes' with so many threads; `planned` is the one that it was planned on, which serves if it is large enough. */
export function deviceFor(fit: Fit, planned: Device, threads?: number): Device {
  if (fit.memory !== "16GiB") return planned;
  return cpu({ memory: fit.memory, ...threads !== undefined && { threads, aside: true } });
}
