/**
 * A transport whose groups share memory, where their ranks are on one host.
 *
 * @module
 */
import type { Transport } from "../../transport/transport.ts";
import { hostEngine, type SharingOptions } from "./engine.ts";
import { type Libc, openLibc } from "./libc.ts";

/**
 * The same transport, but the ranks of a group that are on one host do whole operations through memory that they share, and send
 * messages only to other hosts; links stay open to notice who dies. On Linux, with `--allow-ffi`, for processes of one user; all ranks
 * of a group must do it. A group refuses to begin if one of its ranks cannot.
 */
export function shareMemory(transport: Transport, options: SharingOptions = {}): Transport {
  let libc: Libc | undefined;
  const open = (): Libc => libc ??= openLibc();
  return {
    ...transport,
    join(member) {
      const links = transport.join(member);
      if (member.addresses.length === 1) return links;
      return { ...links, engine: hostEngine(open, member, links, options) };
    },
  };
}
