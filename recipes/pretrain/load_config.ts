/**
 * Finds and checks configurations.
 *
 * @module
 */
import { basename } from "@std/path";
import { InputError } from "../cli/input_error.ts";
import { clickLosses, type ClickLossName } from "../click/losses.ts";
import type { UnitShares } from "../masking/mask_settings.ts";
import { policies, type PolicyName } from "../masking/policies.ts";
import { anyOf, suggestion } from "../cli/nearest.ts";
import {
  between,
  type Check,
  flag,
  isRecord,
  listOf,
  oneOf,
  orNull,
  overridden,
  positive,
  record,
  text,
  whole,
} from "../cli/schema.ts";
import {
  type ClickConfig,
  COMPRESSION,
  type CompressionConfig,
  configurations,
  type DataConfig,
  factorCodes,
  FULL_PRECISION,
  type LossScaleConfig,
  type MaskConfig,
  type ModelConfig,
  NONE_SIMULATED,
  type OptimizerConfig,
  type PretrainConfig,
  SIMULATED,
  type SimulatedConfig,
  type StageConfig,
  wires,
} from "./config.ts";
import { dilocoFields, dilocoRules, withDiloco } from "./diloco_config.ts";
import { lambRule, withRule } from "./lamb_rule.ts";
import { maskRules } from "./mask_rules.ts";
import { longestText, positionNames } from "./positions.ts";
import { wireRules } from "./wire_rules.ts";

/** What runs were before these fields were there: folders of such runs are read as ever. */
const ADDED_LATER = {
  model: {
    maxLength: 512,
    segments: 0,
    segmentStd: 0.02,
    embeddingNorm: false,
    normEpsilon: 1e-5,
    std: 0.02,
    keysLikeQueries: false,
    tokenStart: "normal",
  },
  optimizer: { biasCorrection: true, sharded: false },
  shards: 0,
  wire: "f32",
  compression: COMPRESSION,
  diloco: null,
  ...FULL_PRECISION,
};

const fields: Check<PretrainConfig> = record<PretrainConfig>({
  name: text,
  model: record<ModelConfig>({
    layers: whole(1),
    width: whole(1),
    heads: whole(1),
    hidden: whole(1),
    scheme: oneOf(positionNames),
    maxLength: whole(3),
    segments: whole(0),
    segmentStd: positive,
    embeddingNorm: flag,
    norm: oneOf(["pre", "post"]),
    normEpsilon: positive,
    std: positive,
    keysLikeQueries: flag,
    tokenStart: oneOf(["normal", "neighbours"]),
    dropout: between(0, 1),
  }),
  data: record<DataConfig>({
    length: whole(3),
    batch: whole(1),
    microBatch: whole(1),
    recompute: flag,
    vocabularySize: whole(100),
  }),
  mask: record<MaskConfig>({
    share: between(0.01, 0.9, true),
    units: record<UnitShares>({
      word: between(0, 1, true),
      phrase: between(0, 1, true),
      ngram: between(0, 1, true),
      span: between(0, 1, true),
    }),
    policy: oneOf(Object.keys(policies) as PolicyName[]),
    dice: oneOf(["unit", "token"]),
    synonyms: orNull(text),
    antonyms: orNull(text),
    phrases: orNull(text),
  }),
  click: orNull(record<ClickConfig>({
    log: text,
    simulated: record<SimulatedConfig>({
      impressions: whole(0),
      shown: whole(2),
      bias: between(0, 10, true),
      noise: between(0, 1, true),
      pieces: between(0, 1, true),
    }),
    loss: oneOf(Object.keys(clickLosses) as ClickLossName[]),
    docs: whole(1),
    length: whole(8),
    batch: whole(1),
    microBatch: whole(1),
    mlm: flag,
    weights: oneOf(["uncertainty", "fixed"]),
    share: between(0, 100, true),
    clip: between(1, 1000, true),
    heldOut: between(0.001, 0.5, true),
  })),
  optimizer: record<OptimizerConfig>({
    name: oneOf(["lamb", "adamw"]),
    rule: oneOf(["fixed", "lamb-sqrt"]),
    rate: positive,
    warmup: between(0, 1),
    decay: between(0, 1),
    gradNorm: oneOf(["off", "clip", "always"]),
    biasCorrection: flag,
    beta1: between(0, 1),
    beta2: between(0, 1),
    epsilon: positive,
    stateDtype: oneOf(["f32", "bf16"]),
    sharded: flag,
  }),
  shards: whole(0),
  wire: oneOf(wires),
  compression: record<CompressionConfig>({
    rank: whole(1),
    factors: oneOf(factorCodes),
    warmup: between(0, 1, true),
  }),
  diloco: orNull(dilocoFields),
  precision: oneOf(["f32", "f16", "bf16"]),
  lossScale: record<LossScaleConfig>({
    first: positive,
    growEvery: whole(1),
    floor: positive,
  }),
  steps: whole(1),
  then: listOf(record<StageConfig>({
    length: whole(3),
    batch: whole(1),
    microBatch: whole(1),
    steps: whole(1),
    rate: positive,
    warmup: between(0, 1),
  })),
  evalEvery: whole(0),
  evalSequences: whole(1),
  checkpointEvery: whole(0),
  keepCheckpoints: whole(0),
  logEvery: whole(1),
  seed: whole(0, 2 ** 32 - 1),
});

