/**
 * Flight records: what each process of a group that failed was doing, written the moment it fails into
 * `flight/generation-00001/rank-00000.json` of a folder, and read again to be compared.
 *
 * @module
 */
import { join } from "@std/path";
import type { GroupEvent, GroupSeen, Observer } from "../../dist/mod.ts";
import { InputError } from "../cli/input_error.ts";
import { reasonOf } from "../cli/reason.ts";
import { isRecord } from "../cli/schema.ts";
import type { Entry, Recorder } from "./recorder.ts";

/** What one process leaves. */
export interface Flight extends Omit<GroupSeen, "name"> {
  /** Why it was written, and the rank at fault, where that is known. */
  readonly why: string;
  readonly culprit: number | null;
  /** When: of this process's own clock, in milliseconds, and the time of day. */
  readonly at: number;
  readonly written: string;
  /** The last operations, oldest first. */
  readonly operations: readonly Entry[];
}

const FOLDER = "flight", digits = (n: number): string => String(n).padStart(5, "0");

/** Was this the end of a group that should have gone on? */
export const isCrash = (event: GroupEvent): event is GroupEvent & { readonly kind: "failed" } =>
  event.kind === "failed" && event.group.name === "" &&
  (event.error.failure !== "closed" || event.open.length > 0);

/** Writes a record into `folder`, at once: the process may not have another moment. Gives its path. */
export function writeFlight(folder: string, flight: Flight): string {
  const own = join(folder, FOLDER, `generation-${digits(flight.generation)}`);
  Deno.mkdirSync(own, { recursive: true });
  const path = join(own, `rank-${digits(flight.rank)}.json`);
  Deno.writeTextFileSync(path, JSON.stringify(flight) + "\n");
  return path;
}

/** What `recorder` has of a group, as a record. */
export function flightOf(
  recorder: Recorder,
  { job, generation, rank, size }: Omit<GroupSeen, "name">,
  why: string,
  culprit: number | null = null,
): Flight {
  return {
    ...{ job, generation, rank, size, why, culprit },
    at: performance.now(),
    written: new Date().toISOString(),
    operations: recorder.entries(),
  };
}

/** Says how the records in a folder are read. */
export const flightHint = (folder: string): string =>
  `what the processes were doing: deno task doctor --flight ${folder}`;

/**
 * An observer that leaves a record in `folder` when the group of all ranks fails. `note` is told how to read them, by the first rank that
 * is not at fault, or why it could not be left.
 */
export function flightObserver(
  folder: string,
  recorder: Recorder,
  note: (line: string) => void,
): Observer {
  return (event) => {
    recorder.observe(event);
    if (!isCrash(event)) return;
    const { group, error } = event;
    try {
      writeFlight(folder, flightOf(recorder, group, error.message, error.rank ?? null));
      if (group.rank !== (error.rank === 0 ? 1 : 0)) return;
      note(flightHint(folder));
    } catch (error) {
      note(`Cannot leave a flight record in ${folder}: ${reasonOf(error)}`);
    }
  };
}

async function namesIn(path: string): Promise<readonly string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(path), ({ name }) => name)).sort();
  } catch (error) {
    const { NotFound, NotADirectory } = Deno.errors;
    if (error instanceof NotFound || error instanceof NotADirectory) return [];
    throw new InputError(`Cannot read flight records in ${path}: ${reasonOf(error)}`);
  }
}

async function refuseAbsent(path: string): Promise<void> {
  try {
    if ((await Deno.stat(path)).isDirectory) return;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return; // whoever reads it says why not
    throw new InputError(
      `Cannot read flight records in ${path}: no such folder; pass that of a run`,
    );
  }
  throw new InputError(
    `Cannot read flight records in ${path}: it is no folder; pass that of a run`,
  );
}

/**
 * The records of one generation, by rank: of a run's folder the newest one that left any, or the one whose folder is given.
 *
 * @throws InputError where there is no such folder, no record in it, or one is broken or may not be read
 */
export async function readFlights(path: string): Promise<readonly Flight[]> {
  await refuseAbsent(path);
  const last = (names: readonly string[]) => names.findLast((n) => n.startsWith("generation-"));
  const inside = last(await namesIn(join(path, FOLDER))), below = last(await namesIn(path));
  const folder = inside ? join(path, FOLDER, inside) : below ? join(path, below) : path;
  const names = (await namesIn(folder)).filter((name) => /^rank-\d+\.json$/.test(name));
  if (names.length === 0) {
    throw new InputError(
      `Cannot read flight records in ${path}: there are none; a run leaves them in its folder when its processes fail`,
    );
  }
  const all = await Promise.all(names.map((name) => readFlight(join(folder, name))));
  // A folder that was taken again may hold what an earlier job left.
  const [newest] = all.toSorted((a, b) => a.written < b.written ? 1 : -1);
  return all.filter(({ job }) => job === newest!.job);
}

/** Has a job left records in a run's folder, that can be read? */
export async function hasFlights(path: string, job: string): Promise<boolean> {
  try {
    return (await readFlights(path))[0]!.job === job;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

async function readFlight(path: string): Promise<Flight> {
  let found: unknown;
  try {
    found = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    throw new InputError(`Cannot read ${path}: ${reasonOf(error)}; leave it out`);
  }
  const isWhole = isRecord(found) && typeof found.why === "string" &&
    Array.isArray(found.operations) &&
    ["job", "written"].every((name) => typeof found[name] === "string") &&
    ["rank", "size", "generation", "at"].every((name) => typeof found[name] === "number");
  if (!isWhole) throw new InputError(`Cannot read ${path}: it is no flight record; leave it out`);
  return found as unknown as Flight;
}
