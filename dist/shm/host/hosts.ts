/**
 * Which ranks are on one host: found out by all together, in the first operation of a group.
 *
 * @module
 */
import { DistError } from "../../error.ts";
import { doublingAllReduce } from "../../group/doubling.ts";
import type { Operation } from "../../group/operation.ts";
import { combines } from "../../message/combine.ts";

/** What a rank says of itself: its host's name, or why it cannot share memory. */
export type Said = { readonly host: string } | { readonly error: string };

/** The ranks of a group by hosts, hosts and ranks in order. */
export interface Hosts {
  /** Ranks of each host. */
  readonly all: readonly (readonly number[])[];
  /** This rank's host, and its number there. */
  readonly host: number;
  readonly local: number;
}

/** Bytes of what a rank says. */
const SAID = 256;
const HOST = 1, ERROR = 2;

/**
 * Tells all and hears from all.
 *
 * @throws DistError "engine", the same on all ranks, if one cannot share memory
 */
export async function meetHosts(
  op: Operation,
  said: Said,
  abort: (error: unknown) => void,
): Promise<Hosts> {
  const { rank, size } = op, table = new Uint8Array(size * SAID);
  const [kind, words] = "host" in said ? [HOST, said.host] : [ERROR, said.error];
  const mine = table.subarray(rank * SAID, (rank + 1) * SAID);
  mine[0] = kind;
  new TextEncoder().encodeInto(words, mine.subarray(1));
  // Where one rank has said something, the others have zeros.
  await doublingAllReduce(op, table, combines.max, abort);
  const names = Array.from({ length: size }, (_, r) => {
    const [kind, ...bytes] = table.subarray(r * SAID, (r + 1) * SAID), end = bytes.indexOf(0);
    const text = new TextDecoder().decode(Uint8Array.from(bytes.slice(0, end < 0 ? SAID : end)));
    if (kind === ERROR) throw new DistError(`${text} (rank ${r})`, "engine", { rank: r });
    return text;
  });
  const all = [...Map.groupBy(names.keys(), (r) => names[r]!).values()];
  const host = all.findIndex((ranks) => ranks.includes(rank));
  return { all, host, local: all[host]!.indexOf(rank) };
}
