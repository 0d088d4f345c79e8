/** Jobs over TLS, with and without certificates of clients, and who is not let in. */
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { DistError } from "../../dist/error.ts";
import { joinGroup } from "../../dist/group/group.ts";
import { joinJob } from "../../dist/job/join_job.ts";
import { type JobPlace, jobPlace, type JobTls } from "../../dist/job/place.ts";
import { mutualTls } from "../../dist/net/mutual_tls.ts";
import type { Network } from "../../dist/net/network.ts";
import { tcp } from "../../dist/net/tcp.ts";
import type { TlsFiles } from "../../dist/net/tls.ts";
import { openSockets } from "../../dist/transport/sockets.ts";
import { freePort } from "../../recipes/launch/free_port.ts";
import { runRecipe } from "../recipes/recipe_command.ts";
import { certificate, memberOf } from "./ranks.ts";

const here = { hostname: "127.0.0.1", port: 0 };
const path = (name: string): string => fromFileUrl(new URL(`tls/${name}`, import.meta.url));
const files: JobTls = {
  ...{ cert: path("cert.pem"), key: path("key.pem"), ca: path("ca.pem"), clients: false },
};
/** Whom the authority does not know, and who trusts it. */
const stranger: TlsFiles = {
  ...certificate,
  cert: Deno.readTextFileSync(path("stranger-cert.pem")),
  key: Deno.readTextFileSync(path("stranger-key.pem")),
};

function placeOf(rank: number, size: number, port: number, tls: JobTls): JobPlace {
  return {
    ...{ rank, size, localSize: size, hostname: "127.0.0.1", job: "test", generation: 1, tls },
    ...{ master: { hostname: "127.0.0.1", port }, token: "of the run" },
  };
}

for (const clients of [false, true]) {
  const what = clients ? "wss with certificates of clients" : "wss";
  Deno.test(`tls: a whole job over ${what}`, async () => {
    const port = freePort(), tls = { ...files, clients };
    const sums = await Promise.all([0, 1, 2].map(async (rank) => {
      const { group, close } = await joinJob(placeOf(rank, 3, port, tls), { plan: 1 });
      const array = await group.allReduce(new Float32Array(1e6).fill(rank + 1));
      await group.barrier();
      await close();
      return array.every((x) => x === 6);
    }));
    assertEquals(sums, [true, true, true]);
  });
}

Deno.test("tls: four processes of a launcher speak TLS where the environment says so", async () => {
  const dist = new URL("../../dist/mod.ts", import.meta.url).href;
  const script = `import { jobPlace, joinJob } from "${dist}";
    const { group, close } = await joinJob(jobPlace((name) => Deno.env.get(name)), { plan: 1 });
    const [sum] = await group.allReduce(Float32Array.of(group.rank + 1));
    console.log(sum);
    await close();`;
  const env = {
    MOTIAN_TLS_CERT: files.cert,
    MOTIAN_TLS_KEY: files.key,
    MOTIAN_TLS_CA: files.ca,
    MOTIAN_TLS_CLIENTS: "1",
  };
  const words = ["--nproc", "4", "--", "deno", "eval", script];
  const { code, out, error } = await runRecipe("launch", ".", words, { env });
  assertEquals(code, 0, error);
  assertEquals(out.trim().split("\n").sort(), ["[0] 10", "[1] 10", "[2] 10", "[3] 10"]);
});

/** How two ranks on networks of their own fail to come together. */
async function failures(networks: readonly Network[]): Promise<readonly DistError[]> {
  const doors = networks.map((network) => openSockets(network, here));
  const outcomes = await Promise.allSettled(doors.map(async (door, rank) => {
    // Each believes that the other speaks what it speaks itself.
    const addresses = doors.map(({ address }) => address.replace(/^wss?/, networks[rank]!.scheme));
    await joinGroup(door, { ...memberOf(doors, rank), addresses }, { deadline: 60_000 });
  }));
  await Promise.all(doors.map((door) => door.close()));
  return outcomes.map((outcome) => {
    assert(outcome.status === "rejected" && outcome.reason instanceof DistError);
    return outcome.reason;
  });
}

Deno.test("tls: ws to wss and wss to ws are refused in a line that says what each side speaks", async () => {
  for (const secure of [tcp(certificate), await mutualTls(certificate, here)]) {
    const [plain, tls] = await failures([tcp(), secure]);
    assertMatch(plain!.message, /ws:\/\/\S+: .* the other side speaks wss, this one ws/);
    assertMatch(tls!.message, /this side speaks wss, the other perhaps ws/);
    for (const error of [plain!, tls!]) assertEquals(error.message.split("\n").length, 1);
  }
});

