/**
 * TLS that asks clients for a certificate, which `Deno.listenTls` cannot: by `node:tls`.
 *
 * @module
 */
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { DistError } from "../error.ts";
import type { ByteStream, Door, Listener, Network, Place } from "./network.ts";
import { addressError, attempt, checkDoor, tcp } from "./tcp.ts";
import type { TlsFiles } from "./tls.ts";

/** A handshake may take so long. Units: milliseconds. */
const HANDSHAKE_MS = 10_000;
/** Handshakes at a time: the oldest ends for one more. */
const MOST_HANDSHAKES = 256;
/** An alert needs so long to arrive: what is closed with bytes that nobody has read is reset, and loses its last words. Units: milliseconds. */
const LAST_WORDS_MS = 500;

/**
 * TLS on which this process listens at one place, and lets in whom the authority vouches for. The door is open when this resolves:
 * `node:tls` takes a turn of the event loop for it.
 *
 * @throws DistError "address" if it is no place to listen on
 */
export async function mutualTls(tls: TlsFiles, place: Door): Promise<Network> {
  const network = tcp(tls), door = await openDoor(tls, checkDoor(place));
  return {
    ...network,
    listen({ hostname, port }) {
      if (hostname === place.hostname && (port === place.port || port === door.port)) return door;
      throw new DistError(
        `Cannot listen on ${hostname}:${port}: the door was opened on ${place.hostname}:${place.port}`,
        "address",
      );
    },
  };
}

async function openDoor({ cert, key, ca }: TlsFiles, place: Place): Promise<Listener> {
  const options = {
    ...{ cert, key, ca, requestCert: true, handshakeTimeout: HANDSHAKE_MS },
    // Else whom nobody vouches for sees a connection that ends, without a reason: see `refuse`.
    rejectUnauthorized: false,
  };
  const server = attempt("listen on", place, () => createServer(options));
  const shaking = new Map<string, Socket>(), ready: ByteStream[] = [];
  let waiting: PromiseWithResolvers<ByteStream> | undefined, isOpen = true;
  server.on("connection", (socket) => {
    const [[oldest, first] = []] = shaking, name = nameOf(socket);
    if (shaking.size >= MOST_HANDSHAKES) {
      // Its end comes later: the next one to end is the next oldest.
      shaking.delete(oldest!);
      first!.destroy();
    }
    shaking.set(name, socket);
    socket.once("close", () => shaking.get(name) === socket && shaking.delete(name));
    // Whoever it was is gone: nobody waits for it.
    socket.on("error", () => {});
  });
  server.on("tlsClientError", (_, socket) => {
    socket.on("error", () => {});
    setTimeout(() => socket.destroy(), LAST_WORDS_MS);
  });
  server.on("secureConnection", (socket) => {
    shaking.delete(nameOf(socket));
    if (!socket.authorized) return refuse(socket);
    const stream = streamOf(socket);
    if (!isOpen) stream.close();
    else if (waiting) {
      waiting.resolve(stream);
      waiting = undefined;
    } else ready.push(stream);
  });
  try {
    server.listen({ host: place.hostname, port: place.port });
    await once(server, "listening");
  } catch (error) {
    throw addressError("listen on", place, error);
  }
  // One caller, or one moment in which the process may open no more: the next may come in.
  server.on("error", () => {});
  return {
    hostname: place.hostname,
    port: (server.address() as AddressInfo).port,
    accept() {
      const next = ready.shift();
      if (next) return Promise.resolve(next);
      if (!isOpen) return Promise.reject(new Deno.errors.BadResource("The door is closed"));
      waiting = Promise.withResolvers();
      return waiting.promise;
    },
    close() {
      isOpen = false;
      server.close();
      for (const socket of shaking.values()) socket.destroy();
      for (const stream of ready) stream.close();
      waiting?.reject(new Deno.errors.BadResource("The door is closed"));
    },
  };
}

const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

/** Answers the first request of whom the authority does not vouch for, in HTTP as who lets in others does. */
function refuse(socket: TLSSocket): void {
  const why = String(socket.authorizationError ?? "no certificate");
  const body = `Cannot let in: the authority does not vouch for this certificate (${why})\n`;
  socket.on("error", () => {});
  socket.once(
    "data",
    () => socket.end(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
  );
  setTimeout(() => socket.destroy(), LAST_WORDS_MS);
}

/** Reads in Node's paused mode: nothing more is taken from the network than somebody asks for and its buffer holds. */
function streamOf(socket: TLSSocket): ByteStream {
  socket.setNoDelay(true);
  let rest: Uint8Array | undefined, isOver = false, failure: Error | undefined;
  let wake = (): void => {};
  socket.on("readable", () => wake());
  socket.on("error", (error) => {
    failure ??= error;
    wake();
  });
  for (const event of ["end", "close"]) {
    socket.on(event, () => {
      isOver = true;
      wake();
    });
  }
  return {
    async read(into) {
      for (;;) {
        rest ??= socket.read() ?? undefined;
        if (rest) break;
        if (failure) throw failure;
        if (isOver) return null;
        await new Promise<void>((resolve) => wake = resolve);
      }
      const count = Math.min(into.length, rest.length);
      into.set(rest.subarray(0, count));
      rest = count < rest.length ? rest.subarray(count) : undefined;
      return count;
    },
    write(bytes) {
      // Node takes no shared memory.
      const own = bytes.buffer instanceof SharedArrayBuffer ? bytes.slice() : bytes;
      return new Promise((resolve, reject) => {
        if (failure || isOver) reject(failure ?? new Deno.errors.BrokenPipe("The peer is gone"));
        else {
          const fail = (): void => reject(new Deno.errors.BrokenPipe("The peer is gone"));
          socket.once("close", fail);
          socket.write(own, (error) => {
            socket.off("close", fail);
            if (error) reject(error);
            else resolve(bytes.length);
          });
        }
      });
    },
    close() {
      socket.destroy();
    },
  };
}
