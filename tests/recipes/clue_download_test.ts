/** Archives of tasks: fetched once, trusted by their checksums, unpacked without harm. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { exists, walk } from "@std/fs";
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { zipSync } from "npm:fflate@0.8.3";
import { InputError } from "../../recipes/cli/input_error.ts";
import { type Archive, archives } from "../../recipes/clue/download/archives.ts";
import { bringTasks, type Download } from "../../recipes/clue/download/download.ts";
import { unpack } from "../../recipes/clue/download/unpack.ts";
import { tasks } from "../../recipes/clue/tasks.ts";
import { inFolder } from "../in_folder.ts";
import { type FileServer, sent, serveFiles } from "./file_server.ts";
import { fixtures, linesText } from "./clue_fixtures.ts";
import { runRecipe } from "./recipe_command.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const zipOf = (files: Readonly<Record<string, string>>): Uint8Array =>
  zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, bytesOf(text)])), {
    mtime: new Date(1980, 0, 1),
  });
const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const lines = linesText(fixtures.tnews!.train);
const tnews = zipOf({ "tnews_public/train.json": lines, "tnews_public/dev.json": lines });
const ocnli = zipOf({ "train.50k.json": linesText(fixtures.ocnli!.train), "dev.json": "{}" });
const zips: Readonly<Record<string, Uint8Array>> = {
  "/tnews.zip": tnews,
  "/ocnli.zip": ocnli,
  "/afqmc.zip": bytesOf("<html>log in first</html>"),
};

/** Brings tasks from a server of these archives; tnews has a checksum. */
async function bring(
  { url }: Pick<FileServer, "url">,
  data: string,
  names: readonly string[],
  more: Partial<Download> = {},
): Promise<{ readonly faults: readonly string[]; readonly notes: readonly string[] }> {
  const archive = (name: string): Archive => ({ url: `${url}/${name}.zip`, folder: name });
  const from = {
    tnews: { ...archive("tnews"), bytes: tnews.length, sha256: hashOf(tnews) },
    ...{ ocnli: archive("ocnli"), afqmc: archive("afqmc"), csl: archive("csl") },
  };
  const notes: string[] = [], patience = { tries: 2, silence: 60_000, pause: 1 };
  const faults = await bringTasks(
    { tasks: names.map((name) => tasks[name]!), data, from, patience, ...more },
    { note: (line) => notes.push(line), progress: () => {}, stop: () => false },
  );
  return { faults, notes };
}

const serveZips = (): FileServer =>
  serveFiles((asked) =>
    zips[asked.path] ? sent(zips[asked.path]!, asked) : new Response("", { status: 404 })
  );

const paths = async (folder: string): Promise<readonly string[]> => {
  const found: string[] = [];
  for await (const { path, isFile } of walk(folder)) {
    if (isFile) found.push(path.slice(folder.length + 1));
  }
  return found;
};

Deno.test("archives are fetched once, and pinned where no checksum is published", () =>
  inFolder(async (data) => {
    await using server = serveZips();
    const first = await bring(server, data, ["tnews", "ocnli"]);
    assertEquals(first.faults, []);
    assertMatch(
      first.notes.join("\n"),
      /ocnli: nobody has published a checksum of ocnli\.zip; the one fetched now/,
    );
    assert(!first.notes.some((note) => /tnews: nobody/.test(note)));
    const expected = [
      ...["archives/checksums.json", "archives/ocnli.zip", "archives/tnews.zip"],
      ...["ocnli/dev.json", "ocnli/train.50k.json", "tnews/dev.json", "tnews/train.json"],
    ];
    assertEquals(await paths(data), expected);
    const pins = JSON.parse(await Deno.readTextFile(join(data, "archives", "checksums.json")));
    assertEquals(pins, { "ocnli.zip": hashOf(ocnli) });
    assertEquals(await Deno.readTextFile(join(data, "tnews", "train.json")), lines);

    const { length } = server.asked;
    assertEquals((await bring(server, data, ["tnews", "ocnli"])).faults, []);
    await Deno.remove(join(data, "tnews"), { recursive: true });
    assertEquals((await bring(server, data, ["tnews", "ocnli"])).faults, []);
    assertEquals(await paths(data), expected);
    assertEquals(server.asked.length, length, "what is there is not asked for");

    // A pinned archive that changes is refused.
    await Deno.remove(join(data, "ocnli"), { recursive: true });
    await Deno.writeFile(join(data, "archives", "ocnli.zip"), tnews);
    const [fault = ""] = (await bring(server, data, ["ocnli"])).faults;
    assertStringIncludes(fault, `its SHA-256 is ${hashOf(tnews)}, not ${hashOf(ocnli)}; remove it`);
    assert(!await exists(join(data, "ocnli")));
  }));

