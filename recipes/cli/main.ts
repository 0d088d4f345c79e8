/**
 * What every command's `main` shares: exit codes, messages and Ctrl-C.
 *
 * Exit code 0 is success, 2 a wrong call or bad input (one line on standard error), 130 a run stopped by Ctrl-C, 1 anything else.
 *
 * @module
 */
import { DeviceError } from "../../core/device/error.ts";
import { SafetensorsError } from "../../core/io/safetensors_error.ts";
import { DistError } from "../../dist/error.ts";
import { DivergedError } from "./diverged_error.ts";
import { InputError } from "./input_error.ts";

/** What a command asks between steps: has the user pressed Ctrl-C? */
export interface Interrupt {
  readonly requested: boolean;
}

/** A command: gives its exit code. One that was interrupted and stops in good order gives 0 too; 130 is made of it. */
export type Main = (interrupt: Interrupt) => Promise<number>;

/** What `exitCode` needs of the process. */
export interface MainHost {
  /** Calls `f` at every Ctrl-C until the function that it gives is called. */
  onInterrupt(f: () => void): () => void;
  /** Writes a line on standard error. */
  error(line: string): void;
  /** Ends the process now. */
  exit(code: number): void;
}

const INTERRUPTED = 130;

const process: MainHost = {
  onInterrupt(f) {
    Deno.addSignalListener("SIGINT", f);
    return () => Deno.removeSignalListener("SIGINT", f);
  },
  error: (line) => console.error(line),
  exit: (code) => Deno.exit(code),
};

/** What the system says wherever a file is opened or written, and the exit code: a path is the user's, a full disk may be empty again. */
const places = new Map([
  ["ENAMETOOLONG", 2],
  ["ELOOP", 2],
  ["EROFS", 2],
  ["ENOSPC", 1],
  ["EDQUOT", 1],
]);

const placeCode = (error: unknown): number | undefined =>
  error instanceof Error && "code" in error ? places.get(String(error.code)) : undefined;

/** Is the user the one who can mend it? A lost device and a full one are the machine's own doing, but say all in one line. */
function verdict(error: unknown): { readonly code: number; readonly line: boolean } {
  if (error instanceof InputError || error instanceof SafetensorsError) {
    return { code: 2, line: true };
  }
  if (error instanceof DeviceError && error.failure !== "program") {
    return { code: error.failure === "lost" ? 1 : 2, line: true };
  }
  // Another process, or the way to it: the message names both.
  if (error instanceof DistError) return { code: error.failure === "address" ? 2 : 1, line: true };
  const code = placeCode(error);
  return { code: code ?? 1, line: code !== undefined || error instanceof DivergedError };
}

/** Is an error the user's to mend, by another call or other input? */
export const isUsers = (error: unknown): error is Error => verdict(error).code === 2;

/**
 * Runs a command and gives its exit code; errors go to standard error, as one line where that says all, else with their stack.
 * At the first Ctrl-C `interrupt.requested` becomes true; at the second the process ends.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { InputError } from "./input_error.ts";
 * import { exitCode } from "./main.ts";
 *
 * const lines: string[] = [];
 * const host = { onInterrupt: () => () => {}, error: (line: string) => lines.push(line), exit: () => {} };
 * const code = await exitCode(() => Promise.reject(new InputError("Cannot read a.txt: no such file")), host);
 * assertEquals([code, lines], [2, ["Cannot read a.txt: no such file"]]);
 * ```
 */
export async function exitCode(main: Main, host: MainHost = process): Promise<number> {
  const interrupt = { requested: false };
  const stopListening = host.onInterrupt(() => {
    if (interrupt.requested) host.exit(INTERRUPTED);
    interrupt.requested = true;
    host.error("Stopping in good order; press Ctrl-C again to stop at once");
  });
  try {
    const code = await main(interrupt);
    return interrupt.requested && code === 0 ? INTERRUPTED : code;
  } catch (error) {
    const { code, line } = verdict(error);
    const { message, stack } = error instanceof Error ? error : { message: String(error) };
    const text = placeCode(error) ? `Cannot go on: ${message}` : message;
    host.error(line ? text.replace(/\s*\n\s*/g, " ") : stack ?? message);
    return code;
  } finally {
    stopListening();
  }
}

/** Runs a command and ends the process with its exit code. */
export async function runMain(main: Main): Promise<never> {
  Deno.exit(await exitCode(main));
}

/** Runs a command that passes signals on to processes of its own, and ends with them. */
export async function runLauncher(main: () => Promise<number>): Promise<never> {
  Deno.exit(await exitCode(main, { ...process, onInterrupt: () => () => {} }));
}
