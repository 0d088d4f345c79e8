/** A door that lets others in although some callers fail on the doorstep. */
import { assertEquals, assertGreater } from "@std/assert";
import type { Network } from "../../dist/net/network.ts";
import { tcp } from "../../dist/net/tcp.ts";
import { simulate } from "../../dist/sim/simulation.ts";
import { openSockets } from "../../dist/transport/sockets.ts";
import { ranks, type Way } from "./ranks.ts";

/** A network on which `failing` says of every accept, by its number from 0, whether it fails, and the errors that came of it. */
function faulty(network: Network, failing: (accept: number) => boolean): {
  readonly network: Network;
  readonly failed: () => number;
} {
  let accepts = 0, failed = 0;
  const listen: Network["listen"] = (place) => {
    const listener = network.listen(place);
    return {
      ...listener,
      accept() {
        if (!failing(accepts++)) return listener.accept();
        failed++;
        return Promise.reject(new Deno.errors.ConnectionAborted("Software caused it"));
      },
    };
  };
  return { network: { ...network, listen }, failed: () => failed };
}

/** Ranks of a simulation or on TCP, whose doors are faulty. */
function sum(way: "mem" | "ws", size: number, failing: (accept: number) => boolean) {
  const doors: (() => number)[] = [];
  const open = (network: Network, hostname: string) => {
    const made = faulty(network, failing);
    doors.push(made.failed);
    return openSockets(made.network, { hostname, port: 0 });
  };
  const use: Way["use"] = async (size, f) => {
    const simulation = simulate({ seed: 1 });
    const body = async () => {
      const transports = Array.from(
        { length: size },
        (_, r) => way === "mem" ? open(simulation.host(r), `sim${r}`) : open(tcp(), "127.0.0.1"),
      );
      try {
        return await f(transports);
      } finally {
        await Promise.all(transports.map((transport) => transport.close()));
      }
    };
    return way === "mem" ? await simulation.run(body) : await body();
  };
  return ranks({ name: way, use }, size, async (group, rank) => {
    const [total] = await group.allReduce(Float32Array.of(rank + 1));
    return { total, failed: doors[rank]!() };
  });
}

for (const way of ["mem", "ws"] as const) {
  Deno.test(`door, ${way}: an accept that fails leaves it open to the next caller`, async () => {
    // Every second one, the very first among them.
    const found = await sum(way, 3, (accept) => accept % 2 === 0);
    assertEquals(found.map(({ total }) => total), [6, 6, 6]);
    for (const { failed } of found) assertGreater(failed, 1);
  });

  Deno.test(`door, ${way}: many accepts that fail in a row cost time only`, async () => {
    const found = await sum(way, 2, (accept) => accept < 10);
    assertEquals(found.map(({ total }) => total), [3, 3]);
    for (const { failed } of found) assertEquals(failed, 10);
  });
}

Deno.test("door: who calls and is gone at once harms nobody", async () => {
  const transport = openSockets(tcp(), { hostname: "127.0.0.1", port: 0 });
  const { hostname, port } = new URL(transport.address);
  const callers = Array.from({ length: 20 }, async () => {
    (await Deno.connect({ hostname, port: Number(port) })).close();
  });
  await Promise.all(callers);
  const late = await Deno.connect({ hostname, port: Number(port) });
  await late.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  const answer = new Uint8Array(100), read = await late.read(answer);
  assertEquals(new TextDecoder().decode(answer.subarray(0, read!)).slice(0, 9), "HTTP/1.1 ");
  late.close();
  await transport.close();
});
