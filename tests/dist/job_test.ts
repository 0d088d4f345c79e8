/** How the ranks of a job find each other, and who is not let in. */
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { DistError } from "../../dist/error.ts";
import { joinGroup } from "../../dist/group/group.ts";
import { joinJob } from "../../dist/job/join_job.ts";
import { meet } from "../../dist/job/meet.ts";
import type { Meeting } from "../../dist/transport/transport.ts";
import { type JobPlace, jobPlace } from "../../dist/job/place.ts";
import { firstHost, tasksOn } from "../../dist/job/slurm.ts";
import { tcp } from "../../dist/net/tcp.ts";
import { simulate } from "../../dist/sim/simulation.ts";
import { openSockets } from "../../dist/transport/sockets.ts";
import { freePort } from "../../recipes/launch/free_port.ts";

const place = (env: Readonly<Record<string, string>>): JobPlace | undefined =>
  jobPlace((name) => env[name]);

Deno.test("a place in a job is read from what launchers, MPI, Slurm and Kubernetes set", () => {
  assertEquals(place({}), undefined);
  assertEquals(place({ WORLD_SIZE: "1" }), undefined);
  const own = place({ RANK: "1", WORLD_SIZE: "4", MASTER_PORT: "4567", MOTIAN_TOKEN: "secret" })!;
  assertEquals(own, {
    ...{ rank: 1, size: 4, localSize: 4, hostname: "127.0.0.1", job: "motian", generation: 1 },
    ...{ master: { hostname: "127.0.0.1", port: 4567 }, token: "secret" },
    memory: Deno.build.os === "linux" ? "shared" : "apart",
  });
  const others: readonly Readonly<Record<string, string>>[] = [
    { OMPI_COMM_WORLD_RANK: "2", OMPI_COMM_WORLD_SIZE: "3" },
    { PMI_RANK: "2", PMI_SIZE: "3" },
    { SLURM_PROCID: "2", SLURM_NTASKS: "3", SLURM_STEP_ID: "0" },
    { JOB_COMPLETION_INDEX: "2", WORLD_SIZE: "3" },
  ];
  for (const env of others) {
    const { rank, size, master } = place(env)!;
    assertEquals([rank, size, master.port], [2, 3, 29_500]);
  }
  // A batch script of Slurm, not a task of it.
  assertEquals(place({ SLURM_PROCID: "0", SLURM_NTASKS: "3" }), undefined);
  const far = { MASTER_ADDR: "node7", MOTIAN_HOST: "node8", OMPI_COMM_WORLD_LOCAL_SIZE: "2" };
  const there = place({ ...others[0]!, ...far })!;
  assertEquals([there.hostname, there.localSize], ["node8", 2]);
  assertEquals(place({ RANK: "0", WORLD_SIZE: "2", MASTER_ADDR: "node7" })!.hostname, "node7");
});

Deno.test("a task of srun finds the first node of its step, its own, and its neighbours", () => {
  const step = {
    ...{ SLURM_PROCID: "5", SLURM_NTASKS: "11", SLURM_STEP_ID: "0", SLURM_NODEID: "1" },
    ...{ SLURM_STEP_NODELIST: "n[07-09,12]", SLURMD_NODENAME: "n08" },
    SLURM_STEP_TASKS_PER_NODE: "4(x2),3",
  };
  const { master, hostname, localSize } = place(step)!;
  assertEquals([master.hostname, hostname, localSize], ["n07", "n08", 4]);
  assertEquals(place({ ...step, SLURM_PROCID: "0" })!.hostname, "n07");
  assertEquals(place({ ...step, MASTER_ADDR: "10.0.0.1" })!.master.hostname, "10.0.0.1");
  // Nobody outside needs to come to what is on one node.
  assertEquals(place({ ...step, SLURM_STEP_NODELIST: "n07" })!.master.hostname, "127.0.0.1");
  const lists = ["a", "a,b", "a[3]", "a[003-7,9],b", "a[1-2]-x,b", "a.b-c[10]"];
  assertEquals(lists.map(firstHost), ["a", "a", "a3", "a003", "a1-x", "a.b-c10"]);
  assertEquals([0, 1, 2, 3].map((node) => tasksOn("4(x2),3", node)), [4, 4, 3, undefined]);
  assertEquals(tasksOn("", 0), undefined);
});

