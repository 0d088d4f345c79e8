/**
 * What a rank says of itself when it asks another for a link, and what it is compared with: the fields of the upgrade.
 *
 * @module
 */
import type { Fields } from "../ws/upgrade.ts";
import type { Lane, Membership } from "./transport.ts";

/** What the processes of one run must agree on before anything else. */
export const PROTOCOL = 1;

/** Where links are asked for. */
export const PATH = "/motian";

/** A request for a link from `from` to `to`: `to` is who asks. */
export interface Hello {
  readonly protocol: number;
  readonly job: string;
  readonly generation: number;
  readonly group: string;
  readonly size: number;
  readonly plan: number;
  readonly from: number;
  readonly to: number;
  readonly lane: Lane;
  /** Where who asks can be found. */
  readonly address?: string;
  /** Not a link is asked for, but this, in printable ASCII. */
  readonly question?: string;
}

/** Bytes of a question, and of its answer: what a head of HTTP has room for beside its other fields. */
export const LONGEST_QUESTION = 6 << 10;

const lanes: readonly string[] = ["main", "result", "point"] satisfies Lane[];

const prefix = "Motian-";
const numbers = ["protocol", "generation", "size", "plan", "from", "to"] as const;

/** What this member says when it asks rank `from` for a link. */
export function helloOf(member: Membership, from: number, lane: Lane): Hello {
  const { job, generation, group, plan, rank, addresses } = member;
  return {
    protocol: PROTOCOL,
    job,
    generation,
    group,
    size: addresses.length,
    plan,
    from,
    to: rank,
    lane,
  };
}

/** A hello as fields of HTTP, one each. */
export function fieldsOf(hello: Hello): Fields {
  return Object.fromEntries(
    Object.entries(hello).map(([name, value]) => [prefix + name, String(value)]),
  );
}

/** Reads a hello; undefined if a field is missing or is not what it must be. */
export function readHello(fields: ReadonlyMap<string, string>): Hello | undefined {
  const text = (name: string): string => fields.get((prefix + name).toLowerCase()) ?? "?";
  const values = numbers.map((name) => /^\d{1,10}$/.test(text(name)) ? Number(text(name)) : NaN);
  const [protocol, generation, size, plan, from, to] = values as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const job = text("job"), group = text("group"), lane = text("lane");
  if (values.some(Number.isNaN) || !isName(job) || !(group === "" || isName(group))) {
    return undefined;
  }
  const address = text("address");
  if (address !== "?" && !/^(wss?|shm|mpi):\/\/[\w.:[\]-]{1,250}$/.test(address)) return undefined;
  const question = fields.get(`${prefix}question`.toLowerCase());
  if (question !== undefined && !isQuestion(question)) return undefined;
  if (!lanes.includes(lane) || from >= size || to >= size || from === to) return undefined;
  return {
    ...{ protocol, job, generation, group, size, plan, from, to, lane: lane as Lane },
    ...address !== "?" && { address },
    ...question !== undefined && { question },
  };
}

/** Can this be asked, or answered? */
export function isQuestion(text: string): boolean {
  return text.length <= LONGEST_QUESTION && /^[!-~]([ -~]*[!-~])?$/.test(text);
}

/** What a hello of another version differs in, with both values; undefined if it is of this one, or none. */
export function protocolDifference(fields: ReadonlyMap<string, string>): string | undefined {
  const text = (name: string): string => fields.get((prefix + name).toLowerCase()) ?? "?";
  const theirs = text("protocol");
  if (theirs === "?" || theirs === String(PROTOCOL)) return undefined;
  const clean = (text: string): string => /^\d{1,10}$/.test(text) ? text : "?";
  return `rank ${clean(text("to"))} has protocol ${clean(theirs)}, rank ${
    clean(text("from"))
  } has ${PROTOCOL}`;
}

/** May this be the name of a job or a group? */
export function isName(name: string): boolean {
  return /^[\w./-]{1,100}$/.test(name);
}

/** The first thing that must be equal and is not, with both values, as in "plan 7 is not 8"; undefined if all agree. */
export function difference(theirs: Hello, ours: Membership): string | undefined {
  const here = { job: ours.job, size: ours.addresses.length, plan: ours.plan };
  const names = ["job", "size", "plan"] as const;
  const name = names.find((name) => theirs[name] !== here[name]);
  if (name) {
    return `rank ${theirs.to} has ${name} ${theirs[name]}, rank ${ours.rank} has ${here[name]}`;
  }
  if (theirs.from === ours.rank) return undefined;
  return `rank ${theirs.to} looks for rank ${theirs.from} where rank ${ours.rank} is`;
}
