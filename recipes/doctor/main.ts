/**
 * `deno task doctor`: what this machine has, the links between processes, and what a run's processes left when they failed.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { type JobPlace, jobVariables, joinJob, planHash } from "../../dist/mod.ts";
import { aligned } from "../cli/aligned.ts";
import { InputError } from "../cli/input_error.ts";
import { runLauncher } from "../cli/main.ts";
import { helpText } from "../cli/options.ts";
import { progressView } from "../cli/progress.ts";
import { launch } from "../launch/launch.ts";
import { placeHere } from "../launch/place_here.ts";
import { compareFlights, comparisonLines } from "../observe/compare_flights.ts";
import { readFlights } from "../observe/flight.ts";
import { factLines, machineFacts } from "./machine.ts";
import { effort, measureNet, type NetReport } from "./net.ts";
import { constantsOf, linkRows, sumLines, warningsOf } from "./net_summary.ts";
import { readMeasured, scalingTables } from "./scaling_tables.ts";
import { doctorCommand, type DoctorOptions, doctorOptions } from "./options.ts";

/** What a process that measures may do. */
const permissions = [
  "--no-prompt",
  "--allow-read",
  `--allow-env=${["TERM", ...jobVariables].join(",")}`,
];

const objects = ({ links, sums, ...report }: NetReport): readonly object[] => [
  ...links.map(({ low, high, ...l }) => ({
    ...{ kind: "link", from: low, to: high, bytes_per_s: l.there, back_bytes_per_s: l.back },
    ...{ round_trip_min_us: 1000 * l.least, round_trip_us: 1000 * l.median },
    ...{ clock_offset_us: 1000 * l.offset, cpu_us_per_message: 1000 * l.perMessage },
    cpu_ns_per_byte: 1e6 * l.perByte,
  })),
  {
    kind: "net",
    ...constantsOf({ links, sums, ...report }),
    sums: sums.map(({ bytes, ms }) => ({ bytes, us: 1000 * ms })),
    warnings: warningsOf({ links, sums, ...report }),
  },
];

/** One rank measures with the others; the first says what was found. */
async function measure(place: JobPlace, options: DoctorOptions): Promise<number> {
  using view = progressView();
  // Looked at are links: ranks of one host do not go round them through memory.
  const { group, close } = await joinJob({ ...place, memory: "apart" }, {
    plan: planHash([], "doctor", options["at-once"]),
  });
  const report = await measureNet(group, {
    ...effort,
    atOnce: options["at-once"],
    host: place.hostname,
    progress: (done, total) => place.rank === 0 && view.show({ label: "links", done, total }),
  });
  await close();
  if (place.rank > 0) return 0;
  if (options.json) { for (const object of objects(report)) console.log(JSON.stringify(object)); }
  else for (const line of [...aligned(linkRows(report)), ...sumLines(report)]) console.log(line);
  for (const line of warningsOf(report)) console.error(`warning: ${line}`);
  return 0;
}

/** Starts this command as so many ranks on this machine. */
function measureHere(nproc: number, options: DoctorOptions): Promise<number> {
  const root = new URL("../../", import.meta.url);
  const path = (name: string): string => fromFileUrl(new URL(name, root));
  return launch({
    nproc,
    restarts: 0,
    command: [
      ...[Deno.execPath(), "run", "--quiet", ...permissions, "--allow-net=127.0.0.1"],
      ...[`--config=${path("deno.json")}`, path("recipes/doctor/main.ts"), "--net"],
      ...(["json", "at-once"] as const).filter((name) => options[name]).map((name) => `--${name}`),
    ],
    first: "own",
    line: (rank, text) => console.error(`[${rank}] ${text}`),
    note: (line) => console.error(line),
  });
}

async function autopsy(folder: string, json: boolean): Promise<number> {
  const found = compareFlights(await readFlights(folder));
  if (json) console.log(JSON.stringify(found));
  else for (const line of comparisonLines(found)) console.log(line);
  return 0;
}

async function main(): Promise<number> {
  const options = doctorOptions(Deno.args), { help, flight, model, nproc, json } = options;
  if (help) {
    console.log(helpText(doctorCommand));
    return 0;
  }
  if (model !== undefined) {
    for (const line of scalingTables(await readMeasured(model))) console.log(line);
    return 0;
  }
  if (flight !== undefined) return await autopsy(flight, json);
  if (!options.net) {
    const facts = await machineFacts();
    if (json) console.log(JSON.stringify(facts));
    else for (const line of factLines(facts)) console.log(line);
    return 0;
  }
  const place = placeHere();
  if (place && nproc !== undefined) {
    throw new InputError(
      `Cannot doctor with --nproc as process ${place.rank} of ${place.size}: who started it says how many there are; leave --nproc out`,
    );
  }
  if (place) return await measure(place, options);
  if (nproc !== undefined) return await measureHere(nproc, options);
  throw new InputError(
    "Cannot doctor --net alone: add --nproc N, or start it by launch, mpiexec or srun",
  );
}

// Ctrl-C ends a measurement at once: nothing is lost with it.
if (import.meta.main) await runLauncher(main);
