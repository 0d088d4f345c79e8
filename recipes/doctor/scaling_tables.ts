/**
 * The tables of `docs/scaling.md`: how well the model says what many processes of one machine take, and what it says of many machines.
 *
 * @module
 */
import { LONGEST } from "../../dist/job/meet.ts";
import { BUCKET_BYTES } from "../../dist/parallel/buckets.ts";
import { parameterCount } from "../../nn/mod.ts";
import { InputError } from "../cli/input_error.ts";
import { markdown } from "../cli/markdown.ts";
import { between, type Check, isRecord, listOf, positive, record, whole } from "../cli/schema.ts";
import { configurations } from "../pretrain/config.ts";
import { modelSpec } from "../pretrain/model.ts";
import {
  allReduce,
  broadcast,
  exchange,
  type Line,
  measured,
  onLine,
  processor,
  seconds,
  wires,
} from "./model.ts";
import type { NetConstants } from "./net_summary.ts";

/** Sums that many processes took. Units: milliseconds. */
export interface ManyRanks {
  readonly ranks: number;
  readonly load: number;
  /** Until all had found each other, and until the first sum was done. Units: seconds. */
  readonly joined_s: number;
  readonly first_sum_s: number;
  readonly sums: readonly {
    readonly bytes: number;
    readonly ms: number;
    readonly best_ms?: number;
    /** Processor time of all. */
    readonly cpu_ms?: number;
  }[];
}

/** Constants that the tables are made of. */
const NUMBERS = [
  ...["cores", "round_trip_us", "bytes_per_s"] as const,
  ...["cpu_us_per_message", "cpu_ns_per_byte", "cpu_ns_per_summed_byte"] as const,
];

/** What was measured. */
export interface MeasuredNet {
  readonly net: NetConstants;
  readonly many: readonly ManyRanks[];
}

/** Milliseconds, or a load average: a machine without clocks that fine says 0. */
const amount = between(0, 1e9);

/** A check of the fields that it knows; others may stand beside them, and those of `maybe` may be missing. */
function among<T extends object>(
  fields: { readonly [K in keyof T]-?: Check<Exclude<T[K], undefined>> },
  maybe: readonly (keyof T & string)[] = [],
): Check<T> {
  return (value, at) => {
    if (!isRecord(value)) return record<T>(fields as Parameters<typeof record<T>>[0])(value, at);
    const isThere = ([name]: readonly [string, unknown]): boolean =>
      value[name] !== undefined || !maybe.some((one) => one === name);
    const asked = Object.entries(fields).filter(isThere);
    const known = asked.map(([name]) => [name, value[name]] as const);
    return record(Object.fromEntries(asked) as Parameters<typeof record<T>>[0])(
      Object.fromEntries(known),
      at,
    );
  };
}

const manyRanks = among<ManyRanks>({
  ranks: whole(1),
  load: amount,
  joined_s: positive,
  first_sum_s: positive,
  sums: listOf(
    among<ManyRanks["sums"][number]>(
      { bytes: whole(1), ms: amount, best_ms: amount, cpu_ms: amount },
      ["best_ms", "cpu_ms"],
    ),
  ),
});

/**
 * Reads what `--net --json` and `tests/dist/measure_many.ts` print.
 *
 * @throws InputError
 */
export async function readMeasured(path: string): Promise<MeasuredNet> {
  const refuse = (why: string): never => {
    throw new InputError(`Cannot read ${path}: ${why}`);
  };
  const text = await Deno.readTextFile(path).catch((error) => refuse((error as Error).message));
  const objects = text.split("\n").map((line, i) => {
    try {
      return { line: i + 1, found: line.trim() === "" ? undefined : JSON.parse(line) };
    } catch (error) {
      return refuse(`line ${i + 1}: ${(error as Error).message}`);
    }
  });
  const isNet = (found: Partial<NetConstants & { readonly kind: string }> | null | undefined) =>
    found?.kind === "net" && NUMBERS.every((name) => typeof found[name] === "number");
  const net = objects.find(({ found }) => isNet(found)) ??
    refuse("no line of it is what --net --json prints at the end");
  const many = objects.filter(({ found }) => found?.kind === "many").map(({ line, found }) =>
    manyRanks(found, { source: `${path}, line ${line}`, path: "" })
  );
  return { net: net.found, many };
}

/** Units of these three: seconds. */
const span = (s: number): string =>
  s >= 1
    ? `${s.toFixed(s < 10 ? 2 : 0)} s`
    : s >= 1e-3
    ? `${round(1e3 * s)} ms`
    : `${round(1e6 * s)} us`;
const round = (x: number): string => x >= 100 ? x.toFixed(0) : x.toFixed(x >= 10 ? 1 : 2);
const bytesText = (bytes: number): string =>
  bytes >= 1 << 20
    ? `${bytes / 2 ** 20} MiB`
    : bytes >= 1024
    ? `${bytes / 1024} KiB`
    : `${bytes} B`;

