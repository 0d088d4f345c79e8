/**
 * Runs every test: types first, then the examples in the docs, then each folder of tests as a process of its own.
 *
 * `deno task test` runs all, `deno task test laws gate` the groups whose names begin so.
 *
 * @module
 */
import { walk } from "@std/fs";
import { join, relative } from "@std/path";
import { type Outcome, outcomeOf } from "./junit.ts";
import { refused } from "./skip.ts";

const root = new URL("../", import.meta.url).pathname;
const LIMIT_MS = 9 * 60_000;

/** Folders whose tests use every core themselves, or measure time or memory: never two files at once. */
const alone = /webgpu|cpu|memory|pretrain|recipes/;

const permissions = [
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-run",
  "--allow-sys",
  "--allow-ffi",
  "--allow-import",
  "--allow-net=localhost,127.0.0.1",
];

interface Group {
  readonly name: string;
  readonly args: readonly string[];
}

/** One group a folder under `tests`; files beside the folders, and files named after WebGPU, go alone. */
async function groups(): Promise<readonly Group[]> {
  const files: string[] = [];
  const options = { match: [/_test\.ts$/], includeDirs: false };
  for await (const { path } of walk(join(root, "tests"), options)) files.push(relative(root, path));
  const groupOf = (path: string): string => {
    const [, folder, ...below] = path.split("/");
    const own = path.replace(/^tests\/|_test\.ts$/g, "");
    return below.length === 0 || path.includes("webgpu") ? own : folder!;
  };
  const tests = [...Map.groupBy(files, groupOf)].map(([name, paths]) => {
    const parallel = alone.test(name) || paths.length === 1 ? [] : ["--parallel"];
    return { name, args: ["test", "--no-check", ...permissions, ...parallel, ...paths] };
  });
  const public_ = ["README.md", "mod.ts", "core", "nn", "optim", "dist"];
  const present = await Promise.all(
    public_.map((path) => Deno.stat(join(root, path)).catch(() => null)),
  );
  const documented = public_.filter((_, i) => present[i]);
  return [
    { name: "check", args: ["check", "--doc", ".", "README.md"] },
    { name: "docs", args: ["test", "--no-check", "--doc", "--parallel", ...documented] },
    ...tests.sort((a, b) => a.name < b.name ? -1 : 1),
  ];
}

async function run({ args }: Group, report: string): Promise<Outcome> {
  const isTest = args[0] === "test";
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: isTest ? ["test", `--junit-path=${report}`, ...args.slice(1)] : [...args],
    cwd: root,
    env: { DENO_JOBS: String(navigator.hardwareConcurrency) },
    signal: AbortSignal.timeout(LIMIT_MS),
  }).spawn().status;
  const text = isTest ? await Deno.readTextFile(report).catch(() => "") : "";
  const found = outcomeOf(text);
  // A module that cannot be loaded, a crash and a time-out leave no case in the report.
  if (code !== 0 && found.failed === 0) return { ...found, failed: 1 };
  return isTest ? found : { ...found, passed: found.passed + 1 };
}

async function main(): Promise<number> {
  const wanted = (name: string) =>
    Deno.args.length === 0 || Deno.args.some((arg) => name.startsWith(arg));
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  const done: (Group & Outcome & { readonly seconds: string })[] = [];
  for (const group of (await groups()).filter(({ name }) => wanted(name))) {
    console.log(`\n== ${group.name}`);
    const start = performance.now();
    await Deno.writeTextFile(report, "");
    const outcome = await run(group, report);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    done.push({ ...group, ...outcome, seconds });
  }
  await Deno.remove(report);
  return summarise(done);
}

function summarise(done: readonly (Group & Outcome & { readonly seconds: string })[]): number {
  console.log("\n== Time");
  for (const { name, seconds, passed, failed, skipped } of done) {
    const counts = `${passed} passed, ${failed} failed, ${skipped.length} skipped`;
    console.log(`${name.padEnd(28)} ${seconds.padStart(7)} s   ${counts}`);
  }
  const skipped = done.flatMap((group) => group.skipped);
  if (skipped.length) console.log("\n== Skipped");
  for (const { suite, reason } of skipped) console.log(`${suite}: ${reason}`);
  const missing = refused(skipped, Deno.env.get("MOTIAN_REQUIRE") ?? "");
  for (const { suite } of missing) {
    console.log(`MOTIAN_REQUIRE asks for ${suite}: counted as failed`);
  }
  const sum = (of: (outcome: Outcome) => number) => done.reduce((n, group) => n + of(group), 0);
  const failed = sum((group) => group.failed) + missing.length;
  const rest = skipped.length - missing.length;
  console.log(
    `\n${sum((g) => g.passed)} passed, ${failed} failed${rest ? `, ${rest} skipped` : ""}`,
  );
  return failed ? 1 : 0;
}

Deno.exit(await main());
