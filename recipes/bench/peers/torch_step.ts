/**
 * PyTorch's training step: the scripts `torch_best.py` and `torch_step.py`, which lie beside the project where it is built. Which
 * setting of its thread pools is best is found first, as the default one is not.
 *
 * @module
 */
import { fromFileUrl, join } from "@std/path";
import { exists } from "@std/fs";
import type { Runner, Task } from "../bench_case.ts";
import { LOSSES } from "../step_sizes.ts";
import { peerEnvironment, python } from "./environment.ts";

const folder = fromFileUrl(new URL("../../../../shared/bench/", import.meta.url));

/** What the scripts print. */
interface Printed {
  readonly peer: string;
  readonly threads: number;
  readonly step_s: number;
  readonly params: number;
  readonly first_loss: number;
  readonly last_loss: number;
  readonly blas_threads: number;
  readonly env: Readonly<Record<string, string>>;
}

/** Steps that the script runs before those that it times. */
const WARM = 2;

async function run(
  script: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Printed> {
  const { success, stdout, stderr } = await new Deno.Command(python, {
    args: [join(folder, script), ...words],
    env: { ...peerEnvironment(), ...env },
    clearEnv: true,
  }).output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).trim();
  if (!success) throw new TypeError(`${script}: ${text(stderr).split("\n").at(-1)}`);
  return JSON.parse(text(stdout).split("\n").at(-1)!);
}

/** Why the scripts cannot run here, or nothing. */
export async function torchStepAbsent(): Promise<string | undefined> {
  if (!await exists(join(folder, "torch_best.py"))) {
    return "the scripts torch_best.py and torch_step.py are not beside the project";
  }
  const args = ["-c", "import torch"];
  const { success } = await new Deno.Command(python, { args, stderr: "null" }).output()
    .catch(() => ({ success: false }));
  return success ? undefined : `${python} has no torch; Debian's package is python3-torch`;
}

/** The step under its best setting. */
export async function openTorchStep({ sizes }: Task): Promise<Runner> {
  const names = { layers: "layers", hidden: "width", heads: "heads", ffn: "hidden" };
  const rest = { vocab: "vocabulary", batch: "batch", seq: "length" };
  const words = Object.entries({ ...names, ...rest }).flatMap(([theirs, ours]) => [
    `--${theirs}`,
    String(sizes[ours]!),
  ]);
  const best = await run("torch_best.py", [...words, "--steps", "6"]);
  if (best.params !== sizes.params) {
    throw new TypeError(
      `Cannot compare: its model has ${best.params} parameters, ours ${sizes.params}`,
    );
  }
  const again = (steps: number): Promise<Printed> =>
    run("torch_step.py", [...words, "--threads", String(best.threads), "--steps", String(steps)], {
      OPENBLAS_NUM_THREADS: String(best.blas_threads),
      ...best.env,
    });
  const settings = Object.entries(best.env).map(([name, value]) => `, ${name}=${value}`).join("");
  return {
    name: `PyTorch ${
      best.peer.split(" ")[1]
    } (threads ${best.threads}, of its BLAS ${best.blas_threads}${settings})`,
    time: async (times) => times * (await again(Math.max(5, times))).step_s,
    async values(at) {
      const { first_loss, last_loss } = await again(LOSSES - WARM);
      return at.map((i) => i === 0 ? first_loss : i === LOSSES - 1 ? last_loss : NaN);
    },
    close() {},
  };
}
