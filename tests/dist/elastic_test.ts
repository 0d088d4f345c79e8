/** Rosters, questions, and what members of an elastic group do when one is lost, in simulated time. */
import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { sleep } from "../../dist/clock.ts";
import { createAcceptor, NOBODY } from "../../dist/elastic/acceptor.ts";
import type { Council } from "../../dist/elastic/council.ts";
import { coverOf } from "../../dist/elastic/cover.ts";
import { levelState } from "../../dist/elastic/level_state.ts";
import { peerCouncil, type PeerCouncilOptions } from "../../dist/elastic/peer_council.ts";
import { propose } from "../../dist/elastic/propose.ts";
import { readRoster, rosterText } from "../../dist/elastic/roster.ts";
import { runElastic, type Term } from "../../dist/elastic/run_elastic.ts";
import { DistError } from "../../dist/error.ts";
import type { Observer } from "../../dist/observer.ts";
import { simulate, type Simulation } from "../../dist/sim/simulation.ts";
import { sealed, unsealed } from "../../dist/transport/seal.ts";
import { openSockets } from "../../dist/transport/sockets.ts";
import type { AskingTransport } from "../../dist/transport/transport.ts";

const SILENCE = 1000, JOB = { job: "test", plan: 1 };

Deno.test("elastic: a roster is a word, and what is none is not read", () => {
  const seat = (name: string) => ({ name, address: "ws://[::1]:40" });
  const roster = { generation: 12, members: [seat("a"), seat("b.2")] };
  assertEquals(readRoster(rosterText(roster)), roster);
  for (const text of ["", "1:", "x:a=ws://h:1", "1:a", "1:a=ws://h:1,a=ws://h:2", "1:a=http://h"]) {
    assertEquals(readRoster(text), undefined);
  }
});

Deno.test("elastic: a line that was damaged is not what it was", () => {
  assertEquals(unsealed(sealed("news 3", "job", 7), "job", 7), "news 3");
  assertEquals(unsealed(sealed("news 3", "job", 7), "jab", 7), undefined);
  assertEquals(unsealed(sealed("news 3").replace("3", "2")), undefined);
  assertEquals(unsealed(""), undefined);
});

Deno.test("elastic: of pairs that do not reach each other few are left out", () => {
  const names = ["a", "b", "c", "d"];
  assertEquals(coverOf(names, []), []);
  assertEquals(coverOf(names, [["a", "c"], ["c", "a"]]), ["c"]);
  assertEquals(coverOf(names, [["b", "a"], ["b", "c"], ["d", "b"]]), ["b"]);
  assertEquals(coverOf(names, [["a", "gone"]]), []);
});

Deno.test("elastic: who is outbid while it is accepted tries again, with a higher ballot", async () => {
  const members = ["a", "b", "c"].map((name) => ({ name, address: `ws://${name}:1` }));
  const base = { generation: 1, members };
  const acceptor = createAcceptor({
    ...{ name: "a", clock: simulate({ seed: 1 }).clock, knockFor: 1000 },
    ...{ onChallenge: () => {}, onDecided: () => {}, unreachable: () => Promise.resolve([]) },
  });
  acceptor.learn({ ballot: 0, roster: base });
  const asked: string[] = [];
  const attempt = (later: string) =>
    propose(base, {
      ...{ acceptor, name: "a", blamed: NOBODY, fence: () => Promise.resolve(false) },
      ask(_, question) {
        asked.push(question);
        return Promise.resolve(question.startsWith("prepare") ? `promise 0 ${NOBODY} -` : later);
      },
    });
  assertEquals((await attempt("nack 77")).kind, "beaten");
  asked.length = 0;
  assertEquals((await attempt("accepted")).kind, "decided");
  assertLess(77, Number(asked[0]!.split(" ")[1]));
});

/** What a member came to. */
type Outcome = { readonly value: string | undefined } | { readonly error: DistError };

