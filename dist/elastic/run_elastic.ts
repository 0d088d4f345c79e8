/**
 * Work that goes on while members come and go.
 *
 * @module
 */
import { sleep } from "../clock.ts";
import { DistError } from "../error.ts";
import { type Group, joinGroup } from "../group/group.ts";
import type { Observer } from "../observer.ts";
import { SILENCE } from "../transport/links.ts";
import type { Links, Transport } from "../transport/transport.ts";
import type { Council } from "./council.ts";
import { rankOf, type Roster } from "./roster.ts";

/** One generation, as its work sees it. */
export interface Term {
  /** Its number and members. */
  readonly roster: Roster;
  /** All members, in the roster's order. */
  readonly group: Group;
  /** Newcomers that this member knows of. */
  readonly waiting: number;
  /** A step is done: what went wrong before has been overcome. */
  stepped(): void;
  /** To be thrown by all members at the same boundary, so that newcomers come in. */
  renewal(): DistError;
}

/** What members must agree on, and how patient they are. */
export interface ElasticOptions {
  /** The job's name. */
  readonly job: string;
  /** 32 bits that must be equal on all ranks. */
  readonly plan: number;
  /** Time that an operation may take. Units: milliseconds; five minutes if left out. */
  readonly deadline?: number | undefined;
  /** A member that does not answer for so long while a generation comes together is left out. Units: milliseconds; 10,000 if left out. */
  readonly silence?: number | undefined;
  /** Time that the members of a generation have to come together, out of steps that have failed. Units: milliseconds; ten minutes if left out. */
  readonly joining?: number | undefined;
  /** Is told of everything that the generations' groups do. */
  readonly observer?: Observer | undefined;
  /** Told of every generation that begins, and what the one before ended of. */
  readonly onTerm?: ((roster: Roster, why: DistError | undefined) => void) | undefined;
}

/** Generations that may fail one after another without a step, until their reason is taken for more than a member's failure. */
const MOST_STRIKES = 6;
/** While a generation comes together, its members are looked after so often. Units: milliseconds. */
const LOOK = 300;

/**
 * Does `work` in one generation after another, until it comes to its end; gives what it gave, or undefined where the others had
 * finished before. Work ends with a `DistError` when its generation does, and must then have kept what the next one goes on from.
 *
 * @throws DistError "fenced" if the others go on without this member, "lost" if there are too few to go on, or nobody can be told that
 * all is done; what the work throws
 */
export async function runElastic<T>(
  council: Council,
  transport: Transport,
  options: ElasticOptions,
  work: (term: Term) => Promise<T>,
): Promise<T | undefined> {
  const { job, plan, deadline, silence = SILENCE, joining = 600_000, onTerm, observer } = options;
  const current = { generation: 0, links: new Set<Links>() };
  let strikes = 0, why: DistError | undefined;
  const abort = (error: DistError): void => {
    for (const links of current.links) links.abort(error);
  };
  council.onChallenge((generation, error) => generation >= current.generation && abort(error));
  try {
    for (let roster: Roster | undefined = await council.enter(); roster;) {
      const here: Roster = roster, rank = rankOf(here, council.name), links = new Set<Links>();
      Object.assign(current, { generation: here.generation, links });
      const addresses = here.members.map(({ address }) => address);
      const watched: Transport = {
        ...transport,
        join(member) {
          const made = transport.join(member);
          links.add(made);
          return made;
        },
      };
      const member = { job, plan, generation: here.generation, group: "", rank, addresses };
      let isFormed = false, isDone = false;
      try {
        const joined = joinGroup(watched, member, { deadline, joining, observer })
          .finally(() => isFormed = true);
        // Where nobody can look after the others, nobody would end the wait for one that is dead.
        const group = await Promise.race([joined, watch(() => isFormed, here).then(() => joined)]);
        council.worked();
        onTerm?.(here, why);
        const result = await work({
          roster: here,
          group,
          get waiting() {
            return council.waiting;
          },
          stepped() {
            strikes = 0;
            council.worked();
          },
          renewal: () =>
            new DistError(`Generation ${here.generation} makes room`, "renewed", { rank: 0 }),
        });
        isDone = true;
        const isAgreed = await group.barrier().then(() => true, () => false);
        await group.close();
        // Who failed at the very end, or was cut off before, must not take this member for dead, and begin again.
        await council.finish(isAgreed);
        return result;
      } catch (error) {
        // No generation can do better what was done: only the others may not know of it.
        if (isDone) throw error;
        if (!(error instanceof DistError)) {
          const text = `${council.name} failed: ${error instanceof Error ? error.message : error}`;
          abort(new DistError(text, "aborted", { rank, cause: error }));
          throw error;
        }
        why = error;
        if (error.failure === "renewed") {
          await Promise.all([...links].map((each) => each.close()));
          roster = await council.next(here, { error: undefined, strikes });
          continue;
        }
        abort(error);
        if (++strikes > MOST_STRIKES) throw error;
        roster = await council.next(here, { error, strikes: strikes - 1 });
      }
    }
    return undefined;
  } finally {
    await council.close();
  }

  /** Ends a generation that waits for somebody who is dead, or does not answer. */
  async function watch(isFormed: () => boolean, roster: Roster): Promise<void> {
    const since = new Map<string, number>(), { clock } = transport, seen = new Set<string>();
    for (;;) {
      await sleep(clock, LOOK);
      if (isFormed() || current.generation !== roster.generation) return;
      const { gone, silent, here } = await council.look(roster);
      if (isFormed()) return;
      here.forEach((name) => seen.add(name));
      for (const { name } of roster.members) {
        if (!silent.includes(name)) since.delete(name);
        else if (!since.has(name)) since.set(name, clock.now());
      }
      const stalled = silent.find((name) => clock.now() - since.get(name)! > silence);
      // Of the first generation somebody may not have come yet.
      const dead = gone.find((name) => roster.generation > 1 || seen.has(name));
      const name = dead ?? stalled;
      if (name === undefined) continue;
      const rank = rankOf(roster, name), failure = dead === undefined ? "stalled" : "lost";
      const text = `${
        failure === "lost" ? "Lost" : "Cannot wait for"
      } rank ${rank}, ${name}, before generation ${roster.generation} was formed`;
      return abort(new DistError(text, failure, { rank }));
    }
  }
}
