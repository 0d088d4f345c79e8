import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DistError } from "../../dist/error.ts";
import { joinGroup } from "../../dist/group/group.ts";
import { tcp } from "../../dist/net/tcp.ts";
import { openSockets, placeOf } from "../../dist/transport/sockets.ts";
import { certificate, memberOf } from "./ranks.ts";

const here = { hostname: "127.0.0.1", port: 0 };

Deno.test("tcp: a port in use and an address of others are refused in words", () => {
  const listener = tcp().listen(here);
  assertThrows(() => tcp().listen(listener), DistError, "another process listens there");
  listener.close();
  assertThrows(() => tcp().listen({ hostname: "0.0.0.0", port: 0 }), DistError, "127.0.0.1 or ::1");
});

Deno.test("tcp: addresses are read, and refused, by form and scheme", () => {
  assertEquals(placeOf("ws://[::1]:80", "ws"), { hostname: "::1", port: 80 });
  assertEquals(placeOf("wss://a.b:65535/", "wss"), { hostname: "a.b", port: 65_535 });
  for (const wrong of ["ws://a", "a:1", "ws://a:70000", "ws://a:1/x", "http://a:1", ""]) {
    assertThrows(() => placeOf(wrong, "ws"), DistError, "it must be like ws://host:port");
  }
  assertThrows(() => placeOf("ws://a:1", "wss"), DistError, "speaks wss");
});

Deno.test("tcp: a host that does not resolve ends the group at once", async () => {
  const transport = openSockets(tcp(), here);
  const member = {
    ...memberOf([transport], 0),
    addresses: [transport.address, "ws://no-such-host.invalid:1"],
  };
  const error = await assertRejects(() => joinGroup(transport, member), DistError, "no-such-host");
  assertEquals(error.failure, "address");
  await transport.close();
});

Deno.test("tcp: who trusts another authority refuses, and is told from a lost rank", async () => {
  const other = { ...certificate, ca: certificate.cert };
  const doors = [openSockets(tcp(certificate), here), openSockets(tcp(other), here)];
  const outcome = await Promise.allSettled(
    doors.map((door, rank) => joinGroup(door, memberOf(doors, rank), { deadline: 60_000 })),
  );
  const [, second] = outcome;
  assert(second!.status === "rejected" && second!.reason instanceof DistError);
  assertEquals(second!.reason.failure, "address");
  assert(outcome[0]!.status === "rejected");
  await Promise.all(doors.map((door) => door.close()));
});
