/** Einstein sums. */
import { settle } from "../execute.ts";
import {
  type Arg,
  type Einsum,
  einsumShape,
  type Ok,
  type OneDType,
  oneDType,
  unwrap,
} from "../shape/mod.ts";
import {
  type AnyTensor,
  type DTypesOf,
  nodeOf,
  type ShapesOf,
  type Tensor,
  wrap,
} from "../tensor.ts";
import { arranged, contract, productSize, summed, type Term } from "./contract.ts";
import { expectFloats } from "./expect.ts";
import type { Draw, Law } from "./law.ts";

/** All terms as one: the two whose product is smallest first, so that nothing grows before it must. */
function contracted(terms: readonly Term[], output: string): Term {
  if (terms.length === 1) return summed(terms[0]!, output);
  const pairs = terms.flatMap((a, i) =>
    terms.slice(i + 1).map((b) => {
      const others = terms.filter((t) => t !== a && t !== b);
      const kept = output + others.map((t) => t.letters).join("");
      return { a, b, others, kept, size: productSize(a, b, kept) };
    })
  );
  const { a, b, others, kept } = pairs.reduce((best, p) => p.size < best.size ? p : best);
  return contracted([contract(a, b, kept), ...others], output);
}

/**
 * Sum of products by an equation: "bqd,bkd->bqk" is out[b, q, k] = Σ_d x[b, q, d] · y[b, k, d].
 *
 * Shapes: one letter an axis; a letter is one size everywhere, stands once in a term, and is summed over if the output
 * lacks it. One operand is summed and permuted, two become a matrix product where they can, more go two at a time, the
 * smallest result first. Rounded to f16 or bf16 after every two operands.
 *
 * @throws {TypeError} if equation and shapes do not fit, or the operands are not of one float dtype.
 *
 * @example
 * ```ts
 * import { einsum, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([[1, 2], [3, 4]]), y = tensor([[1, 0], [10, 1]]);
 * assertEquals([...await read(einsum("qd,kd->qk", x, y))], [1, 12, 3, 34]);
 * assertEquals([...await read(einsum("ij->j", x))], [4, 6]);
 * ```
 */
export function einsum<const E extends string, const T extends readonly AnyTensor[]>(
  equation: Arg<OneDType<"einsum", DTypesOf<T>, Einsum<E, ShapesOf<T>>>, E>,
  ...operands: T
): Tensor<Ok<Einsum<E, ShapesOf<T>>>, T[0]["dtype"]> {
  const nodes = operands.map(nodeOf), text = equation as string;
  unwrap(einsumShape(text, nodes.map((n) => n.shape)));
  unwrap(oneDType("einsum", nodes.map((n) => n.dtype)));
  expectFloats("einsum", ...nodes);
  const [input, output] = text.split("->") as [string, string], letters = input.split(",");
  const all = contracted(nodes.map((node, i) => ({ node, letters: letters[i]! })), output);
  return wrap(settle(arranged(all, output)));
}

/** Terms and an output over a few letters. */
function drawEquation(d: Draw): { readonly terms: string[]; readonly output: string } {
  const pick = (from: string): string => {
    const chosen = [...from].filter(() => d.int(0, 1) === 1);
    for (let i = chosen.length - 1; i > 0; i--) {
      const j = d.int(0, i);
      [chosen[i], chosen[j]] = [chosen[j]!, chosen[i]!];
    }
    return chosen.join("");
  };
  const terms = Array.from({ length: d.int(1, 3) }, () => pick("abcd"));
  return { terms, output: pick([...new Set(terms.join(""))].join("")) };
}

export const einsumLaw: Law = {
  law: "einsum",
  draw: (d) => {
    const { terms, output } = drawEquation(d), sizes = [..."abcd"].map(() => d.int(0, 3));
    const equation = `${terms.join()}->${output}`;
    return {
      inputs: terms.map((term) => ({
        shape: [...term].map((c) => sizes["abcd".indexOf(c)]!),
        dtype: "f32",
        domain: [-2, 2],
        special: false,
      })),
      call: (...xs) => einsum(equation, ...xs),
      smooth: true,
    };
  },
};