Deno.test("a place in a job that contradicts itself is refused in words", () => {
  const wrong: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
    [{ RANK: "4", WORLD_SIZE: "4" }, /RANK=4: it must be a whole number from 0 to 3/],
    [{ RANK: "1" }, /WORLD_SIZE not set: it must/],
    [{ WORLD_SIZE: "2" }, /WORLD_SIZE=2: RANK must be set too/],
    [{ RANK: "x", WORLD_SIZE: "2" }, /RANK=x: it must/],
    [{ RANK: "1", WORLD_SIZE: "2", MASTER_PORT: "70000" }, /MASTER_PORT=70000/],
    [{ JOB_COMPLETION_INDEX: "1" }, /WORLD_SIZE not set/],
    [{ RANK: "1", WORLD_SIZE: "2", MASTER_ADDR: "node7" }, /MOTIAN_HOST must say/],
    [{ RANK: "1", WORLD_SIZE: "2", MOTIAN_MEMORY: "no" }, /MOTIAN_MEMORY=no: it must be/],
    [{ RANK: "1", WORLD_SIZE: "2", MOTIAN_TOKEN: "motian.x" }, /token of 8 letters/],
  ];
  for (const [env, message] of wrong) {
    assertMatch(assertThrows(() => place(env), RangeError).message, message);
  }
});

/** What each of some ranks on a simulated network gets when they meet: all addresses, or why not. */
function meeting(
  members: readonly (Partial<Meeting> & { readonly token?: string })[],
): Promise<readonly (readonly string[] | DistError)[]> {
  const simulation = simulate({ seed: 3 });
  return simulation.run(async () => {
    const transports = members.map(({ token }, host) =>
      openSockets(simulation.host(host), { hostname: `sim${host}`, port: 0, ...token && { token } })
    );
    const found = await Promise.all(members.map(async ({ token: _, ...member }, host) => {
      const common = { job: "test", generation: 1, plan: 7, size: members.length, patience: 5000 };
      const first = transports[0]!.address;
      try {
        return await meet(transports[host]!, { ...common, rank: host, first, ...member });
      } catch (error) {
        if (error instanceof DistError) return error;
        throw error;
      }
    }));
    await Promise.all(transports.map((transport) => transport.close()));
    return found;
  });
}

/** Everybody fails, in these words. */
function assertAllFail(
  found: readonly (readonly string[] | DistError)[],
  failure: string,
  messages: readonly RegExp[],
): void {
  found.forEach((error, i) => {
    assert(error instanceof DistError, `rank ${i} has ${error}`);
    assertEquals(error.failure, failure, error.message);
    assertMatch(error.message, messages[i % messages.length]!);
  });
}

Deno.test("ranks that know where the first is learn where all are, with and without a token", async () => {
  for (const token of [undefined, "of the run"]) {
    const members = Array.from({ length: 9 }, () => token === undefined ? {} : { token });
    const found = await meeting(members);
    assertEquals([...new Set(found[0] as string[])].length, 9);
    for (const addresses of found) assertEquals(addresses, found[0]);
  }
});

Deno.test("a rank that does not come is named", async () => {
  const found = await meeting([{ size: 4 }, { size: 4 }, { size: 4 }]);
  assertAllFail(found, "deadline", [/Rank 0 waited 5000 ms for rank 3 to come to ws:\/\/sim0/]);
  for (const error of found) assertEquals((error as DistError).rank, 3);
});

Deno.test("ranks of another size, job, version of the plan or generation are refused with both values", async () => {
  assertAllFail(await meeting([{}, { size: 3 }]), "mismatch", [
    /rank 1 has size 3, rank 0 has 2/,
  ]);
  assertAllFail(await meeting([{}, { plan: 8 }]), "mismatch", [
    /rank 1 has plan 8, rank 0 has 7/,
  ]);
  const [first, other] = await meeting([{}, { job: "other" }]);
  assertAllFail([other!], "mismatch", [/this is job test/]);
  assertAllFail([first!], "deadline", [/for rank 1 to come/]);
  const [, late] = await meeting([{ generation: 2 }, {}]);
  assertAllFail([late!], "mismatch", [/generation 1 is over, this is 2/]);
});

Deno.test("two of the same rank: the second is refused", async () => {
  const found = await meeting([{ size: 2 }, { size: 2 }, { size: 2, rank: 1 }]);
  const failed = found.filter((x) => x instanceof DistError);
  assertAllFail(failed, "mismatch", [/rank 0 has a link to one|is over/]);
  assertEquals(failed.length, 1);
});

