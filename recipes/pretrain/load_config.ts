/**
 * Finds and checks configurations.
 *
 * @module
 */
import { basename } from "@std/path";
import { type SchemeName, schemes } from "../../nn/attention/scheme.ts";
import { InputError } from "../cli/input_error.ts";
import { anyOf, suggestion } from "../cli/nearest.ts";
import {
  between,
  type Check,
  flag,
  isRecord,
  oneOf,
  overridden,
  positive,
  record,
  text,
  whole,
} from "../cli/schema.ts";
import {
  configurations,
  type DataConfig,
  type ModelConfig,
  type OptimizerConfig,
  type PretrainConfig,
} from "./config.ts";

const fields: Check<PretrainConfig> = record<PretrainConfig>({
  name: text,
  model: record<ModelConfig>({
    layers: whole(1),
    width: whole(1),
    heads: whole(1),
    hidden: whole(1),
    scheme: oneOf(Object.keys(schemes) as SchemeName[]),
    norm: oneOf(["pre", "post"]),
    dropout: between(0, 1),
  }),
  data: record<DataConfig>({
    length: whole(3),
    batch: whole(1),
    microBatch: whole(1),
    recompute: flag,
    maskShare: between(0.01, 0.9, true),
    vocabularySize: whole(100),
  }),
  optimizer: record<OptimizerConfig>({
    name: oneOf(["lamb"]),
    rate: positive,
    warmup: between(0, 1),
    decay: between(0, 1),
    gradNorm: oneOf(["off", "clip", "always"]),
    beta1: between(0, 1),
    beta2: between(0, 1),
    epsilon: positive,
    stateDtype: oneOf(["f32", "bf16"]),
  }),
  steps: whole(1),
  evalEvery: whole(0),
  evalSequences: whole(1),
  checkpointEvery: whole(0),
  logEvery: whole(1),
  seed: whole(0, 2 ** 32 - 1),
});

/**
 * A checked configuration from parsed JSON; `source` names it in messages.
 *
 * @throws InputError at an unknown, missing or wrong field, or fields that do not go together.
 */
export function checkConfig(value: unknown, source: string): PretrainConfig {
  const config = fields(value, { source, path: "" });
  const { model, data } = config;
  const { absolute } = schemes[model.scheme];
  const rules: readonly (readonly [right: boolean, wrong: string])[] = [
    [
      model.width % model.heads === 0,
      `model.heads is ${model.heads}, it must divide model.width ${model.width}`,
    ],
    [
      data.batch % data.microBatch === 0,
      `data.microBatch is ${data.microBatch}, it must divide data.batch ${data.batch}`,
    ],
    [
      absolute === 0 || data.length <= absolute,
      `data.length is ${data.length}, model.scheme "${model.scheme}" has ${absolute} positions`,
    ],
  ];
  const broken = rules.find(([right]) => !right);
  if (broken) throw new InputError(`Cannot use ${source}: ${broken[1]}`);
  return config;
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
export async function loadConfig(nameOrFile: string): Promise<PretrainConfig> {
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
    return checkConfig(overridden({ name }, value), nameOrFile);
  }
  const { base, ...changes } = value;
  const whole = named(base, (advice) => {
    throw new InputError(`Cannot use ${nameOrFile}: base is ${JSON.stringify(base)}; ${advice}`);
  });
  return checkConfig(overridden({ ...whole, name }, changes), nameOrFile);
}