/**
 * A checked configuration from parsed JSON; `source` names it in messages.
 *
 * @throws InputError at an unknown, missing or wrong field, or fields that do not go together.
 */
export function checkConfig(value: unknown, source: string): PretrainConfig {
  refuseSecondAlone(value, source);
  const complete = withStageRates(
    isRecord(value) ? withSimulated(withDiloco(overridden(ADDED_LATER, value))) : value,
  );
  const config = fields(complete, { source, path: "" });
  const { model, data, mask, optimizer, lossScale, click } = config;
  const longest = longestText(model);
  const stages = [
    { at: "data", ...data },
    ...config.then.map((s, i) => ({ at: `then[${i}]`, ...s })),
  ];
  const texts = [...stages, ...click ? [{ at: "click", ...click }] : []];
  const rules: readonly (readonly [right: boolean, wrong: string])[] = [
    [
      model.width % model.heads === 0,
      `model.heads is ${model.heads}, it must divide model.width ${model.width}`,
    ],
    [
      optimizer.rule === "fixed" || optimizer.name === "lamb",
      `optimizer.rule "${optimizer.rule}" is a rule for lamb, optimizer.name is "${optimizer.name}"`,
    ],
    ...wireRules(config),
    ...(["first", "floor"] as const).map((name) =>
      [
        isPower(lossScale[name]),
        `lossScale.${name} is ${lossScale[name]}, it must be a power of two from 2^-100 to 2^100`,
      ] as const
    ),
    [
      lossScale.floor <= lossScale.first,
      `lossScale.floor is ${lossScale.floor}, it must not be above lossScale.first ${lossScale.first}`,
    ],
    ...stages.flatMap(({ at, batch, microBatch }) => [
      [
        batch % microBatch === 0,
        `${at}.microBatch is ${microBatch}, it must divide ${at}.batch ${batch}`,
      ] as const,
      [
        config.shards <= batch,
        `shards is ${config.shards}, it must not be above ${at}.batch ${batch}`,
      ] as const,
    ]),
    [
      click === null || click.log === "simulated" || click.simulated.impressions === 0 ||
      click.simulated.bias === 0,
      `click.simulated.bias is ${click?.simulated.bias}, beside a log it must be 0: ranks are looked at as they are in the log`,
    ],
    [
      click?.log !== "simulated" || click.simulated.impressions > 0,
      'click.simulated.impressions is 0, click.log "simulated" needs some',
    ],
    ...dilocoRules(config, stages),
    ...texts.map(({ at, length }) =>
      [
        length <= longest,
        `${at}.length is ${length}, model.scheme "${model.scheme}" has ${longest} positions` +
        (model.scheme === "absolute" ? "; raise model.maxLength, before the first stage" : ""),
      ] as const
    ),
  ];
  const broken = [...rules, ...maskRules(mask)].find(([right]) => !right);
  if (broken) throw new InputError(`Cannot use ${source}: ${broken[1]}`);
  return withRule(config);
}

/** Is multiplying by it exact? */
const isPower = (x: number): boolean =>
  Number.isInteger(Math.log2(x)) && Math.abs(Math.log2(x)) <= 100;

/** Refuses a second stage without a first, whose weights it would go on with. */
function refuseSecondAlone(value: unknown, source: string): void {
  if (!isRecord(value) || value.steps !== 0) return;
  if (!Array.isArray(value.then) || value.then.length === 0) return;
  throw new InputError(
    `Cannot use ${source}: steps is 0, and then[0] goes on with the weights of the first stage; give it steps, ` +
      "or put the second stage's values in its place and begin with --init",
  );
}

/** What is made from the corpus where a configuration does not say it: with a log nothing, without one `SIMULATED`. */
function withSimulated(value: unknown): unknown {
  if (!isRecord(value) || !isRecord(value.click)) return value;
  const { click } = value, own = click.log === "simulated" ? SIMULATED : NONE_SIMULATED;
  return { ...value, click: { ...click, simulated: overridden(own, click.simulated ?? {}) } };
}

const isRuled = (value: unknown): value is { readonly then: readonly unknown[] } =>
  isRecord(value) && isRecord(value.optimizer) && value.optimizer.rule === "lamb-sqrt" &&
  Array.isArray(value.then);

