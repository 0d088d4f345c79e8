/**
 * How long operations of many ranks take, by the algorithms that `dist` has and a few measured constants: the alpha-beta model (Hockney,
 * 1994) with processor time beside it.
 *
 *     links      rounds α + bytes / B + summed γ       one after another, on the longest way
 *     processor  (messages c_m + bytes c_b + summed γ) max(1, ranks a host / cores)
 *     time       the larger of the two
 *
 * @module
 */
import { SEGMENT } from "../../dist/group/chunk.ts";
import { SMALL } from "../../dist/group/doubling.ts";
import type { NetConstants } from "./net_summary.ts";

/** What an operation is made of, for the rank that has most to do. */
export interface Work {
  /** Messages that wait for one another. */
  readonly rounds: number;
  /** Messages that a rank sends. */
  readonly messages: number;
  /** Bytes that it sends. */
  readonly bytes: number;
  /** Bytes that it adds to others. */
  readonly summed: number;
}

/** Where operations run. Units: seconds, bytes. */
export interface Machine {
  /** α, of a small message one way. */
  readonly latency: number;
  /** B, bytes a second that a rank sends while it receives as many. */
  readonly rate: number;
  /** c_m and c_b, of both ends. */
  readonly perMessage: number;
  readonly perByte: number;
  /** γ, of a byte that is added. */
  readonly perSummed: number;
  readonly ranksPerHost: number;
  readonly cores: number;
}

const messagesOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / SEGMENT));

/** Recursive doubling; of n that is no power of two some ranks give theirs first and get the sum last. */
export function doubling(n: number, bytes: number): Work {
  const rounds = Math.floor(Math.log2(n)), extra = n > 2 ** rounds ? 1 : 0;
  return {
    rounds: rounds + 2 * extra,
    messages: rounds + extra,
    bytes: (rounds + extra) * bytes,
    summed: (rounds + extra) * bytes,
  };
}

/** n - 1 steps of a chunk each round the ring, summed up or not. */
function round(n: number, bytes: number, isSum: boolean): Work {
  const chunk = bytes / n;
  return {
    rounds: n - 1,
    messages: (n - 1) * messagesOf(chunk),
    bytes: (n - 1) * chunk,
    summed: isSum ? (n - 1) * chunk : 0,
  };
}

/** Everything of two works that follow each other. */
const both = (a: Work, b: Work): Work => ({
  rounds: a.rounds + b.rounds,
  messages: a.messages + b.messages,
  bytes: a.bytes + b.bytes,
  summed: a.summed + b.summed,
});

/** Every rank sends every other one its chunk, and sums those of its own; all at the same time. */
function scatter(n: number, bytes: number): Work {
  const chunk = bytes / n;
  return {
    rounds: 1,
    messages: (n - 1) * messagesOf(chunk),
    bytes: (n - 1) * chunk,
    summed: (n - 1) * chunk,
  };
}

/** A sum over n ranks. */
export function allReduce(n: number, bytes: number): Work {
  if (n === 1) return { rounds: 0, messages: 0, bytes: 0, summed: 0 };
  if (bytes <= SMALL) return doubling(n, bytes);
  return both(round(n, bytes, true), round(n, bytes, false));
}

/** A sum whose numbers travel in fewer bytes: sent to who sums them, and round the ring when they are summed. */
export const coded = (n: number, bytes: number): Work =>
  both(scatter(n, bytes), round(n, bytes, false));

/** One rank's array for all: by a tree, or along a chain. */
export function broadcast(n: number, bytes: number): Work {
  const rounds = Math.ceil(Math.log2(n));
  if (bytes <= SMALL) return { rounds, messages: rounds, bytes: rounds * bytes, summed: 0 };
  const segments = messagesOf(bytes);
  return { rounds: n - 2 + segments, messages: segments, bytes, summed: 0 };
}

/** Processor time of one rank. Units: seconds. */
export function processor({ messages, bytes, summed }: Work, m: Machine): number {
  return messages * m.perMessage + bytes * m.perByte + summed * m.perSummed;
}

/** How long it takes. Units: seconds. */
export function seconds(work: Work, m: Machine): number {
  const links = work.rounds * m.latency + work.bytes / m.rate + work.summed * m.perSummed;
  return Math.max(links, processor(work, m) * Math.max(1, m.ranksPerHost / m.cores));
}

/** The machine that a doctor has measured, with so many ranks on it. */
export function measured(c: NetConstants, ranks: number): Machine {
  return {
    latency: c.round_trip_us / 2e6,
    rate: c.bytes_per_s,
    perMessage: c.cpu_us_per_message / 1e6,
    perByte: c.cpu_ns_per_byte / 1e9,
    perSummed: c.cpu_ns_per_summed_byte / 1e9,
    ranksPerHost: ranks,
    cores: c.cores,
  };
}

/** A line between machines. */
export interface Line {
  /** Bits a second. */
  readonly bits: number;
  /** Of it that sums can use: what 1 Gbit/s shaped links were measured to carry. */
  readonly share: number;
  /** One way, beside what the processes take. Units: seconds. */
  readonly wire: number;
}

/** Machines like the one that was measured, a rank each, with a line between them. */
export function onLine(c: NetConstants, { bits, share, wire }: Line): Machine {
  const here = measured(c, 1);
  return {
    ...here,
    latency: here.latency + wire,
    rate: Math.min(here.rate, bits * share / 8),
  };
}

/** Ways that numbers of a gradient travel: bytes of an element, and whether they are summed on the way. */
export const wires = {
  f32: { bytes: 4, isCoded: false },
  bf16: { bytes: 2, isCoded: true },
} as const;

/** One exchange of a gradient of so many elements, in buckets one after the other. Units: seconds. */
export function exchange(
  n: number,
  elements: number,
  wire: keyof typeof wires,
  m: Machine,
  bucketBytes: number,
): number {
  const { bytes, isCoded } = wires[wire],
    buckets = Math.max(1, Math.ceil(4 * elements / bucketBytes));
  const work = (isCoded ? coded : allReduce)(n, bytes * elements / buckets);
  return buckets * seconds(work, m) + seconds(allReduce(n, 8), m);
}
