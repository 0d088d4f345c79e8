/**
 * Runs every test: types first, then the examples in the docs, then each folder of tests as a process of its own.
 *
 * `deno task test` runs all, `deno task test laws gate` the groups whose names begin so.
 *
 * @module
 */
import { walk } from "@std/fs";
import { existsSync } from "node:fs";
import { join, relative } from "@std/path";
import { type Outcome, outcomeOf } from "./junit.ts";
import { refused } from "./skip.ts";

const root = new URL("../", import.meta.url).pathname;
/** A group that takes so long hangs: the longest takes a quarter of it where two slow cores have other work beside it. */
const LIMIT_MS = 20 * 60_000;

/** Files whose tests use every core themselves or measure memory have a process to themselves. */
const own = /webgpu|cpu|memory|mpi_/;
/** Folders whose files run one after another. */
const sequential = /recipes|pretrain/;

const permissions = [
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-run",
  "--allow-sys",
  "--allow-ffi",
  "--allow-import",
  // 0.0.0.0: to listen on everything, which takes a token.
  "--allow-net=localhost,127.0.0.1,0.0.0.0",
];

/**
 * On Linux WebGPU is Vulkan alone, unless the caller says otherwise. Deno would ask for OpenGL too, and so load libEGL, which frees what
 * it keeps of every thread when the process ends; a thread of Deno's that ends in the same moment frees its own again, and the process
 * dies of SIGABRT ("free(): invalid pointer", "double free") when all its tests have passed. Two of 28 runs of webgpu_tune_test did so
 * with MALLOC_CHECK_=3, and the cores show both threads.
 */
const webgpuEnv = Deno.build.os === "linux"
  ? { DENO_WEBGPU_BACKEND: Deno.env.get("DENO_WEBGPU_BACKEND") ?? "vulkan" }
  : {};

interface Group {
  readonly name: string;
  readonly args: readonly string[];
}

const testing = ["test", "--no-check"];

/**
 * One group a folder under `tests`, and one for each file that goes alone.
 * The library's examples run without any permission.
 */
async function groups(): Promise<readonly Group[]> {
  const documented = await examples(["README.md", "mod.ts", "core", "nn", "optim", "dist"]);
  const ofRecipes = await examples(["recipes"]);
  const files = await found("tests", (path) => path.endsWith("_test.ts"));
  const groupOf = (path: string): string => {
    const [, folder, ...below] = path.split("/");
    const isAlone = below.length === 0 || own.test(path);
    return isAlone ? path.replace(/^tests\/|_test\.ts$/g, "") : folder!;
  };
  const tests = [...Map.groupBy(files, groupOf)].map(([name, paths]) => {
    const parallel = sequential.test(name) || paths.length === 1 ? [] : ["--parallel"];
    return { name, args: [...testing, ...permissions, ...parallel, ...paths] };
  });
  return [
    { name: "check", args: ["check", "--doc", ".", "README.md"] },
    { name: "examples", args: [...testing, "--doc", "--parallel", ...documented] },
    { name: "examples of recipes", args: [...testing, ...permissions, "--doc", ...ofRecipes] },
    ...tests.sort((a, b) => a.name < b.name ? -1 : 1),
  ];
}

async function found(top: string, wanted: (path: string) => boolean): Promise<readonly string[]> {
  if ((await Deno.stat(join(root, top)).catch(() => null))?.isFile) return [top];
  const paths: string[] = [];
  for await (const { path, isFile } of walk(join(root, top))) {
    if (isFile && wanted(path)) paths.push(relative(root, path));
  }
  return paths;
}

/** The files that show an example: `deno test --doc` loads what it is given, a command's main module too. */
async function examples(tops: readonly string[]): Promise<readonly string[]> {
  const present = tops.filter((top) => existsSync(join(root, top)));
  const files = (await Promise.all(present.map((top) => found(top, (p) => /\.(ts|md)$/.test(p)))))
    .flat();
  const texts = await Promise.all(files.map((path) => Deno.readTextFile(join(root, path))));
  return files.filter((_, i) => texts[i]!.includes("```ts"));
}

async function run({ args }: Group, report: string): Promise<Outcome> {
  const isTest = args[0] === "test";
  const process = new Deno.Command(Deno.execPath(), {
    args: isTest ? ["test", `--junit-path=${report}`, ...args.slice(1)] : [...args],
    cwd: root,
    env: {
      ...webgpuEnv,
      DENO_JOBS: String(navigator.hardwareConcurrency),
      ...(Deno.stdout.isTerminal() ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" }),
    },
    stdout: "piped",
    signal: AbortSignal.timeout(LIMIT_MS),
  }).spawn();
  const uncaught = await show(process.stdout);
  const { code } = await process.status;
  if (!isTest) return { passed: code ? 0 : 1, failed: code ? 1 : 0, skipped: [] };
  const { passed, failed, skipped } = outcomeOf(await Deno.readTextFile(report));
  // A crash and a time-out leave no failed case in the report.
  return { passed, failed: failed + uncaught || (code ? 1 : 0), skipped };
}

/** Passes a test process's output on, and counts the modules that failed outside of a test: no report has them. */
async function show(output: ReadableStream<Uint8Array>): Promise<number> {
  let uncaught = 0, line = "";
  const decoder = new TextDecoder();
  for await (const bytes of output) {
    await Deno.stdout.write(bytes);
    const lines = (line + decoder.decode(bytes, { stream: true })).split("\n");
    line = lines.pop()!;
    uncaught += lines.filter((text) => /Uncaught error from .*FAILED/.test(text)).length;
  }
  return uncaught;
}

async function main(): Promise<number> {
  const wanted = (name: string) =>
    Deno.args.length === 0 || Deno.args.some((arg) => name.startsWith(arg));
  const chosen = (await groups()).filter(({ name }) => wanted(name));
  if (chosen.length === 0) {
    const all = (await groups()).map(({ name }) => name).join(", ");
    console.error(`Cannot run ${Deno.args.join(" ")}: the groups are ${all}`);
    return 2;
  }
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  const done: (Group & Outcome & { readonly seconds: string })[] = [];
  for (const group of chosen) {
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
  const total = done.reduce((sum, { seconds }) => sum + Number(seconds), 0);
  console.log(`${"all".padEnd(28)} ${total.toFixed(1).padStart(7)} s`);
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

if (import.meta.main) Deno.exit(await main());
