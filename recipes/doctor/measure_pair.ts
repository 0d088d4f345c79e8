/**
 * What the link between two ranks can do: round trips of small messages, the offset of their clocks, bytes a second either way, and the
 * processor time that it costs both of them.
 *
 * @module
 */
import { cpuUsage } from "node:process";
import { SEGMENT } from "../../dist/group/chunk.ts";
import { echo, type Ends } from "../observe/echo.ts";
import { median } from "../observe/median.ts";
import type { Pair } from "./rounds.ts";

/** What was measured of a pair, as its lower rank sees it. Times in milliseconds. */
export interface PairFigures {
  /** Bytes a second from the lower rank to the higher, and the other way. */
  readonly there: number;
  readonly back: number;
  /** Round trips of 8 bytes. */
  readonly least: number;
  readonly median: number;
  /** The higher rank's clock less the lower's, by the shortest round trip: off by half of it at most. */
  readonly offset: number;
  /** Processor time of both sides for a small message, and for a byte of a large one. */
  readonly perMessage: number;
  readonly perByte: number;
}

/** How long pairs are measured. */
export interface PairEffort {
  readonly echoes: number;
  /** Time of one flow at least, and how many there are each way, of which the median counts. Units: milliseconds. */
  readonly flowMs: number;
  readonly flows: number;
}

/** Messages of a flow at most; each is as long as those that rings send. */
const MOST = 256;
/** Echoes before those that count: links are opened by them, and code compiled. */
const WARM_UP = 20;

/** The time of day, which performance.now() alone is not. */
const now = (): number => performance.timeOrigin + performance.now();

/** Milliseconds of processor time that this process has used. */
function cpu(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
}

/** Echoes, with the processor time of both sides. The asker gets figures. */
async function trips(group: Ends, other: number, asks: boolean, echoes: number) {
  await echo(group, other, asks, WARM_UP, now);
  const began = cpu(), { times, least, offset } = await echo(group, other, asks, echoes, now);
  const own = cpu() - began, theirs = new Float64Array(1);
  if (asks) await group.receive(theirs, other);
  else await group.send(Float64Array.of(own), other);
  const perMessage = (own + theirs[0]!) / (2 * echoes);
  return { least, offset, median: median(times), perMessage };
}

/** Messages from the one that gives to the other, more and more until they take long enough. The giver gets figures. */
async function flow(
  group: Ends,
  other: number,
  gives: boolean,
  { flowMs, flows }: PairEffort,
): Promise<{ readonly rate: number; readonly perByte: number }> {
  const block = new Uint8Array(SEGMENT), word = new Float64Array(1);
  const found: { readonly rate: number; readonly perByte: number }[] = [];
  for (let count = 1; gives;) {
    await group.send(Float64Array.of(count), other);
    const start = performance.now(), began = cpu();
    for (let i = 0; i < count; i++) await group.send(block, other);
    await group.receive(word, other);
    const ms = performance.now() - start, bytes = count * SEGMENT;
    const isLong = ms >= flowMs || count === MOST;
    if (isLong) {
      found.push({ rate: 1000 * bytes / ms, perByte: (cpu() - began + word[0]!) / bytes });
    } else count = Math.min(MOST, Math.max(2 * count, Math.ceil(count * flowMs / ms)));
    if (found.length < flows) continue;
    await group.send(Float64Array.of(0), other);
    break;
  }
  while (!gives) {
    await group.receive(word, other);
    const count = word[0]!, began = cpu();
    if (count === 0) break;
    for (let i = 0; i < count; i++) await group.receive(block, other);
    await group.send(Float64Array.of(cpu() - began), other);
  }
  return {
    rate: median(found.map((f) => f.rate)),
    perByte: median(found.map((f) => f.perByte)),
  };
}

/** Measures a pair that this rank is one of. Figures are the lower rank's. */
export async function measurePair(
  group: Ends,
  [low, high]: Pair,
  effort: PairEffort,
): Promise<PairFigures> {
  const isLow = group.rank === low, other = isLow ? high : low;
  const echoed = await trips(group, other, isLow, effort.echoes);
  const there = await flow(group, other, isLow, effort);
  const back = await flow(group, other, !isLow, effort);
  const heard = new Float64Array(2);
  if (isLow) await group.receive(heard, other);
  else await group.send(Float64Array.of(back.rate, back.perByte), other);
  return {
    ...echoed,
    there: there.rate,
    back: heard[0]!,
    perByte: (there.perByte + heard[1]!) / 2,
  };
}
