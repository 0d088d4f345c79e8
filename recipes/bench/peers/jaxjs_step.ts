/**
 * The training step in jax-js: the same model, batch and initial parameters, and LAMB, which its optax lacks, written out. All of a step
 * is one `jit`, as ours is one program.
 *
 * @module
 */
import { describe } from "../../../nn/mod.ts";
import { stepSpec } from "../step.ts";
import { lambSettings, startValues, stepBatch, type StepSizes, vectors } from "../step_sizes.ts";
import type { JaxArray, JaxJs } from "./jaxjs_api.ts";

type Tree = Record<string, JaxArray>;

/** What a step is given and gives, as flat records by path. */
export interface JaxState {
  readonly params: Tree;
  readonly m: Tree;
  readonly v: Tree;
  readonly count: JaxArray;
}

/** The step, its inputs, and the state before the first. */
export interface JaxStep {
  readonly step: (
    params: Tree,
    m: Tree,
    v: Tree,
    count: JaxArray,
    ids: JaxArray,
    positions: JaxArray,
    labels: JaxArray,
    buckets: JaxArray,
    one: JaxArray,
  ) => [loss: JaxArray, params: Tree, m: Tree, v: Tree, count: JaxArray];
  readonly inputs: readonly [JaxArray, JaxArray, JaxArray, JaxArray, JaxArray];
  start(): JaxState;
}

/** T5's bucket of an offset, as `torch_step.py` has it. */
function bucket(offset: number): number {
  const half = 16, exact = 8, far = 128, n = Math.abs(offset), side = offset > 0 ? half : 0;
  if (n < exact) return side + n;
  const large = Math.fround(Math.log(Math.fround(n / exact)) / Math.log(far / exact)) *
    (half - exact);
  return side + Math.min(half - 1, exact + Math.floor(large));
}

