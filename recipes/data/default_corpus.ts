/**
 * The corpus of a run that is given none: Chinese poetry, some 300,000 poems of the Tang and Song dynasties with the lyrics of
 * the Song and the songs of the Yuan, from the npm package `chinese-poetry` (MIT licence; the poems are in the public domain).
 *
 * The poems are in traditional characters, the lyrics in simplified ones: all are made simplified with OpenCC's tables.
 *
 * @module
 */
import { Converter } from "npm:opencc-js@1.4.2/t2cn";
import { join } from "@std/path";
import type { CorpusSource } from "./corpus_source.ts";
import { fetchPackage } from "./fetch_package.ts";

const PACKAGE = "chinese-poetry@2.0.1";
const LOCK = new URL("./chinese_poetry.lock.json", import.meta.url);

/** Folders of the package and the files in them that hold poems; the others are about authors, rhymes and ranks. */
const FILES: readonly (readonly [folder: string, files: RegExp])[] = [
  ["quantangshi", /^poet\.(tang|song)\.\d+\.json$/],
  ["songci", /^ci\.song\.\d+\.json$/],
  ["yuanqu", /^yuanqu\.json$/],
];

/** One entry of the package, as far as we need it. */
interface Poem {
  readonly paragraphs?: readonly string[];
}

/** Notes of the editors. */
const NOTE = /（[^（）]*）|〖[^〖〗]*〗|\([^()]*\)/g;
/** Marks for characters that the edition could not read or print, and what is left of notes that do not close. */
const UNREADABLE = /[□■○●◎?？{}=＝|/\\*+<>（）()〖〗⿰-⿻\p{Co}A-Za-z0-9]/gu;

/**
 * The text of a poem, without notes; U+FFFD stands for what is unreadable, so that cleaning drops the poem and counts it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { poemText } from "./default_corpus.ts";
 *
 * assertEquals(poemText(["牀前看月[光]，", "疑是地上霜。（一作淸）"]), "牀前看月光，疑是地上霜。");
 * assertEquals(poemText(["夜□幽夢忽還鄉。"]), "夜\uFFFD幽夢忽還鄉。");
 * ```
 */
export function poemText(paragraphs: readonly string[]): string {
  return paragraphs.join("").replace(NOTE, "")
    .replace(/[[\]［］〔〕]/g, "") // around characters that the editors supplied
    .replace(/[「『]/g, "“").replace(/[」』]/g, "”")
    .replace(UNREADABLE, "\uFFFD");
}

/** 2 before 10: files in the order of the numbers in their names. */
function byNumber(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

async function* poems(): AsyncGenerator<readonly string[], void, unknown> {
  const root = join(await fetchPackage(PACKAGE, LOCK), "dist");
  const simplify = Converter({ from: "t", to: "cn" });
  for (const [folder, wanted] of FILES) {
    const names = Array.from(Deno.readDirSync(join(root, folder)), ({ name }) => name)
      .filter((name) => wanted.test(name)).sort(byNumber);
    for (const name of names) {
      const entries: readonly Poem[] = JSON.parse(
        await Deno.readTextFile(join(root, folder, name)),
      );
      yield entries.map(({ paragraphs }) => simplify(poemText(paragraphs ?? [])));
    }
  }
}

/** The default corpus. It is fetched (85 MB) when its documents are first asked for, and kept in Deno's cache. */
export function defaultCorpus(): CorpusSource {
  return {
    name: `npm:${PACKAGE} (Tang and Song poems, Song lyrics, Yuan songs)`,
    licence: "MIT",
    key: `${PACKAGE} simplified 1`,
    newWords: false,
    documents: poems,
  };
}
