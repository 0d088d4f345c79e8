/** `deno task serve`, as a user runs it: with the permissions of the task alone. */
import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { cpu } from "../../core/mod.ts";
import { embed } from "../../recipes/predict/embed.ts";
import { openPredictor } from "../../recipes/predict/open_predictor.ts";
import { load } from "../../recipes/serve/load.ts";
import { kill } from "../kill.ts";
import { inModels, vocabulary } from "./asked_models.ts";
import { until } from "./served.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));

interface Process extends AsyncDisposable {
  readonly child: Deno.ChildProcess;
  /** The line that it says where it listens in, or undefined where it ends before. */
  readonly line: Promise<string | undefined>;
  /** All that it says on standard error, once it has ended. */
  readonly error: () => Promise<string>;
}

/** Starts the command of the task in `deno.json`. */
async function started(words: readonly string[], device = "cpu"): Promise<Process> {
  const { tasks } = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  const [, run, ...flags] = (tasks.serve as string).split(" ");
  const child = new Deno.Command(Deno.execPath(), {
    args: [run!, "--quiet", "--no-check", ...flags, ...words, "--device", device],
    cwd: root,
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const error = child.stderr.text();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const line = (async () => {
    let text = "";
    for (;;) {
      const { value, done } = await lines.read();
      if (done) return undefined;
      text += value;
      if (text.includes("\n")) return text.split("\n")[0]!;
    }
  })();
  return {
    child,
    line,
    error: () => error,
    async [Symbol.asyncDispose]() {
      kill(child);
      await child.status;
      await error;
      await lines.cancel();
    },
  };
}

const urlIn = (line: string | undefined): string => /http:\/\/[\d.:]+/.exec(line ?? "")![0];

const characters = vocabulary.tokens.filter((token) => /^\p{Script=Han}$/u.test(token));

/** Texts of 1 to 90 characters, each another. */
const text = (n: number): string =>
  Array.from(
    { length: 1 + (n * 37) % 90 },
    (_, i) => characters[(n * 7 + i * i) % characters.length],
  )
    .join("");

Deno.test("serve: 200 clients at once are answered, each with its own vector; SIGTERM answers what waits", () => {
  const device = cpu();
  return inModels(device, async ({ run }) => {
    await using server = await started(["--model", run, "--port", "0"]);
    const url = urlIn(await server.line);
    const found = new Map<number, readonly number[]>();
    const { statuses, times } = await load(
      { url, clients: 200, requests: 400, text },
      (n, vector) => found.set(n, vector),
    );
    assertEquals([statuses, times.length, found.size], [{ 200: 400 }, 400, 400]);
    const tools = await openPredictor(run, device);
    const expected = await embed(tools, Array.from({ length: 400 }, (_, n) => text(n)));
    for (const [n, vector] of found) {
      vector.forEach((x, c) => assertAlmostEquals(x, expected[n]![c]!, 1e-6));
    }
    assert(kill(server.child, "SIGTERM"));
    assertEquals((await server.child.status).code, 0, await server.error());
    assertMatch(await server.error(), /^SIGTERM: answering what waits, for 10 s at most\n$/);
  });
});

Deno.test("serve: a signal answers what waits at once and ends with 0; a port that is taken ends with 2", () =>
  inModels(cpu(), async ({ run, pairs }) => {
    // The rows wait a minute for others, so that they wait when the signal comes.
    await using server = await started(["--model", pairs, "--port", "0", "--wait", "60000"]);
    const line = await server.line, url = urlIn(line);
    assertMatch(line!, /^pairs \(embed, classify\) at http:\/\/127\.0\.0\.1:\d+, on WebAssembly/);
    await using other = await started(["--model", run, "--port", new URL(url).port]);
    assertEquals([await other.line, (await other.child.status).code], [undefined, 2]);
    assertMatch(await other.error(), /^Cannot listen on 127\.0\.0\.1, port \d+: .+\n$/);
    const answers = Array.from({ length: 5 }, (_, n) =>
      fetch(`${url}/v1/classify`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ input: [[text(n + 1).slice(0, 8), text(2).slice(0, 8)]] }),
      }));
    await until(async () =>
      (await (await fetch(`${url}/metrics`)).text()).includes("motian_queue_rows 5\n")
    );
    assert(kill(server.child, "SIGINT"));
    for (const response of await Promise.all(answers)) {
      assertEquals(response.status, 200);
      const { data: [{ label, probabilities }] } = await response.json();
      assert(label in probabilities);
    }
    assertEquals((await server.child.status).code, 0, await server.error());
  }));

Deno.test("serve: a signal ends it with 0 where it has looked for a GPU too", () =>
  inModels(cpu(), async ({ run }) => {
    // One in six crashed as the process ended.
    for (let n = 0; n < 8; n++) {
      await using server = await started(["--model", run, "--port", "0"], "auto");
      const response = await fetch(`${urlIn(await server.line)}/v1/embeddings`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ input: [text(n)] }),
      });
      assertEquals([response.status, (await response.json()).data.length], [200, 1]);
      assert(kill(server.child, "SIGTERM"));
      const { code, signal } = await server.child.status;
      assertEquals([code, signal], [0, null], await server.error());
    }
  }));