/** Makes the step. Every array is used up by its last use: `.ref` keeps it for another. */
export function jaxStep(jax: JaxJs, sizes: StepSizes): JaxStep {
  const { numpy: np, nn } = jax,
    { layers, width: C, heads: H, hidden, batch: B, length: T } = sizes;
  const K = C / H, infos = describe(stepSpec(sizes));
  const batch = stepBatch(sizes), P = batch.positions.length;

  const norm = (p: Tree, path: string, x: JaxArray): JaxArray =>
    nn.standardize(x, -1, { epsilon: 1e-5 })
      .mul(p[`${path}.gain`]!.ref).add(p[`${path}.bias`]!.ref);
  const affine = (x: JaxArray, w: JaxArray, b: JaxArray, out: number): JaxArray =>
    np.matmul(x, w.ref.reshape([-1, out])).add(b.ref.reshape([out]));
  const gelu = (x: JaxArray): JaxArray => nn.gelu(x, { approximate: false });

  function layer(p: Tree, at: string, x: JaxArray, bias: JaxArray): JaxArray {
    const y = norm(p, `${at}.norm1`, x.ref);
    const [q, k, v] = ["q", "k", "v"].map((name) =>
      affine(y.ref, p[`${at}.attention.w${name}`]!, p[`${at}.attention.b${name}`]!, C)
        .reshape([B, T, H, K]).transpose([0, 2, 1, 3])
    ) as [JaxArray, JaxArray, JaxArray];
    y.dispose();
    const scores = np.matmul(q, k.transpose([0, 1, 3, 2])).mul(1 / Math.sqrt(K)).add(bias);
    const mixed = np.matmul(nn.softmax(scores, -1), v).transpose([0, 2, 1, 3]).reshape([B * T, C]);
    const attended = affine(mixed, p[`${at}.attention.wo`]!, p[`${at}.attention.bo`]!, C).add(x);
    const { up, down } = { up: `${at}.feedForward.up`, down: `${at}.feedForward.down` };
    const z = norm(p, `${at}.norm2`, attended.ref);
    const inner = gelu(affine(z, p[`${up}.w`]!, p[`${up}.b`]!, hidden));
    return affine(inner, p[`${down}.w`]!, p[`${down}.b`]!, C).add(attended);
  }

  function loss(
    p: Tree,
    ids: JaxArray,
    positions: JaxArray,
    labels: JaxArray,
    buckets: JaxArray,
    one: JaxArray,
  ): JaxArray {
    // Under jit a scatter, the gradient of a gather, takes no view (0.1.25: "scatter input is not imm"): a product is none.
    const rows = (x: JaxArray, at: JaxArray): JaxArray => x.slice(at).mul(one.ref);
    const tokens = p["encoder.embeddings.tokens"]!;
    let x = rows(tokens.ref, ids).reshape([B * T, C]);
    const bias = rows(p["encoder.shared.bias"]!.ref, buckets).transpose([2, 0, 1]);
    for (let i = 0; i < layers; i++) x = layer(p, `encoder.layers.${i}`, x, bias.ref);
    bias.dispose();
    const masked = rows(norm(p, "encoder.norm", x), positions);
    one.dispose();
    const dense = gelu(affine(masked, p["head.dense.w"]!, p["head.dense.b"]!, C));
    const logits = np.matmul(norm(p, "head.norm", dense), tokens.ref.transpose([1, 0]))
      .add(p["head.bias"]!.ref);
    const classes = np.arange(sizes.vocabulary).reshape([1, sizes.vocabulary]);
    const hit = labels.reshape([P, 1]).equal(classes); // its oneHot makes a table of V × V
    const chosen = np.where(hit, nn.logSoftmax(logits, -1), 0);
    for (const x of Object.values(p)) x.dispose();
    // In two: on webgpu one sum of more than 2^20 elements leaves out the rest.
    return chosen.sum(-1).sum().mul(-1 / P);
  }

  const gradient = jax.valueAndGrad(loss);
  const { rate, beta1, beta2, epsilon, decay } = lambSettings;
  const sumOfSquares = (x: JaxArray): JaxArray =>
    x.shape.length > 1 ? np.square(x).sum(-1).sum() : np.square(x).sum();
  const length = (x: JaxArray): JaxArray => np.sqrt(sumOfSquares(x));

  const step: JaxStep["step"] = (params, m, v, count, ...inputs) => {
    const copies = Object.fromEntries(infos.map(({ path }) => [path, params[path]!.ref]));
    const [value, grads] = gradient(copies, ...inputs);
    const squares = infos.map(({ path }) => sumOfSquares(grads[path]!.ref));
    const clip = np.maximum(np.sqrt(squares.reduce((a, b) => a.add(b))), 1);
    const t = count.add(1);
    const [c1, c2] = [beta1, beta2].map((b) => np.exp(t.ref.mul(Math.log(b))).mul(-1).add(1));
    const next = { params: {} as Tree, m: {} as Tree, v: {} as Tree };
    for (const { path } of infos) {
      const g = grads[path]!.div(clip.ref), p = params[path]!;
      const mean = m[path]!.mul(beta1).add(g.ref.mul(1 - beta1));
      const raw = v[path]!.mul(beta2).add(np.square(g).mul(1 - beta2));
      let u = mean.ref.div(c1!.ref).div(np.sqrt(raw.ref.div(c2!.ref)).add(epsilon));
      if (!vectors.test(path)) {
        u = u.add(p.ref.mul(decay));
        u = u.ref.mul(length(p.ref).div(length(u)));
      }
      next.params[path] = p.sub(u.mul(rate));
      next.m[path] = mean;
      next.v[path] = raw;
    }
    for (const x of [clip, c1!, c2!]) x.dispose();
    return [value, next.params, next.m, next.v, t];
  };

  const ints = (data: Int32Array<ArrayBuffer>, shape: number[]): JaxArray =>
    np.array(data, { shape, dtype: np.int32 });
  const offsets = Int32Array.from({ length: T * T }, (_, i) => bucket(i % T - Math.floor(i / T)));
  const tree = (make: (path: string, shape: number[], count: number) => JaxArray): Tree =>
    Object.fromEntries(infos.map(({ path, shape }) => {
      const sizes = [...shape];
      return [path, make(path, sizes, sizes.reduce((a, b) => a * b, 1))];
    }));
  return {
    step,
    inputs: [
      ints(batch.ids, [B, T]),
      ints(batch.positions, [P]),
      ints(batch.labels, [P]),
      ints(offsets, [T, T]),
      np.array(Float32Array.of(1)),
    ],
    start: () => ({
      params: tree((path, shape, count) => np.array(startValues(path, count), { shape })),
      m: tree((_, shape) => np.zeros(shape)),
      v: tree((_, shape) => np.zeros(shape)),
      count: np.array(new Float32Array(1), { shape: [1] }),
    }),
  };
}
