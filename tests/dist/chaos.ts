/** Schedules of disturbances, each from a seed, against elastic members on a simulated network. */
import { DistError } from "../../dist/error.ts";
import { levelState } from "../../dist/elastic/level_state.ts";
import { peerCouncil } from "../../dist/elastic/peer_council.ts";
import { type Roster, rosterText } from "../../dist/elastic/roster.ts";
import { runElastic, type Term } from "../../dist/elastic/run_elastic.ts";
import { sleep } from "../../dist/clock.ts";
import { randomOf } from "../../dist/sim/random.ts";
import { HangError, simulate, type Simulation } from "../../dist/sim/simulation.ts";
import { openSockets } from "../../dist/transport/sockets.ts";
import { alonesBits, begin, bitsOf, takeStep } from "./steps.ts";

/** What may happen. */
export const kinds = [
  "kill",
  "stall",
  "delay",
  "cut",
  "one-way cut",
  "late join",
  "coordinator killed",
  "corruption",
  "everything",
] as const;
export type Kind = typeof kinds[number];

/** What is done to members once they work. */
const deedKinds = ["kill", "stall", "cut", "one-way cut", "coordinator killed"] as const;

/** Units: milliseconds. */
const SILENCE = 1000, PATIENCE = 6000, PORT = 1000;
/** Where what is lost comes late: four times in a row takes 3 s and a little. Units: milliseconds. */
const SLOW_SILENCE = 4000;
const STEPS = 8, JOB = { job: "chaos", plan: 7 };

/** How a process ended. */
export interface Ending {
  readonly host: number;
  /** "done" with all steps; "over" as others had done them; else the failure. */
  readonly end: "done" | "over" | "dead" | DistError["failure"];
  readonly message: string;
  /** Units: milliseconds of simulated time. */
  readonly time: number;
}

/** What came of a schedule. */
export interface Story {
  readonly seed: number;
  readonly kind: Kind;
  readonly size: number;
  /** What was done to them. */
  readonly deeds: readonly string[];
  readonly endings: readonly Ending[];
  /** Generations that began. */
  readonly generations: number;
  /** What must not be: hangs, wrong bits, errors without a type or a rank, two rosters of a generation. */
  readonly faults: readonly string[];
}

/** Must all live processes come to the end, whatever happens of this kind? */
export const isHarmless = (kind: Kind): boolean =>
  kind === "kill" || kind === "late join" || kind === "coordinator killed" || kind === "delay";