Deno.test("archives that the user has put there are taken without a network; pins go before what is published", () =>
  inFolder(async (data) => {
    const nowhere = { url: "http://127.0.0.1:9" };
    await Deno.mkdir(join(data, "archives"));
    await Deno.writeFile(join(data, "archives", "tnews.zip"), tnews);
    await Deno.writeFile(join(data, "archives", "ocnli.zip"), ocnli);
    const found = await bring(nowhere, data, ["tnews", "ocnli"]);
    assertEquals(found.faults, []);
    assertStringIncludes(found.notes.join("\n"), "the one found now");

    await Deno.remove(join(data, "tnews"), { recursive: true });
    const newer = zipOf({ "train.json": lines });
    await Deno.writeFile(join(data, "archives", "tnews.zip"), newer);
    assertMatch(
      (await bring(nowhere, data, ["tnews"])).faults[0]!,
      /where you trust it, write that into/,
    );
    const pins = join(data, "archives", "checksums.json");
    await Deno.writeTextFile(pins, JSON.stringify({ "tnews.zip": hashOf(newer) }));
    assertEquals((await bring(nowhere, data, ["tnews"])).faults, []);

    await Deno.remove(join(data, "tnews"), { recursive: true });
    for (const broken of ["{", "[]", '{"tnews.zip":"12"}']) {
      await Deno.writeTextFile(pins, broken);
      assertMatch(
        (await bring(nowhere, data, ["tnews"])).faults[0]!,
        /^Cannot read .*checksums\.json: .*; mend or remove it$/,
      );
    }
  }));

Deno.test("what cannot be had keeps no other back, and a page in between is not trusted", () =>
  inFolder(async (data) => {
    await using server = serveZips();
    const { faults } = await bring(server, data, ["afqmc", "csl", "lcqmc", "tnews"]);
    assertEquals(faults.length, 3);
    assertMatch(faults[0]!, /^Cannot unpack .*afqmc\.zip: it is no sound zip \(/);
    assertMatch(
      faults[1]!,
      /^Cannot download csl: http.*\/csl\.zip: the server says 404 Not Found; fetch http.*csl\.zip another way, put it into .*archives .*--mirror URL$/,
    );
    assertMatch(
      faults[2]!,
      /^Cannot download lcqmc: CLUE has no archive of it; there are some of tnews/,
    );
    assertEquals(await paths(data), ["archives/tnews.zip", "tnews/dev.json", "tnews/train.json"]);
  }));

Deno.test("a host that is not reached is asked for one archive only; a mirror may have them", () =>
  inFolder(async (data) => {
    await using server = serveZips();
    const nowhere = serveZips();
    await nowhere[Symbol.asyncDispose]();
    const { faults } = await bring(nowhere, data, ["tnews", "ocnli", "csl"]);
    assertMatch(
      faults[0]!,
      /^Cannot download tnews: 127\.0\.0\.1:\d+ cannot be reached \(.+\); fetch http.*tnews\.zip another way/,
    );
    assertMatch(
      faults[1]!,
      /^Cannot download ocnli, csl: 127\.0\.0\.1:\d+ cannot be reached; fetch http.*\/ocnli\.zip http.*\/csl\.zip another way/,
    );
    assertEquals([faults.length, await paths(data)], [2, []]);
    assert(!await exists(join(data, "archives")));
    assertEquals(
      (await bring(nowhere, data, ["tnews", "ocnli"], { mirror: `${server.url}/` })).faults,
      [],
    );
  }));

/** Contents of archives, and why they are not unpacked. */
const harmful: readonly (readonly [name: string, zip: Uint8Array, why: RegExp])[] = [
  ...["../x", "/x", "a/../../x", "C:\\x", "a\\..\\x", "a//x", "./x", "a/./x"].map((name) =>
    [
      name,
      zipOf({ "train.json": "{}", [name]: "x" }),
      /would be written outside of its folder$/,
    ] as const
  ),
  [
    "a name twice",
    zipOf({ "train.json": "{}", "Train.json": "{}" }),
    /"Train.json" is in it twice$/,
  ],
  [
    "a bomb",
    zipSync({ "train.json": new Uint8Array(20e6) }),
    /it would unpack to 20,000,000 bytes, more than/,
  ],
  [
    "too many",
    zipOf(Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`${i}`, ""]))),
    /1001 files are in it/,
  ],
  [
    "nothing",
    zipOf({ "__MACOSX/._train.json": "x", ".DS_Store": "x", "a/": "" }),
    /no file is in it$/,
  ],
  ["half a zip", tnews.subarray(0, tnews.length >> 1), /it is no sound zip/],
  [
    "broken content",
    tnews.map((byte, i) => i > 60 && i < 120 ? byte ^ 0x55 : byte),
    /it is no sound zip/,
  ],
];
for (const [name, zip, why] of harmful) {
  Deno.test(`an archive is refused, and leaves nothing: ${name}`, () =>
    inFolder(async (folder) => {
      const error = await assertRejects(
        () => unpack(join(folder, "in", "a.zip"), join(folder, "in", "out")),
        InputError,
      );
      assertMatch(error.message, why);
      assertEquals(await paths(folder), ["in/a.zip"]);
      assert(!await exists(join(folder, "in", "out.part")));
    }, { "in/a.zip": zip }));
}

