import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { join } from "@std/path";
import { InputError } from "../../recipes/cli/input_error.ts";
import {
  type ClickConfig,
  configurations,
  NONE_SIMULATED,
  SIMULATED,
} from "../../recipes/pretrain/config.ts";
import { configTable } from "../../recipes/pretrain/config_table.ts";
import { checkConfig, loadConfig } from "../../recipes/pretrain/load_config.ts";
import { pretrainOptions } from "../../recipes/pretrain/options.ts";

const tiny = configurations["motian-tiny"]!;

/** Writes a file of its own for a test. */
async function withFile(content: string, test: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "mine.json");
    await Deno.writeTextFile(path, content);
    await test(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the named configurations have the sizes that their names promise, and pass their own check", () => {
  const sizes = Object.values(configurations).map(({ name, model }) => [
    name,
    model.layers,
    model.width,
    model.width / model.heads,
    model.hidden / model.width,
  ]);
  assertEquals(sizes, [
    ["motian-tiny", 2, 128, 64, 4],
    ["motian-small", 4, 256, 64, 4],
    ["motian-base", 12, 768, 64, 4],
    ["motian-1b", 24, 2048, 128, 4],
  ]);
  for (const [name, config] of Object.entries(configurations)) {
    assertEquals(checkConfig(JSON.parse(JSON.stringify(config)), name), config);
  }
});

Deno.test("the README's table is what deno task pretrain --configs prints: all values of all configurations", async () => {
  const table = configTable(Object.values(configurations)).join("\n");
  const readme = new URL("../../recipes/pretrain/README.md", import.meta.url);
  assertStringIncludes(await Deno.readTextFile(readme), table, "run it and paste what it prints");
  for (const [path, value] of [["model.scheme", "motian-shared"], ["then[0].batch", "32768"]]) {
    assert(table.split("\n").some((row) => row.includes(path!) && row.includes(value!)), path);
  }
});

Deno.test("loadConfig overrides a named base, field by field", () =>
  withFile(
    JSON.stringify({ base: "motian-tiny", model: { layers: 3 }, steps: 7 }),
    async (path) => {
      assertEquals(await loadConfig(path), {
        ...tiny,
        name: "mine",
        model: { ...tiny.model, layers: 3 },
        steps: 7,
      });
    },
  ));

Deno.test("loadConfig takes a whole configuration, as a run folder holds one", () =>
  withFile(JSON.stringify({ ...tiny, name: "saved" }), async (path) => {
    assertEquals(await loadConfig(path), { ...tiny, name: "saved" });
  }));

Deno.test("loadConfig refuses names that are not there", async () => {
  const cases = [
    ["motian-tony", "no such configuration or file; did you mean motian-tiny?"],
    [
      "no.json",
      "no such configuration or file; the configurations are motian-tiny, motian-small, motian-base or motian-1b",
    ],
  ] as const;
  for (const [name, why] of cases) {
    const error = await assertRejects(() => loadConfig(name), InputError);
    assertEquals(error.message, `Cannot use --config ${name}: ${why}`);
  }
});

const simulated: ClickConfig = {
  log: "simulated",
  simulated: SIMULATED,
  loss: "listwise",
  docs: 4,
  length: 32,
  batch: 4,
  microBatch: 4,
  mlm: false,
  weights: "fixed",
  share: 1,
  clip: 1,
  heldOut: 0.1,
};

Deno.test("what was saved before a field was there is read as it was meant", () => {
  const { segmentStd: _, std: __, keysLikeQueries: ___, tokenStart: ____, ...before } = tiny.model;
  const { maxLength: _m, segments: _s, embeddingNorm: _e, normEpsilon: _n, ...model } = before;
  const { biasCorrection: _b, ...optimizer } = tiny.optimizer;
  assertEquals(checkConfig({ ...tiny, model, optimizer }, "old"), tiny);
  for (const [log, own] of [["simulated", SIMULATED], ["clicks.jsonl", NONE_SIMULATED]] as const) {
    const { simulated: _, ...click } = { ...simulated, log };
    const found = checkConfig({ ...tiny, click }, "old");
    assertEquals(found.click, { ...click, simulated: own });
  }
});

