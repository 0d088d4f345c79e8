/** Files over lines that break: what comes is what was sent, or is refused in words. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { exists } from "@std/fs";
import { createHash } from "node:crypto";
import { join } from "@std/path";
import {
  type Fetched,
  fetchFile,
  type FetchHooks,
  type Wanted,
} from "../../recipes/clue/download/fetch_file.ts";
import { inFolder } from "../in_folder.ts";
import { type Answer, type Asked, type FileServer, sent, serveFiles } from "./file_server.ts";

const file = Uint8Array.from({ length: 10_000 }, (_, i) => (i * i + (i >> 5)) % 251);
const other = file.map((byte) => byte ^ 1);
const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const sha256 = hashOf(file);
/** Tests wait on events, not on time: pauses are short, silence is long unless it is what is tested. */
const patience = { tries: 3, silence: 60_000, pause: 1 };

interface Place {
  readonly server: FileServer;
  readonly path: string;
  readonly fetch: (
    more?: Partial<Wanted>,
    hooks?: Partial<FetchHooks>,
    silence?: number,
  ) => Promise<Fetched>;
}

/** Runs with a server and a folder, and looks that no connection or timer is left. */
const served = (name: string, answer: Answer, test: (place: Place) => Promise<void>): void =>
  Deno.test(name, () =>
    inFolder(async (folder) => {
      await using server = serveFiles(answer);
      const path = join(folder, "a.zip");
      await test({
        server,
        path,
        fetch: (more, hooks, silence = patience.silence) =>
          fetchFile(
            { url: `${server.url}/a.zip`, path, ...more },
            { progress: () => {}, stop: () => false, ...hooks },
            { ...patience, silence },
          ),
      });
    }));

/** Nothing is left of a fetch that failed. */
async function assertNothing(path: string): Promise<void> {
  for (const one of [path, `${path}.part`, `${path}.part.json`]) assert(!await exists(one), one);
}

async function assertWhole(path: string, found: Fetched, bytes = file): Promise<void> {
  assertEquals(found, { kind: "done", sha256: hashOf(bytes) });
  assertEquals(await Deno.readFile(path), bytes);
  assert(!await exists(`${path}.part`) && !await exists(`${path}.part.json`));
}

const ranges = (asked: readonly Asked[]) => asked.map(({ range }) => range);

served(
  "a file comes whole, and its progress grows",
  (asked) => sent(file, asked),
  async (place) => {
    const seen: (readonly [number, number | undefined])[] = [];
    const progress = (done: number, total?: number) => void seen.push([done, total]);
    await assertWhole(place.path, await place.fetch({ sha256, bytes: file.length }, { progress }));
    assertEquals(seen.at(-1), [file.length, file.length]);
    assert(seen.every(([done], i) => i === 0 || done > seen[i - 1]![0]));
  },
);

served(
  "a connection that breaks again and again brings the file in parts",
  (asked) => sent(file, asked, { cut: 2500, etag: '"v1"' }),
  async ({ fetch, path, server }) => {
    await assertWhole(path, await fetch({ sha256 }));
    const { asked } = server, starts = ranges(asked).slice(1);
    assertEquals(ranges(asked)[0], null);
    for (const [i, range] of starts.entries()) {
      assertMatch(range!, /^bytes=\d+-$/);
      assert(i === 0 || Number(range!.slice(6, -1)) > Number(starts[i - 1]!.slice(6, -1)));
      assertEquals(asked[i + 1]!.ifRange, '"v1"');
    }
    assert(starts.length >= 3);
  },
);

served(
  "a server that ignores ranges sends all of it again",
  (asked, n) => sent(file, asked, { status: 200, ...n === 1 && { cut: 4000 } }),
  async ({ fetch, path, server }) => {
    await assertWhole(path, await fetch({ sha256 }));
    assertEquals(server.asked.length, 2);
  },
);

served(
  "a file that changed on the way is taken anew, as If-Range has it",
  (asked, n) =>
    n === 1
      ? sent(other, asked, { cut: 4000, etag: '"old"' })
      : sent(file, asked, { etag: '"new"' }),
  async ({ fetch, path, server }) => {
    await assertWhole(path, await fetch());
    assertEquals(server.asked.map(({ ifRange }) => ifRange), [null, '"old"']);
  },
);

served(
  "parts of two files, told apart by nothing but the checksum, are fetched anew",
  (asked, n) => sent(n <= 1 ? other : file, asked, n === 1 ? { cut: 4000 } : {}),
  async ({ fetch, path, server }) => {
    let seen = 0;
    assertEquals(
      await fetch({ sha256 }, { progress: (done) => seen = done, stop: () => seen >= 2000 }),
      {
        kind: "stopped",
      },
    );
    const { size } = await Deno.stat(`${path}.part`);
    await assertWhole(path, await fetch({ sha256 }));
    assertEquals(ranges(server.asked), [null, `bytes=${size}-`, null]);
  },
);

served(
  "a wrong checksum is refused once, and nothing stays",
  (asked) => sent(other, asked),
  async ({ fetch, path, server }) => {
    const found = await fetch({ sha256 });
    assertEquals(found, { kind: "failed", why: `its SHA-256 is ${hashOf(other)}, not ${sha256}` });
    assertEquals(server.asked.length, 1);
    await assertNothing(path);
  },
);

