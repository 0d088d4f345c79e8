/**
 * Members whose generations are decided in etcd: leases say who lives, and one key, changed by compare-and-swap, who forms the newest.
 *
 * Under `/motian/JOB/` are `live/NAME` and `ready/GENERATION/NAME`, both leased, `roster`, and `over`.
 *
 * @module
 */
import { sleep } from "../clock.ts";
import { DistError } from "../error.ts";
import { SILENCE } from "../transport/links.ts";
import type { AskingTransport, Question } from "../transport/transport.ts";
import { createAsk } from "./asking.ts";
import type { Council } from "./council.ts";
import { type Complaint, coverOf } from "./cover.ts";
import { EtcdError, openEtcd } from "./etcd.ts";
import { fenced } from "./fenced.ts";
import { lookAt } from "./look_at.ts";
import { rankOf, readRoster, type Roster, rosterText, type Seat } from "./roster.ts";

/** A member of a council by etcd. */
export interface EtcdCouncilOptions extends Omit<Question, "text"> {
  /** Where it is, as in "http://127.0.0.1:2379"; the first that answers. */
  readonly urls: readonly string[];
  /** The job's name: one that was never used in this store, as what it says of a job that is over stays there. */
  readonly job: string;
  /** This process: a name that no other one has, or had before. */
  readonly name: string;
  /** So many form the first generation at least. */
  readonly least: number;
  /** A lease's length, and how long a member that lives may take to come out of its group. Units: milliseconds; 10,000 if left out. */
  readonly silence?: number | undefined;
  /**
   * Time without etcd while a decision is wanted, or without enough members to begin with, that is borne. A group that works bears its
   * absence for as long as it lasts. Units: milliseconds; 60,000 if left out.
   */
  readonly patience?: number | undefined;
}

/** Units: milliseconds. Between two looks; no newcomer since so long, and the first generation begins. */
const POLL = 150, SETTLED = 500;

/** What is in the store. */
interface View {
  readonly roster: Roster | undefined;
  /** Of the roster; "0" where there is none. */
  readonly revision: string;
  /** Who lives, by name. */
  readonly live: ReadonlyMap<string, string>;
  /** Who waits for the generation after the roster's, and whom each of these cannot reach. */
  readonly ready: ReadonlyMap<string, readonly string[]>;
  readonly isOver: boolean;
}

