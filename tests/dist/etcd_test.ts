/** Members whose generations etcd keeps: against a gateway of our own, and etcd itself where it is installed. */
import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { join } from "@std/path";
import type { Council, Trouble } from "../../dist/elastic/council.ts";
import { openEtcd } from "../../dist/elastic/etcd.ts";
import { etcdCouncil } from "../../dist/elastic/etcd_council.ts";
import { type Roster, rosterText } from "../../dist/elastic/roster.ts";
import { DistError } from "../../dist/error.ts";
import { tcp } from "../../dist/net/tcp.ts";
import { openSockets } from "../../dist/transport/sockets.ts";
import { freePorts } from "../../recipes/launch/free_port.ts";
import { inFolder } from "../in_folder.ts";
import { kill } from "../kill.ts";
import { skip } from "../skip.ts";
import { within } from "../within.ts";
import { type EtcdMember, etcdMember, SILENCE } from "./etcd_member.ts";
import { type FakeEtcd, fakeEtcd } from "./fake_etcd.ts";

const CALM: Trouble = { error: undefined, strikes: 0 };

/** Another process, of which only this is known. */
interface Mortal {
  readonly works: Promise<void>;
  die(): Promise<void>;
  /** It stays there, but does nothing any more. */
  stop(): void;
}

/** One that can be killed: its connections break, and its lease is left to end. */
async function withMortal(
  url: string,
  name: string,
  least: number,
  use: (mortal: Mortal) => Promise<void>,
): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-check", "--allow-net=127.0.0.1"],
      new URL("etcd_process.ts", import.meta.url).pathname,
      ...[url, name, String(least)],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  const works = async (): Promise<void> => {
    const { value } = await reader.read();
    assertEquals(new TextDecoder().decode(value), "works\n");
  };
  try {
    await use({
      works: works(),
      async die() {
        assert(kill(child));
        await child.status;
      },
      stop: () => assert(kill(child, "SIGSTOP")),
    });
  } finally {
    kill(child);
    await child.status;
    await reader.cancel();
  }
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until it is so. */
async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const look = async (): Promise<void> => {
    while (!await isSo()) await wait(20);
  };
  await within(what, look());
}

/** Names of those that the store says live. */
async function living(url: string): Promise<readonly string[]> {
  const found = await openEtcd([url]).range("/motian/test/live/");
  return [...found.keys()].map((key) => key.split("/").at(-1)!).sort();
}

/** The same story, wherever the store is. */
function story(url: string): Promise<void> {
  let isEnough = false;
  const isLast = (size: number): boolean => isEnough && size === 3;
  return withMortal(url, "a", 3, async (a) => {
    const [b, c] = ["b", "c"].map((name) => etcdMember(url, name, 3, isLast)) as [
      EtcdMember,
      EtcdMember,
    ];
    await within("steps of three", Promise.all([a, b, c].map(({ works }) => works)));
    await a.die();
    const d = etcdMember(url, "d", 3, isLast);
    await within("a newcomer's steps", d.works);
    // Nobody has ended the lease of the dead.
    await until("the end of a lease", async () => !(await living(url)).includes("a"));
    isEnough = true;
    const all = Promise.all([b, c, d].map(({ outcome }) => outcome));
    assertEquals(await within("the end", all), ["true bcd", "true bcd", "true bcd*"]);
    const late = etcdMember(url, "e", 1, () => true);
    const error = await within("a late one", assertRejects(() => late.outcome, DistError));
    assertEquals(error.failure, "closed");
  });
}

