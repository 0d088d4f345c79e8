/**
 * One of several launchers, on one machine each, that run the ranks of one job together.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import { DistError } from "../../../dist/error.ts";
import { jobNetwork } from "../../../dist/job/network.ts";
import { tlsOf } from "../../../dist/job/place.ts";
import type { Network, Place } from "../../../dist/net/network.ts";
import { isLoopback } from "../../../dist/net/tcp.ts";
import { readToken } from "../../../dist/transport/token_term.ts";
import { InputError } from "../../cli/input_error.ts";
import type { RanksOptions } from "../ranks.ts";
import { follow } from "./follow.ts";
import { createLead, type Lead } from "./lead.ts";
import { acceptNodes, askNode, type Meeting, type NodeLink } from "./link.ts";

/** What this launcher is told. */
export interface NodesOptions extends Omit<RanksOptions, "env" | "first"> {
  /** Launchers that are needed, and that there may be. */
  readonly min: number;
  readonly max: number;
  /** Where the first one listens: whoever can listen there is the first. */
  readonly rdzv: Place;
  readonly restarts: number;
  /** The command as it was written: all launchers must have been given the same. */
  readonly words: readonly string[];
  readonly env: (name: string) => string | undefined;
  readonly note: (line: string) => void;
  /** When there are enough, so long is waited for more. Units: milliseconds; 3,000 if left out. */
  readonly settle?: number;
  /** Units: milliseconds; a second if left out. */
  readonly backOff?: number;
  /** Time that the first launcher has to come. Units: milliseconds; two minutes if left out. */
  readonly patience?: number;
}

/** Exit code of who was stopped before anything began. */
const INTERRUPTED = 130;

/**
 * Meets the other launchers and runs ranks as the first one says; gives the exit code.
 *
 * @throws InputError if something that all must know is missing; DistError
 */
export async function launchNodes(options: NodesOptions): Promise<number> {
  const { min, max, rdzv, restarts, words, env, note } = options;
  const { settle = 3000, backOff = 1000, patience = 120_000, ...ranks } = options;
  const to = `${rdzv.hostname}:${rdzv.port}`, text = env("MOTIAN_TOKEN") || undefined;
  if (text === undefined) {
    throw new InputError(
      `Cannot launch with --rdzv ${to} without MOTIAN_TOKEN: make one by deno task launch --make-token 86400, and give it to all launchers`,
    );
  }
  const plan = crc32(JSON.stringify([words, min, max])) >>> 0;
  const meeting = wrong(() => ({ token: readToken(text), plan }));
  const tls = wrong(() => tlsOf((name) => env(name) || undefined));
  // To ask, no door needs to be open.
  const asking = await jobNetwork(tls && { ...tls, clients: false }, { ...rdzv, port: 0 });
  let lead: Lead | undefined, close = (): void => {};
  try {
    const network = await jobNetwork(tls, { ...rdzv, guarded: true });
    close = acceptNodes(network, rdzv, meeting, (link) => lead!.add(link));
    const job = randomBytes(8).toString("hex");
    lead = createLead({ min, max, restarts, settle, backOff, job, note });
  } catch (error) {
    // The address is another machine's, or another launcher is there already.
    if (!(error instanceof DistError && error.failure === "address")) throw error;
  }
  try {
    const host = env("MOTIAN_HOST") || (lead ? rdzv.hostname : await ownHost(rdzv));
    const link = await first(asking, rdzv, meeting, patience);
    const code = await follow(link, { ...ranks, first: "prefixed", host, rdzv: to });
    if (code === undefined) return INTERRUPTED;
    // The others have to hear it too.
    await lead?.ended;
    return code;
  } finally {
    close();
  }
}

/** Asks until the first launcher is there. */
async function first(
  network: Network,
  rdzv: Place,
  meeting: Meeting,
  patience: number,
): Promise<NodeLink> {
  const until = performance.now() + patience;
  while (performance.now() < until) {
    const link = await askNode(network, rdzv, meeting);
    if (link) return link;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  const to = `${rdzv.hostname}:${rdzv.port}`;
  throw new DistError(`Waited ${patience / 1000} s for a launcher to listen at ${to}`, "deadline");
}

/** The address by which this machine goes to another. */
async function ownHost(rdzv: Place): Promise<string> {
  if (isLoopback(rdzv.hostname)) return rdzv.hostname;
  try {
    using connection = await Deno.connect(rdzv);
    return (connection.localAddr as Deno.NetAddr).hostname;
  } catch (error) {
    throw new InputError(
      `Cannot find this machine's address on the way to ${rdzv.hostname}:${rdzv.port} (${
        (error as Error).message
      }): set MOTIAN_HOST, or start the launcher there first`,
    );
  }
}

/** What is wrong in the environment is the caller's to mend. */
function wrong<T>(f: () => T): T {
  try {
    return f();
  } catch (error) {
    if (error instanceof RangeError) throw new InputError(error.message);
    throw error;
  }
}