/** Runs the schedule of a seed. */
export async function schedule(seed: number, only?: Kind): Promise<Story> {
  const random = randomOf(seed), kind = only ?? kinds[seed % kinds.length]!;
  const whole = (n: number): number => Math.floor(random() * n);
  const size = 2 + whole(4), length = random() < 0.9 ? 24 : 3000, all = kind === "everything";
  const late = kind === "late join" || (all && random() < 0.5) ? 1 + whole(2) : 0;
  const isSlow = kind === "delay" || (all && random() < 0.3);
  const simulation = simulate({
    seed,
    limit: 180_000,
    ...isSlow && { latency: [1, 60] as const, loss: 0.02 },
    ...(kind === "corruption" || (all && random() < 0.3)) && { damage: 0.003 },
  });
  const silence = isSlow ? SLOW_SILENCE : SILENCE;
  const doing = deedKinds.filter((each) => each === kind || (all && random() < 0.5));
  // Who can end a process can reach its machine.
  const fences = !doing.some((each) => each.endsWith("cut")) && random() < 0.5;
  const { clock } = simulation, computing = 1 + whole(20);
  const deeds: string[] = [], dead = new Set<number>(), rosters = new Map<number, string>();
  const haveWorked = new Set<number>();
  const faults: string[] = [], life = size * STEPS + STEPS * computing;
  const founders = Array.from({ length: size }, (_, i) => ({
    name: `m${i}`,
    address: `ws://sim${i}:${PORT}`,
  }));
  const ended = new Map<number, PromiseWithResolvers<void>>();
  function kill(host: number, why: string): void {
    if (dead.has(host)) return;
    deeds.push(`${clock.now().toFixed(0)} ms: kill ${host}${why}`);
    dead.add(host);
    simulation.crash(host);
    ended.get(host)?.resolve();
  }
  const right = await alonesBits(length, STEPS);

  async function process(host: number): Promise<Ending> {
    const network = simulation.host(host);
    const options = { hostname: `sim${host}`, port: PORT, silence };
    const transport = openSockets(network, options);
    const council = peerCouncil(transport, {
      ...{ ...JOB, name: `m${host}`, founders, silence, patience: PATIENCE },
      ...fences && {
        // As a launcher does: the process is dead when this is.
        fence: ({ name }) => Promise.resolve(kill(Number(name.slice(1)), " (fenced)")),
      },
    });
    const parameters = begin(length);
    let step = host < size ? 0 : -1;
    const noteRoster = ({ generation, members }: Roster): void => {
      const text = rosterText({ generation, members }), known = rosters.get(generation);
      if (known !== undefined && known !== text) faults.push(`two rosters: ${known} and ${text}`);
      rosters.set(generation, text);
    };
    const work = async (term: Term): Promise<number> => {
      noteRoster(term.roster);
      haveWorked.add(host);
      const { group } = term, held = parameters.slice();
      const furthest = await levelState(group, { step, leaves: [["parameters", held]] });
      parameters.set(held);
      step = furthest;
      while (step < STEPS) {
        await sleep(network.clock, computing * random());
        const next = parameters.slice();
        await takeStep(group, next, step);
        parameters.set(next);
        step++;
        term.stepped();
        const [word] = await group.broadcast(Uint8Array.of(term.waiting), 0);
        if (word! > 0 && step < STEPS) throw term.renewal();
      }
      return bitsOf(parameters);
    };
    const ending = (end: Ending["end"], message = ""): Ending => ({
      host,
      end,
      message,
      time: clock.now(),
    });
    try {
      const options = { ...JOB, deadline: 20_000, joining: 5000, silence };
      const bits = await runElastic(council, transport, options, work);
      if (bits === undefined) return ending("over");
      if (bits !== right) faults.push(`wrong bits of ${host}`);
      return ending("done");
    } catch (error) {
      if (!(error instanceof DistError)) throw error;
      if (error.rank === undefined) faults.push(`no rank is named: ${error.message}`);
      return ending(error.failure, error.message);
    }
  }
  /** Its own end, or its death. */
  function live(host: number): Promise<Ending> {
    const death = Promise.withResolvers<void>();
    ended.set(host, death);
    const died = death.promise.then((): Ending => ({
      host,
      end: "dead",
      message: "",
      time: clock.now(),
    }));
    return Promise.race([process(host), died]);
  }
  try {
    const endings = await simulation.run(async () => {
      const hosts = Array.from({ length: size }, (_, host) => live(host));
      disturb(simulation);
      for (let host = size; host < size + late; host++) {
        hosts.push(
          sleep(clock, life * random()).then(() => {
            deeds.push(`${clock.now().toFixed(0)} ms: ${host} comes`);
            return live(host);
          }),
        );
      }
      return await Promise.all(hosts);
    });
    const story = { seed, kind, size, deeds, endings, generations: rosters.size };
    const lost = endings.filter(({ end }) => !["done", "over", "dead"].includes(end));
    // For who has never worked with the others, those that have died may not have come yet: that takes a majority.
    const isFew = !fences && 2 * [...dead].filter((host) => host < size).length >= size;
    if (isHarmless(kind)) {
      const founding = lost.filter(({ host, end }) =>
        host < size && !(isFew && end === "lost" && !haveWorked.has(host))
      );
      faults.push(
        ...founding.map(({ host, end, message }) => `${host} ends with ${end}: ${message}`),
      );
    }
    const isOne = kind === "stall" || kind === "cut" || kind === "one-way cut";
    // A majority goes on.
    if (isOne && size > 2 && 2 * lost.length > size) {
      faults.push(...lost.map(({ host, end, message }) => `${host} ends with ${end}: ${message}`));
    }
    return { ...story, faults };
  } catch (error) {
    const what = error instanceof HangError ? "hang" : "bug";
    const text = error instanceof Error
      ? `${error.message} ${what === "bug" ? error.stack : ""}`
      : String(error);
    return {
      seed,
      kind,
      size,
      deeds,
      endings: [],
      generations: rosters.size,
      faults: [`${what}: ${text}`],
    };
  }

  function disturb(simulation: Simulation): void {
    const soon = (f: () => void): void => void clock.after(life * random(), f);
    const log = (text: string): void => void deeds.push(`${clock.now().toFixed(0)} ms: ${text}`);
    for (const deed of doing) {
      const victim = whole(size);
      if (deed === "kill") {
        // All but one may die, one after another.
        const victims = Array.from({ length: 1 + whole(Math.max(1, size - 1)) }, () => whole(size));
        for (const one of new Set(victims)) {
          soon(() => dead.size < size - 1 && kill(one, ""));
        }
      } else if (deed === "coordinator killed") {
        soon(() => {
          if (dead.size >= size - 1) return;
          kill(size - 1, "");
          clock.after(500 * random(), () => {
            const first = founders.findIndex((_, host) => !dead.has(host));
            if (dead.size < size - 1) kill(first, ", who decides");
          });
        });
      } else if (deed === "stall") {
        const ms = random() < 0.5 ? 2 * SILENCE * random() : 10 * SILENCE * random();
        soon(() => {
          log(`stop ${victim} for ${ms.toFixed(0)} ms`);
          simulation.pause(victim, ms);
        });
      } else {
        const others = founders.map((_, host) => host).filter((host) => host !== victim);
        const some = random() < 0.5 ? others : others.filter(() => random() < 0.5);
        const pairs = some.flatMap((other): (readonly [number, number])[] =>
          deed === "cut"
            ? [[victim, other], [other, victim]]
            : [random() < 0.5 ? [victim, other] : [other, victim]]
        );
        const heals = random() < 0.6, ms = 4 * SILENCE * random();
        soon(() => {
          log(
            `cut ${pairs.map((pair) => pair.join(">")).join(" ")}${
              heals ? ` for ${ms.toFixed(0)} ms` : ""
            }`,
          );
          for (const [from, to] of pairs) simulation.cut(from, to);
          if (!heals) return;
          clock.after(ms, () => pairs.forEach(([from, to]) => simulation.mend(from, to)));
        });
      }
    }
  }
}
