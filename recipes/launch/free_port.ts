import { randomBytes } from "node:crypto";

/**
 * A port on this machine that nobody listens on now, below those that the system gives to outgoing connections: none of these can take
 * it before rank 0 does. Of those who have been promised one, but do not listen yet, `isTaken` knows.
 */
export function freePort(
  hostname = "127.0.0.1",
  isTaken: (port: number) => boolean = () => false,
): number {
  using listener = listen(hostname, isTaken);
  return portOf(listener);
}

/** So many of them, all different. */
export function freePorts(count: number, hostname = "127.0.0.1"): readonly number[] {
  const listeners: Deno.Listener[] = [];
  try {
    while (listeners.length < count) listeners.push(listen(hostname, () => false));
    return listeners.map(portOf);
  } finally {
    for (const listener of listeners) listener.close();
  }
}

const portOf = ({ addr }: Deno.Listener): number => (addr as Deno.NetAddr).port;

function listen(hostname: string, isTaken: (port: number) => boolean): Deno.Listener {
  for (let tries = 0;; tries++) {
    const port = 20_000 + randomBytes(2).readUInt16LE() % 12_000;
    if (isTaken(port)) continue;
    try {
      return Deno.listen({ hostname, port });
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse) || tries === 100) throw error;
    }
  }
}