/** A member, or a newcomer, of a council that etcd keeps. */
export function etcdCouncil(transport: AskingTransport, options: EtcdCouncilOptions): Council {
  const { urls, name, job, plan, least, silence = SILENCE, patience = 60_000 } = options;
  const { clock, address } = transport, etcd = openEtcd(urls), root = `/motian/${job}/`;
  const seconds = Math.max(2, Math.ceil(silence / 1000));
  const ask = createAsk(transport, name, { job, plan }), probe = Math.min(1000, silence / 2);
  const listeners: ((generation: number, error: DistError) => void)[] = [];
  let lease: string | undefined, isClosed = false, waiting = 0, renewed = 0;
  // Members of a generation that are none of the next: their leases may outlive them.
  const left = new Set<string>();
  let challenged = 0, here: Roster | undefined;
  /** A key that this member has set beside its address, and its value. */
  let word: readonly [key: string, value: string] | undefined;
  let renewing: Promise<void> | undefined;
  transport.onQuestion(() => `ok ${here?.generation ?? 0}`);

  /** Does something with etcd until it succeeds. @throws DistError "lost" when patience has an end */
  async function surely<T>(f: () => Promise<T>): Promise<T> {
    for (const began = clock.now();;) {
      try {
        return await f();
      } catch (error) {
        if (!(error instanceof EtcdError)) throw error;
        if (isClosed || clock.now() - began > patience) {
          const rank = here && rankOf(here, name);
          throw new DistError(`${name} has lost its store: ${error.message}`, "lost", {
            rank,
            cause: error,
          });
        }
        await sleep(clock, POLL);
      }
    }
  }
  /** Makes sure that the store knows that this process lives. Whoever asks meanwhile waits for the same: there is one lease. */
  const live = (): Promise<void> => renewing ??= renew().finally(() => renewing = undefined);
  async function renew(): Promise<void> {
    if (isClosed) return;
    const now = clock.now();
    if (lease && now - renewed < seconds * 1000 / 3) return;
    if (lease && await etcd.keepAlive(lease)) return void (renewed = now);
    const granted = await etcd.grant(seconds);
    await etcd.put(`${root}live/${name}`, address, granted);
    // A lease that ended took this with it.
    if (word) await etcd.put(...word, granted);
    [lease, renewed] = [granted, now];
  }
  async function look(): Promise<View> {
    await live();
    const found = await etcd.range(root),
      { value = "", revision = "0" } = found.get(`${root}roster`) ?? {};
    const roster = readRoster(value), ready = `${root}ready/${roster?.generation ?? 0}/`;
    const under = (prefix: string) =>
      [...found].filter(([key]) => key.startsWith(prefix)).map(([key, { value }]) =>
        [key.slice(prefix.length), value] as const
      );
    const view = {
      roster,
      revision,
      live: new Map(under(`${root}live/`)),
      ready: new Map(under(ready).map(([who, list]) => [who, list ? list.split(",") : []])),
      isOver: found.has(`${root}over`),
    };
    waiting = roster ? newcomers(view, roster).length : 0;
    return view;
  }
  const newcomers = ({ live }: View, { members }: Roster): readonly Seat[] =>
    [...live].sort(([a], [b]) => a < b ? -1 : 1)
      .filter(([name]) => !left.has(name) && !members.some((seat) => seat.name === name))
      .map(([name, address]) => ({ name, address }));

  /** Tells of what others have decided, or ask for. */
  (async () => {
    while (!isClosed) {
      await sleep(clock, POLL);
      if (!here) continue;
      // What is lost here is missed by who wants a decision.
      const view = await surely(look).catch((error) => {
        if (!(error instanceof DistError)) throw error;
      });
      const roster = here;
      if (!view || challenged === roster.generation) continue;
      const asker = [...view.ready.keys()].find((who) => who !== name);
      const isNewer = (view.roster?.generation ?? 0) > roster.generation || view.isOver;
      if (!isNewer && (asker === undefined || view.roster?.generation !== roster.generation)) {
        continue;
      }
      challenged = roster.generation;
      const rank = asker === undefined ? -1 : rankOf(roster, asker);
      const error = isNewer
        ? new DistError(`Generation ${roster.generation} is over`, "lost")
        : new DistError(`${asker} asks for the generation after ${roster.generation}`, "lost", {
          rank,
        });
      for (const f of listeners) f(roster.generation, error);
    }
  })();

  return {
    name,
    get waiting() {
      return waiting;
    },
    async enter() {
      let count = 0, since = clock.now();
      for (const began = clock.now();;) {
        const view = await surely(look), { roster } = view;
        if (view.isOver) {
          throw new DistError("Cannot join: the others have ended", "closed", { rank: 0 });
        }
        if (roster && rankOf(roster, name) >= 0) return here = roster;
        if (view.live.size !== count) [count, since] = [view.live.size, clock.now()];
        if (!roster && count >= least && clock.now() - since >= SETTLED) {
          const members = newcomers(view, { generation: 0, members: [] });
          const first = rosterText({ generation: 1, members });
          await surely(() => etcd.swap(`${root}roster`, "0", first));
          continue;
        }
        if (!roster && clock.now() - began > patience) {
          const text = `Cannot begin: ${count} of ${least} members have come to ${urls.join(", ")}`;
          throw new DistError(text, "deadline", { rank: count });
        }
        await sleep(clock, POLL);
      }
    },
    async next(base, { strikes }) {
      const missing = strikes > 0 ? (await lookAt(ask, base, name, probe)).silent : [];
      const own = [`${root}ready/${base.generation}/${name}`, missing.join(",")] as const;
      word = own;
      await surely(live);
      await surely(() => etcd.put(...own, lease));
      for (const began = clock.now();;) {
        const view = await surely(look), { roster, ready, live: alive } = view;
        if (view.isOver) return undefined;
        if (!roster) {
          throw new DistError(`${root}roster is gone from etcd`, "lost", {
            rank: rankOf(base, name),
          });
        }
        if (roster.generation > base.generation) {
          word = undefined;
          if (rankOf(roster, name) < 0) throw fenced(base, roster, name);
          for (const { name } of base.members) if (rankOf(roster, name) < 0) left.add(name);
          return here = roster;
        }
        const staying = base.members.filter((seat) => ready.has(seat.name));
        const coming = newcomers(view, base),
          asked = { ...base, members: [...base.members, ...coming] };
        const { gone, silent } = await lookAt(ask, asked, name, probe);
        // Who does not listen any more need not be waited for until its lease ends.
        const late = base.members.filter((seat) =>
          !ready.has(seat.name) && alive.has(seat.name) && !gone.includes(seat.name)
        );
        const isTime = late.length === 0 || clock.now() - began > 2 * silence;
        if (isTime && staying[0]?.name === name) {
          const complaints = staying.flatMap((seat) =>
            ready.get(seat.name)!.map((whom): Complaint => [seat.name, whom])
          );
          const out = coverOf(staying.map((seat) => seat.name), complaints);
          const members = staying.filter((seat) => !out.includes(seat.name));
          const there = coming.filter(({ name }) => !gone.includes(name) && !silent.includes(name));
          const next = { generation: base.generation + 1, members: [...members, ...there] };
          await surely(() => etcd.swap(`${root}roster`, view.revision, rosterText(next)));
          continue;
        }
        await sleep(clock, POLL);
      }
    },
    worked: () => {},
    look: (roster) => lookAt(ask, roster, name, probe),
    onChallenge: (f) => void listeners.push(f),
    async finish(isAgreed) {
      // Where all have finished the first of them says so, for newcomers; else everybody who knows.
      if (isAgreed && here && rankOf(here, name) > 0) return;
      await surely(() => etcd.put(`${root}over`, String(here?.generation ?? 0)));
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await renewing?.catch(() => {});
      if (lease) await etcd.revoke(lease).catch(() => {});
      await transport.close();
    },
  };
}
