/**
 * One attempt to have a roster decided: a ballot is promised, then a value accepted, by a majority of the members, or by all of them
 * that are not known to be dead.
 *
 * @module
 */
import type { Accepted, Acceptor } from "./acceptor.ts";
import { NOBODY } from "./acceptor.ts";
import type { Reply } from "./asking.ts";
import { type Complaint, coverOf } from "./cover.ts";
import { rankOf, readRoster, type Roster, rosterText, type Seat } from "./roster.ts";

/** Characters that a roster may have: a question has room for it. */
const LONGEST = 5000;

/** What came of an attempt. */
export type Attempt =
  | { readonly kind: "decided" | "over" }
  /** Somebody else is at it. */
  | { readonly kind: "beaten" }
  /** Too few answer. */
  | {
    readonly kind: "few";
    readonly answering: readonly string[];
    readonly dead: ReadonlySet<string>;
  };

/** How to ask. */
export interface ProposeOptions {
  readonly acceptor: Acceptor;
  readonly name: string;
  readonly ask: (seat: Seat, question: string) => Promise<Reply>;
  /** Makes sure that a member that does not answer never will; false where that cannot be done. */
  readonly fence: (seat: Seat) => Promise<boolean>;
  /** Who is to blame, for those who do not know yet. */
  readonly blamed: string;
}

/** Tries once to have the roster after `base` decided. */
export async function propose(
  base: Roster,
  { acceptor, name, ask, fence, blamed }: ProposeOptions,
): Promise<Attempt> {
  const { members, generation } = base, size = members.length, dead = new Set<string>();
  let isBeaten = false;
  const ballot = (Math.floor(acceptor.highest / size) + 1) * size + rankOf(base, name);
  /** Asks a member, and remembers who is dead. */
  async function hear(seat: Seat, question: string): Promise<Reply> {
    const reply = seat.name === name
      ? await acceptor.answer(`${name} ${name} ${question}`)
      : await ask(seat, question);
    if (reply === "gone") dead.add(seat.name);
    const [kind, decidedBy, decided] = reply.split(" "), roster = readRoster(decided ?? "");
    if (kind === "decided" && roster) acceptor.learn({ ballot: Number(decidedBy), roster });
    if (kind === "over") acceptor.isOver = true;
    if (kind === "nack") {
      isBeaten = true;
      if (/^\d{1,12}$/.test(decidedBy ?? "")) acceptor.passed(Number(decidedBy));
    }
    return reply;
  }
  const isQuorum = (names: ReadonlySet<string>): boolean =>
    2 * names.size > size || members.every((m) => names.has(m.name) || dead.has(m.name));
  const isKnown = (): boolean => acceptor.base !== base || acceptor.fencedBy !== undefined;

  const promises = new Map<string, readonly string[]>();
  const prepare = `prepare ${ballot} ${acceptor.baseBallot} ${rosterText(base)} ${blamed}`;
  await Promise.all(members.map(async (seat) => {
    let reply = await hear(seat, prepare);
    if (reply === "silent" && await fence(seat)) reply = await hear(seat, prepare);
    const [kind, ...words] = reply.split(" ");
    if (kind === "promise") promises.set(seat.name, words);
  }));
  if (acceptor.isOver) return { kind: "over" };
  if (isKnown()) return { kind: "decided" };
  if (isBeaten) return { kind: "beaten" };
  const few: Attempt = { kind: "few", answering: [...promises.keys()], dead };
  if (!isQuorum(new Set(promises.keys()))) return few;

  const before = [...promises.values()].flatMap(([by, text]): readonly Accepted[] => {
    const roster = readRoster(text ?? "");
    return roster ? [{ ballot: Number(by), roster }] : [];
  }).sort((a, b) => b.ballot - a.ballot);
  const value = before[0]?.roster ?? fresh();
  const question = `accept ${ballot} ${generation} ${rosterText(value)}`;
  const accepted = new Set<string>();
  const isDecided = await new Promise<boolean>((resolve, reject) => {
    const voters = members.filter((seat) => promises.has(seat.name));
    let left = voters.length;
    for (const seat of voters) {
      hear(seat, question).then((reply) => {
        if (reply === "accepted") accepted.add(seat.name);
        if (isQuorum(accepted)) resolve(true);
        if (--left === 0) resolve(false);
      }, reject);
    }
  });
  if (!isDecided) {
    if (isKnown()) return { kind: "decided" };
    return isBeaten ? { kind: "beaten" } : { ...few, answering: [...accepted] };
  }
  acceptor.learn({ ballot, roster: value });
  const everybody = new Map([...members, ...value.members].map((seat) => [seat.name, seat]));
  everybody.delete(name);
  for (const seat of everybody.values()) {
    // Who does not hear of it asks.
    if (!dead.has(seat.name)) ask(seat, `decided ${ballot} ${rosterText(value)}`).catch(() => {});
  }
  return { kind: "decided" };

  /** All who answer and reach each other, and newcomers where nobody is missing without proof. */
  function fresh(): Roster {
    const answering = members.filter((seat) => promises.has(seat.name));
    const complaints = answering.flatMap(({ name }): readonly Complaint[] => {
      const list = promises.get(name)![2] ?? NOBODY;
      return list === NOBODY ? [] : list.split(",").map((whom) => [name, whom]);
    });
    const out = coverOf(answering.map(({ name }) => name), complaints);
    const staying = answering.filter((seat) => !out.includes(seat.name));
    const isWhole = out.length === 0 &&
      members.every((m) => promises.has(m.name) || dead.has(m.name));
    const found = [...staying];
    for (const seat of isWhole ? acceptor.knockers() : []) {
      const next = { generation: generation + 1, members: [...found, seat] };
      if (rankOf(base, seat.name) < 0 && rosterText(next).length <= LONGEST) found.push(seat);
    }
    return { generation: generation + 1, members: found };
  }
}
