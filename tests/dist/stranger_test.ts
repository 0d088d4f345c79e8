/** What strangers may cost before they have said who they are: bytes, time, and room. */
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { sleep } from "../../dist/clock.ts";
import { joinGroup } from "../../dist/group/group.ts";
import type { ByteStream } from "../../dist/net/network.ts";
import { tcp } from "../../dist/net/tcp.ts";
import { simulate, type Simulation } from "../../dist/sim/simulation.ts";
import { openSockets } from "../../dist/transport/sockets.ts";
import type { Transport } from "../../dist/transport/transport.ts";
import { memberOf } from "./ranks.ts";

const text = (bytes: string): Uint8Array => new TextEncoder().encode(bytes);

/** Runs something beside two ranks of a simulated network, who must find each other all the same. */
function beside(f: (simulation: Simulation, doors: readonly Transport[]) => Promise<void>) {
  const simulation = simulate({ seed: 1 });
  return simulation.run(async () => {
    const doors = [0, 1].map((host) =>
      openSockets(simulation.host(host), { hostname: `sim${host}`, port: 0, token: "of the run" })
    );
    await f(simulation, doors);
    await Promise.all(doors.map(async (door, rank) => {
      const group = await joinGroup(door, memberOf(doors, rank), { deadline: 60_000 });
      await group.close();
    }));
    await Promise.all(doors.map((door) => door.close()));
  });
}

const call = (simulation: Simulation, door: Transport): Promise<ByteStream> => {
  const { hostname, port } = new URL(door.address);
  return simulation.host(7).connect({ hostname, port: Number(port) });
};

/** All that comes until the stream ends. */
async function ending(stream: ByteStream): Promise<string> {
  const room = new Uint8Array(65_536);
  let said = "";
  for (let n: number | null = 0; n !== null;) {
    n = await stream.read(room).catch(() => null);
    said += new TextDecoder().decode(room.subarray(0, n ?? 0));
  }
  return said;
}

Deno.test("strangers: one byte now and then buys no more than ten seconds", () =>
  beside(async (simulation, doors) => {
    const { clock } = simulation, stream = await call(simulation, doors[0]!), began = clock.now();
    let isOver = false;
    const drip = async (): Promise<void> => {
      const hello = text("GET /motian HTTP/1.1\r\nHost: " + "x".repeat(1000));
      for (let at = 0; !isOver; at++) {
        await stream.write(hello.subarray(at, at + 1)).catch(() => 0);
        await sleep(clock, 500);
      }
    };
    const dripping = drip();
    await ending(stream);
    isOver = true;
    const ms = clock.now() - began;
    assert(ms > 9000 && ms < 11_000, `${ms} ms`);
    await dripping;
  }));

Deno.test("strangers: a head of more than 8 KiB is refused before it ends", () =>
  beside(async (simulation, doors) => {
    const stream = await call(simulation, doors[0]!);
    const said = ending(stream);
    // More than that is never taken: who writes on finds the stream at its end.
    const field = text(`GET /motian HTTP/1.1\r\nX: ${"x".repeat(9000)}`);
    await stream.write(field);
    assertMatch(await said, /^HTTP\/1\.1 400 [^]*Cannot read a head of more than 8192 bytes\n$/);
  }));

Deno.test("strangers: a challenge is answered once, and a second request without proof is the last", () =>
  beside(async (simulation, doors) => {
    const stream = await call(simulation, doors[0]!);
    const said = ending(stream);
    const hello = Object.entries({
      ...{ protocol: 1, job: "test", generation: 1, group: "", size: 2, plan: 0, from: 0, to: 1 },
      lane: "main",
    }).map(([name, value]) => `Motian-${name}: ${value}`);
    const request = [
      ...["GET /motian HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade"],
      ...["Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13"],
      ...[...hello, "", ""],
    ].join("\r\n");
    await stream.write(text(request.repeat(5)));
    assertEquals((await said).match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 401", "HTTP/1.1 403"]);
  }));

Deno.test("strangers: hundreds who say nothing leave room for who does", async () => {
  const began = performance.now();
  await beside(async (simulation, doors) => {
    const streams: ByteStream[] = [];
    for (let i = 0; i < 600; i++) streams.push(await call(simulation, doors[i % 2]!));
    const since = simulation.clock.now();
    // The ranks come while all of them still wait.
    await Promise.all(doors.map(async (door, rank) => {
      const member = { ...memberOf(doors, rank), job: "crowd" };
      const group = await joinGroup(door, member, { deadline: 60_000 });
      await group.close();
    }));
    assertLess(simulation.clock.now() - since, 5000);
    for (const stream of streams) stream.close();
  });
  assertLess(performance.now() - began, 60_000);
});

Deno.test("strangers: a hello of another version is refused with both, before any token", async () => {
  const door = openSockets(tcp(), { hostname: "127.0.0.1", port: 0, token: "of the run" });
  const port = Number(new URL(door.address).port);
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const lines = [
    ...["GET /motian HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade"],
    ...["Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13"],
    ...["Motian-protocol: 99", "Motian-from: 0", "Motian-to: 3", "", ""],
  ];
  await conn.write(text(lines.join("\r\n")));
  const room = new Uint8Array(4096);
  const answer = new TextDecoder().decode(room.subarray(0, (await conn.read(room))!));
  assertMatch(answer, /^HTTP\/1\.1 409 [^]*rank 3 has protocol 99, rank 0 has 1\n$/);
  await door.close();
});
