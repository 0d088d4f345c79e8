/**
 * What measured links come to: a few constants, and what is odd among them.
 *
 * @module
 */
import { median } from "../observe/median.ts";
import type { Link, NetReport } from "./net.ts";

/** What a model of many nodes needs of the links. */
export interface NetConstants {
  readonly ranks: number;
  readonly hosts: number;
  readonly cores: number;
  /** Medians over all pairs: the shortest and the median round trip. Units: microseconds. */
  readonly round_trip_min_us: number;
  readonly round_trip_us: number;
  /** Of one direction: median over all, and the slowest. */
  readonly bytes_per_s: number;
  readonly slowest_bytes_per_s: number;
  /** Processor time of sender and receiver together. */
  readonly cpu_us_per_message: number;
  readonly cpu_ns_per_byte: number;
  /** Of adding f32 to f32. */
  readonly cpu_ns_per_summed_byte: number;
}

/** The constants of a report. */
export function constantsOf({ hosts, cores, links, perSummed }: NetReport): NetConstants {
  const rates = links.flatMap(({ there, back }) => [there, back]);
  const middle = (of: (link: Link) => number): number => median(links.map(of));
  return {
    ranks: hosts.length,
    hosts: new Set(hosts).size,
    cores,
    round_trip_min_us: 1000 * middle((l) => l.least),
    round_trip_us: 1000 * middle((l) => l.median),
    bytes_per_s: median(rates),
    slowest_bytes_per_s: Math.min(...rates),
    cpu_us_per_message: 1000 * middle((l) => l.perMessage),
    cpu_ns_per_byte: 1e6 * middle((l) => l.perByte),
    cpu_ns_per_summed_byte: 1e6 * perSummed,
  };
}

/** A direction is slow below this share of the median one, a round trip long above this many medians. */
const SLOW = 0.5, LONG = 3;
/** Clocks of one job should agree to this. Units: milliseconds. */
const APART = 100;

const rate = (bytes: number): string =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB/s` : `${(bytes / 1e6).toFixed(1)} MB/s`;
const time = (ms: number): string =>
  Math.abs(ms) >= 1 ? `${ms.toFixed(2)} ms` : `${(1000 * ms).toFixed(0)} us`;

/** What is odd, in sentences; none where nothing is. */
export function warningsOf({ hosts, links }: NetReport): readonly string[] {
  const size = hosts.length,
    name = (rank: number): string =>
      new Set(hosts).size > 1 ? `rank ${rank} (${hosts[rank]})` : `rank ${rank}`;
  const ways = links.flatMap(({ low, high, there, back }) => [
    { from: low, to: high, rate: there },
    { from: high, to: low, rate: back },
  ]);
  const usual = median(ways.map((w) => w.rate)), trip = median(links.map((l) => l.median));
  const slow = ways.filter((w) => w.rate < SLOW * usual);
  const long = links.filter((l) => l.median > LONG * trip);
  const ends = [
    ...slow.map(({ from, to }) => [from, to]),
    ...long.map(({ low, high }) => [low, high]),
  ];
  const partners = (rank: number): number =>
    new Set(ends.filter((pair) => pair.includes(rank)).flat()).size - 1;
  // One host behind all that is slow is said once.
  const culprits = hosts.map((_, rank) => rank).filter((rank) =>
    size > 2 && partners(rank) === size - 1
  );
  const isSaid = (...ranks: readonly number[]): boolean =>
    ranks.some((rank) => culprits.includes(rank));
  const clocks = links.filter(({ low, offset }) => low === 0 && Math.abs(offset) > APART);
  return [
    ...culprits.map((rank) => `${name(rank)} is slow with every other rank: look at its host`),
    ...slow.filter(({ from, to }) => !isSaid(from, to)).map((way) =>
      `${name(way.from)} to ${name(way.to)} carries ${rate(way.rate)}, the median link ${
        rate(usual)
      }`
    ),
    ...long.filter(({ low, high }) => !isSaid(low, high)).map((link) =>
      `between ${name(link.low)} and ${name(link.high)} a round trip takes ${
        time(link.median)
      }, in the median ${time(trip)}`
    ),
    ...clocks.map(({ high, offset }) =>
      `the clock of ${name(high)} is ${time(Math.abs(offset))} ${
        offset > 0 ? "ahead of" : "behind"
      } that of ${name(0)}: set both by NTP`
    ),
  ];
}

/** The table of links, one row each. */
export function linkRows({ links }: NetReport): readonly (readonly string[])[] {
  return [
    ["ranks", "there", "back", "round trip", "median", "clock"],
    ...links.map(({ low, high, there, back, least, median, offset }) => [
      `${low} - ${high}`,
      rate(there),
      rate(back),
      time(least),
      time(median),
      `${offset < 0 ? "-" : "+"}${time(Math.abs(offset))}`,
    ]),
  ];
}

/** What all ranks do together, in words. */
export const sumLines = ({ sums }: NetReport): readonly string[] =>
  sums.map(({ bytes, ms }) => `a sum of ${bytes} bytes over all ranks takes ${time(ms)}`);
