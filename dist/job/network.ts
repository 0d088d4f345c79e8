/**
 * The network that a job's processes speak over.
 *
 * @module
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { DistError } from "../error.ts";
import { mutualTls } from "../net/mutual_tls.ts";
import type { Door, Network } from "../net/network.ts";
import { tcp } from "../net/tcp.ts";
import type { TlsFiles } from "../net/tls.ts";
import type { JobTls } from "./place.ts";

/**
 * TCP, or TLS by the files of `tls`; where clients must show certificates, this process listens at `door` already.
 *
 * @throws DistError "address" if a file cannot be used
 */
export async function jobNetwork(tls: JobTls | undefined, door: Door): Promise<Network> {
  if (!tls) return tcp();
  const files = await readTls(tls);
  return tls.clients ? await mutualTls(files, door) : tcp(files);
}

/** Reads the files, and looks whether they can work: otherwise it shows at the first connection, in the words of a library. @throws DistError "address" */
async function readTls(paths: JobTls): Promise<TlsFiles> {
  const refuse = (path: string, why: string, cause?: unknown): never => {
    throw new DistError(`Cannot use ${path} for TLS: ${why}`, "address", { cause });
  };
  const read = async (path: string): Promise<string> =>
    await Deno.readTextFile(path).catch((error) =>
      refuse(path, error instanceof Deno.errors.NotFound ? "no such file" : error.message, error)
    );
  const parse = <T>(path: string, what: string, f: () => T): T => {
    try {
      return f();
    } catch (error) {
      return refuse(path, `it must be PEM with a ${what}`, error);
    }
  };
  const [cert, key, ca] = [await read(paths.cert), await read(paths.key), await read(paths.ca)];
  const own = parse(paths.cert, "certificate", () => new X509Certificate(cert));
  const secret = parse(paths.key, "private key", () => createPrivateKey(key));
  const authority = parse(paths.ca, "certificate", () => new X509Certificate(ca));
  if (!own.checkPrivateKey(secret)) refuse(paths.key, `it is not the key of ${paths.cert}`);
  for (
    const [path, { validFrom, validTo }] of [[paths.cert, own], [paths.ca, authority]] as const
  ) {
    if (Date.now() > Date.parse(validTo)) refuse(path, `it was good until ${validTo}`);
    if (Date.now() < Date.parse(validFrom)) refuse(path, `it is good from ${validFrom} on`);
  }
  return { cert, key, ca };
}
