import { randomBytes } from "node:crypto";

/**
 * A port on this machine that nobody listens on now, below those that the system gives to outgoing connections: none of these can take
 * it before rank 0 does.
 */
export function freePort(hostname = "127.0.0.1"): number {
  for (let tries = 0;; tries++) {
    const port = 20_000 + randomBytes(2).readUInt16LE() % 12_000;
    try {
      Deno.listen({ hostname, port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse) || tries === 100) throw error;
    }
  }
}