Deno.test("who has no token, or another one, is refused, and refuses who does not prove to know it", async () => {
  const token = "of the run";
  const none = await meeting([{ token }, {}]);
  assertAllFail([none[1]!], "refused", [/does not prove to know this run's token/]);
  const wrong = await meeting([{ token }, { token: "of another" }]);
  assertAllFail([wrong[1]!], "refused", [/it has another token/]);
  const open = await meeting([{}, { token }]);
  assertAllFail([open[1]!], "refused", [/does not prove to know/]);
  // The first only waits in vain: a stranger ends nothing.
  assertAllFail([none[0]!, wrong[0]!], "deadline", [/for rank 1 to come/]);
});

Deno.test("a proof that was overheard opens nothing", async () => {
  const token = "of the run";
  const transport = openSockets(tcp(), { hostname: "127.0.0.1", port: 0, token });
  const member = { job: "test", generation: 1, group: "", rank: 0, plan: 0 };
  const joined = joinGroup(transport, { ...member, addresses: [transport.address, "ws://x:1"] }, {
    deadline: 60_000,
  });
  joined.catch(() => {});
  const port = Number(new URL(transport.address).port);
  const hello = Object.entries({
    ...{ protocol: 1, job: "test", generation: 1, group: "", size: 2, plan: 0, from: 0, to: 1 },
    lane: "main",
  }).map(([name, value]) => `Motian-${name}: ${value}`);
  const ask = async (conn: Deno.Conn, ...more: readonly string[]): Promise<string> => {
    const lines = [
      ...["GET /motian HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade"],
      ...["Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13"],
      ...[...hello, ...more, "", ""],
    ];
    await conn.write(new TextEncoder().encode(lines.join("\r\n")));
    const room = new Uint8Array(4096);
    return new TextDecoder().decode(room.subarray(0, await conn.read(room) ?? 0));
  };
  const challenges: string[] = [];
  for (let i = 0; i < 2; i++) {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    // The proof stands for what somebody else said on another connection.
    const replayed = [`Motian-Nonce: ${"0".repeat(32)}`, `Motian-Proof: ${"a".repeat(64)}`];
    const first = await ask(conn, ...replayed);
    assertMatch(first, /^HTTP\/1\.1 401/);
    challenges.push(/Motian-Challenge: (\w{32})/.exec(first)![1]!);
    assertMatch(await ask(conn, ...replayed), /^HTTP\/1\.1 403/);
  }
  assert(challenges[0] !== challenges[1], "every connection has a challenge of its own");
  await transport.close();
});

Deno.test("without a token only this machine's own addresses are listened on, with one all", async () => {
  const everywhere = { hostname: "0.0.0.0", port: 0 };
  assertThrows(() => openSockets(tcp(), everywhere), DistError, "without a token");
  await openSockets(tcp(), { ...everywhere, token: "of the run" }).close();
});

const memories = Deno.build.os === "linux" ? ["shared", "apart"] as const : ["apart"] as const;
for (const memory of memories) {
  Deno.test(`a job over TCP, memory ${memory}: all ranks join and sum, and a taken port is said`, async () => {
    const port = freePort();
    const at = (rank: number): JobPlace => ({
      ...{ rank, size: 3, localSize: 3, hostname: "127.0.0.1", job: "test", generation: 1 },
      ...{ master: { hostname: "127.0.0.1", port }, token: "of the run", memory },
    });
    const sums = await Promise.all([0, 1, 2].map(async (rank) => {
      const { group, close } = await joinJob(at(rank), { plan: 1 });
      const [sum] = await group.allReduce(Float32Array.of(rank + 1));
      if (rank === 1) {
        await assertRejects(() => joinJob(at(0), { plan: 1 }), DistError, `127.0.0.1:${port}`);
      }
      await group.barrier();
      await close();
      return sum;
    }));
    assertEquals(sums, [6, 6, 6]);
  });
}

Deno.test("a rank that does not share memory where the others do is told so", async () => {
  const master = { hostname: "127.0.0.1", port: freePort() };
  const [first, second] = await Promise.allSettled((["shared", "apart"] as const).map(
    (memory, rank) =>
      joinJob({
        ...{ rank, size: 2, localSize: 2, hostname: "127.0.0.1", job: "test", generation: 1 },
        ...{ master, token: undefined, memory },
      }, { plan: 1, patience: 1500 }),
  ));
  assert(second!.status === "rejected" && first!.status === "rejected");
  assertMatch(second!.reason.message, /job test.apart: this is job test/);
  assertMatch(first!.reason.message, /waited 1500 ms for rank 1/);
});

Deno.test("job: MPI takes no TLS and no thread, and says so before it is looked for", async () => {
  const own = place({ RANK: "0", WORLD_SIZE: "2" })!, options = { plan: 0, engine: "mpi" } as const;
  const tls = { cert: "cert.pem", key: "key.pem", ca: "ca.pem", clients: false };
  await assertRejects(() => joinJob({ ...own, tls }, options), RangeError, "by MPI over TLS");
  await assertRejects(
    () => joinJob(own, { ...options, thread: {} }),
    RangeError,
    "by MPI in a thread",
  );
});
