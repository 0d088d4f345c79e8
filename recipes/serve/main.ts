/**
 * `deno task serve`: a model's answers over HTTP.
 *
 * @module
 */
import { exitCode, type MainHost } from "../cli/main.ts";
import { helpText } from "../cli/options.ts";
import { modelSource } from "../predict/model_source.ts";
import { engine } from "./engine.ts";
import { limitsOf, serveCommand, serveOptions } from "./options.ts";
import { serve } from "./server.ts";

/** The first of some signals; at the second the process ends by itself. */
function asked(signals: readonly Deno.Signal[]): Promise<Deno.Signal> {
  return new Promise((resolve) => {
    for (const signal of signals) {
      const once = (): void => {
        for (const other of signals) Deno.removeSignalListener(other, listeners.get(other)!);
        resolve(signal);
      };
      listeners.set(signal, once);
      Deno.addSignalListener(signal, once);
    }
  });
}
const listeners = new Map<Deno.Signal, () => void>();

async function main(): Promise<number> {
  const options = serveOptions(Deno.args);
  if (options.help) {
    console.log(helpText(serveCommand));
    return 0;
  }
  const { model, device, host, port } = options, limits = limitsOf(options);
  const { facts } = await modelSource(model!, options["max-tokens"]);
  const compute = await engine({ path: model!, device, limit: facts.limit });
  const served = await serve({
    ...{ facts, run: compute.run, limits, host, port },
    report: (error) => console.error(error instanceof Error ? error.stack : error),
  });
  // Windows knows no SIGTERM.
  const signals: readonly Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGTERM", "SIGINT"];
  console.log(
    `${facts.name} (${facts.asks.join(", ")}) at ${served.url}, on ${compute.device}`,
  );
  const signal = await Promise.race([asked(signals), served.failed]);
  if (signal) console.error(`${signal}: answering what waits, for ${options.drain} s at most`);
  const inTime = await served.drain();
  if (!inTime) console.error("Not all was answered in time; see --drain");
  return signal ? 0 : 1;
}

/** Signals end a server in good order: Ctrl-C is no failure. */
const host: MainHost = {
  onInterrupt: () => () => {},
  error: (line) => console.error(line),
  exit: (code) => Deno.exit(code),
};

if (import.meta.main) Deno.exit(await exitCode(main, host));
