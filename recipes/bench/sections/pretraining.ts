/**
 * The whole of pretraining, as a user starts it: reading, masking and batching beside the steps. Corpus: made-up documents, as the
 * default one would be fetched.
 *
 * @module
 */
import { fromFileUrl, join } from "@std/path";
import type { BenchCase, Runner } from "../bench_case.ts";
import { WrongResultError } from "../bench_case.ts";
import type { Device } from "../../../core/device/device.ts";
import { fillWhole } from "../fill.ts";
import { quantile } from "../measure.ts";

const main = fromFileUrl(new URL("../../pretrain/main.ts", import.meta.url));
const config = fromFileUrl(new URL("../../../deno.json", import.meta.url));

const STEPS = 60, LOG_EVERY = 10, DOCUMENTS = 4000, LENGTH = 120, TOKENS = 32 * 64;

/** Documents of characters as uneven in frequency as those of a language: the i-th of n comes 1 / i as often. */
function documents(): string {
  const draws = fillWhole(5, DOCUMENTS * LENGTH, 0, 1 << 20);
  const character = (draw: number): string =>
    draw % 13 === 0 ? "，" : String.fromCodePoint(0x4e00 + Math.floor(3000 ** (draw / (1 << 20))));
  return Array.from(
    { length: DOCUMENTS },
    (_, i) => Array.from(draws.subarray(i * LENGTH, (i + 1) * LENGTH), character).join("") + "。\n",
  ).join("");
}

interface Logged {
  readonly step?: number;
  readonly tokens_per_s?: number;
  readonly mlm_ppl?: number;
  readonly unigram_ppl?: number;
  readonly loss?: number;
}

/** Runs the command and gives what it logged; FFI, and with it a BLAS, is allowed as on the device that is measured. */
async function pretrain(device: Device): Promise<readonly Logged[]> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "corpus.txt"), documents());
    const settings = { base: "motian-tiny", steps: STEPS, logEvery: LOG_EVERY, evalSequences: 64 };
    await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify(settings));
    const blas = /blas|accelerate/i.test(device.description) ? ["--allow-ffi"] : [];
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-prompt", "--no-check", "--config", config],
        ...["--allow-read", "--allow-write", "--allow-env", "--allow-run", ...blas, main],
        ...["--corpus", "corpus.txt", "--config", "config.json", "--out", "run", "--json"],
        ...["--device", device.kind],
      ],
      cwd: folder,
    }).output();
    const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).trim();
    if (code !== 0) throw new WrongResultError(`Cannot time pretraining: ${text(stderr)}`);
    return text(stdout).split("\n").map((line) => JSON.parse(line));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Steps that were logged; the first ones hold the compilation. */
const steady = (rows: readonly Logged[]): readonly Logged[] =>
  rows.filter(({ step, tokens_per_s }) => tokens_per_s !== undefined && step! > 2 * LOG_EVERY);

const pretraining: BenchCase = {
  name: "pretraining motian-tiny",
  size: `${STEPS} steps of 32x64`,
  op: "pretrain",
  sizes: {},
  unit: "tokens/s",
  work: { tokens: TOKENS },
  ours(device): Promise<Runner> {
    return Promise.resolve({
      // However often it is asked for: a run has steps enough of its own.
      async time(times) {
        const rates = steady(await pretrain(device)).map((row) => row.tokens_per_s!);
        return times * TOKENS / quantile(rates, 0.5);
      },
      async values(at) {
        const losses = (await pretrain(device)).flatMap(({ loss }) =>
          loss === undefined ? [] : [loss]
        );
        return at.map((i) => losses.at(i) ?? NaN);
      },
      close() {},
    });
  },
  async check(runner, who) {
    const [first, last] = await runner.values([0, -1]) as [number, number];
    if (last < first) return;
    throw new WrongResultError(`Cannot time ${who}: its loss goes from ${first} to ${last}`);
  },
  peers: { cpu: [], "cpu+blas": [], webgpu: [] },
  slow: true,
  apart: true,
};

/** The section. */
export const pretrainingCases: readonly BenchCase[] = [pretraining];