function constantsTable(net: NetConstants): readonly string[] {
  return markdown([
    ["constant", "value"],
    ["round trip of 8 bytes, median (2 α)", span(net.round_trip_us / 1e6)],
    ["bytes a second, one way (B)", `${(net.bytes_per_s / 1e9).toFixed(2)} GB/s`],
    ["processor time of a small message, both ends (c_m)", span(net.cpu_us_per_message / 1e6)],
    ["of a GB, both ends (c_b)", span(net.cpu_ns_per_byte)],
    ["of adding a GB (γ)", span(net.cpu_ns_per_summed_byte)],
    ["cores", String(net.cores)],
  ]);
}

function checkTable({ net, many }: MeasuredNet): readonly string[] {
  const rows = many.flatMap(({ ranks, sums }) =>
    sums.map(({ bytes, ...took }) => {
      const work = allReduce(ranks, bytes), machine = measured(net, ranks);
      const time = seconds(work, machine), cpu = ranks * processor(work, machine);
      // Not all of it was measured of all.
      const beside = (ms: number | undefined, model: number): readonly string[] =>
        ms === undefined ? ["-", "-"] : [span(ms / 1e3), (ms / 1e3 / model).toFixed(2)];
      return [
        ...[String(ranks), bytesText(bytes), span(time)],
        ...[...beside(took.ms, time), ...beside(took.best_ms, time)],
        ...[span(cpu), ...beside(took.cpu_ms, cpu)],
      ];
    })
  );
  return markdown([
    [
      ...["ranks", "sum of", "model", "median", "of the model", "best", "of the model"],
      ...["processors, model", "measured", "of the model"],
    ],
    ...rows,
  ]);
}

const startTable = ({ many }: MeasuredNet): readonly string[] =>
  markdown([
    ["ranks", "all there after", "first exact sum after", "load average"],
    ...many.map(({ ranks, joined_s, first_sum_s, load }) => [
      ...[String(ranks), span(joined_s), span(first_sum_s), load.toFixed(1)],
    ]),
  ]);

/** What the lines between machines are taken to be: the bar for shaped links, and a switch's time that nobody measured here. */
const lineOf = (gbit: number): Line => ({ bits: gbit * 1e9, share: 0.93, wire: 25e-6 });
const LINES = [1, 10, 25, 100], NODES = [16, 100, 300, 1000];
const MODELS = ["motian-base", "motian-1b"] as const;

const elementsOf = (name: typeof MODELS[number]): number => {
  const { model, data, click } = configurations[name]!;
  return parameterCount(modelSpec(model, data.vocabularySize, click !== null));
};

/** One exchange, by model, wire and nodes. */
function exchangeTable(net: NetConstants, bucketBytes: number): readonly string[] {
  const rows = MODELS.flatMap((name) =>
    (Object.keys(wires) as (keyof typeof wires)[]).flatMap((wire) =>
      NODES.map((n) => [
        ...[name, wire, String(n)],
        ...LINES.map((gbit) =>
          span(exchange(n, elementsOf(name), wire, onLine(net, lineOf(gbit)), bucketBytes))
        ),
      ])
    )
  );
  return markdown([["model", "wire", "nodes", ...LINES.map((l) => `${l} Gbit/s`)], ...rows]);
}

/** Bytes that a rank sends in an exchange. */
const bytesTable = (): readonly string[] =>
  markdown([
    ["wire", "bytes an element", ...MODELS.map((m) => `${m}, 100 nodes`)],
    ...Object.entries(wires).map(([wire, { bytes }]) => [
      wire,
      String(bytes),
      ...MODELS.map((m) => `${(allReduce(100, bytes * elementsOf(m)).bytes / 1e9).toFixed(2)} GB`),
    ]),
  ]);

/** What has a price at every step, however small the model, and the start. */
function smallTable(net: NetConstants): readonly string[] {
  const machine = onLine(net, lineOf(10)), table = (n: number): number => LONGEST * n * n;
  return markdown([
    ["nodes", "a word to all", "a sum of 8 bytes", "addresses that rank 0 sends at the start"],
    ...NODES.map((n) => [
      String(n),
      span(seconds(broadcast(n, 1), machine)),
      span(seconds(allReduce(n, 8), machine)),
      `${(table(n) / 1e6).toFixed(1)} MB`,
    ]),
  ]);
}

/** All tables, as the page has them. */
export function scalingTables(found: MeasuredNet): readonly string[] {
  const { net, many } = found;
  return [
    ...["### Constants", "", ...constantsTable(net), ""],
    ...many.length === 0 ? [] : [
      "### Real processes of this machine",
      "",
      ...checkTable(found),
      "",
      ...startTable(found),
      "",
    ],
    ...["### Bytes that a rank sends in a step", "", ...bytesTable(), ""],
    ...[BUCKET_BYTES, 16 * BUCKET_BYTES].flatMap((bucket) => [
      `### One exchange, buckets of ${bytesText(bucket)}`,
      "",
      ...exchangeTable(net, bucket),
      "",
    ]),
    ...["### What every step and the start cost (10 Gbit/s)", "", ...smallTable(net)],
  ];
}
