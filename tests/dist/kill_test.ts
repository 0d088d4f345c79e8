/** Real processes that are killed and stopped. */
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { kill } from "../kill.ts";

interface Worker {
  readonly process: Deno.ChildProcess;
  readonly line: () => Promise<string>;
  readonly tell: (text: string) => Promise<void>;
}

function worker(rank: number): Worker {
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "--allow-net=127.0.0.1",
      new URL("rank_process.ts", import.meta.url).pathname,
      String(rank),
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
        const { value, done } = await reader.read();
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

/** Lets three processes work, does something to one, and gives what the others say, and after how long. */
async function disturb(victim: number, signal: Deno.Signal): Promise<
  readonly {
    readonly failure: string;
    readonly rank: number;
    readonly steps: number;
    readonly ms: number;
  }[]
> {
  const workers = [0, 1, 2].map(worker);
  try {
    const addresses = await Promise.all(workers.map(({ line }) => line()));
    await Promise.all(workers.map(({ tell }) => tell(addresses.join(" "))));
    for (const { line } of workers) assertEquals(await line(), "joined");
    await new Promise((resolve) => setTimeout(resolve, 400));
    workers[victim]!.process.kill(signal);
    const start = performance.now();
    const others = workers.filter((_, r) => r !== victim);
    return await Promise.all(others.map(async ({ line, process }) => {
      const said = JSON.parse(await line()), ms = performance.now() - start;
      // It ends by itself: nothing of ours keeps a process alive.
      assertEquals((await process.status).code, 0);
      return { ...said, ms };
    }));
  } finally {
    for (const { process } of workers) {
      kill(process);
      await process.status;
      await process.stdout.cancel().catch(() => {});
    }
  }
}

Deno.test("processes: a kill is known to all survivors within a second", async () => {
  for (const victim of [0, 2]) {
    const endings = await disturb(victim, "SIGKILL");
    assertEquals(endings.length, 2);
    for (const { failure, rank, steps, ms } of endings) {
      assertEquals([failure, rank], ["lost", victim]);
      assertGreater(steps, 0);
      assertLess(ms, 1000);
    }
  }
});

Deno.test("processes: one that is stopped is fenced within its silence and a second", async () => {
  for (const { failure, rank, ms } of await disturb(1, "SIGSTOP")) {
    assertEquals([failure, rank], ["stalled", 1]);
    assert(ms > 1000 && ms < 2500, `${ms} ms`);
  }
});
