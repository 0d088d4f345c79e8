/**
 * Runs a recipe's command as a user does, in a folder of its own.
 *
 * @module
 */
import { fromFileUrl, join } from "@std/path";

const root = fromFileUrl(new URL("../../", import.meta.url));

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** How a command is run. */
export interface RunOptions {
  /** Sees all of standard error so far whenever there is more of it, and may send signals. */
  readonly watch?: (error: string, child: Deno.ChildProcess) => void;
  readonly env?: Readonly<Record<string, string>>;
  /** Without FFI no BLAS is found: products have the same bits then, on however many threads they run. */
  readonly ffi?: boolean;
}

const BUT_FFI = ["read", "write", "env", "sys", "run", "net"].map((name) => `--allow-${name}`);

/** Runs `recipes/RECIPE/main.ts` with these words. */
export function runRecipe(
  recipe: string,
  folder: string,
  words: readonly string[],
  options: RunOptions = {},
): Promise<Ended> {
  const main = join(root, "recipes", recipe, "main.ts");
  const { ffi = true } = options, allowed = ffi ? ["--allow-all"] : BUT_FFI;
  return started(["--no-check", ...allowed, main, ...words], folder, options);
}

/** Runs a task of deno.json with these words, with the permissions that the task has. */
export async function runTask(
  task: string,
  folder: string,
  words: readonly string[],
): Promise<Ended> {
  const { tasks } = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  const own = (tasks[task] as string).split(" ").slice(2), main = join(root, own.at(-1)!);
  return await started([...own.slice(0, -1), "--no-check", main, ...words], folder, {});
}

/** Runs a module in a folder. */
async function started(
  args: readonly string[],
  folder: string,
  { watch, env }: RunOptions,
): Promise<Ended> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", `--config=${join(root, "deno.json")}`, ...args],
    cwd: folder,
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", ...env },
  }).spawn();
  let error = "";
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      error += text;
      watch?.(error, child);
    }
  })();
  const [out, { code }] = await Promise.all([child.stdout.text(), child.status, reading]);
  return { code, out, error };
}
