/**
 * A transport over WebSockets, on whatever network: TCP, TLS or a simulation.
 *
 * @module
 */
import { sleep } from "../clock.ts";
import { DistError } from "../error.ts";
import type { ByteStream, Network, Place } from "../net/network.ts";
import { HttpError, type HttpHead } from "../ws/http.ts";
import { createReader } from "../ws/reader.ts";
import { createSocket, type Socket } from "../ws/socket.ts";
import { type Answer, askUpgrade, serveUpgrade } from "../ws/upgrade.ts";
import { sealed, unsealed } from "./seal.ts";
import {
  fieldsOf,
  type Hello,
  isName,
  isQuestion,
  PATH,
  PROTOCOL,
  protocolDifference,
  readHello,
} from "./hello.ts";
import { guard, prover } from "./token.ts";
import { readToken, termRefusal } from "./token_term.ts";
import { createLinks, type OpenLinks, type Patience, SILENCE } from "./links.ts";
import type { AskingTransport, Membership, Question } from "./transport.ts";

/** Where to listen, and how patient to be. */
export interface SocketTransportOptions extends Place {
  /** A peer that is silent for so long is taken for stopped or cut off. Units: milliseconds; 10,000 if left out. */
  readonly silence?: number;
  /** What all processes of the run know and others do not. Without one everybody is let in, and only from this machine. */
  readonly token?: string;
  /** The time, for tokens that end. Units: milliseconds since 1970; this machine's if left out. */
  readonly wall?: () => number;
}

/** Bytes that a message may have: what a sender splits arrays into, and its header. */
const LONGEST_MESSAGE = 64 << 20;
/** What strangers may cost: time until they have said who they are, and how many of them. */
const HELLO_MS = 10_000, MOST_STRANGERS = 256;
/** Who has had so long must go for another where there are too many: ranks say who they are at once. Units: milliseconds. */
const FAIR_MS = 1000;

/** After an accept that failed the next one waits so long: what the process has too many of may be fewer then. */
const ACCEPT_MS = 50;

const LINE = "questions and answers are lines of printable ASCII, of 6 KiB at most";

const LINGER = { failed: 250, closed: 5000 }, GRACE = 100;

/**
 * Opens a door for other processes.
 *
 * @throws DistError "address" if this is no place to listen on; RangeError if the token is none
 */
