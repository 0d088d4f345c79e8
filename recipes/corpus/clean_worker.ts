/**
 * A worker of `clean`.
 *
 * @module
 */
import { answer } from "../run/worker_pool.ts";
import type { Block } from "./blocks.ts";
import { cleanBlock } from "./clean_block.ts";

answer((block: Block) => cleanBlock(block), ({ jsonl, hashes }) => [jsonl.buffer, hashes.buffer]);
