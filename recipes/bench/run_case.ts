/**
 * From a case to its rows: both sides are opened, checked, timed in turn. A side that computes something else gives no figure.
 *
 * @module
 */
import type { BenchCase, Runner } from "./bench_case.ts";
import type { Opened } from "./devices.ts";
import { idleLoad, watchLoad } from "./load.ts";
import { interleave, type Pace, type Timing } from "./measure.ts";
import type { PeerName, Peers } from "./peers/peers.ts";
import { type Roof, roofShare } from "./roof.ts";
import { type BenchDevice, figure, type Load, type Row } from "./row.ts";
import type { Device } from "../../core/device/device.ts";

/** What measuring needs beside the case. */
export interface Bench {
  readonly pace: Pace;
  /** Undefined: ours alone. */
  readonly peers: Peers | undefined;
  roof(name: BenchDevice, device: Device): Promise<Roof>;
}

/** How long we listen for other programs before a row. Units: milliseconds. */
const LISTEN_MS = 200;

/** A peer at work on a case, or why not. */
type Rival =
  | { readonly name: string; readonly runner: Runner }
  | { readonly name: string | null; readonly runner?: undefined; readonly reason: string };

/** Whom a case is measured beside: its peers, another way of ours, or nobody. */
type Wanted = PeerName | "beside" | null;

function wantedBy(bench: Bench, c: BenchCase, device: BenchDevice): readonly Wanted[] {
  const names: Wanted[] = [
    ...bench.peers ? c.peers[device] : [],
    ...c.beside ? ["beside" as const] : [],
  ];
  return names.length > 0 ? names : [null];
}

async function rivalFor(
  bench: Bench,
  c: BenchCase,
  wanted: Wanted,
  device: Device,
): Promise<Rival> {
  if (wanted === "beside") {
    const runner = await c.beside!.open(device);
    await c.check(runner, `${c.name} ${c.size} of ${c.beside!.name}`);
    return { name: c.beside!.name, runner };
  }
  if (!bench.peers) return { name: null, reason: "peers are off" };
  if (wanted === null) return { name: null, reason: "no peer does this" };
  const peer = await bench.peers.get(wanted);
  if (peer.name === undefined) return { name: wanted, reason: peer.absent };
  try {
    const runner = await peer.open(c);
    await c.check(runner, `${c.name} ${c.size} of ${peer.name}`);
    return { name: runner.name ?? peer.name, runner };
  } catch (error) {
    return { name: peer.name, reason: (error as Error).message };
  }
}

/**
 * The rows of a case on a device, one a peer.
 *
 * @throws WrongResultError if our own result is wrong.
 */
export async function* rowsOf(bench: Bench, c: BenchCase, opened: Opened): AsyncGenerator<Row> {
  const { name: device } = opened;
  const blank: Row = {
    name: c.name,
    device,
    size: c.size,
    ours: null,
    peer: null,
    peer_name: null,
    unit: c.unit,
    ratio: null,
    roof_share: null,
    load: null,
    spread: null,
    reason: null,
  };
  if (opened.device === undefined) return yield { ...blank, reason: opened.reason };
  if (c.unit === "MiB") return yield await memoryRow(blank, c, opened.device);
  const roof = await bench.roof(device, opened.device);
  const ours = await c.ours(opened.device);
  try {
    await c.check(ours, `${c.name} ${c.size} on ${device}`);
    for (const wanted of wantedBy(bench, c, device)) {
      const rival = await rivalFor(bench, c, wanted, opened.device);
      const { timings: [own, other], load } = await timed(
        { ...bench.pace, single: c.slow ?? false },
        ours,
        rival.runner,
      );
      await rival.runner?.close();
      yield {
        ...blank,
        ours: figure(c.unit, own!.median, c.work),
        peer: other ? figure(c.unit, other.median, c.work) : null,
        peer_name: rival.name,
        ratio: other ? other.median / own!.median : null,
        roof_share: roofShare(roof, c.work, own!.median),
        load: c.apart ? { before: load.before, during: load.before } : load,
        spread: own!.spread,
        reason: rival.runner ? fewTurns(other!, bench.pace.rounds) : rival.reason,
      };
    }
  } finally {
    await ours.close();
  }
}

/** What a case takes, and what its other way does; nothing is timed. */
async function memoryRow(blank: Row, c: BenchCase, device: Device): Promise<Row> {
  const bytesOf = async (runner: Runner, who: string): Promise<number> => {
    try {
      await c.check(runner, who);
      return runner.bytes!();
    } finally {
      await runner.close();
    }
  };
  const ours = await bytesOf(await c.ours(device), `${c.name} ${c.size} on ${blank.device}`);
  const { name, open } = c.beside!;
  const other = await bytesOf(await open(device), `${c.name} ${c.size} of ${name}`);
  const [mine, peer] = [ours / 2 ** 20, other / 2 ** 20];
  return { ...blank, ours: mine, peer, peer_name: name, ratio: peer / mine };
}

/** Says so where a peer was timed less often than was asked for, because a run of it takes long. */
function fewTurns({ turns, median }: Timing, rounds: number): string | null {
  if (turns >= rounds) return null;
  return `${turns} turns of ${rounds}: one takes ${median.toFixed(1)} s`;
}

async function timed(
  pace: Pace,
  ours: Runner,
  peer: Runner | undefined,
): Promise<{ readonly timings: readonly Timing[]; readonly load: Load }> {
  const before = await idleLoad(LISTEN_MS), watch = watchLoad();
  const timings = await interleave(peer ? [ours, peer] : [ours], pace, watch);
  return { timings, load: { before, during: watch.share() } };
}