Deno.test("tls: who shows no certificate of the authority is refused, and told so", async () => {
  const open = (tls: TlsFiles): Promise<Network> => mutualTls(tls, here);
  // The stranger is told; the other does not trust it either.
  const [known, unknown] = await failures([await open(certificate), await open(stranger)]);
  assertMatch(unknown!.message, /refuses: .* does not vouch for this certificate \(\w+\)/);
  assertEquals([unknown!.failure, unknown!.rank], ["refused", 0]);
  assertMatch(known!.message, /Cannot connect to 127\.0\.0\.1:\d+: /);
});

Deno.test("tls: files that are missing, or no PEM, and variables that are half set are one line", async () => {
  const join = (tls: JobTls): Promise<unknown> =>
    joinJob(placeOf(0, 2, freePort(), tls), { plan: 1, patience: 1 });
  const wrong: readonly (readonly [Partial<JobTls>, string])[] = [
    [{ key: path("none.pem") }, "none.pem for TLS: no such file"],
    [{ key: path("cert.pem") }, "cert.pem for TLS: it must be PEM with a private key"],
    [{ ca: path("README.md") }, "README.md for TLS: it must be PEM with a certificate"],
    [{ key: path("stranger-key.pem") }, `stranger-key.pem for TLS: it is not the key of /`],
    [{ ca: path("expired-ca.pem") }, "expired-ca.pem for TLS: it was good until "],
  ];
  for (const [change, message] of wrong) {
    await assertRejects(() => join({ ...files, ...change }), DistError, message);
  }
  const of = (env: Readonly<Record<string, string>>): unknown =>
    jobPlace((name) => ({ RANK: "0", WORLD_SIZE: "2", ...env })[name])?.tls;
  const all = { MOTIAN_TLS_CERT: "a", MOTIAN_TLS_KEY: "b", MOTIAN_TLS_CA: "c" };
  assertEquals(of(all), { cert: "a", key: "b", ca: "c", clients: false });
  assertEquals(of({ ...all, MOTIAN_TLS_CLIENTS: "1" }), {
    ...{ cert: "a", key: "b", ca: "c", clients: true },
  });
  assertThrows(
    () => of({ MOTIAN_TLS_CERT: "a", MOTIAN_TLS_CA: "b" }),
    RangeError,
    "MOTIAN_TLS_CERT, MOTIAN_TLS_CA and not MOTIAN_TLS_KEY: TLS takes all three",
  );
  assertThrows(() => of({ ...all, MOTIAN_TLS_CLIENTS: "yes" }), RangeError, "=yes: it must be 1");
});

Deno.test("tls: a door for certificates says when its place is taken, and needs a token to be reached", async () => {
  const taken = Deno.listen(here), { port } = taken.addr as Deno.NetAddr;
  await assertRejects(
    () => mutualTls(certificate, { ...here, port }),
    DistError,
    "another process listens there",
  );
  taken.close();
  await assertRejects(
    () => mutualTls(certificate, { hostname: "0.0.0.0", port: 0 }),
    DistError,
    "without a token",
  );
});

Deno.test("tls: at a door for certificates 256 may say nothing at a time, and who speaks comes in", async () => {
  const listener = (await mutualTls(certificate, here)).listen(here);
  const silent: Deno.Conn[] = [], open = new Set<Deno.Conn>();
  try {
    for (let i = 0; i < 700; i++) {
      const conn = await Deno.connect({ hostname: here.hostname, port: listener.port });
      silent.push(conn);
      open.add(conn);
      const over = (): void => void open.delete(conn);
      conn.read(new Uint8Array(1)).then(over, over);
    }
    const accepted = listener.accept();
    const caller = await tcp(certificate).connect({ ...here, port: listener.port });
    const [server] = await Promise.all([accepted, caller.write(new Uint8Array(1))]);
    assertEquals(await server.read(new Uint8Array(2)), 1);
    // The caller, too, ended one; long before any handshake's time is over.
    for (let i = 0; i < 100 && open.size > 255; i++) await new Promise((r) => setTimeout(r, 20));
    assertEquals(open.size, 255);
    assertEquals(silent.map((conn) => open.has(conn)), silent.map((_, i) => i >= 445));
    caller.close();
    server.close();
  } finally {
    for (const conn of silent) conn.close();
    listener.close();
  }
});