const wrong: readonly (readonly [content: unknown, message: string])[] = [
  [{ base: "motian-huge" }, 'base is "motian-huge"; did you mean motian-base?'],
  [{ base: 3 }, "base is 3; the configurations are motian-tiny, "],
  [{ base: "motian-tiny", step: 3 }, "step is unknown; did you mean steps?"],
  [
    { base: "motian-tiny", model: { colour: 3 } },
    "model.colour is unknown; known are layers, width, heads, hidden, scheme, maxLength, ",
  ],
  [
    { base: "motian-tiny", model: { layers: "4" } },
    'model.layers is "4", it must be a whole number of at least 1',
  ],
  [
    { base: "motian-tiny", model: { layers: 0 } },
    "model.layers is 0, it must be a whole number of at least 1",
  ],
  [
    { base: "motian-tiny", model: { layers: 1.5 } },
    "model.layers is 1.5, it must be a whole number",
  ],
  [
    { base: "motian-tiny", model: { heads: 3 } },
    "model.heads is 3, it must divide model.width 128",
  ],
  [
    { base: "motian-tiny", model: { norm: "mid" } },
    'model.norm is "mid", it must be "pre" or "post"',
  ],
  [{ base: "motian-tiny", model: { scheme: "bort" } }, 'model.scheme is "bort", it must be "'],
  [
    { base: "motian-tiny", model: { dropout: 1 } },
    "model.dropout is 1, it must be a number from 0 to under 1",
  ],
  [
    { base: "motian-tiny", model: { scheme: "tupe" }, data: { length: 513 } },
    'data.length is 513, model.scheme "tupe" has 512 positions',
  ],
  [
    {
      base: "motian-tiny",
      model: { scheme: "absolute", maxLength: 128 },
      then: [{ length: 256, batch: 8, microBatch: 8, steps: 9, rate: 0.01, warmup: 0 }],
    },
    'then[0].length is 256, model.scheme "absolute" has 128 positions; raise model.maxLength, before',
  ],
  [
    {
      base: "motian-tiny",
      model: { scheme: "absolute", maxLength: 64 },
      click: { ...simulated, length: 65 },
    },
    'click.length is 65, model.scheme "absolute" has 64 positions; raise model.maxLength',
  ],
  [
    { base: "motian-small", click: { log: "mine.jsonl", simulated: { bias: 1 } } },
    "click.simulated.bias is 1, beside a log it must be 0: ranks are looked at as they are in the log",
  ],
  [
    { base: "motian-small", click: { simulated: { impressions: 0 } } },
    'click.simulated.impressions is 0, click.log "simulated" needs some',
  ],
  [
    { base: "motian-small", click: { simulated: { pieces: 1.5 } } },
    "click.simulated.pieces is 1.5, it must be a number from 0 to 1",
  ],
  [
    { base: "motian-tiny", optimizer: { biasCorrection: 1 } },
    "optimizer.biasCorrection is 1, it must be true or false",
  ],
  [{ base: "motian-tiny", model: null }, "model is null, it must be an object with layers, width"],
  [{ base: "motian-tiny", model: [1] }, "model is [1], it must be an object with layers, width"],
  [
    { base: "motian-tiny", data: { batch: 30, microBatch: 20 } },
    "data.microBatch is 20, it must divide data.batch 30",
  ],
  [
    { base: "motian-tiny", optimizer: { rate: 0 } },
    "optimizer.rate is 0, it must be a number above 0",
  ],
  [
    { base: "motian-tiny", optimizer: { name: "adam" } },
    'optimizer.name is "adam", it must be "lamb" or "adamw"',
  ],
  [
    { base: "motian-tiny", optimizer: { name: "adamw", rule: "lamb-sqrt" } },
    'optimizer.rule "lamb-sqrt" is a rule for lamb, optimizer.name is "adamw"',
  ],
  [
    { base: "motian-1b", optimizer: { rate: 0.01 } },
    'optimizer.rate is 0.01, optimizer.rule "lamb-sqrt" makes it 0.00707',
  ],
  [
    { base: "motian-small", steps: 0 },
    "steps is 0, and then[0] goes on with the weights of the first stage; give it steps",
  ],
  [{ base: "motian-tiny", steps: 0 }, "steps is 0, it must be a whole number of at least 1"],
  [{ ...tiny, keepCheckpoints: -1 }, "keepCheckpoints is -1, it must be a whole number"],
  [{ base: "motian-tiny", seed: -1 }, "seed is -1, it must be a whole number from 0 to 4294967295"],
  [{ base: "motian-tiny", name: "" }, 'name is "", it must be text'],
  [{ model: tiny.model }, "data is missing"],
  [[], "it is [], it must be an object with name, model"],
  ["text", 'it is "text", it must be an object with name, model'],
];
for (const [content, message] of wrong) {
  const json = JSON.stringify(content);
  Deno.test(`loadConfig refuses ${json.slice(0, 70)}`, () =>
    withFile(json, async (path) => {
      const error = await assertRejects(() => loadConfig(path), InputError);
      assert(error.message.startsWith(`Cannot use ${path}: ${message}`), error.message);
      assertEquals(error.message.includes("\n"), false);
    }));
}

Deno.test("loadConfig refuses what is no JSON", () =>
  withFile("{steps: 3}", async (path) => {
    await assertRejects(() => loadConfig(path), InputError, `Cannot use ${path}: it is no JSON: `);
  }));

Deno.test("pretrainOptions has defaults and types", () => {
  const { config, device, steps, resume, json } = pretrainOptions(["--steps", "20", "--json"]);
  const chosen: "auto" | "webgpu" | "cpu" | "reference" = device;
  assertEquals({ config, chosen, steps, resume, json }, {
    config: undefined,
    chosen: "auto",
    steps: 20,
    resume: false,
    json: true,
  });
});

Deno.test("pretrainOptions refuses to resume nothing, or with other settings", () => {
  const cases = [
    ["--resume", "Cannot pretrain with --resume alone: say which run; add --out DIR"],
    [
      "--resume --out runs/a --seed 3",
      "Cannot pretrain with --resume and --seed: the run's config.json says it; leave one out",
    ],
    [
      "--init runs/a --vocab mine.txt",
      "Cannot pretrain with --init and --vocab: the weights have a vocabulary; leave one out",
    ],
    [
      "--general poems.txt",
      "Cannot pretrain with --general alone: it is measured before and after; add --init DIR",
    ],
  ] as const;
  for (const [line, message] of cases) {
    const error = assertThrows(() => pretrainOptions(line.split(" ")), InputError);
    assertEquals(error.message, message);
  }
  assertEquals(pretrainOptions(["--resume", "--help"]).help, true);
});
