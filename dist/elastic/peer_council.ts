/**
 * Members that decide among themselves who forms the next generation.
 *
 * @module
 */
import { sleep } from "../clock.ts";
import { DistError } from "../error.ts";
import { SILENCE } from "../transport/links.ts";
import type { AskingTransport, Question } from "../transport/transport.ts";
import { createAcceptor, NOBODY } from "./acceptor.ts";
import { createAsk, type Reply } from "./asking.ts";
import type { Council, Trouble } from "./council.ts";
import { fenced } from "./fenced.ts";
import { lookAt } from "./look_at.ts";
import { createProofs, lingerFor } from "./proof.ts";
import { type Attempt, propose } from "./propose.ts";
import { rankOf, readRoster, type Roster, rosterText, type Seat, seatText } from "./roster.ts";

/** A member of a council without a store. */
export interface PeerCouncilOptions extends Omit<Question, "text"> {
  /** This process: a name that no other one has, or had before. */
  readonly name: string;
  /** Who is there from the beginning, by rank. A process that is not among them is a newcomer, and knocks at their doors. */
  readonly founders: readonly Seat[];
  /** A member that does not answer for so long is left out. Units: milliseconds; 10,000 if left out. */
  readonly silence?: number | undefined;
  /** Time that a majority has to come together, and a newcomer to find somebody. Units: milliseconds; 60,000 if left out. */
  readonly patience?: number | undefined;
  /** A member that answers may take so long to come out of a step that has failed. Units: milliseconds; ten minutes if left out. */
  readonly longestStep?: number | undefined;
  /** Ends the process of a member, by its seat and its rank, that does not answer, where that can be done: it must be dead when this resolves. */
  readonly fence?: ((seat: Seat, rank: number) => Promise<void>) | undefined;
}

/** Units: milliseconds. Between two questions to who decides; from a newcomer; to those known to be silent. */
const POLL = 100, KNOCK = 300, SHORT = 300;
/** Who has not knocked for so long has gone. Units: milliseconds. */
const KNOCK_FOR = 5000;