Deno.test("folders that all files are in, and litter, are left away", () =>
  inFolder(async (folder) => {
    const found = await unpack(join(folder, "a.zip"), join(folder, "out"));
    assertEquals(found, ["data/train.json", "readme.txt"]);
    assertEquals(await paths(join(folder, "out")), found);
  }, {
    "a.zip": zipOf({
      ...{
        "a/b/data/train.json": "{}",
        "a/b/readme.txt": "x",
        "__MACOSX/a/._b": "x",
        "a/.DS_Store": "x",
      },
      "a/": "",
    }),
  }));

Deno.test("every official archive is for a task, by https, and its checksum is one", () => {
  for (const [name, { url, sha256, bytes }] of Object.entries(archives)) {
    assert(Object.hasOwn(tasks, name) && url.startsWith("https://"), name);
    assert(sha256 === undefined || /^[0-9a-f]{64}$/.test(sha256) && bytes! > 0, name);
  }
});

Deno.test("clue --download brings a task from a mirror, and says in a line what it cannot", () =>
  inFolder(async (folder) => {
    const names = zipOf({ "train.json": "{}", "dev.json": "{}" });
    await using server = serveFiles((asked) =>
      sent(asked.path === "/m/cluener_public.zip" ? names : ocnli, asked)
    );
    const clue = (...words: readonly string[]) =>
      runRecipe("clue", folder, ["--download", ...words]);
    const mirror = ["--mirror", `${server.url}/m/`];
    const right = await clue("--task", "cluener", "--data", "CLUE", ...mirror);
    assertEquals([right.code, right.out], [0, ""], right.error);
    assertEquals(await paths(join(folder, "CLUE")), [
      ...["archives/checksums.json", "archives/cluener_public.zip"],
      ...["cluener/dev.json", "cluener/train.json"],
    ]);
    const wrong = await clue("--task", "afqmc", "--data", "CLUE", ...mirror);
    assertEquals([wrong.code, wrong.out], [2, ""]);
    assertMatch(
      wrong.error,
      /^Cannot download afqmc: .*: the server has [\d,]+ bytes where the archive has 1,195,044; .*\n$/,
    );
    const others: readonly (readonly [words: readonly string[], why: string])[] = [
      [["--task", "qbqtc", "--data", "CLUE"], "Cannot download qbqtc: CLUE has no archive of it"],
      [["--task", "afqmc"], "Cannot clue without --data"],
      [["--task", "afqmc", "--data", "CLUE", "--mirror", "ftp://a"], "it must be an address"],
      [["--task", "afqmc", "--data", "CLUE/cluener/dev.json"], "Cannot write"],
    ];
    for (const [words, why] of others) {
      const { code, error } = await clue(...words);
      assertEquals(code, 2, error);
      assertStringIncludes(error, why);
      assertEquals(error.trimEnd().split("\n").length, 1, error);
    }
  }));
