/**
 * When a GPU began and ended what it was given, by its own clock.
 *
 * @module
 */
import { DeviceError } from "../../device/error.ts";
import { checkFaults, type Faults } from "./faults.ts";

/** Begin and end, in microseconds since the first began. */
export interface Span {
  readonly startUs: number;
  readonly endUs: number;
}

/** Times of the passes of one encoder. */
export interface Timestamps {
  /** Where pass number `i` writes its times. */
  readonly writes: (i: number) => GPUComputePassTimestampWrites;
  /** Copies the times behind the last pass; what it gives waits for them once the encoder has been submitted. */
  readonly read: (encoder: GPUCommandEncoder) => () => Promise<readonly Span[]>;
}

/** WebGPU's limit for one set. */
const setSize = 4096;

/**
 * Times of `count` passes.
 *
 * @throws {DeviceError} where the adapter has no clock.
 */
export function timestamps(gpu: GPUDevice, faults: Faults, count: number): Timestamps {
  if (!gpu.features.has("timestamp-query")) {
    throw new DeviceError(
      `Cannot profile on ${faults.adapter}: it lacks the feature timestamp-query`,
      "absent",
    );
  }
  const total = 2 * count,
    sets = Array.from(
      { length: Math.ceil(total / setSize) },
      (_, i) =>
        gpu.createQuerySet({ type: "timestamp", count: Math.min(setSize, total - i * setSize) }),
    );
  return {
    writes: (i) => ({
      querySet: sets[Math.floor(2 * i / setSize)]!,
      beginningOfPassWriteIndex: 2 * i % setSize,
      endOfPassWriteIndex: 2 * i % setSize + 1,
    }),
    read: (encoder) => {
      const { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
      const size = Math.max(8 * total, 8);
      const resolved = gpu.createBuffer({ size, usage: QUERY_RESOLVE | COPY_SRC });
      const staging = gpu.createBuffer({ size, usage: COPY_DST | MAP_READ });
      sets.forEach((set, i) => {
        encoder.resolveQuerySet(set, 0, set.count, resolved, 8 * i * setSize);
      });
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
      return async () => {
        try {
          await staging.mapAsync(GPUMapMode.READ);
          await checkFaults(faults);
          const at = new BigUint64Array(staging.getMappedRange()), first = at[0]!;
          const us = (n: number): number => Number(at[n]! - first) / 1000;
          return Array.from(
            { length: count },
            (_, i) => ({ startUs: us(2 * i), endUs: us(2 * i + 1) }),
          );
        } finally {
          [resolved, staging].forEach((b) => b.destroy());
          sets.forEach((s) => s.destroy());
        }
      };
    },
  };
}
