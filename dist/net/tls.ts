/**
 * TLS between processes that trust one authority: the client's side, and what a failed handshake means.
 *
 * @module
 */
import { DistError } from "../error.ts";
import type { ByteStream, Place } from "./network.ts";

/** This process's certificate and the authority that it trusts: no other authority counts. */
export interface TlsFiles {
  /** PEM: of this process, and what leads to the authority. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** PEM: who vouches for the other processes. */
  readonly ca: string;
}

/** Connects, and lets the handshake come to its end. */
export async function connectTls(place: Place, { cert, key, ca }: TlsFiles): Promise<Deno.TlsConn> {
  // Who does not ask for a certificate does not look at it.
  const connection = await Deno.connectTls({ ...place, caCerts: [ca], cert, key });
  // Else a certificate that is refused shows at the first read, as if the peer had failed.
  await connection.handshake().catch((error) => {
    connection.close();
    throw error;
  });
  return connection;
}

/** What the words of the TLS library mean here; undefined if they are not of a handshake. */
export function tlsReason(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (/corrupt message/.test(error.message)) {
    return "what it answers is not TLS: this side speaks wss, the other perhaps ws";
  }
  const [, alert] = /received fatal alert: (\w+)/.exec(error.message) ?? [];
  if (alert !== undefined) {
    return /Cert|UnknownCA/.test(alert)
      ? `it refuses this process's certificate: ${alert}`
      : `it ends the handshake: ${alert}`;
  }
  return undefined;
}

/** A client's stream whose reads tell a refusal, which in TLS 1.3 comes after the handshake, from a lost connection. */
export function telling(stream: ByteStream, { hostname, port }: Place): ByteStream {
  return {
    ...stream,
    read: (into) =>
      stream.read(into).catch((error) => {
        const why = tlsReason(error);
        if (why === undefined) throw error;
        const text = `Cannot use wss://${hostname}:${port}: ${why}`;
        throw new DistError(text, "refused", { cause: error });
      }),
  };
}
