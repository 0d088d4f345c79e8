/**
 * What a launched command is: a task of deno.json in the working folder, or a program.
 *
 * @module
 */
import { isRecord } from "../cli/schema.ts";
import { InputError } from "../cli/input_error.ts";

/** Reads the tasks of the working folder's deno.json, if there is one. */
export async function tasksHere(): Promise<Readonly<Record<string, unknown>>> {
  try {
    const found: unknown = JSON.parse(await Deno.readTextFile("deno.json"));
    return isRecord(found) && isRecord(found.tasks) ? found.tasks : {};
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw new InputError(`Cannot read the tasks of deno.json: ${(error as Error).message}`);
  }
}

/**
 * The program and arguments of a command. A task is started without the shell of `deno task`, so that its processes are the launcher's own:
 * it must be one plain `deno run`.
 *
 * @throws InputError
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { commandOf } from "./command_of.ts";
 *
 * const tasks = { pretrain: "deno run --allow-read main.ts" };
 * assertEquals(commandOf(["pretrain", "--steps", "9"], tasks, "/deno"), [
 *   "/deno", "run", "--allow-read", "main.ts", "--steps", "9",
 * ]);
 * assertEquals(commandOf(["python3", "x.py"], tasks, "/deno"), ["python3", "x.py"]);
 * ```
 */
export function commandOf(
  words: readonly string[],
  tasks: Readonly<Record<string, unknown>>,
  deno: string = Deno.execPath(),
): readonly string[] {
  const [name = "", ...rest] = words;
  if (name === "deno") return [deno, ...rest];
  if (!Object.hasOwn(tasks, name)) return words;
  const task = tasks[name], line = isRecord(task) ? task.command : task;
  if (typeof line !== "string" || !/^deno run [^&|;<>$"'`*?(){}\\\n]+$/.test(line)) {
    throw new InputError(
      `Cannot launch the task ${name}: it must be one plain "deno run …"; write the command itself behind --`,
    );
  }
  return [deno, ...line.trim().split(/\s+/).slice(1), ...rest];
}