/** Under a rule a stage need not say its rate and warm-up. */
function withStageRates(value: unknown): unknown {
  if (!isRuled(value)) return value;
  const filled = (stage: unknown): unknown =>
    isRecord(stage) && typeof stage.batch === "number"
      ? { ...lambRule(stage.batch), ...stage }
      : stage;
  return { ...value, then: value.then.map(filled) };
}

function named(name: unknown, refuse: (why: string) => never): PretrainConfig {
  const names = Object.keys(configurations);
  if (names.includes(name as string)) return configurations[name as string]!;
  const known = `the configurations are ${anyOf(names)}`;
  return refuse(suggestion(String(name), names, known));
}

/**
 * The configuration of a name or a JSON file. A file holds a whole configuration, or `{"base": NAME}` and what is to be
 * otherwise; it need not say its own name.
 *
 * @throws InputError where there is none, or it is wrong.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { loadConfig } from "./load_config.ts";
 *
 * const { model } = await loadConfig("motian-base");
 * assertEquals([model.layers, model.width], [12, 768]);
 * ```
 */
export async function loadConfig(
  nameOrFile: string,
  changes: readonly string[] = [],
): Promise<PretrainConfig> {
  const found = await readConfig(nameOrFile);
  return changes.length === 0 ? found : changed(found, changes);
}

/**
 * A configuration with single values changed: `model.layers=3`, `mask.policy=bert`. What reads as JSON is a value of JSON, all else is text.
 *
 * @throws InputError where there is no such value, or it cannot be so.
 */
export function changed(config: PretrainConfig, changes: readonly string[]): PretrainConfig {
  const all = changes.map((change) => {
    const [, path, text] = /^([\w.]+)=(.*)$/s.exec(change) ?? [];
    if (path === undefined || text === undefined) {
      throw new InputError(`Cannot use --set ${change}: write PATH=VALUE, as in model.layers=3`);
    }
    let value: unknown = text;
    try {
      value = JSON.parse(text);
    } catch { /* it is text */ }
    return path.split(".").reduceRight((inner: unknown, name) => ({ [name]: inner }), value);
  });
  const merged = (base: unknown): unknown => all.reduce((sum, one) => overridden(sum, one), base);
  const whole = merged(config);
  const source = `--set ${changes.join(" --set ")}`, found = checkConfig(whole, source);
  refuseRates(merged({}), found, source);
  return found;
}

async function readConfig(nameOrFile: string): Promise<PretrainConfig> {
  if (Object.hasOwn(configurations, nameOrFile)) return configurations[nameOrFile]!;
  let content: string;
  try {
    content = await Deno.readTextFile(nameOrFile);
  } catch (error) {
    const unknown = error instanceof Deno.errors.NotFound;
    const why = unknown ? "no such configuration or file" : (error as Error).message;
    return named(nameOrFile, (advice) => {
      throw new InputError(`Cannot use --config ${nameOrFile}: ${why}; ${advice}`);
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw new InputError(`Cannot use ${nameOrFile}: it is no JSON: ${(error as Error).message}`);
  }
  const name = basename(nameOrFile).replace(/\.json$/, "");
  if (!isRecord(value) || value.base === undefined) {
    const found = checkConfig(overridden({ name }, value), nameOrFile);
    refuseRates(value, found, nameOrFile);
    return found;
  }
  const { base, ...changes } = value;
  const whole = named(base, (advice) => {
    throw new InputError(`Cannot use ${nameOrFile}: base is ${JSON.stringify(base)}; ${advice}`);
  });
  const found = checkConfig(overridden({ ...whole, name }, changes), nameOrFile);
  refuseRates(changes, found, nameOrFile);
  return found;
}

/** Refuses rates that a rule would set otherwise without a word. */
function refuseRates(
  changes: unknown,
  { optimizer, then }: PretrainConfig,
  source: string,
): void {
  if (optimizer.rule === "fixed" || !isRecord(changes)) return;
  const stages: readonly unknown[] = Array.isArray(changes.then) ? changes.then : [];
  const all = [
    { at: "optimizer", given: changes.optimizer, ruled: optimizer },
    ...stages.map((given, i) => ({ at: `then[${i}]`, given, ruled: then[i]! })),
  ];
  for (const { at, given, ruled } of all) {
    for (const name of ["rate", "warmup"] as const) {
      const value = isRecord(given) ? given[name] : undefined;
      if (value === undefined || value === ruled[name]) continue;
      throw new InputError(
        `Cannot use ${source}: ${at}.${name} is ${value}, optimizer.rule "${optimizer.rule}" makes it ${
          ruled[name]
        }; leave it out, or set optimizer.rule to "fixed" to choose it`,
      );
    }
  }
}
