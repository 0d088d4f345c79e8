/**
 * What can be measured: one computation of one size, done by us on a device and by peers.
 *
 * @module
 */
import type { Device } from "../../core/device/device.ts";
import type { Side } from "./measure.ts";
import type { PeerName } from "./peers/peers.ts";
import type { BenchDevice, Unit, Work } from "./row.ts";

/** A side that shows what it computed. */
export interface Runner extends Side {
  /** Who it is, where there is more to tell than the peer's own name: the setting that was best. */
  readonly name?: string;
  /** Elements of the results, all results in a row, at these places. */
  values(at: readonly number[]): Promise<readonly number[]>;
  /** What one run takes beside inputs and results, for cases whose unit is MiB. */
  bytes?(): number;
  close(): Promise<void> | void;
}

/** A task by name and sizes: what a peer is told, in any language. */
export interface Task {
  readonly op: string;
  readonly sizes: Readonly<Record<string, number>>;
}

/** One computation. */
export interface BenchCase extends Task {
  /** Section and kind, as in "matmul NN". */
  readonly name: string;
  readonly size: string;
  readonly unit: Unit;
  readonly work: Work;
  /** Computes it on a device of ours. */
  ours(device: Device): Promise<Runner>;
  /** Compares what a side computes with what it must be. @throws WrongResultError */
  check(runner: Runner, who: string): Promise<void>;
  /** Who else computes it, by device of ours. */
  readonly peers: Readonly<Record<BenchDevice, readonly PeerName[]>>;
  /** Another of our own ways to compute it, measured as a peer. */
  readonly beside?: { readonly name: string; open(device: Device): Promise<Runner> };
  /** The only devices that it makes sense on. */
  readonly onlyOn?: readonly BenchDevice[];
  /** One turn takes many seconds, however little is asked for: a few turns must do, without warming up. */
  readonly slow?: boolean;
  /** We too run in a process of its own, whose work cannot be told from that of others. */
  readonly apart?: boolean;
  /** Takes so long that it is measured only if this device or its name is asked for. */
  readonly onlyFor?: BenchDevice;
}

/** A result that is not what it must be: the row is an error, not a number. */
export class WrongResultError extends RangeError {
  override readonly name = "WrongResultError";
}

/** What the results of a computation must be, by plain formulas in f64 that share nothing with any kernel. */
export interface Expected {
  /** Number of elements of all results. */
  readonly results: number;
  /** The elements at these places. */
  values(at: readonly number[]): readonly number[];
  /** How far a result may be from that. */
  readonly tolerance: number;
  /** How many are looked at, where they take long to compute. */
  readonly places?: number;
}

/** Places that are looked at: both ends and so many spread over the rest. */
const LOOKED_AT = 64;

/** A check of some results against what they must be. */
export function expecting(
  { results, values, tolerance, places = LOOKED_AT }: Expected,
): BenchCase["check"] {
  const step = Math.max(1, (results - 1) / places), at: number[] = [];
  for (let i = 0; i < results; i += step) at.push(Math.floor(i));
  if (at.at(-1) !== results - 1) at.push(results - 1);
  return async (runner, who) => {
    const [got, want] = [await runner.values(at), values(at)];
    at.forEach((place, i) => {
      if (Math.abs(got[i]! - want[i]!) <= tolerance) return; // NaN is not
      throw new WrongResultError(
        `Cannot time ${who}: element ${place} is ${got[i]}, it must be ${
          want[i]
        } within ${tolerance}`,
      );
    });
  };
}

/** A function's result, computed when it is first asked for: inputs of cases that are not measured take no memory. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
