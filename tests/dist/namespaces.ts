/**
 * Two network namespaces of this machine, joined by a cable whose speed can be set: the kernel's own network between two processes.
 * Needs root, `ip` and `tc`.
 *
 * @module
 */

/** Two hosts and a cable. Ends with it, processes in them aside. */
export interface Cable extends AsyncDisposable {
  /** Addresses of both. */
  readonly hosts: readonly [string, string];
  /** A command line that runs another in one of them. */
  inside(host: 0 | 1, command: readonly string[]): readonly string[];
  /** Lets so many bits a second through, each way. */
  shape(bits: number): Promise<void>;
  /** Pulls the cable out on one side. */
  cut(host: 0 | 1): Promise<void>;
}

async function run(...words: readonly string[]): Promise<void> {
  const [command, ...args] = words;
  const { success, stderr } = await new Deno.Command(command!, { args, stderr: "piped" }).output();
  if (!success) {
    throw new RangeError(`Cannot ${words.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`);
  }
}

/**
 * What a cable lets through at once after it was idle, 10 ms of its time: with less, a shaper that is woken late on a busy machine is
 * slower than its rate. Units: bytes.
 */
export const burstOf = (bits: number): number => Math.max(65_536, Math.round(bits / 8 / 100));

/** A queue that holds what sockets have under way: nothing is lost. */
const shaperOf = (bits: number): readonly string[] => [
  ...["qdisc", "replace", "dev", "cable", "root", "tbf"],
  ...["rate", `${Math.round(bits)}bit`, "burst", `${burstOf(bits)}b`, "limit", "32mb"],
];

const named = (host: 0 | 1): string => `motian-${Deno.pid}-${host}`;
const hosts = ["10.231.7.1", "10.231.7.2"] as const, both = [0, 1] as const;

/** Why there are none here; undefined where there are. */
export async function whyNoCable(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "network namespaces are Linux's";
  if (Deno.uid() !== 0) return "only root makes network namespaces";
  try {
    await using cable = await plug();
    await cable.shape(1e9);
    return undefined;
  } catch (error) {
    return `no network namespaces here: ${(error as Error).message}`;
  }
}

/** Makes them. */
export async function plug(): Promise<Cable> {
  const cleanUp = async (): Promise<void> => {
    for (const host of both) await run("ip", "netns", "del", named(host)).catch(() => {});
  };
  const within = (host: 0 | 1, ...words: readonly string[]): Promise<void> =>
    run("ip", "netns", "exec", named(host), ...words);
  try {
    for (const host of both) await run("ip", "netns", "add", named(host));
    const [left, right] = both.map(named);
    const ends = ["ip", "link", "add", "cable", "netns", left!, "type", "veth"];
    await run(...ends, "peer", "name", "cable", "netns", right!);
    for (const host of both) {
      await within(host, "ip", "addr", "add", `${hosts[host]}/24`, "dev", "cable");
      for (const device of ["lo", "cable"]) await within(host, "ip", "link", "set", device, "up");
    }
  } catch (error) {
    await cleanUp();
    throw error;
  }
  return {
    hosts,
    inside: (host, command) => ["ip", "netns", "exec", named(host), ...command],
    async shape(bits) {
      for (const host of both) await within(host, "tc", ...shaperOf(bits));
    },
    cut: (host) => within(host, "ip", "link", "set", "cable", "down"),
    [Symbol.asyncDispose]: cleanUp,
  };
}

/** Starts both ranks of a script in their namespaces, with everybody's address and these words. */
export function startRanks(
  cable: Cable,
  script: string,
  words: readonly (string | number)[],
): readonly Deno.ChildProcess[] {
  const path = new URL(script, import.meta.url).pathname;
  return both.map((rank) => {
    const deno = [Deno.execPath(), "run", "-A", "--no-check", "--quiet", path];
    const told = [rank, ...cable.hosts, ...words].map(String);
    const [command, ...args] = cable.inside(rank, [...deno, ...told]);
    return new Deno.Command(command!, { args, stdout: "piped" }).spawn();
  });
}

/** A function that gives the next line of a process. */
export function linesOf({ stdout }: Deno.ChildProcess): () => Promise<string> {
  const reader = stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return async () => {
    while (!text.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new RangeError("Cannot read a line of a process: it has ended");
      text += value;
    }
    const [first = "", ...rest] = text.split("\n");
    text = rest.join("\n");
    return first;
  };
}

/** Lets so many bits a second out of the namespace that this process is in. */
export async function shapeHere(bits: number): Promise<void> {
  await run("tc", ...shaperOf(bits));
}
