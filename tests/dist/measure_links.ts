/**
 * Measures our WebSocket between two processes against the runtime's own and against plain TCP:
 *
 *     deno run -A tests/dist/measure_links.ts [rounds]
 *
 * Messages one way from the server to the client, and round trips; kinds take turns, figures are medians over rounds.
 *
 * @module
 */
import { realClock } from "../../dist/clock.ts";
import { HEADER, sealHeader } from "../../dist/message/header.ts";
import { mutualTls } from "../../dist/net/mutual_tls.ts";
import type { ByteStream, Network } from "../../dist/net/network.ts";
import { tcp } from "../../dist/net/tcp.ts";
import { createReader } from "../../dist/ws/reader.ts";
import { createSocket, type Socket } from "../../dist/ws/socket.ts";
import { askUpgrade, serveUpgrade } from "../../dist/ws/upgrade.ts";
import { certificate } from "./ranks.ts";

const hostname = "127.0.0.1", MESSAGE = 1 << 20, BATCH = 200, WINDOW = 8, LIMIT = 64 << 20;
const ECHOES = 200, ECHO_SIZES = [1, 64, 1024, 4096, 16_384, 65_536];
const network = tcp(),
  secure = tcp(certificate),
  none = new Uint8Array(0),
  head = new Uint8Array(HEADER);

async function fill(stream: ByteStream, into: Uint8Array): Promise<void> {
  for (let at = 0; at < into.length;) {
    const count = await stream.read(at ? into.subarray(at) : into);
    if (count === null) Deno.exit(0);
    at += count;
  }
}

async function writeAll(stream: ByteStream, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await stream.write(at ? bytes.subarray(at) : bytes);
}

async function served(stream: ByteStream): Promise<Socket> {
  const reader = createReader(stream, realClock);
  await serveUpgrade(stream, reader, () => ({ status: 101 }));
  return createSocket(stream, reader, { role: "server", limit: LIMIT, clock: realClock });
}

async function asked(stream: ByteStream): Promise<Socket> {
  const reader = createReader(stream, realClock);
  await askUpgrade(stream, reader, { host: hostname, path: "/", fields: {} });
  return createSocket(stream, reader, { role: "client", limit: LIMIT, clock: realClock });
}

async function take(socket: Socket, into: Uint8Array): Promise<void> {
  if (!await socket.begin()) Deno.exit(0);
  await socket.read(into);
  await socket.end();
}

/** The other process: takes messages and echoes, on connections of each kind. */
async function child(ports: readonly number[]): Promise<void> {
  const [raw, own, checked, rawEcho, ownEcho, there, wss, mutual, native] = ports as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const connect = (port: number, over: Network = network): Promise<ByteStream> =>
    over.connect({ hostname, port });
  const body = new Uint8Array(MESSAGE), ack = new Uint8Array(1);
  const takeRaw = async (): Promise<void> => {
    for (const stream = await connect(raw);;) {
      for (let i = 0; i < BATCH; i++) await fill(stream, body);
      await writeAll(stream, ack);
    }
  };
  const takeOwn = async (port: number, hasHead: boolean, over?: Network): Promise<void> => {
    const into = new Uint8Array(HEADER);
    for (const socket = await asked(await connect(port, over));;) {
      for (let i = 0; i < BATCH; i++) {
        if (!await socket.begin()) Deno.exit(0);
        if (hasHead) await socket.read(into);
        await socket.read(body);
        await socket.end();
        if (hasHead) sealHeader(into, 0, body);
      }
      await socket.send(none, ack);
    }
  };
  const takeNative = (): void => {
    const socket = new WebSocket(`ws://${hostname}:${native}/`);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      body.set(new Uint8Array(data));
      socket.send(ack);
    };
  };
  const echoRaw = async (): Promise<void> => {
    const stream = await connect(rawEcho);
    for (const size of ECHO_SIZES.concat(...Array(1000).fill(ECHO_SIZES))) {
      for (let i = 0; i < ECHOES; i++) {
        await fill(stream, body.subarray(0, size));
        await writeAll(stream, body.subarray(0, size));
      }
    }
  };
  const echoBetween = async (from: Socket, to: Socket): Promise<void> => {
    for (const size of ECHO_SIZES.concat(...Array(1000).fill(ECHO_SIZES))) {
      for (let i = 0; i < ECHOES; i++) {
        await take(from, body.subarray(0, size));
        await to.send(none, body.subarray(0, size));
      }
    }
  };
  const echoOwn = async (): Promise<void> => {
    const socket = await asked(await connect(ownEcho));
    await echoBetween(socket, socket);
  };
  const echoPair = async (): Promise<void> => {
    const listener = network.listen({ hostname, port: 0 });
    console.log(listener.port);
    const back = await served(await listener.accept()), from = await asked(await connect(there));
    await echoBetween(from, back);
  };
  takeNative();
  await Promise.all([
    takeRaw(),
    takeOwn(own, false),
    takeOwn(checked, true),
    takeOwn(wss, false, secure),
    takeOwn(mutual, false, secure),
    echoRaw(),
    echoOwn(),
    echoPair(),
  ]);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

