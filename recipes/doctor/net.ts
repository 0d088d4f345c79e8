/**
 * The links between all ranks of a group, measured pair by pair, and sums of all ranks together.
 *
 * @module
 */
import { combines } from "../../dist/message/combine.ts";
import type { Group } from "../../dist/mod.ts";
import { median } from "../observe/median.ts";
import { measurePair, type PairEffort, type PairFigures } from "./measure_pair.ts";
import { type Pair, roundsOf } from "./rounds.ts";

/** One pair of ranks. */
export interface Link extends PairFigures {
  readonly low: number;
  readonly high: number;
}

/** What was measured. */
export interface NetReport {
  /** Where the ranks are, as they say. */
  readonly hosts: readonly string[];
  /** Processor cores of the host of rank 0. */
  readonly cores: number;
  readonly links: readonly Link[];
  /** Time of adding a byte of f32 to another, on rank 0. Units: milliseconds. */
  readonly perSummed: number;
  /** Sums of f32 over all ranks. Units: milliseconds, medians. */
  readonly sums: readonly { readonly bytes: number; readonly ms: number }[];
}

/** How to measure. */
export interface NetOptions extends PairEffort {
  readonly atOnce: boolean;
  /** Bytes of the sums of all ranks. */
  readonly sums: readonly number[];
  /** Where this rank is. */
  readonly host: string;
  readonly progress: (done: number, total: number) => void;
}

/** What takes some seconds for a few processes. */
export const effort = {
  echoes: 300,
  flowMs: 60,
  flows: 3,
  sums: [4, 64 << 10, 1 << 20, 16 << 20],
} as const;

const fields = ["there", "back", "least", "median", "offset", "perMessage", "perByte"] as const;
/** Bytes of a host's name. */
const NAME = 64;
/** How often a sum is taken. */
const SUMS = 7;

/** Measures; all ranks get the report. */
export async function measureNet(group: Group, options: NetOptions): Promise<NetReport> {
  const { rank, size } = group, { atOnce, progress } = options;
  const pairs = roundsOf(size, atOnce), table = new Float64Array(size * size * fields.length);
  const total = pairs.flat().length,
    at = ([low, high]: Pair): number => (low * size + high) * fields.length;
  let done = 0;
  for (const round of pairs) {
    // The others wait: what they did would be measured too.
    await group.barrier();
    const own = round.find((pair) => pair.includes(rank));
    if (own) {
      const found = await measurePair(group, own, options);
      if (own[0] === rank) fields.forEach((name, i) => table[at(own) + i] = found[name]);
    }
    progress(done += round.length, total);
  }
  await group.allReduce(table);
  const links = pairs.flat().map((pair): Link => ({
    low: pair[0],
    high: pair[1],
    ...Object.fromEntries(fields.map((name, i) => [name, table[at(pair) + i]!])) as Record<
      typeof fields[number],
      number
    >,
  }));
  return {
    hosts: await hostsOf(group, options.host),
    cores: navigator.hardwareConcurrency,
    links: links.sort((a, b) => a.low - b.low || a.high - b.high),
    perSummed: addingTime(),
    sums: await sumsOf(group, options.sums),
  };
}

/** The time that a rank takes to add a message that came, by byte. Units: milliseconds. */
function addingTime(): number {
  const a = new Float32Array(1 << 18).fill(1), b = a.slice(), times: number[] = [];
  for (let i = 0; i < 40; i++) {
    const start = performance.now();
    combines.sum(a, a, b);
    if (i >= 10) times.push(performance.now() - start);
  }
  return median(times) / a.byteLength;
}

async function hostsOf(group: Group, host: string): Promise<readonly string[]> {
  const all = new Uint8Array(NAME * group.size);
  all.set(new TextEncoder().encode(host).subarray(0, NAME), NAME * group.rank);
  await group.allGather(all);
  return Array.from({ length: group.size }, (_, r) => {
    const bytes = all.subarray(NAME * r, NAME * (r + 1)), end = bytes.indexOf(0);
    return new TextDecoder().decode(bytes.subarray(0, end < 0 ? NAME : end));
  });
}

async function sumsOf(group: Group, bytes: readonly number[]): Promise<NetReport["sums"]> {
  const found: { readonly bytes: number; readonly ms: number }[] = [];
  for (const size of bytes) {
    const array = new Float32Array(size / 4), times: number[] = [];
    for (let i = 0; i <= SUMS; i++) {
      await group.barrier();
      const start = performance.now();
      await group.allReduce(array);
      if (i > 0) times.push(performance.now() - start);
    }
    found.push({ bytes: size, ms: median(times) });
  }
  return found;
}
