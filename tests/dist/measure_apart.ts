/**
 * Trains the tiny recipe by several processes on `../shared/data/corpus`, with sums of gradients in f32 in every step and with steps taken
 * apart, and prints for each the bytes that a process sends a step, all frames and words between steps included, and the held-out
 * perplexity in the end:
 *
 *     deno run -A tests/dist/measure_apart.ts [steps] [processes] [together every=16 every=64,wire=bf16 …]
 *
 * @module
 */
import { cpu } from "../../core/mod.ts";
import { joinGroup } from "../../dist/group/group.ts";
import { tcp } from "../../dist/net/tcp.ts";
import { openSockets } from "../../dist/transport/sockets.ts";
import { progressView } from "../../recipes/cli/progress.ts";
import { createApart } from "../../recipes/pretrain/apart.ts";
import { configurations, type PretrainConfig } from "../../recipes/pretrain/config.ts";
import { changed } from "../../recipes/pretrain/load_config.ts";
import { openCorpus } from "../../recipes/pretrain/open_corpus.ts";
import { stageData } from "../../recipes/pretrain/stage_data.ts";
import { createTeam } from "../../recipes/pretrain/team.ts";
import { initialState, train } from "../../recipes/pretrain/train.ts";
import { countedNetwork } from "./counted_network.ts";
import { quietHooks } from "../recipes/quiet_hooks.ts";

const CORPUS = new URL("../../../shared/data/corpus", import.meta.url).pathname;

/** What a process says of its run. */
interface Measured {
  readonly bytes: number;
  readonly perplexity: number | undefined;
  readonly seconds: number;
}

/** The next line of standard input. */
async function line(): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of Deno.stdin.readable) {
    text += decoder.decode(bytes);
    if (text.includes("\n")) break;
  }
  return text.trim();
}

async function child(rank: number, config: PretrainConfig): Promise<Measured> {
  let sent = 0;
  const network = countedNetwork(tcp(), (bytes) => sent += bytes);
  const transport = openSockets(network, { hostname: "127.0.0.1", port: 0, silence: 120_000 });
  console.log(transport.address);
  const member = { job: "measure", generation: 1, group: "", plan: 0, rank };
  const addresses = (await line()).split(" "), patient = { deadline: 600_000 };
  const group = await joinGroup(transport, { ...member, addresses }, patient);
  using view = progressView();
  const choice = { packed: null, corpus: CORPUS, size: config.data.vocabularySize };
  // The first prepares the text, and the others find it prepared.
  if (rank > 0) await group.barrier();
  const corpus = await openCorpus(choice, view);
  if (rank === 0) await group.barrier();
  const own = rank === 0 ? config : { ...config, evalEvery: 0 };
  const data = stageData(corpus, { config: own, number: 1, offset: 0 }, {});
  const device = cpu({ threads: 1 });
  const start = await initialState(config, corpus.vocabulary.tokens.length, device);
  const beside = await group.split(0);
  const together = config.diloco
    ? { apart: await createApart(group, beside, config, start, device) }
    : { team: createTeam(group, start.model, { ...config, device }) };
  await group.barrier();
  const before = sent, began = performance.now();
  const { evaluation } = await train(own, start, data, device, {
    ...quietHooks,
    ...together,
  });
  const seconds = (performance.now() - began) / 1000;
  const found = { bytes: sent - before, perplexity: evaluation?.perplexity, seconds };
  await group.barrier();
  await beside.close();
  await group.close();
  await transport.close();
  return found;
}

/** Runs a configuration by so many processes. */
async function run(config: PretrainConfig, size: number): Promise<readonly Measured[]> {
  const processes = Array.from({ length: size }, (_, rank) =>
    new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        import.meta.filename!,
        "child",
        `${rank}`,
        JSON.stringify(config),
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn());
  const outputs = processes.map(({ stdout }) =>
    stdout.pipeThrough(new TextDecoderStream()).getReader()
  );
  const next = async (rank: number): Promise<string> => (await outputs[rank]!.read()).value!.trim();
  const addresses = await Promise.all(outputs.map((_, rank) => next(rank)));
  for (const { stdin } of processes) {
    const writer = stdin.getWriter();
    await writer.write(new TextEncoder().encode(addresses.join(" ") + "\n"));
  }
  return await Promise.all(outputs.map(async (_, rank) => JSON.parse(await next(rank))));
}

async function main(words: readonly string[]): Promise<void> {
  const [steps = "320", processes = "2", ...asked] = words;
  const variants = asked.length > 0 ? asked : ["together", "every=16"];
  const size = Number(processes),
    base: PretrainConfig = {
      ...configurations["motian-tiny"]!,
      steps: Number(steps),
      evalEvery: Number(steps),
      checkpointEvery: 0,
    };
  const configs = variants.map((text) =>
    [
      text,
      text === "together"
        ? base
        : changed(base, [`workers=${size}`, ...text.split(",")].map((one) => `diloco.${one}`)),
    ] as const
  );
  console.log(`${size} processes, ${steps} steps of ${base.name}`);
  console.log("| steps | bytes a step | of the first's | perplexity | of the first's | seconds |");
  console.log("| --- | --- | --- | --- | --- | --- |");
  let first: { readonly bytes: number; readonly perplexity: number } | undefined;
  for (const [name, config] of configs) {
    const found = await run(config, size), [{ perplexity, seconds }] = found as [Measured];
    const bytes = found.reduce((sum, one) => sum + one.bytes, 0) / size / Number(steps);
    first ??= { bytes, perplexity: perplexity! };
    const cells = [
      name,
      bytes.toFixed(0),
      (bytes / first.bytes).toFixed(5),
      perplexity!.toFixed(1),
      (perplexity! / first.perplexity).toFixed(3),
      seconds.toFixed(0),
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
}

const [first, ...rest] = Deno.args;
if (first === "child") {
  console.log(JSON.stringify(await child(Number(rest[0]), JSON.parse(rest[1]!))));
} else await main(Deno.args);
