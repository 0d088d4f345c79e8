/**
 * Adversarial training: a step learns from the batch, and from the batch as it looks when the token embeddings are moved to where the loss
 * is greater.
 *
 * What is moved is the table of token embeddings, by a matrix whose norm over the whole table is ε at most: the custom for Chinese BERTs.
 * Miyato et al. move the vectors of each text, normalised, on their own; with one norm a batch the sizes of the disturbances of its texts
 * follow their gradients. The same dropout holds for all passes of a step.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  div,
  globalNorm,
  grad,
  greater,
  maximum,
  mul,
  type Tensor,
  type Tree,
  type ValueAndGrad,
  valueAndGrad,
  where,
  zipTrees,
} from "../../../core/mod.ts";

/** A model with a table of token embeddings. */
export interface Embedded {
  readonly encoder: { readonly embeddings: { readonly tokens: unknown } };
}

/** How a model is disturbed. */
export type Adversary =
  | { readonly kind: "none" }
  | { readonly kind: "fgm"; readonly epsilon: number }
  | { readonly kind: "pgd"; readonly epsilon: number; readonly steps: number };

/** A loss and its gradient in a model. */
export type Gradient<M, I> = (model: M, inputs: I) => ValueAndGrad<M>;

/** The same model with another table. */
function withTokens<M extends Embedded>(model: M, tokens: AnyTensor): M {
  const { encoder } = model;
  return { ...model, encoder: { ...encoder, embeddings: { ...encoder.embeddings, tokens } } };
}

const tokensOf = (model: Embedded): AnyTensor => model.encoder.embeddings.tokens as AnyTensor;

/** g / ‖g‖ · size; a gradient of 0 stays what it is. */
function scaled(g: AnyTensor, size: number): AnyTensor {
  const norm = globalNorm([g]), by: AnyTensor = where(greater(norm, 0), norm, 1);
  return mul(div(g, by) as AnyTensor, size) as AnyTensor;
}

/** Back onto the ball of radius ε, for what is outside of it. */
function projected(r: AnyTensor, epsilon: number): AnyTensor {
  return div(r, maximum(div(globalNorm([r]), epsilon), 1) as AnyTensor) as AnyTensor;
}

/** The length of a step of PGD, for a ball of radius 1. Source: the default of Madry's robustness library. */
const REACH = 2.5;

/**
 * The gradient with an adversary: ∇L(E) + ∇L(E + r) for the token embeddings E. The value is L(E).
 *
 * - `fgm`: r = ε g / ‖g‖ with g = ∇_E L(E). Source: Miyato, Dai and Goodfellow 2017 (arXiv 1605.07725).
 * - `pgd`: r_0 = 0, r_{t+1} = Π(r_t + a g_t / ‖g_t‖) with g_t = ∇_E L(E + r_t), a = 2.5 ε / K and Π the projection onto ‖r‖ ≤ ε; r = r_K.
 *   Source: Madry et al. 2018 (arXiv 1706.06083), section 2.1, with the steps of the l2 ball.
 *
 * A program has the passes of fgm twice, of pgd K + 1 times.
 */
export function adversarial<M extends Embedded, I>(
  loss: (model: M, inputs: I) => Tensor<[]>,
  adversary: Adversary,
): Gradient<M, I> {
  const clean: Gradient<M, I> = valueAndGrad(loss);
  if (adversary.kind === "none") return clean;
  const { epsilon } = adversary, steps = adversary.kind === "pgd" ? adversary.steps : 1;
  const reach = adversary.kind === "pgd" ? REACH * epsilon / steps : epsilon;
  const inTokens = grad((tokens: AnyTensor, model: M, inputs: I) =>
    loss(withTokens(model, tokens), inputs)
  );
  return (model, inputs) => {
    const { value, grads } = clean(model, inputs), tokens = tokensOf(model);
    let r = projected(scaled(tokensOf(grads as Embedded), reach), epsilon);
    for (let step = 1; step < steps; step++) {
      const g = inTokens(add(tokens, r) as AnyTensor, model, inputs);
      r = projected(add(r, scaled(g, reach)) as AnyTensor, epsilon);
    }
    const moved = clean(withTokens(model, add(tokens, r) as AnyTensor), inputs);
    const trees = [grads, moved.grads] as unknown as readonly Tree<AnyTensor>[];
    const both = zipTrees(trees, ([a, b]) => add(a!, b!) as AnyTensor) as unknown;
    return { value, grads: both as M };
  };
}
