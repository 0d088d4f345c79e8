/**
 * A member's memory of what it has promised and accepted, and its answers to the others' questions: Paxos with one value, the next
 * roster, for every generation.
 *
 * Source: Lamport, "Paxos Made Simple", 2001.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import { DistError } from "../error.ts";
import { rankOf, readRoster, readSeat, type Roster, rosterText, type Seat } from "./roster.ts";

/** What was accepted, by which ballot. */
export interface Accepted {
  readonly ballot: number;
  readonly roster: Roster;
}

/** Whom others should know of. */
export interface AcceptorOptions {
  readonly name: string;
  readonly clock: Clock;
  /** Who has not knocked for so long is not waiting any more. Units: milliseconds. */
  readonly knockFor: number;
  /** Others cannot go on with this generation, because of a member of this name, where one is named. */
  readonly onChallenge: (generation: number, asker: string, blamed: string) => void;
  /** Something was decided. */
  readonly onDecided: () => void;
  /** Members of a roster that this one cannot ask; asked when a proposal is to be answered. */
  readonly unreachable: (base: Roster) => Promise<readonly string[]>;
}

/** One member's memory. */
export interface Acceptor {
  /** The newest roster with this member. */
  readonly base: Roster | undefined;
  /** The ballot that decided it. */
  readonly baseBallot: number;
  /** The newest roster without it. */
  readonly fencedBy: Roster | undefined;
  /** The highest ballot that was heard of since the base was decided. */
  readonly highest: number;
  /** Has somebody said that all is done? */
  isOver: boolean;
  /** Is this member asking for the next roster itself? */
  isWaiting: boolean;
  /** Has it tried, and found too few? */
  isStuck: boolean;
  /** Newcomers, in the order in which they came. */
  knockers(): readonly Seat[];
  /** Hears of a ballot that others have promised: the next one must be higher. */
  passed(ballot: number): void;
  /** Learns what was decided. */
  learn(decided: Accepted): void;
  /** Answers a question. @throws DistError if it is none */
  answer(text: string): Promise<string>;
}

/** For who is not named. */
export const NOBODY = "-";

