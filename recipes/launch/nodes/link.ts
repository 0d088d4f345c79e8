/**
 * Lines of text between launchers, over the same door as links of ranks: the token is proven before the first one.
 *
 * @module
 */
import { DistError } from "../../../dist/error.ts";
import type { ByteStream, Network, Place } from "../../../dist/net/network.ts";
import {
  fieldsOf,
  type Hello,
  PATH,
  PROTOCOL,
  protocolDifference,
  readHello,
} from "../../../dist/transport/hello.ts";
import { guard, prover } from "../../../dist/transport/token.ts";
import type { Token } from "../../../dist/transport/token_term.ts";
import { HttpError } from "../../../dist/ws/http.ts";
import { createReader } from "../../../dist/ws/reader.ts";
import { createSocket, type Socket } from "../../../dist/ws/socket.ts";
import { type Answer, askUpgrade, serveUpgrade } from "../../../dist/ws/upgrade.ts";

/** A launcher that another one speaks with. */
export interface NodeLink {
  send(line: string): Promise<void>;
  /** The next line; undefined when the other is gone. */
  next(): Promise<string | undefined>;
  close(): void;
}

/** What launchers must have in common. */
export interface Meeting {
  readonly token: Token;
  /** 32 bits of hash of the command and of what else all must be told. */
  readonly plan: number;
}

/** Where launchers are asked for, as a job of their own. */
const JOB = "launchers";
/** Bytes of a line. */
const LONGEST = 4096;
/** A stranger has so long to say who it is, and there are so many at most; a launcher that is silent for longer is gone. Units: milliseconds. */
const HELLO_MS = 10_000, SILENCE = 10_000, PING = 1000;
const MOST_STRANGERS = 64;
const none = new Uint8Array(0);

function helloOf(plan: number): Hello {
  const who = { from: 0, to: 1, size: 2, lane: "main", group: "", generation: 0 } as const;
  return { protocol: PROTOCOL, job: JOB, plan, ...who };
}

function linkOn(socket: Socket): NodeLink {
  const timer = setInterval(() => {
    socket.ping();
    if (socket.silence() > SILENCE) socket.drop();
  }, PING);
  const end = (): void => {
    clearInterval(timer);
    socket.drop();
  };
  return {
    send: (line) => socket.send(none, new TextEncoder().encode(line)),
    async next() {
      try {
        if (await socket.begin()) return new TextDecoder().decode(await socket.rest());
      } catch { /* gone, or no launcher: the same to who waits for it */ }
      end();
      return undefined;
    },
    close: end,
  };
}

/** Lets launchers in until the function that it gives is called. @throws DistError "address" if this is no place to listen on */
export function acceptNodes(
  network: Network,
  place: Place,
  { token, plan }: Meeting,
  onNode: (link: NodeLink) => void,
): () => void {
  const listener = network.listen({ ...place, guarded: true }), { clock } = network;
  let isOpen = true, strangers = 0;
  async function serve(stream: ByteStream): Promise<void> {
    const reader = createReader(stream, clock), own = guard(token, Date.now);
    const cancel = clock.after(HELLO_MS, () => stream.close());
    const admit = (request: { fields: ReadonlyMap<string, string>; start: string }): Answer => {
      const { fields, start } = request, other = protocolDifference(fields);
      if (other) return { status: 409, reason: `Cannot work together: ${other}` };
      const hello = start.startsWith(`GET ${PATH} `) ? readHello(fields) : undefined;
      if (hello?.job !== JOB) return { status: 403, reason: "Cannot let in: no launcher's hello" };
      const refusal = own.refusal(hello, fields);
      if (refusal) return refusal;
      if (hello.plan === plan) return { status: 101, fields: own.proof(hello, fields) };
      const reason =
        `Cannot work together: its command and options have hash ${hello.plan}, these have ${plan}; all launchers must be given the same`;
      return { status: 409, reason };
    };
    strangers++;
    try {
      const { status } = await serveUpgrade(stream, reader, admit);
      if (status !== 101) return stream.close();
    } catch {
      return stream.close();
    } finally {
      strangers--;
      cancel();
    }
    onNode(linkOn(createSocket(stream, reader, { role: "server", limit: LONGEST, clock })));
  }
  (async () => {
    while (isOpen) {
      const stream = await listener.accept().catch(() => undefined);
      if (stream && strangers < MOST_STRANGERS) serve(stream);
      else if (stream) stream.close();
      else if (isOpen) await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  return () => {
    isOpen = false;
    listener.close();
  };
}

/** Asks the launcher at a place; undefined if nobody is there yet. @throws DistError if it refuses */
export async function askNode(
  network: Network,
  place: Place,
  { token, plan }: Meeting,
): Promise<NodeLink | undefined> {
  const hello = helloOf(plan), own = prover(token, hello), { clock } = network;
  const to = `${network.scheme}://${place.hostname}:${place.port}`;
  let stream: ByteStream;
  try {
    stream = await network.connect(place);
  } catch (error) {
    if (error instanceof DistError && error.failure === "refused") return undefined;
    throw error;
  }
  const cancel = clock.after(HELLO_MS, () => stream.close());
  try {
    const reader = createReader(stream, clock);
    const request = {
      ...{ host: `${place.hostname}:${place.port}`, path: PATH, fields: fieldsOf(hello) },
    };
    const { status, fields, reason } = await askUpgrade(stream, reader, request, own.prove);
    if (status === 101 && own.isProven(fields)) {
      return linkOn(createSocket(stream, reader, { role: "client", limit: LONGEST, clock }));
    }
    const why = status === 101
      ? "it does not prove to know the token"
      : reason || `status ${status}`;
    throw new DistError(`The launcher at ${to} refuses: ${why}`, "refused");
  } catch (error) {
    stream.close();
    if (error instanceof DistError) throw error;
    if (!(error instanceof HttpError)) return undefined;
    throw new DistError(`Cannot use ${to}: ${error.message}`, "address", { cause: error });
  } finally {
    cancel();
  }
}
