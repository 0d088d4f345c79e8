/** Members whose generations etcd keeps: against a gateway of our own, and etcd itself where it is installed. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { openEtcd } from "../../dist/elastic/etcd.ts";
import { etcdCouncil } from "../../dist/elastic/etcd_council.ts";
import { levelState } from "../../dist/elastic/level_state.ts";
import { runElastic } from "../../dist/elastic/run_elastic.ts";
import { DistError } from "../../dist/error.ts";
import { tcp } from "../../dist/net/tcp.ts";
import { openSockets } from "../../dist/transport/sockets.ts";
import { freePorts } from "../../recipes/launch/free_port.ts";
import { inFolder } from "../in_folder.ts";
import { kill } from "../kill.ts";
import { skip } from "../skip.ts";
import { within } from "../within.ts";
import { fakeEtcd } from "./fake_etcd.ts";

/** Where a member is told to stop, and what it came to. */
interface Member {
  readonly outcome: Promise<string | undefined>;
  /** Resolves after its first step. */
  readonly works: Promise<void>;
  /** Ends it without a word to the others: its connections break, and its lease is left to end. */
  die(): void;
}

/** A member that counts steps with others until there are `size` of them, and then to the end. */
function member(
  url: string,
  name: string,
  least: number,
  until: (size: number, step: number) => boolean,
): Member {
  const silence = 2000, transport = openSockets(tcp(), { hostname: "127.0.0.1", port: 0, silence });
  const council = etcdCouncil(transport, {
    ...{ urls: [url], name, least, silence, job: "test", plan: 1, patience: 30_000 },
  });
  const works = Promise.withResolvers<void>(), sum = new Float64Array(1);
  let step = -1, isDead = false, isFounder = true;
  const run = runElastic(council, transport, { job: "test", plan: 1, silence }, async (term) => {
    const { group, roster } = term;
    if (roster.generation === 1) step = Math.max(step, 0);
    else if (step < 0) isFounder = false;
    step = await levelState(group, { step, leaves: [["sum", sum]] });
    for (;;) {
      if (isDead) throw new RangeError("Cannot work: it is dead");
      const all = await group.allReduce(Float64Array.of(1));
      if (all[0] !== group.size) throw new RangeError("Cannot use a wrong sum");
      sum[0]! += 1;
      step++;
      term.stepped();
      works.resolve();
      await new Promise((resolve) => setTimeout(resolve, 5));
      const [word] = await group.broadcast(
        Uint8Array.of(until(group.size, step) ? 1 : term.waiting > 0 ? 2 : 0),
        0,
      );
      if (word === 1) {
        return `${sum[0] === step} ${roster.members.map(({ name }) => name).join("")}${
          isFounder ? "" : "*"
        }`;
      }
      if (word === 2) throw term.renewal();
    }
  });
  run.catch(() => {});
  return {
    outcome: run,
    works: works.promise,
    die: () => void (isDead = true),
  };
}

/** The same story, wherever the store is. */
async function story(url: string): Promise<void> {
  let isEnough = false;
  const until = (size: number): boolean => isEnough && size === 3;
  const [a, b, c] = ["a", "b", "c"].map((name) => member(url, name, 3, until));
  await within("steps of three", Promise.all([a!, b!, c!].map(({ works }) => works)));
  a!.die();
  await within("the end of the first", assertRejects(() => a!.outcome, RangeError, "it is dead"));
  const d = member(url, "d", 3, until);
  await within("a newcomer's steps", d.works);
  isEnough = true;
  const outcomes = await within("the end", Promise.all([b!, c!, d].map(({ outcome }) => outcome)));
  assertEquals(outcomes, ["true bcd", "true bcd", "true bcd*"]);
  const late = member(url, "e", 1, () => true);
  const error = await within("a late one", assertRejects(() => late.outcome, DistError));
  assertEquals(error.failure, "closed");
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
