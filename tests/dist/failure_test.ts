/** What happens to the others when a rank crashes, stops, or is cut off: in simulated time, over many seeds. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { DistError } from "../../dist/error.ts";
import { type Group, joinGroup } from "../../dist/group/group.ts";
import { randomOf } from "../../dist/sim/random.ts";
import { simulate, type Simulation, type SimulationOptions } from "../../dist/sim/simulation.ts";
import { openSockets } from "../../dist/transport/sockets.ts";
import { memberOf } from "./ranks.ts";

const SILENCE = 2000;

/** How a rank came out of it. */
interface Ending {
  readonly error: unknown;
  /** Steps that were done. Units: 1. */
  readonly steps: number;
  /** When. Units: milliseconds. */
  readonly time: number;
}

/** Ranks sum arrays for `steps` steps; `disturb` is called when all have joined. */
function train(
  options: Partial<SimulationOptions>,
  { size, steps, length }: {
    readonly size: number;
    readonly steps: number;
    readonly length: number;
  },
  disturb: (simulation: Simulation) => void,
  dead: readonly number[] = [],
): Promise<readonly Ending[]> {
  const simulation = simulate({ seed: 1, limit: 120_000, ...options });
  const { clock } = simulation;
  return simulation.run(async () => {
    const transports = Array.from(
      { length: size },
      (_, r) => openSockets(simulation.host(r), { hostname: `sim${r}`, port: 0, silence: SILENCE }),
    );
    let joined = 0;
    const one = async (rank: number): Promise<Ending> => {
      let done = 0;
      try {
        const member = memberOf(transports, rank);
        const group: Group = await joinGroup(transports[rank]!, member, { deadline: 30_000 });
        if (++joined === size) disturb(simulation);
        for (; done < steps; done++) {
          const array = new Float32Array(length).fill(rank + done);
          await group.allReduce(array);
          const sum = size * (size - 1) / 2 + size * done;
          assert(array.every((x) => x === sum), `rank ${rank} has a wrong sum in step ${done}`);
        }
        await group.close();
        return { error: undefined, steps: done, time: clock.now() };
      } catch (error) {
        return { error, steps: done, time: clock.now() };
      }
    };
    const alive = transports.map((_, r) => r).filter((r) => !dead.includes(r));
    const endings = transports.map((_, r) => one(r));
    const outcome = await Promise.all(alive.map((r) => endings[r]!));
    await Promise.all(alive.map((r) => transports[r]!.close()));
    return outcome;
  });
}

/** Everybody has a typed error that names the rank, soon after `since`. */
function assertAllKnow(
  endings: readonly Ending[],
  rank: number,
  failures: readonly string[],
  [since, within]: readonly [number, number],
): void {
  for (const { error, time } of endings) {
    assert(error instanceof DistError, String(error));
    assert(failures.includes(error.failure), `${error.failure}: ${error.message}`);
    assertEquals(error.rank, rank, error.message);
    assert(error.operation?.startsWith("allReduce #"), error.message);
    assertLess(time - since, within);
  }
}

Deno.test("failures: a crash at any moment is known to all survivors within a second", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = randomOf(seed), size = 2 + Math.floor(random() * 5);
    const victim = Math.floor(random() * size), length = random() < 0.5 ? 1000 : 200_000;
    let since = 0;
    const crash = (simulation: Simulation): void => {
      simulation.clock.after(random() * 20, () => {
        since = simulation.clock.now();
        simulation.crash(victim);
      });
    };
    const endings = await train({ seed }, { size, steps: 1e9, length }, crash, [victim]);
    assertAllKnow(endings, victim, ["lost"], [since, 1000]);
  }
});

Deno.test("failures: a rank that stops is fenced, and finds so when it goes on", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const random = randomOf(seed), size = 2 + seed % 4, victim = Math.floor(random() * size);
    let since = 0;
    const endings = await train({ seed }, { size, steps: 1e9, length: 50_000 }, (simulation) => {
      simulation.clock.after(5, () => {
        since = simulation.clock.now();
        simulation.pause(victim, 10_000);
      });
    });
    const others = endings.filter((_, r) => r !== victim);
    assertAllKnow(others, victim, ["stalled"], [since, SILENCE + 1000]);
    const { error, time } = endings[victim]!;
    assert(error instanceof DistError && error.failure !== "closed");
    assert(time - since >= 10_000);
  }
});

Deno.test("failures: a short stop is nothing", async () => {
  const endings = await train({ seed: 3 }, { size: 3, steps: 50, length: 5000 }, (simulation) => {
    simulation.clock.after(5, () => simulation.pause(1, SILENCE / 2));
  });
  for (const { error } of endings) assertEquals(error, undefined);
});

Deno.test("failures: a partition ends both sides, a one-way cut too; a cut that heals is nothing", async () => {
  for (const ways of [[[0, 1], [1, 0]], [[0, 1]], [[1, 0]]] as const) {
    let since = 0;
    const cut = (simulation: Simulation): void => {
      simulation.clock.after(5, () => {
        since = simulation.clock.now();
        for (const [from, to] of ways) simulation.cut(from, to);
      });
    };
    const endings = await train({ seed: 5 }, { size: 2, steps: 1e9, length: 50_000 }, cut);
    for (const { error, time } of endings) {
      // Each side may hear from the other that it is the silent one, over the way that is left.
      assert(error instanceof DistError && error.rank !== undefined, String(error));
      assertLess(time - since, SILENCE + 1000 + 500);
    }
    const healed = await train(
      { seed: 5 },
      { size: 2, steps: 30, length: 50_000 },
      (simulation) => {
        cut(simulation);
        simulation.clock.after(SILENCE / 2, () => {
          for (const [from, to] of ways) simulation.mend(from, to);
        });
      },
    );
    for (const { error } of healed) assertEquals(error, undefined);
  }
});

Deno.test("failures: damaged bytes are never summed", async () => {
  let damaged = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const endings = await train(
      { seed, damage: 0.002 },
      { size: 3, steps: 20, length: 60_000 },
      () => {},
    );
    for (const { error } of endings) {
      if (error === undefined) continue;
      assert(error instanceof DistError, String(error));
      damaged++;
    }
  }
  assert(damaged > 20);
});

Deno.test("failures: loss and slow links cost time only", async () => {
  const world = { seed: 7, loss: 0.02, latency: [5, 40] as const, bandwidth: 5000 };
  const endings = await train(world, { size: 4, steps: 5, length: 60_000 }, () => {});
  for (const { error } of endings) assertEquals(error, undefined);
});

Deno.test("failures: the same seed is the same story", async () => {
  const story = async (seed: number): Promise<readonly number[]> => {
    const endings = await train(
      { seed, loss: 0.01 },
      { size: 3, steps: 1e9, length: 5000 },
      (sim) => {
        sim.clock.after(30, () => sim.crash(1));
      },
      [1],
    );
    return endings.flatMap(({ steps, time }) => [steps, time]);
  };
  assertEquals(await story(1), await story(1));
  assert(String(await story(1)) !== String(await story(2)));
});
