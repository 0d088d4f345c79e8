/**
 * The part of node:fs/promises that files are read and written with, found without an import, which a browser bundle would
 * stumble over.
 *
 * @module
 */

/** An open file. */
export interface FileHandle {
  read(
    target: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>;
  write(bytes: Uint8Array): Promise<{ readonly bytesWritten: number }>;
  stat(): Promise<{ readonly size: number }>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Files by name. */
export interface Files {
  open(path: string | URL, flags: "r" | "w"): Promise<FileHandle>;
  mkdir(path: string, options: { readonly recursive: true }): Promise<unknown>;
  rename(from: string | URL, to: string | URL): Promise<void>;
  rm(path: string | URL, options: { readonly force: boolean }): Promise<void>;
}

/**
 * The file system.
 *
 * @throws {TypeError} where there is none, as in a browser.
 */
export function files(): Files {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  if (!process?.getBuiltinModule) {
    throw new TypeError("Cannot open a file here: a browser has none; pass a Blob or a stream");
  }
  return process.getBuiltinModule("node:fs/promises") as Files;
}
