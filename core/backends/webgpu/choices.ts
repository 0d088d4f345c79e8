/**
 * The choices of a device: which member of the family makes which class of product. Products of one layout whose sizes
 * have the same powers of two above them are one class.
 *
 * @module
 */
import type { MatmulKernel } from "../../plan/kernels.ts";
import { choiceFor, choicesFor, choiceText, type MatmulChoice } from "./matmul.ts";
import type { Target } from "./shader.ts";

/** "NT 2048x256x1024, 1 of them, whole": sizes as the next powers of two, and whether rows are whole vectors; before it what the factors are of, if not f32. */
export function classOf(k: MatmulKernel): string {
  const r = k.batch.length, up = (n: number): number => 2 ** Math.ceil(Math.log2(n));
  const step = (strides: readonly number[]): string =>
    strides[r + 1] === 1 ? "N" : strides[r] === 1 ? "T" : "S";
  const batch = k.batch.reduce((x, y) => x * y, 1);
  const ragged = [k.m, k.k, k.n].map((n) => n % 4 ? "ragged" : "whole").join(" ");
  const sizes = [k.m, k.k, k.n].map(up).join("x");
  const dtypes = [...new Set([k.a.base.dtype, k.b.base.dtype])].join(" ");
  return `${dtypes === "f32" ? "" : `${dtypes} `}${step(k.a.strides)}${
    step(k.b.strides)
  } ${sizes}, ${up(batch)} of them, ${ragged}`;
}

/** owns: what a search found for one device. */
export class Choices {
  readonly #target: Target;
  readonly #found: Map<string, string>;
  readonly #asked: Map<string, MatmulKernel> = new Map();
  #version = 0;

  /** `found`: names of members by the names of classes. */
  constructor(target: Target, found: ReadonlyMap<string, string> = new Map()) {
    this.#target = target;
    this.#found = new Map(found);
  }

  /** Grows when a choice changes: programs that were made before then make their steps again. */
  get version(): number {
    return this.#version;
  }

  /** The member for a product: found by a search, or the default. A name that is none of the family counts as not found. */
  readonly of = (k: MatmulKernel): MatmulChoice => {
    const name = classOf(k), text = this.#found.get(name);
    const found = text === undefined
      ? undefined
      : choicesFor(k, this.#target).find((c) => choiceText(c) === text);
    if (found) return found;
    if (!this.#asked.has(name)) this.#asked.set(name, k);
    return choiceFor(k, this.#target);
  };

  /** Classes asked for and not found, each with the first product of it; they are not given again unless asked for again. */
  takeAsked(): readonly (readonly [name: string, k: MatmulKernel])[] {
    const asked = [...this.#asked];
    this.#asked.clear();
    return asked;
  }

  /** Takes over what a search found. */
  set(found: ReadonlyMap<string, string>): void {
    for (const [name, choice] of found) this.#found.set(name, choice);
    if (found.size) this.#version++;
  }
}
