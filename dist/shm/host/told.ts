/**
 * How one process tells another of memory: its own number and the memory's number there, and what the memory begins with, so that no
 * other is taken for it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { DistError } from "../../error.ts";
import { NONCE } from "./layout.ts";
import type { Libc, Mapping } from "./libc.ts";

const WORDS = 2;
/** Bytes that are told. */
export const TOLD: number = 4 * WORDS + NONCE;

/** Memory of this process, for others to find. */
export interface Offered {
  readonly mapping: Mapping;
  /** What to tell them. */
  readonly told: Uint8Array<ArrayBuffer>;
  /** Nobody else may find it any more; those who have it keep it. */
  seal(): void;
}

/** New memory, whose first bytes say that it is that. @throws DistError "engine" */
export function offerMemory(libc: Libc, bytes: number): Offered {
  const file = libc.create(bytes), told = new Uint8Array(TOLD);
  try {
    const mapping = libc.map(file, bytes), nonce = told.subarray(4 * WORDS);
    new Int32Array(told.buffer, 0, WORDS).set([Deno.pid, file]);
    nonce.set(randomBytes(NONCE));
    new Uint8Array(mapping.bytes, 0, NONCE).set(nonce);
    return { mapping, told, seal: () => libc.close(file) };
  } catch (error) {
    libc.close(file);
    throw error;
  }
}

/** The memory that was told of. @throws DistError "engine" */
export function findMemory(libc: Libc, told: Uint8Array<ArrayBuffer>, bytes: number): Mapping {
  const [process = 0, number = 0] = new Int32Array(told.buffer, 0, WORDS);
  const file = libc.openOf(process, number, bytes);
  try {
    const mapping = libc.map(file, bytes), found = new Uint8Array(mapping.bytes, 0, NONCE);
    if (Buffer.compare(found, told.subarray(4 * WORDS)) === 0) return mapping;
    libc.unmap(mapping);
    throw new DistError(`Cannot share memory: process ${process} is another one here`, "engine");
  } finally {
    libc.close(file);
  }
}
