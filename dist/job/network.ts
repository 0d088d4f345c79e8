/**
 * The network that a job's processes speak over.
 *
 * @module
 */
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

/** @throws DistError "address" */
async function readTls({ cert, key, ca }: JobTls): Promise<TlsFiles> {
  const read = async (path: string, what: "CERTIFICATE" | "PRIVATE KEY"): Promise<string> => {
    const refuse = (why: string, cause?: unknown): never => {
      throw new DistError(`Cannot use ${path} for TLS: ${why}`, "address", { cause });
    };
    const text = await Deno.readTextFile(path).catch((error) =>
      refuse(error instanceof Deno.errors.NotFound ? "no such file" : error.message, error)
    );
    // What is no PEM otherwise shows at the first connection, in the words of a library.
    return new RegExp(`^-----BEGIN [A-Z ]*${what}-----`, "m").test(text)
      ? text
      : refuse(`it must be PEM with a ${what}`);
  };
  return {
    cert: await read(cert, "CERTIFICATE"),
    key: await read(key, "PRIVATE KEY"),
    ca: await read(ca, "CERTIFICATE"),
  };
}
