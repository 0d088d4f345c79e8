/**
 * `deno task launch`: many processes of one command on this machine.
 *
 * @module
 */
import { runLauncher } from "../cli/main.ts";
import { InputError } from "../cli/input_error.ts";
import { helpText } from "../cli/options.ts";
import { commandOf, tasksHere } from "./command_of.ts";
import { launch } from "./launch.ts";
import { launchCommand, launchOptions } from "./options.ts";

/** A line on a stream of this process, whole: ranks write at the same time. */
const encoder = new TextEncoder();
const write = (text: string, to: "stdout" | "stderr"): void =>
  void Deno[to].writeSync(encoder.encode(text + "\n"));

async function main(): Promise<number> {
  const { help, nproc, restarts, words } = launchOptions(Deno.args);
  if (help) {
    console.log(helpText(launchCommand));
    return 0;
  }
  const command = commandOf(words, await tasksHere());
  try {
    return await launch({
      nproc: nproc!,
      command,
      restarts,
      first: "prefixed",
      line: (rank, text, to) => write(`[${rank}] ${text}`, to),
      note: (line) => console.error(line),
    });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new InputError(`Cannot launch ${words[0]}: no such task or program`);
  }
}

if (import.meta.main) await runLauncher(main);
