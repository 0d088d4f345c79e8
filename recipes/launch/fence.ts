/**
 * The launcher's service to its processes: it ends one that does not answer the others, so that they know it to be dead. A word on a
 * connection of this machine, with the job's token.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";

/** What launched processes are told: the port of this service. */
export const FENCE = "MOTIAN_FENCE";

/** Bytes of a request, and the time that it may take. Units: 1, milliseconds. */
const LONGEST = 200, PATIENCE = 2000;
/** A process that was killed is gone in a moment, unless the machine is stuck. Units: milliseconds. */
const ANSWER = 10_000;

/** A service that runs. */
export interface FenceService {
  readonly port: number;
  close(): void;
}

/** Answers on this machine alone. `end` resolves when the process of a name is dead. */
export function serveFence(token: string, end: (name: string) => Promise<void>): FenceService {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const hash = (text: string): Uint8Array => createHash("sha256").update(text).digest();
  async function serve(connection: Deno.Conn): Promise<void> {
    const late = setTimeout(() => connection.close(), PATIENCE);
    try {
      const line = await readLine(connection), [found = "", name = ""] = line.split(" ");
      clearTimeout(late);
      if (!timingSafeEqual(hash(found), hash(token))) return;
      await end(name);
      await connection.write(new TextEncoder().encode("dead\n"));
    } catch {
      /* who asked has gone */
    } finally {
      clearTimeout(late);
      try {
        connection.close();
      } catch { /* it is closed */ }
    }
  }
  (async () => {
    try {
      for await (const connection of listener) serve(connection);
    } catch { /* the listener was closed */ }
  })();
  return { port: (listener.addr as Deno.NetAddr).port, close: () => listener.close() };
}

/** Has the process of a name ended; false where the launcher could not be asked, or did not answer within `wait` milliseconds. */
export async function askFence(
  port: number,
  token: string,
  name: string,
  wait = ANSWER,
): Promise<boolean> {
  let late: ReturnType<typeof setTimeout> | undefined;
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    late = setTimeout(() => connection.close(), wait);
    await connection.write(new TextEncoder().encode(`${token} ${name}\n`));
    return await readLine(connection) === "dead";
  } catch {
    return false;
  } finally {
    clearTimeout(late);
  }
}

async function readLine(connection: Deno.Conn): Promise<string> {
  const room = new Uint8Array(LONGEST);
  for (let at = 0; at < LONGEST;) {
    const count = await connection.read(room.subarray(at));
    if (count === null) break;
    at += count;
    const text = new TextDecoder().decode(room.subarray(0, at));
    if (text.includes("\n")) return text.slice(0, text.indexOf("\n"));
  }
  return "";
}
