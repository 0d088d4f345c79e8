/** Our WebSocket with the runtime's own, and with the `ws` package, both ways. */
import { Buffer } from "node:buffer";
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { AddressInfo } from "node:net";
import { type RawData, WebSocket as WsClient, WebSocketServer } from "npm:ws@8.18.3";
import { realClock } from "../../dist/clock.ts";
import { tcp } from "../../dist/net/tcp.ts";
import { mutualTls } from "../../dist/net/mutual_tls.ts";
import { HttpError } from "../../dist/ws/http.ts";
import { createReader } from "../../dist/ws/reader.ts";
import { createSocket, type Socket } from "../../dist/ws/socket.ts";
import { askUpgrade, serveUpgrade } from "../../dist/ws/upgrade.ts";
import { certificate } from "./ranks.ts";
import { pattern } from "./streams.ts";

const SIZES = [0, 1, 125, 126, 127, 1000, 65_535, 65_536, 70_001, 1 << 20, 5_000_003];
const LIMIT = 8 << 20;
/** How long a goodbye waits for its answer, which comes at once unless the machine is busy. Units: milliseconds. */
const PATIENT = 60_000;
const network = tcp(), hostname = "127.0.0.1";
const none = new Uint8Array(0);

/** Our server: sends back each message until the peer says goodbye, then answers. */
async function echo(socket: Socket): Promise<void> {
  while (await socket.begin()) await socket.send(none, await socket.rest());
  await socket.close(socket.farewell!, PATIENT);
}

async function serveOne(use: (socket: Socket) => Promise<void>, over = network): Promise<{
  readonly url: string;
  readonly done: Promise<void>;
}> {
  const listener = over.listen({ hostname, port: 0 });
  const serve = async (): Promise<void> => {
    const stream = await listener.accept();
    listener.close();
    const reader = createReader(stream, realClock);
    await serveUpgrade(stream, reader, () => ({ status: 101 }));
    await use(createSocket(stream, reader, { role: "server", limit: LIMIT, clock: realClock }));
  };
  const url = `${over.scheme}://${hostname}:${listener.port}/`;
  return await Promise.resolve({ url, done: serve() });
}

async function connect(port: number): Promise<Socket> {
  const stream = await network.connect({ hostname, port });
  const reader = createReader(stream, realClock);
  const { status } = await askUpgrade(stream, reader, {
    host: `${hostname}:${port}`,
    path: "/",
    fields: {},
  });
  assertEquals(status, 101);
  return createSocket(stream, reader, { role: "client", limit: LIMIT, clock: realClock });
}

/** Sends messages of every size to a peer that echoes, in two parts each, and closes. */
async function exercise(socket: Socket): Promise<void> {
  for (const size of SIZES) {
    const bytes = pattern(size), head = Math.min(88, size >> 1);
    await socket.send(bytes.subarray(0, head), bytes.subarray(head));
    assert(await socket.begin());
    assert(Buffer.compare(await socket.rest(), bytes) === 0, `${size} bytes came back otherwise`);
  }
  const bytes = pattern(100_000), shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  await socket.send(none, shared);
  assert(await socket.begin());
  assertEquals(await socket.rest(), bytes);
  await socket.close({ code: 4001, reason: "enough" }, PATIENT);
  assertEquals(socket.farewell?.code, 4001);
}

Deno.test("interop: the runtime's client with our server", async () => {
  const { url, done } = await serveOne(echo);
  const client = new WebSocket(url);
  client.binaryType = "arraybuffer";
  await new Promise((resolve) => client.onopen = resolve);
  for (const size of SIZES) {
    const bytes = pattern(size);
    client.send(bytes);
    const { data } = await new Promise<MessageEvent>((resolve) => client.onmessage = resolve);
    assertEquals(new Uint8Array(data), bytes);
  }
  const closed = new Promise<CloseEvent>((resolve) => client.onclose = resolve);
  client.close(4002, "bye");
  assertEquals((await closed).code, 4002);
  await done;
});

Deno.test("interop: the runtime's server with our client", async () => {
  const server = Deno.serve({ hostname, port: 0, onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => socket.send(data);
    return response;
  });
  await exercise(await connect(server.addr.port));
  await server.shutdown();
});

