/** A member of a group that etcd keeps, which counts steps, for tests. */
import { etcdCouncil } from "../../dist/elastic/etcd_council.ts";
import { levelState } from "../../dist/elastic/level_state.ts";
import { runElastic } from "../../dist/elastic/run_elastic.ts";
import { tcp } from "../../dist/net/tcp.ts";
import { openSockets } from "../../dist/transport/sockets.ts";

/** A lease's length, and what is borne. Units: milliseconds. */
export const SILENCE = 2000;

/** What a member comes to. */
export interface EtcdMember {
  readonly outcome: Promise<string | undefined>;
  /** Resolves after its first step. */
  readonly works: Promise<void>;
  /** Steps that are done. */
  steps(): number;
}

/** A member that counts steps with others until there are `size` of them, and then to the end. */
export function etcdMember(
  url: string,
  name: string,
  least: number,
  until: (size: number, step: number) => boolean,
): EtcdMember {
  const silence = SILENCE,
    transport = openSockets(tcp(), { hostname: "127.0.0.1", port: 0, silence });
  const council = etcdCouncil(transport, {
    ...{ urls: [url], name, least, silence, job: "test", plan: 1, patience: 30_000 },
  });
  const works = Promise.withResolvers<void>(), sum = new Float64Array(1);
  let step = -1, isFounder = true;
  const run = runElastic(council, transport, { job: "test", plan: 1, silence }, async (term) => {
    const { group, roster } = term;
    if (roster.generation === 1) step = Math.max(step, 0);
    else if (step < 0) isFounder = false;
    step = await levelState(group, { step, leaves: [["sum", sum]] });
    for (;;) {
      const all = await group.allReduce(Float64Array.of(1));
      if (all[0] !== group.size) throw new RangeError("Cannot use a wrong sum");
      sum[0]! += 1;
      step++;
      term.stepped();
      works.resolve();
      await new Promise((resolve) => setTimeout(resolve, 5));
      const [word] = await group.broadcast(
        Uint8Array.of(until(group.size, step) ? 1 : term.waiting > 0 ? 2 : 0),
        0,
      );
      if (word === 1) {
        return `${sum[0] === step} ${roster.members.map(({ name }) => name).join("")}${
          isFounder ? "" : "*"
        }`;
      }
      if (word === 2) throw term.renewal();
    }
  });
  run.catch(() => {});
  return {
    outcome: run,
    works: works.promise,
    steps: () => step,
  };
}
