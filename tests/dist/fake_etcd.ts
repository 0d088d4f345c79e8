/** As much of etcd's JSON gateway as members use, in this process: keys of revisions, leases, and one comparison. */

interface Entry {
  value: string;
  revision: number;
  lease: string;
}

/** A key that is written; numbers are strings, as in all of the gateway's JSON. */
interface Put {
  readonly key: string;
  readonly value: string;
  readonly lease?: string;
}

/** What requests hold, each some of it. */
interface Body extends Put {
  readonly range_end: string;
  readonly compare: readonly [
    { readonly key: string; readonly target: string; readonly mod_revision: string },
  ];
  readonly success: readonly [{ readonly request_put: Put }];
  readonly TTL: string;
  readonly ID: string;
}

/** A gateway that can be asked, and made to fail. */
export interface FakeEtcd {
  readonly url: string;
  /** Answers nothing of use until it is false again. */
  isDown: boolean;
  /** Puts that it will refuse. */
  refusedPuts: number;
  /** So long it takes to grant a lease. Units: milliseconds. */
  grantDelay: number;
  /** Leases that were asked for, and that were ended by who had them. */
  readonly granted: number;
  readonly revoked: number;
  /** Ends all leases, as if their time was over. */
  endLeases(): void;
  close(): Promise<void>;
}

/** Listens on this machine. */
export function fakeEtcd(): FakeEtcd {
  const entries = new Map<string, Entry>(),
    leases = new Map<string, { ttl: number; end: number }>();
  let revision = 1, nextLease = 7000, granted = 0, revoked = 0;
  const expire = (): void => {
    for (const [id, { end }] of leases) {
      if (performance.now() < end) continue;
      leases.delete(id);
      for (const [key, { lease }] of entries) if (lease === id) entries.delete(key);
    }
  };
  const put = ({ key, value, lease = "0" }: Put): void => {
    entries.set(atob(key), { value, revision: ++revision, lease });
  };
  const calls: Readonly<Record<string, (body: Body) => object | undefined | Promise<object>>> = {
    "/v3/kv/range": ({ key, range_end }) => ({
      kvs: [...entries].filter(([name]) => name >= atob(key) && name < atob(range_end))
        .map(([name, entry]) => ({
          key: btoa(name),
          value: entry.value,
          mod_revision: String(entry.revision),
        })),
    }),
    "/v3/kv/put": (body) => {
      const { lease = "0" } = body;
      if (fake.refusedPuts > 0) return void fake.refusedPuts--;
      if (lease !== "0" && !leases.has(lease)) return undefined;
      put(body);
      return {};
    },
    "/v3/kv/txn": ({ compare: [{ key, target, mod_revision }], success: [{ request_put }] }) => {
      const found = entries.get(atob(key))?.revision ?? 0;
      if (target !== "MOD" || String(found) !== mod_revision) return {};
      put(request_put);
      return { succeeded: true };
    },
    "/v3/lease/grant": async ({ TTL }) => {
      granted++;
      if (fake.grantDelay > 0) await new Promise((resolve) => setTimeout(resolve, fake.grantDelay));
      const id = String(nextLease++), ttl = Number(TTL);
      leases.set(id, { ttl, end: performance.now() + 1000 * ttl });
      return { ID: id, TTL };
    },
    "/v3/lease/keepalive": ({ ID }) => {
      const lease = leases.get(ID);
      if (!lease) return { result: { ID } };
      lease.end = performance.now() + 1000 * lease.ttl;
      return { result: { ID, TTL: String(lease.ttl) } };
    },
    "/v3/lease/revoke": ({ ID }) => {
      const lease = leases.get(ID);
      if (lease) lease.end = 0;
      revoked++;
      return {};
    },
  };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      expire();
      const answer = fake.isDown
        ? undefined
        : await calls[new URL(request.url).pathname]?.(await request.json());
      return answer ? Response.json(answer) : Response.json({ error: "no" }, { status: 503 });
    },
  );
  const fake: FakeEtcd = {
    url: `http://127.0.0.1:${server.addr.port}`,
    isDown: false,
    refusedPuts: 0,
    grantDelay: 0,
    get granted() {
      return granted;
    },
    get revoked() {
      return revoked;
    },
    endLeases() {
      for (const lease of leases.values()) lease.end = 0;
      expire();
    },
    close: () => server.shutdown(),
  };
  return fake;
}
