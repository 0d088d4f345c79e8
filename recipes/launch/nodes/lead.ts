/**
 * The first launcher's part: who is there, who runs which ranks, and what happens when somebody fails or is lost.
 *
 * @module
 */
import { backOffOf, WRONG_CALL } from "../restart.ts";
import type { NodeLink } from "./link.ts";

/** How launchers work together. */
export interface LeadOptions {
  /** Launchers that are needed, and that there may be. */
  readonly min: number;
  readonly max: number;
  readonly restarts: number;
  /** When there are enough, so long is waited for more. Units: milliseconds. */
  readonly settle: number;
  /** Waits before the first restart, twice as long before the next. Units: milliseconds. */
  readonly backOff: number;
  readonly job: string;
  readonly note: (line: string) => void;
}

/** The launchers, as the first one sees them. */
export interface Lead {
  /** Takes a launcher that has come. */
  add(link: NodeLink): void;
  /** The exit code of the first rank that failed for good, or 0, once all is over and said. */
  readonly ended: Promise<number>;
}

/** What a launcher says when it comes and when its ranks have ended. */
interface Node {
  readonly link: NodeLink;
  readonly host: string;
  readonly nproc: number;
  /** Free there, for rank 0. */
  readonly port: number;
  /** Has it ranks that run? */
  isRunning: boolean;
}

/** How a round failed. */
interface Failure {
  readonly code: number;
  readonly text: string;
  readonly isFinal: boolean;
}

/** No launchers yet. */
export function createLead({ min, max, ...options }: LeadOptions): Lead {
  const { restarts, settle, backOff, job, note } = options;
  const nodes = new Set<Node>();
  let changed = Promise.withResolvers<void>(), failure: Failure | undefined;
  const change = (): void => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const pause = (ms: number): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, ms));

  async function listen(link: NodeLink): Promise<void> {
    const [, host, nproc, port] = /^join (\S+) (\d+) (\d+)$/.exec(await link.next() ?? "") ?? [];
    if (host === undefined) return link.close();
    const node: Node = {
      ...{ link, host, nproc: Number(nproc), port: Number(port), isRunning: false },
    };
    nodes.add(node);
    change();
    for (let line = await link.next(); line !== undefined; line = await link.next()) {
      const [, code, final, text] = /^ended (\d+) ([01]) ?(.*)$/.exec(line) ?? [];
      if (code === undefined) continue;
      node.isRunning = false;
      if (code !== "0") {
        failure ??= { code: Number(code), text: `${host}: ${text}`, isFinal: final === "1" };
      }
      change();
    }
    nodes.delete(node);
    if (node.isRunning) failure ??= gone(node);
    change();
  }
  const gone = ({ host }: Node): Failure => ({
    ...{ code: 1, text: `${host}: its launcher has gone`, isFinal: false },
  });
  const tell = (whom: Iterable<Node>, line: string): Promise<unknown> =>
    Promise.all([...whom].map(({ link }) => link.send(line).catch(() => {})));

  /** Waits until there are enough, and no more come. */
  async function gather(): Promise<readonly Node[]> {
    let told = -1;
    for (;;) {
      const count = nodes.size;
      if (count >= max) return [...nodes].slice(0, max);
      if (count >= min) {
        await Promise.race([pause(settle), changed.promise]);
        if (nodes.size === count) return [...nodes];
        continue;
      }
      if (count !== told) note(`waiting for launchers: ${count} of ${min} are here`);
      told = count;
      await changed.promise;
    }
  }
  async function run(generation: number): Promise<void> {
    const members = await gather(), size = members.reduce((sum, { nproc }) => sum + nproc, 0);
    const { host, port } = members[0]!;
    // Who goes while others are told is missed too, and who has gone since all were counted.
    for (const node of members) node.isRunning = true;
    const lost = members.find((node) => !nodes.has(node));
    failure = lost && gone(lost);
    let first = 0;
    for (const node of members) {
      await tell([node], `start ${generation} ${job} ${first} ${size} ${host} ${port}`);
      first += node.nproc;
    }
    const running = (): readonly Node[] => members.filter((n) => nodes.has(n) && n.isRunning);
    while (running().length > 0 && !failure) await changed.promise;
    if (failure) await tell(running(), "stop");
    while (running().length > 0) await changed.promise;
  }
  async function lead(): Promise<number> {
    for (let attempt = 1;; attempt++) {
      await run(attempt);
      // What `run` has found: control flow cannot see it.
      const found = failure as Failure | undefined;
      if (!found) return 0;
      if (found.isFinal || found.code === WRONG_CALL || attempt > restarts) {
        note(found.text);
        return found.code;
      }
      const wait = backOffOf(attempt, backOff);
      note(`${found.text}; restart ${attempt} of ${restarts} in ${wait / 1000} s`);
      await pause(wait);
    }
  }
  return {
    add: (link) => void listen(link),
    ended: lead().then(async (code) => {
      await tell(nodes, `over ${code}`);
      return code;
    }),
  };
}
