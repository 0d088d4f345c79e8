/**
 * TCP, and TLS over it.
 *
 * @module
 */
import { realClock } from "../clock.ts";
import { DistError } from "../error.ts";
import type { ByteStream, Door, Network, Place } from "./network.ts";
import { connectTls, telling, type TlsFiles, tlsReason } from "./tls.ts";

/** TCP without delay, or TLS over it; clients show their certificates to who asks for them, as `mutualTls` does. */
export function tcp(tls?: TlsFiles): Network {
  return {
    scheme: tls ? "wss" : "ws",
    clock: realClock,
    listen(door) {
      const { guarded: _, ...place } = checkDoor(door);
      const listener = attempt(
        "listen on",
        place,
        () => tls ? Deno.listenTls({ ...place, cert: tls.cert, key: tls.key }) : Deno.listen(place),
      );
      const { port } = listener.addr as Deno.NetAddr;
      return {
        hostname: place.hostname,
        port,
        accept: async () => prompt(await listener.accept()),
        close: () => listener.close(),
      };
    },
    async connect(place) {
      try {
        if (!tls) return prompt(await Deno.connect(place));
        return telling(prompt(await connectTls(place, tls)), place);
      } catch (error) {
        throw addressError("connect to", place, error);
      }
    },
  };
}

/** Is this a name of this machine that no other can reach? */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** A door that others may reach must be guarded. @throws DistError "address" */
export function checkDoor(door: Door): Door {
  if (door.guarded || isLoopback(door.hostname)) return door;
  throw new DistError(
    `Cannot listen on ${door.hostname} without a token: only on this machine's own addresses, 127.0.0.1 or ::1`,
    "address",
  );
}

/** Sends small messages at once: without this, one waits for the acknowledgement of the last, up to 40 ms. */
function prompt(connection: Deno.TcpConn | Deno.TlsConn): ByteStream {
  try {
    if ("setNoDelay" in connection) connection.setNoDelay(true);
  } catch {
    // The peer is gone already, which the first read says.
  }
  let isOpen = true;
  return {
    read: (into) => connection.read(into),
    write: (bytes) => connection.write(bytes),
    close() {
      if (isOpen) connection.close();
      isOpen = false;
    },
  };
}

/** Does something with a place. @throws DistError that says so */
export function attempt<T>(doing: string, place: Place, f: () => T): T {
  try {
    return f();
  } catch (error) {
    throw addressError(doing, place, error);
  }
}

/** Why a place cannot be listened on or connected to. */
export function addressError(doing: string, { hostname, port }: Place, cause: unknown): DistError {
  const where = `Cannot ${doing} ${hostname}:${port}`;
  if (cause instanceof Deno.errors.ConnectionRefused) {
    return new DistError(`${where}: nobody listens there`, "refused", { cause });
  }
  if (
    cause instanceof Deno.errors.AddrInUse || (cause as NodeJS.ErrnoException).code === "EADDRINUSE"
  ) {
    return new DistError(
      `${where}: another process listens there; take port 0 for any that is free`,
      "address",
      { cause },
    );
  }
  const why = tlsReason(cause) ?? (cause instanceof Error ? cause.message : String(cause));
  return new DistError(`${where}: ${why}`, "address", { cause });
}
