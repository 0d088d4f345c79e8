/**
 * The little of etcd that members need, over its JSON gateway: keys with leases, and compare-and-swap.
 *
 * Source: etcd's API reference, version 3: https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { isRecord } from "./is_record.ts";

/** A key's value, and the revision that it is of. */
export interface EtcdValue {
  readonly value: string;
  readonly revision: string;
}

/** A store. Everything is rejected with an EtcdError where it cannot be reached in time. */
export interface Etcd {
  /** All keys with a prefix. */
  range(prefix: string): Promise<ReadonlyMap<string, EtcdValue>>;
  put(key: string, value: string, lease?: string): Promise<void>;
  /** Sets a key if it still is of a revision; "0" if it must not be there. Has it been set? */
  swap(key: string, revision: string, value: string): Promise<boolean>;
  /** A lease, by its name. Units: seconds. */
  grant(seconds: number): Promise<string>;
  /** Has the lease been renewed? False if it has ended. */
  keepAlive(lease: string): Promise<boolean>;
  revoke(lease: string): Promise<void>;
}

/** A store that cannot be reached, or gives no sense. */
export class EtcdError extends RangeError {
  /** "EtcdError" */
  override readonly name = "EtcdError";
}

const encoded = (text: string): string => Buffer.from(text).toString("base64");
const decoded = (text: string): string => Buffer.from(text, "base64").toString();

/** The end of a range of all keys with a prefix: its last byte, one higher. */
const endOf = (prefix: string): string =>
  prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);

/** A store at the first of some addresses, as in "http://127.0.0.1:2379", that answers. */
export function openEtcd(urls: readonly string[], patience = 2000): Etcd {
  let at = 0;
  async function call(path: string, body: object): Promise<Readonly<Record<string, unknown>>> {
    let failure = "";
    for (const _ of urls) {
      const url = urls[at % urls.length]!.replace(/\/$/, "");
      try {
        const signal = AbortSignal.timeout(patience);
        const answer = await fetch(url + path, {
          method: "POST",
          body: JSON.stringify(body),
          signal,
        });
        const found: unknown = await answer.json();
        if (answer.ok && isRecord(found)) return found;
        failure = `${url}${path} answers with status ${answer.status}`;
      } catch (error) {
        failure = `${url}${path}: ${error instanceof Error ? error.message : error}`;
      }
      at++;
    }
    throw new EtcdError(`Cannot use etcd: ${failure}`);
  }
  return {
    async range(prefix) {
      const { kvs = [] } = await call("/v3/kv/range", {
        key: encoded(prefix),
        range_end: encoded(endOf(prefix)),
      }) as { kvs?: readonly { key: string; value?: string; mod_revision: string }[] };
      return new Map(
        kvs.map(({ key, value = "", mod_revision }) => [
          decoded(key),
          { value: decoded(value), revision: mod_revision },
        ]),
      );
    },
    async put(key, value, lease = "0") {
      await call("/v3/kv/put", { key: encoded(key), value: encoded(value), lease });
    },
    async swap(key, revision, value) {
      const { succeeded } = await call("/v3/kv/txn", {
        compare: [{ key: encoded(key), target: "MOD", result: "EQUAL", mod_revision: revision }],
        success: [{ request_put: { key: encoded(key), value: encoded(value) } }],
      });
      return succeeded === true;
    },
    async grant(seconds) {
      const { ID } = await call("/v3/lease/grant", { TTL: String(seconds) });
      if (typeof ID !== "string") throw new EtcdError("Cannot use etcd: a lease has no ID");
      return ID;
    },
    async keepAlive(lease) {
      const { result } = await call("/v3/lease/keepalive", { ID: lease });
      return isRecord(result) && Number(result.TTL ?? 0) > 0;
    },
    async revoke(lease) {
      await call("/v3/lease/revoke", { ID: lease });
    },
  };
}
