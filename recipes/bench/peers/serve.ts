/**
 * The peer's end of the protocol, for peers that run in Deno.
 *
 * @module
 */
import type { Task } from "../bench_case.ts";
import type { Answer, Greeting, Request } from "./protocol.ts";

/** A task that is open. */
export interface Served {
  /** Computes it so many times, and waits for the last. */
  run(times: number): Promise<void> | void;
  /** All results in a row. */
  results(): Promise<readonly ArrayLike<number>[]> | readonly ArrayLike<number>[];
  close(): void;
}

/** A peer: its name, and how it opens a task. */
export interface ServedPeer {
  readonly name: string;
  open(task: Task): Promise<Served> | Served;
}

function say(line: Greeting | Answer): void {
  const bytes = new TextEncoder().encode(JSON.stringify(line) + "\n");
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

/** Serves requests until standard input ends. A peer that cannot start says why. */
export async function serve(start: () => Promise<ServedPeer>): Promise<void> {
  console.log = console.info = console.warn = console.error; // standard output is for answers
  let peer: ServedPeer;
  try {
    peer = await start();
  } catch (error) {
    return say({ absent: messageOf(error) });
  }
  say({ ready: peer.name });
  let open: Served | undefined;
  const answer = async (request: Request): Promise<Answer> => {
    if (request.do === "open") {
      open?.close();
      open = undefined;
      open = await peer.open(request.task);
      return {};
    }
    if (!open) throw new TypeError(`Cannot ${request.do}: no task is open`);
    if (request.do === "values") {
      const parts = await open.results();
      return { values: request.at.map((place) => pick(parts, place)) };
    }
    const begin = performance.now();
    await open.run(request.times);
    return { seconds: (performance.now() - begin) / 1000 };
  };
  for await (const line of lines(Deno.stdin.readable)) {
    say(await answer(JSON.parse(line)).catch((error) => ({ error: messageOf(error) })));
  }
  Deno.exit(0); // a library's threads may still wait for work
}

/** One element of arrays in a row. */
function pick(parts: readonly ArrayLike<number>[], place: number): number {
  for (const part of parts) {
    if (place < part.length) return part[place]!;
    place -= part.length;
  }
  return NaN;
}

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, " ").slice(0, 300);

/** The lines of a stream of bytes. */
export async function* lines(
  bytes: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string> {
  let rest = "";
  for await (const text of bytes.pipeThrough(new TextDecoderStream())) {
    const all = (rest + text).split("\n");
    rest = all.pop()!;
    yield* all;
  }
}