/** Members, and newcomers behind them, count steps together until `steps`; each gives the sum that it has and who it was with. */
function count(
  { founders: size, newcomers = [], steps, token, observer }: {
    readonly founders: number;
    /** When they come. Units: milliseconds. */
    readonly newcomers?: readonly number[];
    readonly steps: number;
    readonly token?: string;
    /** Of the first founder's. */
    readonly observer?: Observer;
  },
  disturb: (simulation: Simulation) => void = () => {},
  own: (host: number, simulation: Simulation) => Partial<PeerCouncilOptions> = () => ({}),
  dead: readonly number[] = [],
  changed: (transport: AskingTransport) => AskingTransport = (transport) => transport,
): Promise<{ readonly outcomes: readonly (Outcome | undefined)[]; readonly time: number }> {
  const simulation = simulate({ seed: 1, limit: 200_000 });
  const founders = Array.from({ length: size }, (_, i) => ({
    name: `m${i}`,
    address: `ws://sim${i}:1000`,
  }));
  const member = async (host: number): Promise<Outcome> => {
    const network = simulation.host(host);
    const transport = changed(openSockets(network, {
      ...{ hostname: `sim${host}`, port: 1000, silence: SILENCE },
      ...token !== undefined && { token },
    }));
    const council = peerCouncil(transport, {
      ...{ ...JOB, name: `m${host}`, founders, silence: SILENCE, patience: 5000 },
      ...own(host, simulation),
    });
    let step = host < size ? 0 : -1;
    const sum = new Float64Array(1);
    const work = async ({ group, roster, ...term }: Term): Promise<string> => {
      step = await levelState(group, { step, leaves: [["sum", sum]] });
      while (step < steps) {
        await sleep(network.clock, 10);
        const all = await group.allReduce(Float64Array.of(1 / group.size));
        sum[0]! += Math.round(all[0]!);
        step++;
        term.stepped();
        const isFull = (await group.broadcast(Uint8Array.of(council.waiting), 0))[0] === 0;
        if (!isFull) throw term.renewal();
      }
      return `${sum[0]} ${roster.members.map(({ name }) => name).join("")}`;
    };
    try {
      const { plan } = { ...JOB, ...own(host, simulation) };
      return {
        value: await runElastic(council, transport, {
          ...JOB,
          plan,
          joining: 5000,
          silence: SILENCE,
          ...host === 0 && { observer },
        }, work),
      };
    } catch (error) {
      if (error instanceof DistError) return { error };
      throw error;
    }
  };
  return simulation.run(async () => {
    const late = newcomers.map(async (ms, i) => {
      await sleep(simulation.clock, ms);
      return await member(size + i);
    });
    disturb(simulation);
    const all = [...founders.map((_, host) => member(host)), ...late];
    const outcomes = await Promise.all(all.map((one, i) => dead.includes(i) ? undefined : one));
    return { outcomes, time: simulation.clock.now() };
  });
}

Deno.test("elastic: one of two goes on alone when the other is killed, whichever", async () => {
  for (const victim of [0, 1]) {
    let since = 0;
    const { outcomes, time } = await count(
      { founders: 2, steps: 20 },
      (simulation) => {
        simulation.clock.after(85, () => {
          since = simulation.clock.now();
          simulation.crash(victim);
        });
      },
      () => ({}),
      [victim],
    );
    assertEquals(outcomes[1 - victim], { value: `20 m${1 - victim}` });
    // The other 12 steps or so included.
    assertLess(time - since, 1000);
  }
});

Deno.test("elastic: an observer is told of every generation's group", async () => {
  const told: string[] = [];
  const observer: Observer = (event) => {
    if (event.kind === "joined") {
      told.push(`joined ${event.group.generation} of ${event.group.size}`);
    }
    if (event.kind === "failed") {
      told.push(`failed ${event.group.generation} ${event.error.failure}`);
    }
  };
  const crash = (simulation: Simulation): void =>
    void simulation.clock.after(85, () => simulation.crash(1));
  await count({ founders: 2, steps: 20, observer }, crash, () => ({}), [1]);
  assertEquals(told, ["joined 1 of 2", "failed 1 lost", "joined 2 of 1", "failed 2 closed"]);
});

