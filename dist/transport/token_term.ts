/**
 * For how long a token is good: it says so itself, as in "motian.1767225600.3600.9f86…", made at a second since 1970 and good for as
 * many. Any other text is a token without an end.
 *
 * @module
 */
import { randomBytes } from "node:crypto";

/** A token, read. */
export interface Token {
  /** All of it: the key of proofs. */
  readonly text: string;
  /** Undefined if it has no end. */
  readonly term: TokenTerm | undefined;
}

/** When a token is good. Units: seconds, the first since 1970. */
export interface TokenTerm {
  readonly made: number;
  readonly life: number;
}

/** Clocks of a job's machines may differ by so much. Units: seconds. */
const SKEW = 60;
/** Units: seconds, a century. */
const LONGEST = 3_155_760_000;

/**
 * A token that nobody can guess.
 *
 * Links are opened when they are first needed, those of a restart or of somebody who comes later too: a token must live as long as
 * anybody may want to come. Links that are open stay so.
 *
 * @throws RangeError if the life is not a whole number of seconds from 1 to a century's
 *
 * @example
 * ```ts
 * import { createToken } from "./token_term.ts";
 * console.log(createToken({ life: 3600 }).split(".")[2]); // 3600
 * ```
 */
export function createToken(
  { life, now = Date.now() }: {
    /** Units: seconds; without an end if left out. */
    readonly life?: number | undefined;
    /** Units: milliseconds since 1970. */
    readonly now?: number;
  } = {},
): string {
  const secret = randomBytes(32).toString("hex");
  if (life === undefined) return secret;
  if (!(Number.isInteger(life) && life >= 1 && life <= LONGEST)) {
    throw new RangeError(
      `Cannot make a token for ${life} s: it must be a whole number from 1 to ${LONGEST}`,
    );
  }
  return `motian.${Math.floor(now / 1000)}.${life}.${secret}`;
}

/** Reads a token. @throws RangeError if it begins like one with an end and is none */
export function readToken(text: string): Token {
  if (!text.startsWith("motian.")) return { text, term: undefined };
  const [, made, life] = /^motian\.(\d{1,10})\.(\d{1,10})\.[\w-]{16,}$/.exec(text) ?? [];
  // The text itself is nobody's to see.
  if (made === undefined || Number(life) < 1) {
    throw new RangeError(
      `Cannot use a token of ${text.length} letters: what begins with "motian." must go on with when it was made, its life and a secret of 16 letters or more, as in motian.1767225600.3600.…`,
    );
  }
  return { text, term: { made: Number(made), life: Number(life) } };
}

/** Why a token is no good now, with both times; undefined if it is good. `now` in milliseconds since 1970. */
export function termRefusal(term: TokenTerm | undefined, now: number): string | undefined {
  if (!term) return undefined;
  const seconds = now / 1000, here = `, it is ${timeText(seconds)} here`;
  if (seconds > term.made + term.life + SKEW) return `it has expired: ${termText(term)}${here}`;
  if (seconds < term.made - SKEW) return `it is not good yet: ${termText(term)}${here}`;
  return undefined;
}

/** A term in words. */
export function termText(term: TokenTerm | undefined): string {
  return term ? `made at ${timeText(term.made)} for ${term.life} s` : "without an end";
}

/** A term on the wire. */
export function writeTerm(term: TokenTerm | undefined): string {
  return term ? `${term.made} ${term.life}` : "none";
}

/** A term from the wire; null if it is none. */
export function readTerm(text: string): TokenTerm | undefined | null {
  if (text === "none") return undefined;
  const [, made, life] = /^(\d{1,10}) (\d{1,10})$/.exec(text) ?? [];
  return made === undefined ? null : { made: Number(made), life: Number(life) };
}

const timeText = (seconds: number): string =>
  new Date(Math.floor(seconds) * 1000).toISOString().replace(".000Z", "Z");
