/**
 * `check`: leaves out documents that hold text of evaluation sets.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { eachOf } from "../run/each_of.ts";
import { WorkerPool } from "../run/worker_pool.ts";
import type { CheckAnswer, CheckQuestion } from "./check_worker.ts";
import { evaluationOf } from "./contamination.ts";
import { evaluationTexts } from "./evaluation_texts.ts";
import { keepDocuments } from "./keep_documents.ts";
import type { CorpusReport } from "./report.ts";
import { readDocuments, type ShardMeta, wholeText } from "./shards.ts";
import { stageKey, type StageOptions } from "./stage.ts";
import { closeStage, openForStage } from "./stage_folder.ts";

/** What `check` needs. */
export interface CheckOptions extends StageOptions {
  readonly in: string;
  /** Files and folders of evaluation sets. */
  readonly against: readonly string[];
}

const FORMAT = 1;

/** Leaves out what holds evaluation text. Undefined if it was interrupted. */
export async function check(o: CheckOptions): Promise<CorpusReport | undefined> {
  const { info, shards } = await wholeText(o.in);
  const files = await evaluationTexts(o.against, o.view.note);
  const content = createHash("sha256");
  for (const { name, texts } of files) {
    for (const text of [name, ...texts]) content.update(`${text}\0`);
  }
  const key = stageKey(FORMAT, info.key, content.digest("hex"));
  const before = await openForStage(o.out, "check", key, [o.in, ...o.against]);
  if (before) return before;
  const evaluation = evaluationOf(files), found: CheckAnswer[] = [];
  {
    using pool = new WorkerPool<CheckQuestion, CheckAnswer>({
      url: new URL("./check_worker.ts", import.meta.url),
      work: "check text",
      size: o.workers,
    });
    let done = 0;
    const make = async ({ index }: ShardMeta): Promise<void> => {
      const jsonl = await readDocuments(o.in, index);
      found[index] = await pool.ask({ jsonl, evaluation }, [jsonl.buffer]);
      o.view.show({ label: "check", done: ++done, total: shards.length });
    };
    if (!await eachOf(shards, pool.size + 1, make, () => o.interrupt.requested)) return undefined;
  }
  const report = await keepDocuments(o, shards, (shard, document) => {
    const code = found[shard]![document]! - 1;
    return code < 0
      ? undefined
      : `${files[code >> 1]!.name}, ${code & 1 ? "a sentence" : "13 in a row"}`;
  });
  if (!report) return undefined;
  return await closeStage(o.out, { stage: "check", key, shards: shards.length, report });
}