/** A member that knows of nothing. */
export function createAcceptor(options: AcceptorOptions): Acceptor {
  const { name, clock, knockFor, onChallenge, onDecided, unreachable } = options;
  const knocks = new Map<string, { readonly seat: Seat; readonly time: number }>();
  let base: Roster | undefined, baseBallot = 0, fencedBy: Accepted | undefined;
  let promised = 0, highest = 0, accepted: Accepted | undefined;

  function learn({ ballot, roster }: Accepted): void {
    const here = base?.generation ?? 0;
    if (roster.generation <= here) return;
    // Only where whoever had decided on it is dead and this member has accepted another one since: see README.
    const isOther = accepted && accepted.ballot > ballot &&
      rosterText(accepted.roster) !== rosterText(roster);
    if (base && roster.generation === here + 1 && isOther) return;
    if (rankOf(roster, name) < 0) {
      // A newcomer that is not in it yet only waits on.
      if (base) fencedBy = { ballot, roster };
    } else {
      base = roster;
      baseBallot = ballot;
      [promised, highest, accepted, fencedBy] = [0, 0, undefined, undefined];
      for (const seat of roster.members) knocks.delete(seat.name);
    }
    if (here > 0) onChallenge(roster.generation - 1, NOBODY, NOBODY);
    onDecided();
  }
  const decided = (): string =>
    fencedBy
      ? `decided ${fencedBy.ballot} ${rosterText(fencedBy.roster)}`
      : `decided ${baseBallot} ${rosterText(base!)}`;
  const number = (word: string | undefined): number => {
    if (!/^\d{1,12}$/.test(word ?? "")) throw senseless(word);
    return Number(word);
  };
  const roster = (word: string | undefined): Roster => {
    const found = readRoster(word ?? "");
    if (!found) throw senseless(word);
    return found;
  };
  /** What to say to who is behind, or knows more; undefined if it speaks of this member's own generation. */
  function elsewhere(generation: number): string | undefined {
    if (!base) return "unknown";
    if (fencedBy || base.generation > generation) return decided();
    return base.generation < generation ? "unknown" : undefined;
  }
  const answers: Readonly<
    Record<string, (asker: string, words: readonly string[]) => string | Promise<string>>
  > = {
    // Of which generation: who has left another one out does not seem to be with it.
    ping: () => `ok ${acceptor.isOver ? 0 : base?.generation ?? 0}`,
    knock(_, [word]) {
      const seat = readSeat(word ?? "");
      if (!seat) throw senseless(word);
      if (!base) return "unknown";
      if (rankOf(base, seat.name) >= 0) return decided();
      knocks.set(seat.name, { seat, time: clock.now() });
      return `known ${rosterText(base)}`;
    },
    news(asker, [generation, blamed = NOBODY]) {
      const other = elsewhere(number(generation));
      if (other) return other;
      onChallenge(base!.generation, asker, blamed);
      return acceptor.isStuck ? "stuck" : acceptor.isWaiting ? "waiting" : "busy";
    },
    async prepare(asker, [word, ballotOfBase, ofWhom, blamed = NOBODY]) {
      const ballot = number(word), from = roster(ofWhom);
      learn({ ballot: number(ballotOfBase), roster: from });
      const other = elsewhere(from.generation);
      if (other) return other;
      if (rosterText(base!) !== rosterText(from)) return "unknown";
      highest = Math.max(highest, ballot);
      if (ballot < promised) return `nack ${promised}`;
      promised = ballot;
      onChallenge(from.generation, asker, blamed);
      const before = accepted ? `${accepted.ballot} ${rosterText(accepted.roster)}` : "0 -";
      return `promise ${before} ${(await unreachable(from)).join(",") || NOBODY}`;
    },
    accept(_, [word, generation, proposed]) {
      const ballot = number(word), value = roster(proposed);
      const other = elsewhere(number(generation));
      if (other) return other;
      if (ballot < promised) return `nack ${promised}`;
      promised = highest = ballot;
      accepted = { ballot, roster: value };
      return "accepted";
    },
    decided(_, [ballot, value]) {
      learn({ ballot: number(ballot), roster: roster(value) });
      return "ok";
    },
    over(_, [generation]) {
      // Also to who was left out.
      if (base && base.generation <= number(generation)) {
        acceptor.isOver = true;
        onChallenge(base.generation, NOBODY, NOBODY);
        onDecided();
      }
      return "ok";
    },
  };
  const acceptor: Acceptor = {
    get base() {
      return base;
    },
    get baseBallot() {
      return baseBallot;
    },
    get fencedBy() {
      return fencedBy?.roster;
    },
    get highest() {
      return highest;
    },
    isOver: false,
    isWaiting: false,
    isStuck: false,
    knockers() {
      for (const [name, { time }] of knocks) {
        if (clock.now() - time > knockFor) knocks.delete(name);
      }
      return [...knocks.values()].map(({ seat }) => seat);
    },
    passed: (ballot) => void (highest = Math.max(highest, ballot)),
    learn,
    async answer(text) {
      const [asker = "", whom, kind = "", ...words] = text.split(" ");
      // Another process had this address before.
      if (whom !== name && whom !== NOBODY) return "gone";
      const f = Object.hasOwn(answers, kind) ? answers[kind] : undefined;
      if (!f) throw senseless(kind);
      if (acceptor.isOver && kind !== "over" && kind !== "ping") return "over";
      return await f(asker, words);
    },
  };
  return acceptor;
}

function senseless(word: string | undefined): DistError {
  return new DistError(`Cannot make sense of "${(word ?? "").slice(0, 40)}"`, "corrupt");
}