Deno.test("interop: the client of npm:ws with our server, fragments and pings between", async () => {
  const { url, done } = await serveOne(echo);
  const client = new WsClient(url, { perMessageDeflate: false });
  await new Promise((resolve) => client.once("open", resolve));
  let pongs = 0;
  client.on("pong", () => pongs++);
  for (const size of SIZES) {
    const bytes = pattern(size), cut = size >> 1;
    const answer = new Promise<RawData>((resolve) => client.once("message", resolve));
    client.send(bytes.subarray(0, cut), { fin: false, binary: true });
    client.ping("still there?");
    client.send(bytes.subarray(cut), { fin: true, binary: true });
    assertEquals(new Uint8Array((await answer) as Uint8Array), bytes);
  }
  assertEquals(pongs, SIZES.length);
  const closed = new Promise<number>((resolve) => client.once("close", resolve));
  client.close(4003, "bye");
  assertEquals(await closed, 4003);
  await done;
});

Deno.test("interop: the client of npm:ws with our server over TLS, of both kinds", async () => {
  const { ca, cert, key } = certificate;
  for (const over of [tcp(certificate), await mutualTls(certificate, { hostname, port: 0 })]) {
    const { url, done } = await serveOne(echo, over);
    const client = new WsClient(url, { ca, cert, key });
    await new Promise((resolve, reject) => client.once("open", resolve).once("error", reject));
    for (const size of SIZES) {
      const bytes = pattern(size);
      const answer = new Promise<RawData>((resolve) => client.once("message", resolve));
      client.send(bytes);
      assert(Buffer.compare(new Uint8Array((await answer) as Uint8Array), bytes) === 0, `${size}`);
    }
    const closed = new Promise<number>((resolve) => client.once("close", resolve));
    client.close(4005, "bye");
    assertEquals(await closed, 4005);
    await done;
  }
});

Deno.test("interop: the server of npm:ws with our client", async () => {
  const server = new WebSocketServer({ host: hostname, port: 0 });
  await new Promise((resolve) => server.once("listening", resolve));
  server.on("connection", (socket: WsClient) => {
    socket.on("message", (data: Uint8Array) => {
      const cut = data.length >> 2;
      socket.send(data.subarray(0, cut), { fin: false });
      socket.ping("x".repeat(125));
      socket.send(data.subarray(cut), { fin: true });
    });
  });
  await exercise(await connect((server.address() as AddressInfo).port));
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("interop: a server that speaks something else is refused by name", async () => {
  const plain = Deno.serve({ hostname, port: 0, onListen() {} }, () => new Response("hello"));
  const stream = await network.connect({ hostname, port: plain.addr.port });
  const request = { host: hostname, path: "/", fields: {} };
  const answer = await askUpgrade(stream, createReader(stream, realClock), request);
  assertEquals(answer.status, 200);
  stream.close();
  await plain.shutdown();

  const listener = Deno.listen({ hostname, port: 0 });
  const smtp = listener.accept().then(async (connection) => {
    // What is closed with bytes that nobody has read is reset, and may take its last words along.
    await connection.read(new Uint8Array(1000));
    await connection.write(new TextEncoder().encode("220 mail ready\r\n\r\n"));
    connection.close();
    listener.close();
  });
  const other = await network.connect({ hostname, port: (listener.addr as Deno.NetAddr).port });
  await assertRejects(
    () => askUpgrade(other, createReader(other, realClock), request),
    HttpError,
    "220 mail ready",
  );
  other.close();
  await smtp;
});

Deno.test("interop: our server tells a plain request what it wants, and TLS what it speaks", async () => {
  const listener = network.listen({ hostname, port: 0 });
  const serve = async (): Promise<unknown> => {
    const stream = await listener.accept();
    try {
      return await serveUpgrade(stream, createReader(stream, realClock), () => ({ status: 101 }));
    } finally {
      stream.close();
    }
  };
  let served = assertRejects(serve, HttpError, "not for a WebSocket");
  const response = await fetch(`http://${hostname}:${listener.port}/`);
  assertEquals(response.status, 426);
  assertEquals(await response.text(), "Cannot serve a request that is not for a WebSocket\n");
  await served;
  served = assertRejects(serve, HttpError, "the other side speaks wss, this one ws");
  await assertRejects(() => tcp(certificate).connect(listener));
  await served;
  listener.close();
});
