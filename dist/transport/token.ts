/**
 * Both sides show that they know the run's token, without saying it: a challenge with a nonce of each, before the upgrade.
 *
 * proof = HMAC-SHA256(token, who proves, the server's nonce, the client's nonce, when the token was made and for how long, the hello).
 * A proof is good for one connection, as its nonces are, and for the hello that it speaks of; that of an answer to a question is of the
 * answer too.
 *
 * @module
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Answer, Fields } from "../ws/upgrade.ts";
import { fieldsOf, type Hello } from "./hello.ts";
import { readTerm, termRefusal, termText, type Token, writeTerm } from "./token_term.ts";

const CHALLENGE = "Motian-Challenge", NONCE = "Motian-Nonce", PROOF = "Motian-Proof";
/** When the token was made and for how long, as whoever asks has it. */
const TERM = "Motian-Term";
const field = (fields: ReadonlyMap<string, string>, name: string): string =>
  fields.get(name.toLowerCase()) ?? "";

/** A nonce: nobody has seen it before. */
const nonce = (): string => randomBytes(16).toString("hex");

interface Nonces {
  readonly server: string;
  readonly client: string;
}

function proofOf(
  token: Token,
  who: "server" | "client",
  nonces: Nonces,
  hello: Hello,
  ...answer: readonly string[]
): string {
  const fields = Object.entries(fieldsOf(hello)).sort(([a], [b]) => a < b ? -1 : 1);
  const said = JSON.stringify([
    who,
    nonces.server,
    nonces.client,
    writeTerm(token.term),
    fields,
    ...answer,
  ]);
  return createHmac("sha256", token.text).update(said).digest("hex");
}

function isEqual(found: string, expected: string): boolean {
  const [a, b] = [found, expected].map((text) => new TextEncoder().encode(text));
  return a!.length === b!.length && timingSafeEqual(a!, b!);
}

/** The server's side of one connection. */
export interface Guard {
  /** What to answer to a request that has not proven its hello; undefined if it has. */
  refusal(hello: Hello, fields: ReadonlyMap<string, string>): Answer | undefined;
  /** The server's own proof, for the answer that lets in, or with the words of an answer to a question. */
  proof(
    hello: Hello,
    fields: ReadonlyMap<string, string>,
    ...answer: readonly string[]
  ): Fields;
}

/** Asks whoever comes on one connection for a proof. `now` is in milliseconds since 1970. */
export function guard(token: Token, now: () => number): Guard {
  const server = nonce();
  let asked = false;
  const noncesIn = (fields: ReadonlyMap<string, string>): Nonces => ({
    server,
    client: field(fields, NONCE),
  });
  return {
    refusal(hello, fields) {
      const who = `Cannot let in rank ${hello.to}`, over = termRefusal(token.term, now());
      if (over !== undefined) {
        return { status: 403, reason: `${who} by the token of rank ${hello.from}: ${over}` };
      }
      if (!asked) {
        asked = true;
        const reason = "Cannot let in who does not prove to know this run's token";
        return { status: 401, fields: { [CHALLENGE]: server }, reason };
      }
      const proof = field(fields, PROOF);
      if (isEqual(proof, proofOf(token, "client", noncesIn(fields), hello))) return undefined;
      const theirs = readTerm(field(fields, TERM)), ours = writeTerm(token.term);
      const terms = theirs === null || writeTerm(theirs) === ours
        ? ""
        : `, ${termText(theirs)}; that of rank ${hello.from} was ${termText(token.term)}`;
      return { status: 403, reason: `${who}: it has another token${terms}` };
    },
    proof: (hello, fields, ...answer) => ({
      [PROOF]: proofOf(token, "server", noncesIn(fields), hello, ...answer),
    }),
  };
}

/** The client's side of one connection. */
export interface Prover {
  /** The answer to a challenge. */
  prove(challenge: ReadonlyMap<string, string>): Fields | undefined;
  /** Has the server proven that it knows the token too, and that these words are its own? */
  isProven(fields: ReadonlyMap<string, string>, ...answer: readonly string[]): boolean;
}

/** Proves a hello on one connection. */
export function prover(token: Token, hello: Hello): Prover {
  const client = nonce();
  let server = "";
  return {
    prove(challenge) {
      server = field(challenge, CHALLENGE);
      if (!/^[0-9a-f]{32}$/.test(server)) return undefined;
      const proof = proofOf(token, "client", { server, client }, hello);
      return { [NONCE]: client, [PROOF]: proof, [TERM]: writeTerm(token.term) };
    },
    isProven: (fields, ...answer) =>
      server !== "" &&
      isEqual(field(fields, PROOF), proofOf(token, "server", { server, client }, hello, ...answer)),
  };
}
