/**
 * TCP, and TLS over it.
 *
 * @module
 */
import { realClock } from "../clock.ts";
import { DistError } from "../error.ts";
import type { ByteStream, Network, Place } from "./network.ts";

/** A server's certificate and the authority that clients trust. */
export interface TlsFiles {
  /** PEM: of this process, and what leads to the authority. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** PEM: who vouches for the other processes. */
  readonly ca: string;
}

/** TCP without delay, or TLS over it. */
export function tcp(tls?: TlsFiles): Network {
  return {
    scheme: tls ? "wss" : "ws",
    clock: realClock,
    listen({ guarded = false, ...place }) {
      if (!guarded && !isLoopback(place.hostname)) {
        throw new DistError(
          `Cannot listen on ${place.hostname} without a token: only on this machine's own addresses, 127.0.0.1 or ::1`,
          "address",
        );
      }
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
        const connection = await Deno.connectTls({ ...place, caCerts: [tls.ca] });
        // Else a certificate that is refused shows at the first read, as if the peer had failed.
        await connection.handshake().catch((error) => {
          connection.close();
          throw error;
        });
        return prompt(connection);
      } catch (error) {
        throw addressError("connect to", place, error);
      }
    },
  };
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || /^127(\.\d{1,3}){3}$/.test(hostname);
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

function attempt<T>(doing: string, place: Place, f: () => T): T {
  try {
    return f();
  } catch (error) {
    throw addressError(doing, place, error);
  }
}

function addressError(doing: string, { hostname, port }: Place, cause: unknown): DistError {
  const where = `Cannot ${doing} ${hostname}:${port}`;
  if (cause instanceof Deno.errors.ConnectionRefused) {
    return new DistError(`${where}: nobody listens there`, "refused", { cause });
  }
  if (cause instanceof Deno.errors.AddrInUse) {
    return new DistError(
      `${where}: another process listens there; take port 0 for any that is free`,
      "address",
      { cause },
    );
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new DistError(`${where}: ${why}`, "address", { cause });
}
