/** `deno task doctor`: links between processes, and the autopsy of a run. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertLess,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path";
import type { Link } from "../../recipes/doctor/net.ts";
import { factLines, machineFacts } from "../../recipes/doctor/machine.ts";
import { measureNet } from "../../recipes/doctor/net.ts";
import { constantsOf, warningsOf } from "../../recipes/doctor/net_summary.ts";
import {
  allReduce,
  broadcast,
  doubling,
  exchange,
  type Machine,
  seconds,
} from "../../recipes/doctor/model.ts";
import { readMeasured, scalingTables } from "../../recipes/doctor/scaling_tables.ts";
import { roundsOf } from "../../recipes/doctor/rounds.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { DeviceError } from "../../core/device/error.ts";
import type { GroupEvent } from "../../dist/mod.ts";
import { createRecorder } from "../../recipes/observe/recorder.ts";
import { flightOf, writeFlight } from "../../recipes/observe/flight.ts";
import { localWays, ranks, simulated } from "../dist/ranks.ts";
import { inFolder } from "../in_folder.ts";
import { runRecipe, runTask } from "./recipe_command.ts";

Deno.test("doctor: rounds meet every pair once, and none shares a rank with another of its round", () => {
  for (let size = 2; size <= 17; size++) {
    const rounds = roundsOf(size, true), all = rounds.flat().map((pair) => pair.join());
    assertEquals(all.length, size * (size - 1) / 2);
    assertEquals(new Set(all).size, all.length);
    for (const pairs of rounds) assertEquals(new Set(pairs.flat()).size, 2 * pairs.length);
    assertEquals(roundsOf(size, false).map((pairs) => pairs.length), all.map(() => 1));
  }
});

Deno.test("doctor: every rank has figures of every pair", async () => {
  const ws = localWays.find(({ name }) => name === "ws")!, seen: string[] = [];
  const reports = await ranks(ws, 3, (group, rank) =>
    measureNet(group, {
      ...{ echoes: 5, flowMs: 1, flows: 1, atOnce: true, sums: [4, 1000], host: `host${rank % 2}` },
      progress: (done, total) => rank === 1 && seen.push(`${done}/${total}`),
    }));
  const [{ hosts, links, sums } = { hosts: [], links: [], sums: [] }] = reports;
  assertEquals(hosts, ["host0", "host1", "host0"]);
  assertEquals(links.map(({ low, high }) => [low, high]), [[0, 1], [0, 2], [1, 2]]);
  assertEquals(sums.map(({ bytes }) => bytes), [4, 1000]);
  assertEquals(seen, ["1/3", "2/3", "3/3"]);
  for (const link of links) {
    for (const value of [link.there, link.back, link.least, link.median]) assertGreater(value, 0);
    // One process, one clock: the offset is off by half the shortest round trip at most.
    assertLess(Math.abs(link.offset), link.least / 2 + 0.01);
  }
  for (const report of reports) assertEquals(report.links, links);
  const { ranks: size, hosts: places } = constantsOf(reports[0]!);
  assertEquals([size, places], [3, 2]);
});

Deno.test("doctor warns of slow links, of a host behind all of them, and of clocks", () => {
  const hosts = ["a", "b", "c", "d"];
  const usual = {
    there: 1e9,
    back: 1e9,
    least: 0.1,
    median: 0.12,
    offset: 0,
    perMessage: 0,
    perByte: 0,
  };
  const report = (odd: (link: Link) => Partial<Link>) => ({
    ...{ hosts, cores: 2, perSummed: 0, sums: [] },
    links: roundsOf(4, false).flat().map(([low, high]): Link => {
      const link = { ...usual, low, high };
      return { ...link, ...odd(link) };
    }),
  });
  assertEquals(warningsOf(report(() => ({}))), []);
  assertEquals(
    warningsOf(report(({ low, high }) => low === 1 && high === 3 ? { back: 1e8 } : {})),
    [
      "rank 3 (d) to rank 1 (b) carries 100.0 MB/s, the median link 1.00 GB/s",
    ],
  );
  assertEquals(
    warningsOf(report(({ low, high }) => low === 0 && high === 2 ? { median: 7 } : {})),
    [
      "between rank 0 (a) and rank 2 (c) a round trip takes 7.00 ms, in the median 120 us",
    ],
  );
  assertEquals(warningsOf(report(({ high }) => high === 3 ? { there: 1e8, back: 1e8 } : {})), [
    "rank 3 (d) is slow with every other rank: look at its host",
  ]);
  assertEquals(warningsOf(report(({ high }) => high === 1 ? { offset: -1500 } : {})), [
    "the clock of rank 1 (b) is 1500.00 ms behind that of rank 0 (a): set both by NTP",
  ]);
});

Deno.test("doctor --net --nproc, as its task may: objects for programs, lines for people", () =>
  inFolder(async (folder) => {
    const { code, out, error } = await runTask("doctor", folder, [
      "--net",
      "--nproc",
      "2",
      "--json",
    ]);
    assertEquals(code, 0, error);
    const [link, net] = out.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals([link.kind, link.from, link.to], ["link", 0, 1]);
    assertEquals([net.kind, net.ranks, net.hosts], ["net", 2, 1]);
    for (
      const name of ["bytes_per_s", "round_trip_us", "cpu_ns_per_byte", "cpu_ns_per_summed_byte"]
    ) assert(net[name] > 0);
    assertEquals(net.bytes_per_s, Math.max(link.bytes_per_s, link.back_bytes_per_s));
  }));

Deno.test("doctor --flight says who was behind; wrong calls are refused in a line", () =>
  inFolder(async (folder) => {
    const recorder = createRecorder(4);
    for (const rank of [0, 2]) {
      const group = { job: "j", generation: 2, rank, size: 3 };
      writeFlight(folder, flightOf(recorder, group, `Lost rank 1: gone`, 1));
    }
    const found = await runTask("doctor", folder, ["--flight", folder]);
    assertEquals(found.code, 0, found.error);
    assertMatch(found.out, /^job j, generation 2: records of 2 of 3 ranks$/m);
    assertMatch(found.out, /^rank 1 left no record/m);
    assertMatch(found.out, /^ranks 0, 2 held rank 1 to be at fault.$/m);
    const asked = await runRecipe("doctor", folder, ["--flight", folder, "--json"]);
    assertEquals(JSON.parse(asked.out).missing, [1]);

    await Deno.writeTextFile(join(folder, "empty"), "{}\n");
    const wrong: readonly (readonly [words: string, message: string])[] = [
      ["--nproc 2", "Cannot doctor with --nproc alone: it says how to measure; add --net"],
      ["--net", "Cannot doctor --net alone: add --nproc N"],
      ["--net --nproc 1", "Cannot doctor with --nproc 1: it must be a whole number from 2"],
      ["--net --flight x", "Cannot doctor with --net and --flight"],
      [`--model ${join(folder, "none")}`, "Cannot read"],
      [`--model ${join(folder, "empty")}`, "no line of it is what --net --json prints at the end"],
      [
        `--flight ${join(folder, "none")}`,
        `Cannot read flight records in ${join(folder, "none")}: no such folder; pass that of a run`,
      ],
      [
        `--flight ${join(folder, "empty")}`,
        `Cannot read flight records in ${join(folder, "empty")}: it is no folder`,
      ],
    ];
    for (const [words, message] of wrong) {
      const { code, out, error } = await runRecipe(
        "doctor",
        folder,
        words.split(" ").filter(Boolean),
      );
      assertEquals([code, out], [2, ""], error);
      assertStringIncludes(error, message);
      assertEquals(error.trimEnd().split("\n").length, 1, error);
    }
  }));

Deno.test("model: rounds, bytes and sums are those of the algorithms", () => {
  assertEquals(allReduce(8, 1024), { rounds: 3, messages: 3, bytes: 3072, summed: 3072 });
  assertEquals(doubling(5, 8).rounds, 4);
  // A ring: 2 (n - 1) steps of a chunk, of which the first half are added.
  const S = 8 << 20;
  assertEquals(allReduce(8, S), { rounds: 14, messages: 14, bytes: 14 * S / 8, summed: 7 * S / 8 });
  assertEquals(allReduce(2, S).messages, 8);
  assertEquals(broadcast(9, 8).rounds, 4);
  assertEquals(broadcast(9, S), { rounds: 15, messages: 8, bytes: S, summed: 0 });
  const ideal: Machine = {
    ...{ latency: 1e-4, rate: 1e9, perMessage: 0, perByte: 0, perSummed: 0 },
    ...{ ranksPerHost: 1, cores: 2 },
  };
  assertAlmostEquals(seconds(allReduce(8, S), ideal), 14e-4 + 14 * S / 8 / 1e9, 1e-12);
  // Sixteen ranks on two cores: each of these does the work of eight.
  const crowded = { ...ideal, latency: 0, rate: Infinity, perMessage: 1e-4, ranksPerHost: 16 };
  assertAlmostEquals(seconds(allReduce(16, 1024), crowded), 8 * 4e-4, 1e-12);
  const m = { ...ideal, rate: 1e8 };
  assertAlmostEquals(
    exchange(100, 1e8, "f32", m, Infinity) / exchange(100, 1e8, "bf16", m, Infinity),
    2,
    0.02,
  );
});

Deno.test("model: what ranks are seen to send is what it says", async () => {
  for (const [n, bytes] of [[4, 1024], [5, 40], [4, 1 << 20], [3, 3 << 20]] as const) {
    const all = await ranks(simulated(), n, async (group) => {
      await group.allReduce(new Float32Array(bytes / 4));
    }, { observer: (event) => void (event.kind === "ended" && seen.push(event)) });
    assertEquals(all.length, n);
    const sums = seen.splice(0).filter(({ operation }) => operation.operation === "allReduce");
    const most = Math.max(...sums.map(({ sent }) => sent));
    assertAlmostEquals(most, allReduce(n, bytes).bytes, bytes / 100);
  }
});

const seen: Extract<GroupEvent, { readonly kind: "ended" }>[] = [];

Deno.test("docs/scaling.md has the tables that its measurements give", async () => {
  const file = (name: string): URL => new URL(`../../docs/${name}`, import.meta.url);
  const tables = scalingTables(await readMeasured(file("scaling.jsonl").pathname));
  assertStringIncludes(await Deno.readTextFile(file("scaling.md")), tables.join("\n"));
});

Deno.test("doctor --model: what is missing in a line, or no number, is said", () =>
  inFolder(async (folder) => {
    const path = join(folder, "measured.jsonl");
    const read = async (...objects: readonly object[]) => {
      await Deno.writeTextFile(path, objects.map((o) => JSON.stringify(o)).join("\n"));
      return await readMeasured(path);
    };
    const net = {
      ...{ kind: "net", cores: 2, round_trip_us: 90, bytes_per_s: 1e9 },
      ...{ cpu_us_per_message: 80, cpu_ns_per_byte: 0.3, cpu_ns_per_summed_byte: 0.1 },
    };
    const sum = { bytes: 4, ms: 5 };
    const many = {
      ...{ kind: "many", ranks: 16, load: 0, joined_s: 1, first_sum_s: 2, sums: [sum] },
      beside: "what nobody asks for",
    };
    const found = await read(net, many);
    assertEquals(found.many[0]!.sums, [sum]);
    assert(!scalingTables(found).join().includes("NaN"));
    for (const name of Object.keys(net)) {
      await assertRejects(
        () => read({ ...net, [name]: undefined }, many),
        InputError,
        "no line of it is what --net --json prints at the end",
      );
    }
    const wrong: readonly (readonly [object, string])[] = [
      [{ ranks: undefined }, "line 2: ranks is missing"],
      [{ load: undefined }, "line 2: load is missing"],
      [{ first_sum_s: "2" }, 'line 2: first_sum_s is "2", it must be a number above 0'],
      [{ sums: undefined }, "line 2: sums is missing"],
      [{ sums: [sum, { bytes: 4 }] }, "line 2: sums[1].ms is missing"],
      [{ sums: [{ ...sum, cpu_ms: "9" }] }, 'line 2: sums[0].cpu_ms is "9"'],
      [{ sums: [7] }, "line 2: sums[0] is 7, it must be an object"],
    ];
    for (const [change, message] of wrong) {
      await assertRejects(() => read(net, { ...many, ...change }), InputError, message);
    }
  }));

Deno.test("doctor says what this machine has, and what of it is taken and why", async () => {
  const device = (kind: "cpu" | "webgpu", description: string) =>
    Promise.resolve({ kind, description });
  const absent = () => Promise.reject(new DeviceError("Cannot open webgpu: none", "absent"));
  const real = await machineFacts((kind) => device(kind === "cpu" ? "cpu" : "webgpu", "a GPU"));
  assertEquals([real.auto, real.webgpu], ["webgpu", "a GPU"]);
  const soft = await machineFacts((kind) =>
    kind === "webgpu" ? device("webgpu", "llvmpipe") : device("cpu", "cores")
  );
  assertMatch(factLines(soft)[3]!, /^--device auto is cpu: the only adapter is software/);
  const none = await machineFacts((kind) => kind === "webgpu" ? absent() : device("cpu", "cores"));
  assertEquals(factLines(none).slice(1), [
    "cpu: cores",
    "webgpu: no adapter",
    "--device auto is cpu: there is no adapter for WebGPU",
  ]);
  const lost = () => Promise.reject(new DeviceError("Cannot go on: gone", "lost"));
  await assertRejects(
    () => machineFacts((kind) => kind === "webgpu" ? lost() : device("cpu", "cores")),
    DeviceError,
  );
});
