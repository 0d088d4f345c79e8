/**
 * Word boundaries in Chinese text, by jieba's dictionary and maximum-probability path.
 *
 * The package's own `cut` makes a string of every word, which takes longer than finding it (0.5 million characters a second
 * against 1.1). Only lengths are wanted here, so its WebAssembly module is run with imports of ours.
 *
 * @module
 */
import "npm:jieba-wasm@2.4.0/web";

/** How words are found. */
export interface SegmentSettings {
  /**
   * Join characters that the dictionary does not know into new words by jieba's hidden Markov model: right for modern
   * names and terms, wrong for classical verse, where it makes words that are none.
   */
  readonly newWords: boolean;
}

/** One byte for every UTF-16 unit of a text: 1 where a word begins. */
export type WordStarts = (text: string, settings: SegmentSettings) => Uint8Array<ArrayBuffer>;

/** What is used of the module's exports. */
interface Jieba {
  readonly memory: WebAssembly.Memory;
  readonly __wbindgen_export_2: WebAssembly.Table;
  __wbindgen_malloc(bytes: number, align: number): number;
  __wbindgen_free(at: number, bytes: number, align: number): void;
  __externref_drop_slice(at: number, count: number): void;
  __wbindgen_start(): void;
  /** The list of words, as where it is and how many; the text's memory is given away. */
  cut(at: number, bytes: number, newWords: number): [at: number, count: number];
}

/** UTF-8 bytes of a UTF-16 unit; both halves of a pair have two. */
function bytesOf(unit: number): number {
  return unit < 0x80 ? 1 : unit < 0x800 || (unit & 0xf800) === 0xd800 ? 2 : 3;
}

/** Instantiates jieba; `word` is told the length of each word that is found, in bytes. */
async function instantiate(word: (bytes: number) => void): Promise<Jieba> {
  const url = new URL("jieba_rs_wasm_bg.wasm", import.meta.resolve("npm:jieba-wasm@2.4.0/web"));
  const module = await WebAssembly.compile(await Deno.readFile(url));
  const imports: Record<string, WebAssembly.ImportValue> = {};
  for (const { name } of WebAssembly.Module.imports(module)) {
    imports[name] = () => {
      throw new TypeError(`Cannot segment text: jieba asked for ${name}`);
    };
  }
  imports.__wbindgen_string_new = (_at: number, bytes: number): void => word(bytes);
  // The first four references stand for undefined, null, true and false, of which `cut` needs none.
  imports.__wbindgen_init_externref_table = (): void => void jieba.__wbindgen_export_2.grow(4);
  const { exports } = await WebAssembly.instantiate(module, { wbg: imports });
  const jieba = exports as unknown as Jieba;
  jieba.__wbindgen_start();
  return jieba;
}

/**
 * Loads the segmenter; it and its dictionary take about half a second and 100 MiB.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { loadSegmenter } from "./segment_words.ts";
 *
 * const wordStarts = await loadSegmenter();
 * assertEquals([...wordStarts("我们学习中文", { newWords: true })], [1, 0, 1, 0, 1, 0]);
 * ```
 */
export async function loadSegmenter(): Promise<WordStarts> {
  const encoder = new TextEncoder();
  let line = "";
  let at = 0; // the unit of `line` that the next word begins with
  let starts: Uint8Array = new Uint8Array();
  const jieba = await instantiate((bytes) => {
    starts[at] = 1;
    while (bytes > 0) bytes -= bytesOf(line.charCodeAt(at++));
  });

  function segmentLine(text: string, into: Uint8Array, newWords: boolean): void {
    line = text;
    starts = into;
    at = 0;
    const bytes = encoder.encode(text);
    const memory = jieba.__wbindgen_malloc(bytes.length, 1);
    new Uint8Array(jieba.memory.buffer, memory).set(bytes);
    const [words, count] = jieba.cut(memory, bytes.length, newWords ? 1 : 0);
    jieba.__externref_drop_slice(words, count);
    jieba.__wbindgen_free(words, 4 * count, 4);
    if (at !== text.length) {
      throw new RangeError(`Cannot segment ${text.length} characters: the words found have ${at}`);
    }
  }

  return (text, { newWords }) => {
    const wellFormed = text.toWellFormed();
    const all = new Uint8Array(text.length);
    // Line by line: jieba's time for a character grows with the length of what it is given.
    for (let from = 0; from < text.length;) {
      const newline = text.indexOf("\n", from);
      const to = newline < 0 ? text.length : newline + 1;
      segmentLine(wellFormed.slice(from, to), all.subarray(from, to), newWords);
      from = to;
    }
    return all;
  };
}