async function main(rounds: number): Promise<void> {
  const place = { hostname, port: 0 };
  const listeners = [
    ...Array.from({ length: 6 }, () => network.listen(place)),
    secure.listen(place),
    (await mutualTls(certificate, place)).listen(place),
  ];
  const opened = Promise.withResolvers<WebSocket>();
  const server = Deno.serve({ hostname, port: 0, onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    socket.onopen = () => opened.resolve(socket);
    return response;
  });
  const ports = [...listeners.map(({ port }) => port), server.addr.port];
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", import.meta.filename!, "child", ...ports.map(String)],
    stdout: "piped",
  }).spawn();
  const streams = listeners.map((listener) => listener.accept());
  const { value } = await process.stdout.getReader().read();
  const port = Number(new TextDecoder().decode(value));
  const backwards = await asked(await network.connect({ hostname, port }));
  const raw = await streams[0]!, own = await served(await streams[1]!);
  const checked = await served(await streams[2]!), rawEcho = await streams[3]!;
  const ownEcho = await served(await streams[4]!), there = await served(await streams[5]!);
  const wss = await served(await streams[6]!), mutual = await served(await streams[7]!);
  const native = await opened.promise,
    body = new Uint8Array(MESSAGE).fill(7),
    ack = new Uint8Array(1);
  let acks = 0, wake: (() => void) | undefined;
  native.onmessage = () => {
    acks++;
    wake?.();
  };
  const over = (socket: Socket) => async (): Promise<void> => {
    for (let i = 0; i < BATCH; i++) await socket.send(none, body);
    await take(socket, ack);
  };
  const oneWay: Readonly<Record<string, () => Promise<void>>> = {
    tcp: async () => {
      for (let i = 0; i < BATCH; i++) await writeAll(raw, body);
      await fill(raw, ack);
    },
    ws: over(own),
    wss: over(wss),
    "wss, clients' certificates": over(mutual),
    "ws with header and CRC32": async () => {
      for (let i = 0; i < BATCH; i++) {
        sealHeader(head, i, body);
        await checked.send(head, body);
      }
      await take(checked, ack);
    },
    "native ws": async () => {
      acks = 0;
      for (let i = 0; i < BATCH; i++) {
        while (i - acks >= WINDOW) await new Promise<void>((resolve) => wake = resolve);
        native.send(body);
      }
      while (acks < BATCH) await new Promise<void>((resolve) => wake = resolve);
    },
  };
  const trips: Readonly<Record<string, (bytes: Uint8Array) => Promise<void>>> = {
    tcp: async (bytes) => {
      await writeAll(rawEcho, bytes);
      await fill(rawEcho, bytes);
    },
    "ws, one connection": async (bytes) => {
      await ownEcho.send(none, bytes);
      await take(ownEcho, bytes);
    },
    "ws, a link each way": async (bytes) => {
      await there.send(none, bytes);
      await take(backwards, bytes);
    },
  };
  const times = new Map<string, number[]>();
  const measure = async (name: string, f: () => Promise<void>): Promise<void> => {
    const start = performance.now();
    await f();
    const list = times.get(name) ?? [];
    times.set(name, [...list, performance.now() - start]);
  };
  for (let round = 0; round <= rounds; round++) {
    if (round === 1) times.clear();
    for (const [name, f] of Object.entries(oneWay)) await measure(name, f);
    for (const size of ECHO_SIZES) {
      for (const [name, trip] of Object.entries(trips)) {
        const bytes = body.subarray(0, size);
        await measure(`${size} ${name}`, async () => {
          for (let i = 0; i < ECHOES; i++) await trip(bytes);
        });
      }
    }
  }
  console.log("one way, 1 MiB messages: GB/s, ratio to tcp (medians; range)");
  const base = median(times.get("tcp")!);
  for (const name of Object.keys(oneWay)) {
    const list = times.get(name)!, speed = (ms: number) => (BATCH * MESSAGE / ms / 1e6).toFixed(2);
    console.log(
      `${name.padEnd(26)} ${speed(median(list))}  ${(base / median(list)).toFixed(2)}  (${
        speed(Math.max(...list))
      } to ${speed(Math.min(...list))})`,
    );
  }
  console.log("round trip: microseconds, ratio to tcp");
  for (const size of ECHO_SIZES) {
    const base = median(times.get(`${size} tcp`)!);
    const figures = Object.keys(trips).map((name) => {
      const ms = median(times.get(`${size} ${name}`)!);
      return `${name} ${(1000 * ms / ECHOES).toFixed(0)} (${(ms / base).toFixed(2)})`;
    });
    console.log(`${String(size).padStart(6)} B  ${figures.join("   ")}`);
  }
  process.kill();
  Deno.exit(0);
}

if (Deno.args[0] === "child") await child(Deno.args.slice(1).map(Number));
else await main(Number(Deno.args[0] ?? 7));