Deno.test("elastic: one of two cannot go on when the other only stops, unless it can end it", async () => {
  const stop = (simulation: Simulation): void =>
    void simulation.clock.after(85, () => simulation.pause(1, 30_000));
  const { outcomes: [first, second] } = await count({ founders: 2, steps: 20 }, stop);
  assert(first && "error" in first && second && "error" in second);
  assertEquals([first.error.failure, first.error.rank], ["lost", 1]);
  assert(/m0 are no majority of its 2 members, and m1 cannot be reached/.test(first.error.message));
  // It finds that nobody is left, which is no proof to one that has slept.
  assertEquals([second.error.failure, second.error.rank], ["lost", 0]);

  const { outcomes: [alone], time } = await count(
    { founders: 2, steps: 20 },
    stop,
    (_, simulation) => ({ fence: () => Promise.resolve(simulation.crash(1)) }),
    [1],
  );
  assertEquals(alone, { value: "20 m0" });
  assertLess(time, 85 + SILENCE + 1000);
});

Deno.test("elastic: who was stopped is fenced, and says so", async () => {
  const { outcomes } = await count({ founders: 3, steps: 300 }, (simulation) => {
    simulation.clock.after(85, () => simulation.pause(2, 3000));
  });
  assertEquals(outcomes.slice(0, 2), [{ value: "300 m0m1" }, { value: "300 m0m1" }]);
  const [, , last] = outcomes;
  assert(last && "error" in last);
  assertEquals([last.error.failure, last.error.rank], ["fenced", 2]);
  assert(/have formed generation 2 without m2, rank 2 of generation 1/.test(last.error.message));
});

Deno.test("elastic: who has finished is not taken for dead by one that was cut off before", async () => {
  for (const ms of [2000, 2600, 3200]) {
    const { outcomes } = await count({ founders: 3, steps: 20 }, (simulation) => {
      const pairs = [[0, 2], [2, 0], [1, 2], [2, 1]] as const;
      simulation.clock.after(50, () => pairs.forEach(([from, to]) => simulation.cut(from, to)));
      simulation.clock.after(50 + ms, () => pairs.forEach(([a, b]) => simulation.mend(a, b)));
    });
    assertEquals(outcomes.slice(0, 2), [{ value: "20 m0m1" }, { value: "20 m0m1" }]);
    // It hears of the generation without it, or that all is done: it begins nothing alone.
    const last = outcomes[2]!;
    if ("error" in last) assertEquals(last.error.failure, "fenced");
    else assertEquals(last.value, undefined);
  }
});

Deno.test("elastic: newcomers come in at a step, with the state, and may outlive the founders", async () => {
  const { outcomes } = await count(
    { founders: 2, newcomers: [30, 60], steps: 60, token: "of the run" },
    (simulation) => {
      simulation.clock.after(300, () => simulation.crash(0));
      simulation.clock.after(400, () => simulation.crash(1));
    },
    () => ({}),
    [0, 1],
  );
  assertEquals(outcomes.slice(2), [{ value: "60 m2m3" }, { value: "60 m2m3" }]);
});

Deno.test("elastic: who was told something else is refused with both values", async () => {
  const { outcomes } = await count(
    { founders: 1, newcomers: [30], steps: 60 },
    () => {},
    (host) => host === 1 ? { plan: 8 } : {},
  );
  assertEquals(outcomes[0], { value: "60 m0" });
  const other = outcomes[1];
  assert(other && "error" in other);
  assertEquals(other.error.failure, "mismatch");
  assert(/one has plan 8, m0 1/.test(other.error.message), other.error.message);
});

