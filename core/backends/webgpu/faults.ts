/**
 * What went wrong on a GPU. Errors arrive later than the call that made them: they are kept here, and the next read or
 * synchronisation throws them.
 *
 * @module
 */
import { DeviceError } from "../../device/error.ts";

/** Errors not thrown yet, answers not come yet, and whether the device is gone for good. */
export interface Faults {
  readonly adapter: string;
  readonly waiting: Set<Promise<void>>;
  readonly failed: DeviceError[];
  lost: DeviceError | undefined;
}

/** Listens to a device. */
export function faultsOf(gpu: GPUDevice, adapter: string): Faults {
  const faults: Faults = { adapter, waiting: new Set(), failed: [], lost: undefined };
  gpu.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    faults.failed.push(
      errorFrom(faults, (event as GPUUncapturedErrorEvent).error, "a queued program"),
    );
  });
  gpu.lost.then((info) => {
    const why = info.message || "no reason given";
    const message = info.reason === "destroyed"
      ? `Cannot use ${adapter}: the device was destroyed`
      : `Lost ${adapter} (${why}): open it again and go on from the last checkpoint`;
    faults.lost = new DeviceError(message, "lost");
  });
  return faults;
}

function errorFrom({ adapter }: Faults, error: GPUError, what: string): DeviceError {
  const message = error.message.trim().split("\n").slice(0, 4).join(" ");
  if (error instanceof GPUOutOfMemoryError) {
    const advice = "take smaller micro-batches, or checkpoint";
    const text = `Cannot run ${what} on ${adapter}: out of memory (${message}); ${advice}`;
    return new DeviceError(text, "memory", { cause: error });
  }
  const text = `Cannot run ${what} on ${adapter}: ${message}`;
  return new DeviceError(text, "program", { cause: error });
}

/** Runs `make` and keeps the error that it causes, which names `what`. */
export function guarded<T>(gpu: GPUDevice, faults: Faults, what: string, make: () => T): T {
  gpu.pushErrorScope("out-of-memory");
  gpu.pushErrorScope("validation");
  try {
    return make();
  } finally {
    for (let scopes = 0; scopes < 2; scopes++) {
      const answer = gpu.popErrorScope().then((error) => {
        // First, for what it says explains the errors that follow from it.
        if (error) faults.failed.unshift(errorFrom(faults, error, what));
      }, () => {}); // A lost device answers nothing; `lost` says so.
      faults.waiting.add(answer);
      answer.then(() => faults.waiting.delete(answer));
    }
  }
}

/** Throws at once if the device is gone. */
export function checkAlive(faults: Faults): void {
  if (faults.lost) throw faults.lost;
}

/** Waits for the answers and throws the first error; each is thrown once. */
export async function checkFaults(faults: Faults): Promise<void> {
  await Promise.all(faults.waiting);
  checkAlive(faults);
  const [first] = faults.failed.splice(0);
  if (first) throw first;
}