export function openSockets(network: Network, options: SocketTransportOptions): AskingTransport {
  const { hostname, port, silence = SILENCE, wall = Date.now } = options, { clock } = network;
  const token = options.token === undefined ? undefined : readToken(options.token);
  const listener = network.listen({ hostname, port, guarded: token !== undefined });
  const address = `${network.scheme}://${
    hostname.includes(":") ? `[${hostname}]` : hostname
  }:${listener.port}`;
  const groups = new Map<string, OpenLinks>(), over = new Map<string, number>();
  const patience: Patience = { silence, grace: GRACE, linger: LINGER };
  // Since when somebody has been asked who they are, or asks.
  const strangers = new Map<ByteStream, number>(), dialled = new Set<ByteStream>();
  // Of the group joined last: who comes from another job is told so, even when that has made this one fail already.
  let isOpen = true, job: string | undefined;
  let answerer: Parameters<AskingTransport["onQuestion"]>[0] | undefined;

  /** Ends a stream that has not come to an agreement in time. */
  async function within<T>(stream: ByteStream, agree: () => Promise<T>): Promise<T> {
    const stop = clock.after(HELLO_MS, () => stream.close());
    try {
      return await agree();
    } finally {
      stop();
      strangers.delete(stream);
      dialled.delete(stream);
    }
  }
  /** Takes one more caller, if need be for one that has had its time. */
  function isRoom(): boolean {
    if (strangers.size < MOST_STRANGERS) return true;
    const [[oldest, since] = []] = strangers;
    if (oldest === undefined || clock.now() - since! < FAIR_MS) return false;
    strangers.delete(oldest);
    oldest.close();
    return true;
  }
  async function serve(stream: ByteStream): Promise<void> {
    strangers.set(stream, clock.now());
    const reader = createReader(stream, clock);
    // Who let it in: by the time it is answered, its group may have failed and another one joined.
    let hello: Hello | undefined, host: ReturnType<typeof groups.get>;
    const own = token === undefined ? undefined : guard(token, wall);
    try {
      const { status } = await within(stream, () =>
        serveUpgrade(stream, reader, (request) => {
          // Another version may say hello in another way, and prove it so.
          const other = protocolDifference(request.fields);
          if (other) return { status: 409, reason: `Cannot work together: ${other}` };
          hello = helloIn(request);
          if (!hello) return { status: 403, reason: "Cannot let in: no hello of Motian" };
          const refusal = own?.refusal(hello, request.fields);
          if (refusal) return refusal;
          const asked = hello,
            proven = (answer: Answer, ...words: string[]): Answer =>
              own ? { ...answer, fields: own.proof(asked, request.fields, ...words) } : answer;
          if (asked.question !== undefined) {
            // An answer may decide for all: its words are proven too.
            return answerTo(asked, asked.question).then((answer) =>
              proven(answer, wordsOf(answer))
            );
          }
          const answer = admit(asked);
          if (answer.status === 101) host = groups.get(keyOf(asked));
          return proven(answer);
        }));
      if (status !== 101) return stream.close();
    } catch {
      // Whoever it was has been told, or is gone.
      if (hello) host?.release(hello);
      return stream.close();
    }
    const socket = createSocket(stream, reader, { role: "server", limit: 0, clock });
    if (host) host.attach(hello!, socket);
    else socket.drop();
  }
  async function answerTo({ job, plan }: Hello, text: string): Promise<Answer> {
    if (!answerer) return { status: 503, reason: "Cannot answer: nobody here is asked anything" };
    const asked = unsealed(text, job, plan);
    if (asked === undefined) return { status: 403, reason: "Cannot answer: damaged on the way" };
    try {
      const answer = await answerer({ job, plan, text: asked });
      if (isQuestion(answer)) return { status: 200, reason: sealed(answer) };
      throw new RangeError(`Cannot answer ${answer.length} characters: ${LINE}`);
    } catch (error) {
      if (error instanceof DistError) return { status: 409, reason: sealed(error.message) };
      // Not the asker's fault, who would take silence for a process that has stopped: it fails where it is.
      reportError(error);
      return { status: 503, reason: "Cannot answer: it failed here" };
    }
  }
  function admit(hello: Hello): Answer {
    const key = keyOf(hello), group = groups.get(key), last = over.get(key) ?? -1;
    const here = group?.member.generation ?? last;
    if (hello.generation < here || (!group && hello.generation === last)) {
      const reason =
        `Cannot let in rank ${hello.to}: generation ${hello.generation} is over, this is ${here}`;
      return { status: 409, reason };
    }
    if (group && hello.generation === here) return group.admit(hello);
    if (!group && job !== undefined && job !== hello.job) {
      const reason = `Cannot let in job ${hello.job}: this is job ${job}`;
      return { status: 409, reason };
    }
    return { status: 503, reason: "Cannot let in yet: this rank has not joined" };
  }
  /** Lets others in until the door is closed: a caller who cannot be let in leaves it open to the next. */
  async function accept(): Promise<void> {
    while (isOpen) {
      const stream = await listener.accept().catch(() => undefined);
      if (stream && isRoom()) serve(stream);
      else if (stream) stream.close();
      else if (isOpen) await sleep(clock, ACCEPT_MS);
    }
  }
  accept();

  /** The first request on a stream to this place. */
  const requestOf = ({ hostname, port }: Place, hello: Hello) => ({
    host: `${hostname}:${port}`,
    path: PATH,
    fields: fieldsOf(hello),
  });
  async function dial(asked: Hello, to: string): Promise<Socket | undefined> {
    const place = placeOf(to, network.scheme), hello = { ...asked, address };
    const ended = termRefusal(token?.term, wall());
    if (ended !== undefined) {
      const text =
        `Cannot ask rank ${hello.from} at ${to} for a link by this rank's token: ${ended}`;
      throw new DistError(text, "refused");
    }
    const own = token === undefined ? undefined : prover(token, hello);
    let stream: ByteStream;
    try {
      stream = await network.connect(place);
    } catch (error) {
      if (error instanceof DistError && error.failure === "refused") return undefined;
      throw error;
    }
    dialled.add(stream);
    try {
      const reader = createReader(stream, clock), request = requestOf(place, hello);
      const answer = await within(stream, () => askUpgrade(stream, reader, request, own?.prove));
      if (answer.status === 101) {
        if (own && !own.isProven(answer.fields)) {
          stream.close();
          const text = `Rank ${hello.from} at ${to} does not prove to know this run's token`;
          throw new DistError(text, "refused", { rank: hello.from });
        }
        return createSocket(stream, reader, { role: "client", limit: LONGEST_MESSAGE, clock });
      }
      stream.close();
      if (answer.status === 503) return undefined;
      const failure = answer.status === 409 ? "mismatch" : "refused";
      const reason = answer.reason || `it answers with status ${answer.status}`;
      throw new DistError(`Rank ${hello.from} at ${to} refuses: ${reason}`, failure, {
        rank: hello.from,
      });
    } catch (error) {
      stream.close();
      if (error instanceof DistError) {
        throw new DistError(error.message, error.failure, { rank: hello.from, cause: error });
      }
      if (!(error instanceof HttpError)) return undefined;
      throw new DistError(`Cannot use ${to}: ${error.message}`, "address", {
        rank: hello.from,
        cause: error,
      });
    }
  }
  async function ask(to: string, { text, ...who }: Question): Promise<string> {
    if (!isQuestion(text)) {
      throw new RangeError(`Cannot ask ${text.length} characters: ${LINE}`);
    }
    const place = placeOf(to, network.scheme),
      own = { from: 0, to: 1, size: 2, lane: "main" } as const;
    const hello: Hello = {
      ...{ protocol: PROTOCOL, generation: 0, group: "", address },
      ...{ ...who, question: sealed(text, who.job, who.plan) },
      ...own,
    };
    const ended = termRefusal(token?.term, wall());
    if (ended !== undefined) {
      throw new DistError(`Cannot ask ${to} by this process's token: ${ended}`, "refused");
    }
    const proof = token === undefined ? undefined : prover(token, hello);
    const stream = await network.connect(place).catch((error) => {
      if (!(error instanceof DistError && error.failure === "refused")) throw error;
      throw new DistError(`Nobody listens at ${to} any more`, "lost", { cause: error });
    });
    dialled.add(stream);
    try {
      const reader = createReader(stream, clock), request = requestOf(place, hello);
      const answer = await within(stream, () => askUpgrade(stream, reader, request, proof?.prove));
      const said = unsealed(answer.reason);
      if (said !== undefined && proof && !proof.isProven(answer.fields, wordsOf(answer))) {
        throw new DistError(`${to} does not prove to know this run's token`, "refused");
      }
      if (answer.status === 200 && said !== undefined) return said;
      const failure = answer.status === 409 && said !== undefined ? "mismatch" : "refused";
      const why = said ?? (answer.reason || answer.status);
      throw new DistError(`${to} refuses to answer: ${why}`, failure);
    } catch (error) {
      if (error instanceof DistError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new DistError(`Cannot ask ${to}: ${why}`, "address", { cause: error });
    } finally {
      stream.close();
    }
  }
  return {
    address,
    clock,
    ask,
    onQuestion: (f) => void (answerer = f),
    join(member) {
      const key = keyOf(member), known = groups.get(key), last = over.get(key) ?? -1;
      checkMember(member);
      if (known || member.generation <= last) {
        const here = known ? known.member.generation : last;
        throw new DistError(
          `Cannot join generation ${member.generation} of group "${member.group}": generation ${here} is ${
            known ? "not over" : "over already"
          }`,
          "mismatch",
        );
      }
      const links = createLinks(member, dial, clock, patience, () => {
        if (groups.get(key) === links) groups.delete(key);
        over.set(key, member.generation);
      });
      groups.set(key, links);
      job = member.job;
      return links;
    },
    async close() {
      isOpen = false;
      await Promise.all([...groups.values()].map((group) => group.close()));
      listener.close();
      for (const stream of [...strangers.keys(), ...dialled]) stream.close();
    },
  };
}

/** What is proven of an answer to a question. */
function wordsOf(
  { status, reason }: { readonly status: number; readonly reason?: string },
): string {
  return `${status} ${reason}`;
}

function helloIn(request: HttpHead): Hello | undefined {
  return request.start.startsWith(`GET ${PATH} `) ? readHello(request.fields) : undefined;
}

function keyOf({ job, group }: { readonly job: string; readonly group: string }): string {
  return `${job} ${group}`;
}

/** @throws RangeError */
function checkMember({ job, group, rank, addresses, generation }: Membership): void {
  if (!isName(job) || !(group === "" || isName(group))) {
    throw new RangeError(
      `Cannot join job "${job}", group "${group}": names are 1 to 100 letters, digits and ._-/`,
    );
  }
  if (!Number.isInteger(generation) || generation < 0 || generation >= 2 ** 32) {
    throw new RangeError(`Cannot join generation ${generation}: it must be an integer of 32 bits`);
  }
  if (Number.isInteger(rank) && rank >= 0 && rank < addresses.length) return;
  throw new RangeError(
    `Cannot join as rank ${rank} of ${addresses.length}: ranks go from 0 to ${
      addresses.length - 1
    }`,
  );
}

/** The place that an address like "ws://host:port" names. @throws DistError "address" */
export function placeOf(address: string, scheme: Network["scheme"]): Place {
  const [, found, host, port] =
    /^(wss?|shm|mpi):\/\/(\[[0-9a-fA-F:.]+\]|[^\s/:]+):(\d{1,5})\/?$/.exec(address) ?? [];
  if (!host || Number(port) > 65_535) {
    throw new DistError(
      `Cannot connect to "${address}": it must be like ${scheme}://host:port`,
      "address",
    );
  }
  if (found !== scheme) {
    throw new DistError(`Cannot connect to ${address}: this process speaks ${scheme}`, "address");
  }
  return { hostname: host.replace(/^\[|\]$/g, ""), port: Number(port) };
}