Deno.test("etcd: keys, leases, compare-and-swap, as members use them", async () => {
  const fake = fakeEtcd();
  try {
    const etcd = openEtcd(["http://127.0.0.1:9", fake.url]);
    assertEquals(await etcd.swap("/j/roster", "0", "first"), true);
    assertEquals(await etcd.swap("/j/roster", "0", "second"), false);
    const [[, { value, revision }]] = [...await etcd.range("/j/")] as [
      [string, { value: string; revision: string }],
    ];
    assertEquals([value, await etcd.swap("/j/roster", revision, "third")], ["first", true]);
    const lease = await etcd.grant(60);
    await etcd.put("/j/live/a", "here", lease);
    await etcd.put("/k/other", "elsewhere");
    assertEquals([...(await etcd.range("/j/")).keys()].sort(), ["/j/live/a", "/j/roster"]);
    assertEquals(await etcd.keepAlive(lease), true);
    await etcd.revoke(lease);
    assertEquals(await etcd.keepAlive(lease), false);
    assertEquals([...(await etcd.range("/j/")).keys()], ["/j/roster"]);
    fake.isDown = true;
    await assertRejects(() => etcd.range("/j/"), RangeError, "Cannot use etcd: http");
  } finally {
    await fake.close();
  }
});

Deno.test("etcd: members go on without one that dies, let in a newcomer, and end together", async () => {
  const fake = fakeEtcd();
  try {
    await story(fake.url);
  } finally {
    await fake.close();
  }
});

Deno.test("etcd: a store that is down, or forgets leases, is borne amid steps and while the next generation is decided", async () => {
  const fake = fakeEtcd();
  let isEnough = false;
  const isLast = (size: number): boolean => isEnough && size === 2;
  try {
    await withMortal(fake.url, "c", 3, async (c) => {
      const [a, b] = ["a", "b"].map((name) => etcdMember(fake.url, name, 3, isLast)) as [
        EtcdMember,
        EtcdMember,
      ];
      await within("steps of three", Promise.all([a, b, c].map(({ works }) => works)));
      fake.isDown = true;
      const before = a.steps();
      await wait(1000);
      assertLess(before, a.steps());
      fake.isDown = false;
      const { granted } = fake;
      fake.endLeases();
      const isNew = async (): Promise<boolean> => (await living(fake.url)).length === 3;
      await until("new leases", async () => fake.granted >= granted + 3 && await isNew());
      fake.isDown = true;
      await c.die();
      await wait(1000);
      const stuck = a.steps();
      fake.isDown = false;
      await until("steps of two", () => a.steps() > stuck);
      // Nobody has ended the lease of the dead, and it has ended.
      await until("the end of a lease", async () => !(await living(fake.url)).includes("c"));
      assertEquals(fake.revoked, 0);
      isEnough = true;
      const all = Promise.all([a, b].map(({ outcome }) => outcome));
      assertEquals(await within("the end", all), ["true ab", "true ab"]);
      assertEquals([await living(fake.url), fake.revoked], [[], 2]);
    });
  } finally {
    await fake.close();
  }
});

Deno.test("etcd: one of two goes on without one that only stops, when its lease has ended", async () => {
  const fake = fakeEtcd();
  let isEnough = false;
  try {
    await withMortal(fake.url, "a", 2, async (a) => {
      const b = etcdMember(fake.url, "b", 2, (size) => isEnough && size === 1);
      await within("steps of two", Promise.all([a.works, b.works]));
      a.stop();
      isEnough = true;
      assertEquals(await within("the end", b.outcome), "true b");
      assertEquals(await living(fake.url), []);
    });
  } finally {
    await fake.close();
  }
});

/** A member alone, without work; `use` is given a roster of it and another one, b, who never answers. */
async function withCouncil(
  use: (fake: FakeEtcd, council: Council, pair: Roster) => Promise<void>,
): Promise<void> {
  const fake = fakeEtcd(), silence = SILENCE;
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const transport = openSockets(tcp(), { hostname: "127.0.0.1", port: 0, silence });
  const council = etcdCouncil(transport, {
    ...{ urls: [fake.url], name: "a", least: 1, silence, job: "test", plan: 1 },
  });
  const members = [
    { name: "a", address: transport.address },
    { name: "b", address: `ws://127.0.0.1:${(silent.addr as Deno.NetAddr).port}` },
  ];
  try {
    await use(fake, council, { generation: 1, members });
  } finally {
    await council.close();
    await fake.close();
  }
}

