/**
 * Searches when the host waits for the device anyway: after a read or a synchronisation, for the products of programs
 * that were compiled since the last. Programs take the faster members over at their next run.
 *
 * @module
 */
import type { MatmulKernel } from "../../plan/kernels.ts";
import { DeviceError } from "../../device/error.ts";
import type { Block } from "./buffers.ts";
import { type Named, saveChoices } from "./choice_file.ts";
import { choiceText } from "./matmul.ts";
import type { Host } from "./program.ts";
import { search } from "./search.ts";

/** Where choices are kept, and who is told. */
export interface Keeping {
  /** Undefined: they are forgotten with the device. */
  readonly file: string | undefined;
  readonly key: string;
  readonly report: (line: string) => void;
}

/** Searches all that was asked for since the last call; calls while it runs wait for it. */
export type Tune = () => Promise<void>;

/** The search of a device. */
export function tuner(
  host: Host,
  { file, key, report }: Keeping,
  read: (block: Block, size: number) => Promise<Float32Array>,
): Tune {
  const all = async (
    asked: readonly (readonly [name: string, k: MatmulKernel])[],
  ): Promise<Named> => {
    const found = new Map<string, string>();
    for (const [name, k] of asked) {
      try {
        const result = await search(host, k, read);
        if (result) found.set(name, choiceText(result.choice));
        else report(`No member of the matmul family makes ${name} right on this device`);
      } catch (error) {
        if (!(error instanceof DeviceError) || error.failure === "lost") throw error;
        report(`Cannot search for ${name}: ${error.message}`);
      }
    }
    return found;
  };
  let running: Promise<unknown> = Promise.resolve();
  const next = async (): Promise<void> => {
    const asked = host.choices.takeAsked();
    if (!asked.length) return;
    const found = await all(asked);
    host.choices.set(found);
    if (file !== undefined && found.size) await saveChoices(file, key, found, report);
  };
  return () => {
    const mine = running.then(next);
    running = mine.catch(() => {}); // Who waits for `mine` is told; later calls begin anew.
    return mine;
  };
}
