/**
 * How a server bears many clients at once:
 *
 *     deno run --allow-net recipes/serve/load.ts --url http://127.0.0.1:8000 --clients 200 --requests 2000
 *
 * @module
 */
import { runMain } from "../cli/main.ts";
import { type Command, helpText, parseOptions } from "../cli/options.ts";
import { InputError } from "../cli/input_error.ts";

/** How much is asked. */
export interface Load {
  readonly url: string;
  /** Requests under way at once. */
  readonly clients: number;
  readonly requests: number;
  /** The text of a request. */
  readonly text: (n: number) => string;
}

/** What came of it. */
export interface Outcome {
  /** Of requests that were answered 200, ascending. Units: milliseconds. */
  readonly times: readonly number[];
  /** How many had each status; 0: no answer. */
  readonly statuses: Readonly<Record<number, number>>;
  readonly seconds: number;
}

/**
 * Asks for vectors, and gives each to `take`. A client asks again as soon as it is answered.
 */
export async function load(
  { url, clients, requests, text }: Load,
  take: (n: number, vector: readonly number[]) => void = () => {},
): Promise<Outcome> {
  const times: number[] = [], statuses: Record<number, number> = {}, begin = performance.now();
  let next = 0;
  async function ask(n: number): Promise<number> {
    const start = performance.now();
    const response = await fetch(`${url}/v1/embeddings`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ input: text(n) }),
    });
    const answer = await response.json();
    if (response.ok) {
      times.push(performance.now() - start);
      take(n, answer.data[0].embedding);
    }
    return response.status;
  }
  await Promise.all(Array.from({ length: clients }, async () => {
    while (next < requests) {
      const status = await ask(next++).catch(() => 0);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  }));
  const seconds = (performance.now() - begin) / 1000;
  return { times: times.sort((a, b) => a - b), statuses, seconds };
}

/** The smallest time that a share of all do not exceed. */
export function percentile(times: readonly number[], share: number): number {
  return times[Math.max(0, Math.ceil(share * times.length) - 1)] ?? NaN;
}

/** Texts of 2 to 120 characters, most of them short, the same for the same number. */
export function mixedText(n: number): string {
  const share = (n * 0.618034) % 1, length = Math.round(2 + 118 * share ** 3);
  return Array.from({ length }, (_, i) => String.fromCodePoint(0x4e00 + (n * 131 + i * 17) % 3000))
    .join("");
}

const command = {
  name: "load",
  about: "Asks a server for vectors of texts of 2 to 120 characters, most of them short.",
  options: {
    url: { type: "text", value: "URL", default: "http://127.0.0.1:8000", help: "of the server" },
    clients: { type: "whole", value: "N", min: 1, default: 200, help: "requests at once" },
    requests: { type: "whole", value: "N", min: 1, default: 2000, help: "of all clients" },
  },
} as const satisfies Command;

async function main(): Promise<number> {
  const options = parseOptions(Deno.args, command);
  if (options.help) {
    console.log(helpText(command));
    return 0;
  }
  const { times, statuses, seconds } = await load({ ...options, text: mixedText });
  if (times.length === 0) throw new InputError(`Cannot load ${options.url}: nothing was answered`);
  const shown = [0.5, 0.9, 0.99, 1].map((share) =>
    `p${100 * share} ${percentile(times, share).toFixed(0)} ms`
  );
  console.log(`${JSON.stringify(statuses)}, ${shown.join(", ")}`);
  console.log(`${(options.requests / seconds).toFixed(0)} requests/s over ${seconds.toFixed(1)} s`);
  return 0;
}

if (import.meta.main) await runMain(main);
