/**
 * A forecast for people.
 *
 * @module
 */
import type { PretrainConfig } from "./config.ts";
import { type Fit, fitLine } from "./fit.ts";
import type { Forecast } from "./forecast.ts";

type Row = readonly [name: string, value: string, remark?: string];

/** Whole numbers with their thousands apart. */
const count = (n: number): string => n.toLocaleString("en-US");

/** A number in the largest of these units that it fills, each `step` times the one before. */
function scaled(n: number, units: readonly string[], step: number): string {
  let value = n, unit = 0;
  for (; value >= step && unit < units.length - 1; unit++) value /= step;
  return `${value.toFixed(2)} ${units[unit]}`;
}

const bytes = (n: number): string => scaled(n / 2 ** 20, ["MiB", "GiB", "TiB"], 1024);

const operations = (n: number): string =>
  n === 0 ? "0" : scaled(n / 1e9, ["GFLOP", "TFLOP", "PFLOP"], 1000);

function table(title: string, rows: readonly Row[]): string[] {
  return [
    "",
    title,
    ...rows.map(([name, value, remark]) =>
      `  ${name.padEnd(14)}${value.padStart(16)}${remark ? `  ${remark}` : ""}`
    ),
  ];
}

/** A forecast as tables. `origin` says where the number of tokens comes from. */
export function forecastLines(
  config: PretrainConfig,
  found: Forecast,
  fit: Fit,
  origin: string,
): string[] {
  const { parameters: p, memory: m, flops, alive } = found;
  const { model, data, optimizer, precision } = config;
  return [
    `${config.name}: ${model.layers} layers x ${model.width}, ${model.heads} heads, positions ` +
    `${model.scheme}; ${count(found.vocabulary)} tokens (${origin})`,
    `on ${found.device}${precision === "f32" ? "" : `, passes in ${precision}`}`,
    ...table("Parameters", [
      ["embeddings", count(p.embeddings)],
      ["layers", count(p.layers)],
      ["positions", count(p.positions), "shared by the layers"],
      ["head", count(p.head), "its rows are the embeddings"],
      ["total", count(p.total)],
    ]),
    ...table("Memory of the device", [
      ["weights", bytes(m.weights)],
      ["gradients", bytes(m.gradients)],
      ["moments", bytes(m.moments), optimizer.stateDtype],
      [
        "activations",
        bytes(m.scratch),
        `and scratch; alive at once: ${bytes(alive.accumulate)} in gradients, ` +
        `${bytes(alive.apply)} in the update`,
      ],
      ["inputs", bytes(m.inputs)],
      ["total", bytes(m.total), "the most at once: the plan's peak"],
    ]),
    ...table("A step", [
      [
        "tokens",
        count(found.tokens),
        `${data.batch} x ${data.length}, ${count(found.microBatches)} x ${data.microBatch} at once`,
      ],
      ["forward", operations(flops.forward)],
      ["backward", operations(flops.backward), data.recompute ? "and what is computed again" : ""],
      ["update", operations(flops.update), "no products"],
      ["total", operations(flops.total), "products and attention"],
      ["traffic", bytes(found.traffic), "read and written"],
    ]),
    "",
    `${fitLine(found, fit)}: ${fit.fits ? "it fits" : "it does not fit"}`,
  ];
}
