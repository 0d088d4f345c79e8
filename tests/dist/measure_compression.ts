/**
 * Trains `motian-tiny` by two processes' worth of ranks, on a simulated network that counts bytes, once for each wire, and prints bytes and
 * held-out perplexity beside those of f32. Tokens are the characters of a file of text, of which every tenth line is held out:
 *
 *     deno run -A tests/dist/measure_compression.ts FILE [steps] [wire[:rank[:warmup[:factors[:ranks]]]] ...]
 *
 * One rank alone sends nothing: it shows what a wire's optimiser costs by itself, with sums that are exact.
 *
 * @module
 */
import { cpu } from "../../core/mod.ts";
import { pack } from "../../recipes/data/pack.ts";
import { streamBuilder, type TokenStream } from "../../recipes/data/token_stream.ts";
import { configurations, type PretrainConfig, wires } from "../../recipes/pretrain/config.ts";
import { checkConfig } from "../../recipes/pretrain/load_config.ts";
import { createTeam } from "../../recipes/pretrain/team.ts";
import { initialState, train, type TrainData } from "../../recipes/pretrain/train.ts";
import { SPECIAL_TOKENS, vocabularyOf } from "../../recipes/text/vocabulary.ts";
import { countedRanks } from "./counted.ts";

const RANKS = 2, SEEN = 3;

/** Lines of a file, as tokens of one character each; those that are seen less often than `SEEN` are unknown. */
async function dataOf(path: string, T: number): Promise<TrainData> {
  const lines = (await Deno.readTextFile(path)).split("\n").filter((line) => line.length > 5);
  const counts = new Map<string, number>();
  for (const line of lines) for (const c of line) counts.set(c, (counts.get(c) ?? 0) + 1);
  const known = [...counts.keys()].filter((c) => counts.get(c)! >= SEEN).sort();
  const vocabulary = vocabularyOf([...SPECIAL_TOKENS, ...known.filter((c) => c.trim() !== "")]);
  const idOf = new Map(vocabulary.tokens.map((token, id) => [token, id]));
  const streamOf = (isHeldOut: boolean): TokenStream => {
    const stream = streamBuilder(vocabulary.tokens.length, vocabulary.sep);
    for (const [i, line] of lines.entries()) {
      if ((i % 10 === 9) !== isHeldOut) continue;
      for (const c of line) stream.push(idOf.get(c) ?? vocabulary.unk, true);
      stream.close();
    }
    return stream.build();
  };
  return {
    vocabulary,
    train: pack(streamOf(false), vocabulary, T),
    heldOut: pack(streamOf(true), vocabulary, T),
  };
}

interface Measured {
  readonly perplexity: number;
  /** Of all ranks: in all, and of a step after the warm-up. Units: bytes. */
  readonly total: number;
  readonly step: number;
  readonly seconds: number;
}

const device = cpu({ threads: 1 });

async function measure(
  config: PretrainConfig,
  data: TrainData,
  ranks = RANKS,
): Promise<Measured> {
  const began = performance.now();
  const [first] = await countedRanks(ranks, async (group, rank, sent) => {
    const own = rank === 0 ? config : { ...config, evalEvery: 0 };
    const start = await initialState(config, data.vocabulary.tokens.length, device);
    const team = createTeam(group, start.model, { ...config, device, checkEvery: 50 });
    const marks: number[] = [];
    const { evaluation } = await train(own, start, data, device, {
      metrics: (row) => {
        if (rank === 0 && row.step % 20 === 0) console.error(`  ${row.step} ${row.loss}`);
      },
      evaluation: () => false,
      progress: () => {},
      checkpoint: () => Promise.resolve(),
      stop: () => false,
      // Parameters that are compared now and then are no gradients.
      team: {
        ...team,
        async take() {
          const sums = await team.take();
          marks.push(sent());
          return sums;
        },
      },
    });
    return { perplexity: evaluation?.perplexity ?? NaN, marks };
  });
  const { perplexity, marks } = first!, rest = marks.length - 2;
  return {
    perplexity,
    total: marks.at(-1)!,
    step: marks[rest]! - marks[rest - 1]!,
    seconds: (performance.now() - began) / 1000,
  };
}

async function main([path, steps = "300", ...asked]: readonly string[]): Promise<void> {
  const tiny = configurations["motian-tiny"]!;
  const config = {
    ...tiny,
    steps: Number(steps),
    logEvery: 20,
    evalEvery: 1_000_000, // at the end
    checkpointEvery: 0,
    evalSequences: 2048,
  };
  const data = await dataOf(path!, tiny.data.length);
  console.log(`${data.vocabulary.tokens.length} tokens, ${RANKS} ranks, ${steps} steps`);
  console.log("| wire | bytes of a run | of a step after the warm-up | perplexity | of f32's |");
  console.log("| --- | --- | --- | --- | --- |");
  let f32: Measured | undefined;
  for (const word of asked.length > 0 ? ["f32", ...asked] : DEFAULT) {
    const [wire, ...given] = word.split(":"), { compression: usual } = tiny;
    const [rank = usual.rank, warmup = usual.warmup, factors = usual.factors, ranks = RANKS] =
      given;
    const compression = { rank: Number(rank), warmup: Number(warmup), factors };
    const asked = { ...config, wire, compression };
    const found = await measure(checkConfig(asked, word), data, Number(ranks));
    f32 ??= found;
    const of = (x: number, y: number): string => (x / y).toFixed(4);
    console.log(
      `| ${word} | ${of(found.total, f32.total)} | ${of(found.step, f32.step)} | ${
        found.perplexity.toFixed(2)
      } | ${of(found.perplexity, f32.perplexity)} |`,
    );
    console.error(`  ${found.seconds.toFixed(0)} s, ${f32.step} bytes a step in f32`);
  }
}

const DEFAULT = wires;

await main(Deno.args);