Deno.test("elastic: a mistake in the work of one is its own, and ends it alone", async () => {
  const simulation = simulate({ seed: 1 });
  const founders = [0, 1].map((i) => ({ name: `m${i}`, address: `ws://sim${i}:1000` }));
  await simulation.run(async () => {
    const member = (host: number): Promise<number | undefined> => {
      const transport = openSockets(simulation.host(host), {
        ...{ hostname: `sim${host}`, port: 1000, silence: SILENCE },
      });
      const council = peerCouncil(transport, { ...JOB, name: `m${host}`, founders });
      return runElastic(council, transport, JOB, async ({ group }) => {
        if (host === 1) throw new RangeError("Cannot do this");
        for (let i = 0; i < 10; i++) await group.barrier();
        return group.size;
      });
    };
    const [first, second] = [member(0), member(1)];
    await assertRejects(() => second, RangeError, "Cannot do this");
    assertEquals(await first, 1);
  });
});

Deno.test("elastic: who was left out may have left its address to another job", async () => {
  let isAsked = false;
  const { outcomes } = await count(
    { founders: 3, steps: 20 },
    (simulation) => void simulation.clock.after(85, () => simulation.crash(2)),
    () => ({}),
    [2],
    (transport) => ({
      ...transport,
      ask(address, question) {
        if (!address.includes("sim2") || !question.text.includes(" over ")) {
          return transport.ask(address, question);
        }
        isAsked = true;
        const text = "Cannot work together: one has job test, m0 another";
        return Promise.reject(new DistError(text, "mismatch"));
      },
    }),
  );
  assertEquals(outcomes.slice(0, 2), [{ value: "20 m0m1" }, { value: "20 m0m1" }]);
  assert(isAsked);
});

/** One of two founders, whose council is not what it should be; the other one never comes, unless it is to be alone. */
function alone<T>(
  founders: number,
  changes: Partial<Council>,
  work: (term: Term) => Promise<T>,
): Promise<T | undefined> {
  const simulation = simulate({ seed: 1 });
  const seats = Array.from({ length: founders }, (_, i) => ({
    ...{ name: `m${i}`, address: `ws://sim${i}:1000` },
  }));
  return simulation.run(() => {
    const transport = openSockets(simulation.host(0), {
      ...{ hostname: "sim0", port: 1000, silence: SILENCE },
    });
    const council = peerCouncil(transport, { ...JOB, name: "m0", founders: seats });
    return runElastic({ ...council, ...changes }, transport, JOB, work);
  });
}

Deno.test("elastic: where nobody can be told that all is done, it is not done again", async () => {
  let done = 0;
  const lost = new DistError("Cannot reach the store", "lost");
  const run = alone(1, { finish: () => Promise.reject(lost) }, () => Promise.resolve(++done));
  assertEquals(await assertRejects(() => run, DistError), lost);
  assertEquals(done, 1);
});

Deno.test("elastic: who cannot look after the others does not wait for them", async () => {
  const refused = new DistError("Cannot ask m1: it belongs to another job", "mismatch");
  const given: (DistError | undefined)[] = [];
  const outcome = await alone(2, {
    look: () => Promise.reject(refused),
    next(_, { error }) {
      given.push(error);
      return Promise.resolve(undefined);
    },
  }, () => Promise.resolve("done"));
  assertEquals([outcome, given], [undefined, [refused]]);
  const mistake = alone(2, { look: () => Promise.reject(new RangeError("Cannot look")) }, () => {
    throw new RangeError("It is not formed");
  });
  await assertRejects(() => mistake, RangeError, "Cannot look");
});

Deno.test("elastic: whose process cannot be ended is named", async () => {
  const ranks: number[] = [];
  const { outcomes: [first] } = await count(
    { founders: 2, steps: 20 },
    (simulation) => void simulation.clock.after(85, () => simulation.pause(1, 30_000)),
    () => ({
      fence({ name }, rank) {
        ranks.push(rank);
        return Promise.reject(new DistError(`Cannot end ${name}`, "lost", { rank }));
      },
    }),
  );
  assert(first && "error" in first);
  assertEquals([first.error.message, first.error.rank, ranks[0]], ["Cannot end m1", 1, 1]);
});
