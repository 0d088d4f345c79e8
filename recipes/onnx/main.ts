/**
 * `deno task export`: a model as an ONNX file.
 *
 * @module
 */
import { cpu } from "../../core/mod.ts";
import { InputError } from "../cli/input_error.ts";
import { reasonOf } from "../cli/reason.ts";
import { runMain } from "../cli/main.ts";
import { helpText } from "../cli/options.ts";
import { rowOf } from "../clue/unit.ts";
import { writeWhole } from "../run/write_whole.ts";
import { tokenizer } from "../text/tokenize.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import { compared, type Difference, randomRows, type Rows } from "./compare.ts";
import { encode } from "./encode.ts";
import { exportableOf, exportModel, roundedModel } from "./export_model.ts";
import { OPSET } from "./model.ts";
import { exportCommand, type ExportOptions, exportOptions } from "./options.ts";
import { gathered, type Message } from "./protobuf.ts";
import { type Chosen, toExport } from "./to_export.ts";

/** Lines of a text that are compared. */
const LINES = 64;
/** Bytes that a file of protobuf may have. */
const MOST = 2 ** 31 - 1;

/** The first lines of a text, as rows of tokens by themselves. */
async function linesOf(path: string, vocabulary: Vocabulary, most: number): Promise<Rows[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    const isAbsent = error instanceof Deno.errors.NotFound;
    throw new InputError(
      `Cannot read ${path}: ${isAbsent ? "no such file" : reasonOf(error)}`,
    );
  }
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  if (lines.length === 0) throw new InputError(`Cannot compare on ${path}: it has no text`);
  const tokens = tokenizer(vocabulary);
  const rows = lines.slice(0, LINES).map((line) => rowOf(tokens, most, line).ids)
    .toSorted((p, q) => p.length - q.length);
  const BATCH = 16;
  return Array.from(
    { length: Math.ceil(rows.length / BATCH) },
    (_, n) => rows.slice(n * BATCH, (n + 1) * BATCH),
  );
}

/** What rounding costs, on what. */
interface Cost extends Difference {
  readonly on: string;
}

async function costs(
  { text }: ExportOptions,
  { what, vocabulary }: Chosen,
  rounded: ReturnType<typeof roundedModel>,
): Promise<readonly Cost[]> {
  const { tokens, pad } = vocabulary, exact = exportableOf(what);
  const device = cpu();
  try {
    const on: (readonly [string, readonly Rows[]])[] = [
      ["random tokens", randomRows(tokens.length, what.length)],
    ];
    if (text !== undefined) on.push([text, await linesOf(text, vocabulary, what.length)]);
    const found: Cost[] = [];
    for (const [name, rows] of on) {
      found.push({ on: name, ...await compared(exact, rounded.exportable, rows, pad, device) });
    }
    return found;
  } finally {
    device.destroy();
  }
}

function costLine({ on, largest, of, cosine, agree }: Cost, { head }: Chosen): string {
  const figure = (x: number): string => x.toPrecision(3);
  const also = head === "mlm" || head === "task"
    ? `, the greatest is the same one in ${(100 * agree).toFixed(1)} % of ${
      head === "mlm" ? "the places" : "the lists"
    }`
    : head === "relevance"
    ? ""
    : `, the smallest cosine is ${cosine.toFixed(5)}`;
  return `on ${on}: differs by ${figure(largest)} at most, of numbers up to ${figure(of)}${also}`;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toPrecision(3)} MB`;

async function write(path: string, file: Message): Promise<void> {
  if (file.size > MOST) {
    throw new InputError(
      `Cannot write ${path}: ${
        megabytes(file.size)
      } are more than an ONNX file may have (2 GiB); try --int8`,
    );
  }
  try {
    await writeWhole(path, gathered(file));
  } catch (error) {
    await Deno.remove(`${path}.part`).catch(() => {});
    const { NotFound, PermissionDenied, IsADirectory, NotADirectory } = Deno.errors;
    const isTheirs = [NotFound, PermissionDenied, IsADirectory, NotADirectory]
      .some((kind) => error instanceof kind);
    if (!isTheirs) throw error;
    throw new InputError(`Cannot write ${path}: ${reasonOf(error)}; pass another --out`);
  }
}

async function main(): Promise<number> {
  const options = exportOptions(Deno.args);
  if (options.help) {
    console.log(helpText(exportCommand));
    return 0;
  }
  const { model: path, out, int8, json } = options;
  const chosen = await toExport({ ...options, model: path! }), { what, head, labels } = chosen;
  const exact = await exportModel(what), whole = encode(exact);
  const rounded = int8 ? roundedModel(exact, what) : undefined;
  const found = rounded ? await costs(options, chosen, rounded) : [];
  const model = rounded?.model ?? exact, file = rounded ? encode(rounded.model) : whole;
  await write(out!, file);
  const inputs = model.inputs.map(({ name }) => name);
  const [output, ...others] = model.outputs, more = others.map(({ name }) => name);
  if (json) {
    const also = {
      ...more.length > 0 && { more },
      ...labels && { labels },
    };
    const sizes = { bytes: file.size, ...rounded && { f32_bytes: whole.size } };
    const facts = { out, head, opset: OPSET, length: what.length, ...sizes };
    console.log(JSON.stringify({ ...facts, inputs, output: output!.name, ...also, costs: found }));
    return 0;
  }
  console.log(
    `${out}: ${inputs.join(", ")} to ${output!.name} [${
      output!.axes.join(", ")
    }], rows of up to ${what.length} tokens; opset ${OPSET}, ${megabytes(file.size)}`,
  );
  if (labels) console.log(`scores are of ${labels.join(", ")}`);
  if (more.length > 0) console.log(`beside it: ${more.join(", ")}`);
  if (rounded) {
    const share = (file.size / whole.size).toFixed(3);
    console.log(`weights in one byte: ${share} of ${megabytes(whole.size)}`);
  }
  for (const cost of found) console.log(costLine(cost, chosen));
  return 0;
}

if (import.meta.main) await runMain(main);
