/**
 * How long and how fast each task is learnt, where nothing else is asked for.
 *
 * Lengths follow CLUE's baselines, but for texts that are shorter here. Epochs, batches and rates are for models of a few million parameters,
 * which bear ten times the rate of BERT-base: those of the tasks in the README's table of scores were tried with `motian-small`, the others are
 * guesses.
 *
 * @module
 */

/** How a task is learnt. */
export interface TaskDefaults {
  /** Tokens of a row at most. */
  readonly length: number;
  readonly epochs: number;
  /** Units of a step. */
  readonly batch: number;
  readonly rate: number;
  /** Share of dropped values. */
  readonly dropout: number;
  /** Factor on the rate from each block to the one below it. */
  readonly layerDecay: number;
}

/** By the names of the tasks. */
export const defaults = {
  afqmc: { length: 128, epochs: 3, batch: 32, rate: 3e-4, dropout: 0.1, layerDecay: 1 },
  tnews: { length: 128, epochs: 8, batch: 32, rate: 8e-4, dropout: 0.2, layerDecay: 0.7 },
  iflytek: { length: 256, epochs: 8, batch: 32, rate: 4e-4, dropout: 0.1, layerDecay: 1 },
  cmnli: { length: 128, epochs: 2, batch: 32, rate: 3e-4, dropout: 0.1, layerDecay: 1 },
  ocnli: { length: 128, epochs: 3, batch: 32, rate: 3e-4, dropout: 0.1, layerDecay: 1 },
  cluewsc: { length: 160, epochs: 20, batch: 16, rate: 1e-4, dropout: 0.1, layerDecay: 1 },
  csl: { length: 256, epochs: 5, batch: 16, rate: 3e-4, dropout: 0.1, layerDecay: 1 },
  cmrc2018: { length: 512, epochs: 2, batch: 32, rate: 3e-4, dropout: 0.1, layerDecay: 1 },
  chid: { length: 64, epochs: 3, batch: 24, rate: 2e-4, dropout: 0.1, layerDecay: 1 },
  c3: { length: 512, epochs: 8, batch: 24, rate: 2e-4, dropout: 0.1, layerDecay: 1 },
  cluener: { length: 128, epochs: 5, batch: 24, rate: 4e-4, dropout: 0.1, layerDecay: 1 },
  "cluener-softmax": { length: 128, epochs: 5, batch: 24, rate: 3e-4, dropout: 0.1, layerDecay: 1 },
  qbqtc: { length: 64, epochs: 3, batch: 32, rate: 4e-4, dropout: 0.1, layerDecay: 1 },
  lcqmc: { length: 128, epochs: 3, batch: 32, rate: 3e-4, dropout: 0.1, layerDecay: 1 },
  bustm: { length: 64, epochs: 10, batch: 16, rate: 3e-4, dropout: 0.1, layerDecay: 1 },
  chnsenticorp: { length: 256, epochs: 10, batch: 16, rate: 8e-4, dropout: 0.1, layerDecay: 0.7 },
} as const satisfies Readonly<Record<string, TaskDefaults>>;
