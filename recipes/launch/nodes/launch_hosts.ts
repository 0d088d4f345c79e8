/**
 * A launcher on each host of a file, started by ssh.
 *
 * @module
 */
import { InputError } from "../../cli/input_error.ts";
import { drain, lines } from "../output.ts";
import { shellWord } from "../shell_word.ts";
import { onSignals } from "../signals.ts";

/** A line of the file. */
export interface HostLine {
  readonly host: string;
  readonly nproc: number;
}

/**
 * Reads a file of hosts: one a line, with how many ranks it takes, as in "node7 4"; behind # is nothing.
 *
 * @throws InputError
 */
export function readHosts(text: string, path: string, nproc = 1): readonly HostLine[] {
  const hosts: HostLine[] = [];
  for (const [i, whole] of text.split("\n").entries()) {
    const line = whole.replace(/#.*/, "").trim();
    if (line === "") continue;
    const [, host, count] = /^([\w.:-]+)(?:\s+(\d{1,4}))?$/.exec(line) ?? [];
    if (host === undefined || host.startsWith("-") || count === "0") {
      throw new InputError(
        `Cannot use ${path}:${
          i + 1
        }: "${line}" must be a host and a number of ranks, as in node7 4`,
      );
    }
    if (hosts.some((known) => known.host === host)) {
      throw new InputError(`Cannot use ${path}:${i + 1}: ${host} is there twice`);
    }
    hosts.push({ host, nproc: count === undefined ? nproc : Number(count) });
  }
  if (hosts.length === 0) throw new InputError(`Cannot use ${path}: it names no host`);
  return hosts;
}

/** What is started on each host. */
export interface HostsOptions {
  readonly hosts: readonly HostLine[];
  /** Words that are given a host and a line for its shell, as in ["ssh"]. */
  readonly ssh: readonly string[];
  /** Where all find each other, as in "node7:29400". */
  readonly rdzv: string;
  readonly restarts: number;
  readonly words: readonly string[];
  readonly token: string;
  /** The folder to start in, on every host. */
  readonly folder: string;
  readonly line: (host: string, text: string, to: "stdout" | "stderr") => void;
  readonly note: (line: string) => void;
}

/** Starts a launcher on each host, and waits for all; gives the exit code of the first that failed, or 0. */
export async function launchHosts(options: HostsOptions): Promise<number> {
  const { hosts, ssh, token, line, note } = options, [program = "", ...args] = ssh;
  const children = hosts.map((host) => {
    const child = new Deno.Command(program, {
      args: [...args, host.host, remoteLine(host, options)],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
    const stdin = child.stdin.getWriter();
    // Not in the command line, which others on that host can see.
    stdin.write(new TextEncoder().encode(token + "\n")).catch(() => {});
    const reads = (["stdout", "stderr"] as const).map((to) =>
      lines(child[to], (text) => line(host.host, text, to))
    );
    return { host: host.host, child, stdin, reads };
  });
  let code = 0, isStopped = false;
  /** The far end of standard input is its launcher's life line. */
  const stop = (): void => {
    isStopped = true;
    for (const { stdin } of children) stdin.close().catch(() => {});
  };
  const deafen = onSignals(stop);
  await Promise.all(children.map(async ({ host, child, stdin, reads }) => {
    const ended = await child.status;
    await drain(reads);
    await stdin.close().catch(() => {});
    if (ended.code === 0 || code !== 0) return;
    code = ended.code;
    if (isStopped) return;
    note(`the launcher on ${host} ended with exit code ${code}`);
    stop();
  }));
  deafen();
  return code;
}

/** For the shell of a host: takes the token from standard input, whose end is a SIGTERM to the launcher. */
function remoteLine({ host, nproc }: HostLine, options: HostsOptions): string {
  const { hosts, rdzv, restarts, words, folder } = options;
  const launch = [
    ...["deno", "task", "launch", "--nproc", `${nproc}`, "--nnodes", `${hosts.length}`],
    ...["--rdzv", rdzv, "--restarts", `${restarts}`, "--", ...words],
  ];
  return [
    `cd ${shellWord(folder)}`,
    "read -r MOTIAN_TOKEN",
    `export MOTIAN_TOKEN MOTIAN_HOST=${shellWord(host)}`,
    "exec 3<&0",
    "{ (cat <&3; kill -TERM $$) > /dev/null 2>&1 & }",
    `exec ${launch.map(shellWord).join(" ")} < /dev/null 3<&-`,
  ].join(" && ");
}