Deno.test("etcd: a member has one lease, whoever of it notices that the last has ended", () =>
  withCouncil(async (fake, council) => {
    const roster = await council.enter();
    assertEquals([rosterText(roster).slice(0, 4), fake.granted], ["1:a=", 1]);
    fake.grantDelay = 500;
    fake.endLeases();
    // It looks by itself, and is asked meanwhile.
    await until("a new lease", () => fake.granted === 2);
    assertEquals((await council.next(roster, CALM))?.generation, 2);
    await wait(1000);
    assertEquals([fake.granted, await living(fake.url)], [2, ["a"]]);
  }));

Deno.test("etcd: who has closed its council does not live in the store, not even if it was just said again", () =>
  withCouncil(async (fake, council) => {
    await council.enter();
    fake.grantDelay = 500;
    fake.endLeases();
    await until("a new lease", () => fake.granted === 2);
    await council.close();
    assertEquals(await living(fake.url), []);
    await wait(1000);
    assertEquals([fake.granted, await living(fake.url)], [2, []]);
  }));

Deno.test("etcd: who has closed its council does not live in the store when that is there again", () =>
  withCouncil(async (fake, council) => {
    await council.enter();
    fake.isDown = true;
    // It looks in vain, and once more after its end.
    await wait(1500);
    await council.close();
    fake.endLeases();
    fake.isDown = false;
    await wait(1000);
    assertEquals([fake.granted, await living(fake.url)], [1, []]);
  }));

Deno.test("etcd: whom a member cannot reach is still known when its lease has ended", () =>
  withCouncil(async (fake, council, pair) => {
    const etcd = openEtcd([fake.url]);
    await etcd.put("/motian/test/roster", rosterText(pair));
    await etcd.put("/motian/test/live/b", pair.members[1]!.address);
    const next = council.next(await council.enter(), { ...CALM, strikes: 1 });
    const said = async (): Promise<string | undefined> =>
      (await etcd.range("/motian/test/ready/")).get("/motian/test/ready/1/a")?.value;
    await until("a complaint", async () => await said() === "b");
    fake.endLeases();
    await until("it again", async () => fake.granted === 2 && await said() !== undefined);
    assertEquals(await said(), "b");
    assertEquals((await within("a generation", next))?.members.map(({ name }) => name), ["a"]);
  }));

Deno.test("etcd: a lease whose key could not be written is not taken for one that has it", () =>
  withCouncil(async (fake, council) => {
    fake.refusedPuts = 1;
    await within("a roster", council.enter());
    assertEquals([fake.refusedPuts, await living(fake.url)], [0, ["a"]]);
  }));

const NAME = "etcd: the same with etcd itself";
const installed = [Deno.env.get("MOTIAN_ETCD"), "/usr/bin/etcd"].find((path) => {
  if (path === undefined) return false;

  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});
if (!installed) skip(NAME, "etcd is not installed (Debian's etcd-server)");
else {
  Deno.test(NAME, () =>
    inFolder(async (folder) => {
      const [client, peer] = freePorts(2).map((port) => `http://127.0.0.1:${port}`);
      const etcd = new Deno.Command(installed, {
        args: [
          ...["--data-dir", join(folder, "etcd"), "--listen-client-urls", client!],
          ...["--advertise-client-urls", client!, "--listen-peer-urls", peer!],
          ...["--initial-advertise-peer-urls", peer!, "--initial-cluster", `default=${peer}`],
        ],
        stdout: "null",
        stderr: "null",
      }).spawn();
      try {
        const store = openEtcd([client!]);
        const answers = async (): Promise<void> => {
          while (!await store.range("/x/").then(() => true, () => false)) {
            await new Promise((resolve) => setTimeout(resolve, 100));
          }
        };
        await within("etcd's first answer", answers());
        await story(client!);
        assert(kill(etcd));
      } finally {
        kill(etcd);
        await etcd.status;
      }
    }));
}
