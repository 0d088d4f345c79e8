/**
 * A checksum before a line, as a frame has one: without a token nothing else would notice what was damaged on the way.
 *
 * @module
 */
import { crc32 } from "node:zlib";

/** Something else that must have come through too. */
type Beside = readonly (string | number)[];

const sumOf = (text: string, beside: Beside): string =>
  crc32([...beside, text].join(" ")).toString(16).padStart(8, "0");

/** A line with its checksum. */
export function sealed(text: string, ...beside: Beside): string {
  return `${sumOf(text, beside)} ${text}`;
}

/** The line alone; undefined if it is not what it was. */
export function unsealed(line: string, ...beside: Beside): string | undefined {
  const text = line.slice(9);
  return line.slice(0, 9) === `${sumOf(text, beside)} ` ? text : undefined;
}
