/**
 * `deno task launch`: many processes of one command, on this machine or several.
 *
 * @module
 */
import { createToken } from "../../dist/mod.ts";
import { InputError } from "../cli/input_error.ts";
import { runLauncher } from "../cli/main.ts";
import { helpText } from "../cli/options.ts";
import { commandOf, tasksHere } from "./command_of.ts";
import { launch } from "./launch.ts";
import { launchHosts, readHosts } from "./nodes/launch_hosts.ts";
import { launchNodes } from "./nodes/launch_nodes.ts";
import { type LaunchCall, launchCommand, launchOptions, nodesOf, placeOf } from "./options.ts";
import { fillTemplate } from "./template.ts";

/** A line on a stream of this process, whole: ranks write at the same time. */
const encoder = new TextEncoder();
const write = (text: string, to: "stdout" | "stderr"): void =>
  void Deno[to].writeSync(encoder.encode(text + "\n"));

const note = (line: string): void => console.error(line);
const prefixed = (rank: number, text: string, to: "stdout" | "stderr"): void =>
  write(`[${rank}] ${text}`, to);
const env = (name: string): string | undefined => Deno.env.get(name);

/** By ssh, on the hosts of a file. */
async function onHosts(
  { hosts: path, ssh = "ssh", rdzv, nproc, restarts, words }: LaunchCall,
): Promise<number> {
  const text = await Deno.readTextFile(path!).catch((error) => {
    throw new InputError(`Cannot read ${path}: ${error.message}`);
  });
  const hosts = readHosts(text, path!, nproc);
  return await launchHosts({
    ...{ hosts, restarts, words, note, folder: Deno.cwd() },
    ssh: ssh.trim().split(/\s+/),
    rdzv: rdzv ?? `${hosts[0]!.host}:29400`,
    token: env("MOTIAN_TOKEN") || createToken(),
    line: (_, text, to) => write(text, to),
  });
}

async function run(call: LaunchCall): Promise<number> {
  const { nproc = 1, nnodes = "1", restarts, mpi, rdzv, template, words, name = "motian" } = call;
  const tasks = await tasksHere();
  if (template !== undefined) {
    const isTask = Object.hasOwn(tasks, words[0]!), { max: nodes } = nodesOf(nnodes);
    const values = { nproc, nodes, restarts, words, isTask, name };
    console.log((await fillTemplate(template, values)).trimEnd());
    return 0;
  }
  if (call.hosts !== undefined) return await onHosts(call);
  const command = commandOf(words, tasks);
  if (rdzv !== undefined) {
    const nodes = { ...nodesOf(nnodes), rdzv: placeOf(rdzv) };
    return await launchNodes({
      ...nodes,
      ...{ nproc, command, words, restarts, env, note, line: prefixed },
    });
  }
  return await launch({
    ...{ nproc, command, restarts, note, first: "prefixed" },
    mpi: mpi?.trim().split(/\s+/),
    line: mpi === undefined ? prefixed : (_, text, to) => write(text, to),
  });
}

async function main(): Promise<number> {
  const call = launchOptions(Deno.args), life = call["make-token"];
  if (call.help) console.log(helpText(launchCommand));
  else if (life !== undefined) console.log(createToken({ life }));
  else {
    return await run(call).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      const what = call.mpi ?? (call.hosts === undefined ? call.words[0] : call.ssh ?? "ssh");
      throw new InputError(`Cannot launch ${what}: no such task or program`);
    });
  }
  return 0;
}

if (import.meta.main) await runLauncher(main);
