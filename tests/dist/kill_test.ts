/** Real processes that are killed and stopped. */
import { assert, assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import { kill } from "../kill.ts";
import { leastOf } from "../least.ts";
import { within } from "../within.ts";

interface Worker {
  readonly process: Deno.ChildProcess;
  readonly line: () => Promise<string>;
  readonly tell: (text: string) => Promise<void>;
}

type How = "sockets" | "memory" | "streams";

function worker(rank: number, silence: number, how: How, mayCallC = how !== "sockets"): Worker {
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "--allow-net=127.0.0.1",
      ...mayCallC ? ["--allow-ffi"] : [],
      new URL("rank_process.ts", import.meta.url).pathname,
      String(rank),
      String(silence),
      how,
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const writer = process.stdin.getWriter();
  let text = "";
  return {
    process,
    async line() {
      while (!text.includes("\n")) {
        const { value, done } = await within(`a line of rank ${rank}`, reader.read());
        if (done) throw new RangeError(`Cannot read from rank ${rank}: it has ended`);
        text += value;
      }
      const [first = "", ...rest] = text.split("\n");
      text = rest.join("\n");
      return first;
    },
    async tell(line) {
      await writer.write(new TextEncoder().encode(line + "\n"));
      await writer.close();
    },
  };
}

/** How a survivor ended. */
interface Ending {
  readonly failure: string;
  readonly rank: number;
  readonly steps: number;
}

/** Lets three processes work, does something to one, and gives what the others say, and after how many milliseconds the last of them. */
async function disturb(how: How, victim: number, signal: Deno.Signal, silence: number): Promise<{
  readonly endings: readonly Ending[];
  readonly ms: number;
}> {
  const workers = [0, 1, 2].map((rank) => worker(rank, silence, how));
  try {
    const addresses = await Promise.all(workers.map(({ line }) => line()));
    await Promise.all(workers.map(({ tell }) => tell(addresses.join(" "))));
    for (const word of ["joined", "sums"]) {
      for (const { line } of workers) assertEquals(await line(), word);
    }
    assert(kill(workers[victim]!.process, signal), `rank ${victim} has ended before`);
    const start = performance.now(), others = workers.filter((_, r) => r !== victim);
    const endings = await Promise.all(
      others.map(async ({ line }): Promise<Ending> => JSON.parse(await line())),
    );
    const ms = performance.now() - start;
    // They end by themselves: nothing of ours keeps a process alive.
    for (const { process } of others) {
      assertEquals((await within("a survivor's end", process.status)).code, 0);
    }
    return { endings, ms };
  } finally {
    for (const { process } of workers) {
      kill(process);
      await process.status;
      await process.stdout.cancel().catch(() => {});
    }
  }
}

const isLinux = Deno.build.os === "linux";
for (const how of isLinux ? ["sockets", "memory", "streams"] as const : ["sockets"] as const) {
  Deno.test(`processes, ${how}: a kill is known to all survivors within a second`, async () => {
    for (const victim of [0, 2]) {
      // So patient with silence that a machine which has no time for a rank cannot make it the one that failed.
      const measure = async (): Promise<number> => {
        const { endings, ms } = await disturb(how, victim, "SIGKILL", 60_000);
        assertEquals(endings.length, 2);
        for (const { failure, rank, steps } of endings) {
          assertEquals([failure, rank], ["lost", victim]);
          assertGreater(steps, 0);
        }
        return ms;
      };
      assertLess(await leastOf(1000, measure), 1000);
    }
  });

  // Streams in memory have the sockets' heartbeats.
  if (how === "streams") continue;
  Deno.test(`processes, ${how}: one that is stopped is fenced at its silence, give or take a second`, async () => {
    const silence = 5000;
    const measure = async (): Promise<number> => {
      const { endings, ms } = await disturb(how, 1, "SIGSTOP", silence);
      for (const { failure, rank } of endings) assertEquals([failure, rank], ["stalled", 1]);
      return Math.abs(ms - silence);
    };
    assertLess(await leastOf(1000, measure), 1000);
  });
}

const named = "processes: one that may not share memory is named by all, and nobody begins";
Deno.test({ name: named, ignore: !isLinux }, async () => {
  const workers = [0, 1].map((rank) => worker(rank, 60_000, "memory", rank === 0));
  try {
    const addresses = await Promise.all(workers.map(({ line }) => line()));
    await Promise.all(workers.map(({ tell }) => tell(addresses.join(" "))));
    for (const { line } of workers) {
      const { failure, rank, message } = JSON.parse(await line());
      assertEquals([failure, rank], ["engine", 1]);
      assertMatch(message, /FFI is not allowed \(--allow-ffi\).*MOTIAN_MEMORY=apart.*\(rank 1\)/);
    }
  } finally {
    for (const { process } of workers) {
      kill(process);
      await process.status;
      await process.stdout.cancel().catch(() => {});
    }
  }
});