/** A member, or a newcomer, of a council of the processes themselves. */
export function peerCouncil(transport: AskingTransport, options: PeerCouncilOptions): Council {
  const { name, job, plan, founders, fence } = options, { clock, address } = transport;
  const { silence = SILENCE, patience = 60_000, longestStep = 600_000 } = options;
  const listeners: ((generation: number, error: DistError) => void)[] = [];
  const ask = createAsk(transport, name, { job, plan }), proofs = createProofs(clock, silence);
  /** Members that were left out, and when. */
  const leftOut = new Map<string, { readonly seat: Seat; readonly time: number }>();
  let strikes = 0, isClosed = false, decided = Promise.withResolvers<void>();
  /** Waits, but no longer than until something is decided. */
  const pause = (ms: number): Promise<void> => Promise.race([sleep(clock, ms), decided.promise]);
  const probe = Math.min(1000, silence / 2);
  const others = (roster: Roster): readonly Seat[] => roster.members.filter((m) => m.name !== name);
  const acceptor = createAcceptor({
    name,
    clock,
    knockFor: KNOCK_FOR,
    onChallenge(generation, asker, blamed) {
      for (const f of listeners) f(generation, challenged(generation, asker, blamed));
    },
    onDecided() {
      decided.resolve();
      decided = Promise.withResolvers();
    },
    async unreachable(base) {
      if (strikes === 0) return [];
      return (await lookAt(ask, base, name, probe)).silent;
    },
  });
  const beginning = { generation: 1, members: founders };
  if (rankOf(beginning, name) >= 0) acceptor.learn({ ballot: 0, roster: beginning });
  transport.onQuestion((question) => {
    for (const key of ["job", "plan"] as const) {
      if (question[key] === options[key]) continue;
      const text = `Cannot work together: one has ${key} ${question[key]}, ${name} ${options[key]}`;
      throw new DistError(text, "mismatch");
    }
    return acceptor.answer(question.text);
  });

  function challenged(generation: number, asker: string, blamed: string): DistError {
    const { base } = acceptor, at = (name: string): number => base ? rankOf(base, name) : -1;
    // Of a generation that is over nobody is to blame: then it is this member's own.
    const rank = [blamed, asker, options.name].map(at).find((rank) => rank >= 0);
    const why = at(blamed) >= 0 ? `: it cannot go on with ${blamed}` : "";
    const text = asker === NOBODY
      ? `Generation ${generation} is over`
      : `${asker} asks for the generation after ${generation}${why}`;
    return new DistError(text, "lost", { rank });
  }
  /** Asks a member of this one's own generation: "gone" is who is proven to be dead. */
  async function askMember(seat: Seat, question: string, wait: number): Promise<Reply> {
    const reply = await ask(seat, question, wait);
    if (reply === "gone") {
      if (!proofs.isProven(seat.name)) return "silent";
      // Once is for ever.
      proofs.ended(seat.name);
    }
    if (/^(promise|accepted|nack|waiting|busy|stuck)\b/.test(reply)) proofs.heard(seat.name);
    return reply;
  }
  /** Takes up what an answer says of decisions. */
  function hear(reply: Reply): string {
    const [kind = "", ballot, text] = reply.split(" "), roster = readRoster(text ?? "");
    if (kind === "decided" && roster) acceptor.learn({ ballot: Number(ballot), roster });
    if (kind === "over") acceptor.isOver = true;
    return kind;
  }
  async function next(base: Roster, trouble: Trouble): Promise<Roster | undefined> {
    const { error } = trouble, quiet = new Set<string>();
    const dead = new Set<string>(), busySince = new Map<string, number>();
    // Who has found too few to decide, this member included.
    const stuck = new Set<string>();
    strikes = trouble.strikes;
    const short = SHORT + (strikes > 0 ? probe : 0);
    proofs.failed();
    const blamed = base.members[error?.rank ?? -1]?.name ?? NOBODY;
    const isQuiet = error?.failure === "stalled" || error?.failure === "deadline";
    if (isQuiet && blamed !== name) quiet.add(blamed);
    let began = clock.now(), last: Attempt | undefined, tries = 0;
    for (;;) {
      if (acceptor.isOver) return undefined;
      const { base: known, fencedBy } = acceptor;
      if (known && known.generation > base.generation) {
        for (const seat of base.members) {
          if (rankOf(known, seat.name) < 0) leftOut.set(seat.name, { seat, time: clock.now() });
        }
        proofs.worked();
        return known;
      }
      if (fencedBy) throw fenced(base, fencedBy, name);
      if (clock.now() - began > patience) throw few(base, last, name);
      acceptor.isStuck = stuck.has(name);
      const leader = base.members.find((m) =>
        ![dead, quiet, stuck].some((names) => names.has(m.name))
      );
      if (!leader) {
        // All have tried: again from the beginning. The ranks wait for different times.
        quiet.clear();
        stuck.clear();
        await pause(POLL * (1 + rankOf(base, name)) * Math.min(++tries, 10));
        continue;
      }
      if (leader.name !== name) {
        const kind = hear(await askMember(leader, `news ${base.generation} ${blamed}`, silence));
        if (kind === "busy") began = clock.now();
        if (kind === "gone") dead.add(leader.name);
        else if (kind === "silent") quiet.add(leader.name);
        else if (kind === "stuck") stuck.add(leader.name);
        else if (kind === "busy") {
          const since = busySince.get(leader.name) ?? clock.now();
          busySince.set(leader.name, since);
          // It answers, but does not come out of its step.
          if (clock.now() - since > longestStep) quiet.add(leader.name);
        }
        // It has not heard of this generation yet.
        const { baseBallot } = acceptor, told = `decided ${baseBallot} ${rosterText(base)}`;
        if (kind === "unknown") await ask(leader, told, silence);
        if (["waiting", "busy", "unknown"].includes(kind)) await pause(POLL);
        continue;
      }
      last = await propose(base, {
        ...{ acceptor, name, blamed },
        ask: (seat, question) => askMember(seat, question, quiet.has(seat.name) ? short : silence),
        async fence(seat) {
          await fence?.(seat, rankOf(base, seat.name));
          if (fence) proofs.ended(seat.name);
          return fence !== undefined;
        },
      });
      if (last.kind === "decided" || last.kind === "over") continue;
      if (last.kind === "few") {
        stuck.add(name);
        const { answering } = last;
        for (const { name } of base.members) if (!answering.includes(name)) quiet.add(name);
      }
      // Others may be proposing too.
      if (last.kind === "beaten") await pause(POLL * (1 + rankOf(base, name)));
    }
  }
  return {
    name,
    get waiting() {
      return acceptor.knockers().length;
    },
    async enter() {
      const began = clock.now(), doors = new Map<string, Seat>();
      // Whatever its name is now.
      for (const { address } of founders) doors.set(address, { name: NOBODY, address });
      let wasHeard = false;
      for (;;) {
        if (acceptor.base) return acceptor.base;
        const replies = await Promise.all([...doors.values()].map(async (door) => {
          const reply = await ask(door, `knock ${seatText({ name, address })}`, probe);
          const [kind, text] = reply.split(" ");
          if (kind === "known") {
            wasHeard = true;
            for (const { address } of readRoster(text ?? "")?.members ?? []) {
              doors.set(address, { name: NOBODY, address });
            }
          }
          return hear(reply);
        }));
        if (acceptor.base) return acceptor.base;
        const isOver = acceptor.isOver || wasHeard && replies.every((reply) => reply === "gone");
        if (isOver) {
          throw new DistError("Cannot join: the others have ended", "closed", { rank: 0 });
        }
        if (clock.now() - began > patience && !wasHeard) {
          const where = founders.map(({ address }) => address).join(", ");
          const text = `Cannot join: nobody at ${where} lets in ${name}`;
          throw new DistError(text, "deadline", { rank: 0 });
        }
        await pause(KNOCK);
      }
    },
    async next(base, trouble) {
      acceptor.isWaiting = true;
      try {
        return await next(base, trouble);
      } finally {
        acceptor.isWaiting = acceptor.isStuck = false;
      }
    },
    worked: proofs.worked,
    async look(roster) {
      const looked = await lookAt(ask, roster, name, probe);
      if (roster === acceptor.base) looked.here.forEach(proofs.heard);
      return looked;
    },
    onChallenge: (f) => void listeners.push(f),
    async finish(isAgreed) {
      const { base } = acceptor, began = clock.now();
      acceptor.isOver = true;
      if (!base) return;
      const tell = async (seat: Seat, until: number): Promise<void> => {
        while (clock.now() < until) {
          const question = `over ${base.generation}`;
          const kind = await ask(seat, question, until - clock.now()).catch((error) => {
            // Another job's process has its address now.
            if (error instanceof DistError && error.failure === "mismatch") return "gone";
            throw error;
          });
          if (kind === "ok" || kind === "over" || kind === "gone") return;
        }
      };
      const members = isAgreed ? [] : others(base);
      await Promise.all([
        ...members.map((seat) => tell(seat, began + silence)),
        ...[...leftOut.values()].map(({ seat, time }) => tell(seat, time + lingerFor(silence))),
      ]);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      proofs.stop();
      await transport.close();
    },
  };
}

function few({ generation, members }: Roster, last: Attempt | undefined, name: string): DistError {
  const answering = last?.kind === "few" ? last.answering : [name];
  const dead = last?.kind === "few" ? last.dead : new Set<string>();
  const rank = members.findIndex((m) => !answering.includes(m.name) && !dead.has(m.name));
  const missing = members.filter((m) => !answering.includes(m.name) && !dead.has(m.name));
  const text = `Cannot go on after generation ${generation}: ${
    answering.join(", ")
  } are no majority of its ${members.length} members, and ${
    missing.map(({ name }) => name).join(", ")
  } cannot be reached, nor is known to be dead`;
  return new DistError(text, "lost", { rank: rank < 0 ? undefined : rank });
}