served(
  "a wrong size is seen before anything is read",
  (asked) => sent(file, asked),
  async ({ fetch, path }) => {
    const why = "the server has 10,000 bytes where the archive has 9,999";
    assertEquals(await fetch({ bytes: 9999 }), { kind: "failed", why });
    await assertNothing(path);
  },
);

served(
  "more than there should be is not taken",
  (asked) => sent(file, asked, { unmeasured: true }),
  async ({ fetch, path }) => {
    const why = "the server sends more than 5,000 bytes";
    assertEquals(await fetch({ bytes: 5000 }), { kind: "failed", why });
    await assertNothing(path);
  },
);

served(
  "what ends too early for ever is refused",
  (asked) => sent(file.subarray(0, 5000), asked, { unmeasured: true, status: 200 }),
  async ({ fetch }) => {
    const why = "the connection ended after 5,000 of 10,000 bytes";
    assertEquals(await fetch({ bytes: file.length }), { kind: "failed", why });
  },
);

served(
  "404 is final, 503 is not",
  (asked, n) =>
    n === 1
      ? new Response("", { status: 404 })
      : n < 4
      ? new Response("", { status: 503 })
      : sent(file, asked),
  async ({ fetch, path, server }) => {
    assertEquals(await fetch(), { kind: "failed", why: "the server says 404 Not Found" });
    assertEquals(server.asked.length, 1);
    await assertWhole(path, await fetch());
    assertEquals(server.asked.length, 4);
  },
);

served(
  "redirects are followed, in parts too",
  (asked) =>
    asked.path === "/a.zip"
      ? new Response(null, { status: 302, headers: { location: "/b.zip" } })
      : sent(file, asked, { cut: 6000, etag: '"v1"' }),
  async ({ fetch, path, server }) => {
    await assertWhole(path, await fetch({ sha256 }));
    const there = server.asked.filter(({ path }) => path === "/b.zip");
    assert(there.length >= 2 && there.at(-1)!.range !== null);
  },
);

served(
  "a part that is all of it already costs no byte",
  (asked) => sent(file, asked),
  async ({ fetch, path, server }) => {
    await Deno.writeFile(`${path}.part`, file);
    await Deno.writeTextFile(`${path}.part.json`, JSON.stringify({ url: `${server.url}/a.zip` }));
    await assertWhole(path, await fetch({ sha256 }));
    assertEquals(ranges(server.asked), ["bytes=10000-"]);
  },
);

served(
  "a part that is longer than the file, of another address or of nothing known is dropped",
  (asked) => sent(file, asked),
  async ({ fetch, path, server }) => {
    const own = JSON.stringify({ url: `${server.url}/a.zip` });
    for (
      const version of [own, JSON.stringify({ url: "http://127.0.0.1/a.zip" }), "{", undefined]
    ) {
      await Deno.writeFile(`${path}.part`, new Uint8Array(version === own ? 10_001 : 3000));
      if (version !== undefined) await Deno.writeTextFile(`${path}.part.json`, version);
      await assertWhole(path, await fetch({ sha256 }));
      await Deno.remove(path);
    }
    assertEquals(ranges(server.asked), ["bytes=10001-", null, null, null, null]);
  },
);

served(
  "another part than was asked for is not put there",
  (asked, n) =>
    n === 1 ? sent(file, asked, { cut: 4000 }) : sent(file, asked, n === 2 ? { from: 5 } : {}),
  async ({ fetch, path }) => await assertWhole(path, await fetch({ sha256 })),
);

served(
  "a server that falls silent is asked again",
  (asked, n) => sent(file, asked, n === 1 ? { cut: 4000, silent: true } : {}),
  async ({ fetch, path, server }) => {
    await assertWhole(path, await fetch({ sha256 }, {}, 1500));
    assert(server.asked.length >= 2);
  },
);

Deno.test("a server that dies leaves what came, and the next one goes on from there", () =>
  inFolder(async (folder) => {
    const path = join(folder, "a.zip"), hooks = { progress: () => {}, stop: () => false };
    const first = serveFiles((asked, n) =>
      n === 1
        ? sent(file, asked, { cut: 4000, etag: '"v1"' })
        : sent(file, asked, { cut: 0, etag: '"v1"' })
    );
    const wanted = { url: `${first.url}/a.zip`, path, sha256 };
    const broken = await fetchFile(wanted, hooks, patience);
    assertEquals(broken.kind, "failed");
    const { size } = await Deno.stat(`${path}.part`);
    await first[Symbol.asyncDispose]();
    const dead = await fetchFile(wanted, hooks, patience);
    assertEquals(dead.kind, "unreached");
    assertMatch((dead as { why: string }).why, /refused/i);
    assertEquals((await Deno.stat(`${path}.part`)).size, size);
    await using second = serveFiles((asked) => sent(file, asked, { etag: '"v1"' }), first.port);
    await assertWhole(path, await fetchFile(wanted, hooks, patience));
    assertEquals(ranges(second.asked), [size > 0 ? `bytes=${size}-` : null]);
  }));
