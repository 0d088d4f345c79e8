/**
 * `deno task bench`: the command line of the benchmarks.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { type Interrupt, runMain } from "../cli/main.ts";
import { helpText } from "../cli/options.ts";
import { progressView } from "../cli/progress.ts";
import { saveBaseline } from "./baseline.ts";
import { WrongResultError } from "./bench_case.ts";
import { allCases, chosenCases, isMeasured } from "./cases.ts";
import { compareBaselines } from "./compare.ts";
import { benchDevices } from "./devices.ts";
import { benchCommand, type BenchOptions, benchOptions } from "./options.ts";
import { startPeers } from "./peers/peers.ts";
import { roofs } from "./roof.ts";
import type { Row } from "./row.ts";
import { type Bench, rowsOf } from "./run_case.ts";
import { tableHead, tableLine } from "./table.ts";

/** Units: seconds of one turn, and of all turns of a row. */
const TURN = 0.15, LIMIT = 60;

/** A machine whose cores others use this much of before a row gets a warning. */
const BUSY = 0.1;

async function main(interrupt: Interrupt): Promise<number> {
  const options = benchOptions(Deno.args);
  if (options.help) {
    console.log(helpText(benchCommand));
    return 0;
  }
  if (options.compare) {
    for (const line of await compareBaselines(...options.compare)) console.log(line);
    return 0;
  }
  return await bench(options, interrupt);
}

async function bench(options: BenchOptions, interrupt: Interrupt): Promise<number> {
  const cases = chosenCases(options.filter);
  if (cases.length === 0) {
    const known = [...new Set(allCases.map(({ name }) => name.split(" ")[0]))].join(", ");
    throw new InputError(
      `Cannot bench --filter ${options.filter}: no row has it; there are ${known}`,
    );
  }
  // A file that cannot be written is told before the work, not after it.
  if (options.save) await saveBaseline(options.save, []);
  const devices = await benchDevices(options.device);
  await using peers = options.peers === "off" ? undefined : startPeers();
  const settings: Bench = {
    pace: { rounds: options.rounds, turn: TURN, limit: LIMIT },
    peers,
    roof: roofs(peers),
  };
  const rows: Row[] = [];
  let failed = 0, done = 0;
  using view = progressView();
  if (!options.json) console.log(tableHead);
  const asked = cases.flatMap((c) => devices.map((device) => ({ c, device })))
    .filter(({ c, device }) => isMeasured(c, device.name, options));
  for (const { c, device } of asked) {
    if (interrupt.requested) break;
    view.show({
      label: "bench",
      done: done++,
      total: asked.length,
      figures: [c.name, c.size, device.name],
    });
    try {
      for await (const row of rowsOf(settings, c, device)) {
        rows.push(row);
        console.log(options.json ? JSON.stringify(row) : tableLine(row));
        if (row.load && row.load.before > BUSY) {
          view.note(
            `Other programs use ${
              (100 * row.load.before).toFixed(0)
            } % of this machine: ${row.name} ${row.size} says little`,
          );
        }
      }
    } catch (error) {
      if (!(error instanceof WrongResultError)) throw error;
      failed++;
      view.note(error.message);
    }
  }
  if (options.save) await saveBaseline(options.save, rows);
  return failed ? 1 : 0;
}

if (import.meta.main) await runMain(main);
