/** Ten steps against torch.optim and against the peer's LAMB. */
import { assertAlmostEquals, assertLess } from "@std/assert";
import {
  type AnyTensor,
  fromArray,
  mapTree,
  mul,
  read,
  type Tensor,
  tensor,
  type Tree,
} from "../../core/mod.ts";
import { adamw, lamb, noDecay, type Optimizer, sgd } from "../../optim/mod.ts";

type Values = Readonly<Record<string, readonly number[]>>;
interface Golden {
  readonly start: Values;
  readonly grads: readonly Values[];
  readonly [optimizer: string]: unknown;
}
const golden: Golden = JSON.parse(
  await Deno.readTextFile(new URL("./golden/torch.json", import.meta.url)),
);

const sizes: Readonly<Record<string, readonly number[]>> = { "w": [3, 4], "norm.gain": [4] };
function tensors(values: Values): Record<string, AnyTensor> {
  return Object.fromEntries(
    Object.entries(sizes).map(([k, s]) => [k, fromArray(values[k]!, [...s])]),
  );
}

const optimizers: Readonly<Record<string, Optimizer>> = {
  adamw: adamw({ rate: 1e-2, decay: 0.01 }),
  sgd: sgd({ rate: 1e-2, momentum: 0.9, nesterov: true, decay: 0.01 }),
  lamb: lamb({ rate: 1e-2, decay: 0.01, groups: [noDecay] }),
};
for (const [name, optimizer] of Object.entries(optimizers)) {
  Deno.test(`${name}() takes the ten steps that PyTorch takes`, async () => {
    let params = tensors(golden.start), state = optimizer.init(params);
    for (const [t, want] of (golden[name] as Values[]).entries()) {
      ({ params, state } = optimizer.step(params, tensors(golden.grads[t]!), state));
      for (const k of Object.keys(sizes)) {
        const got = await read(params[k] as Tensor);
        want[k]!.forEach((v, i) => assertAlmostEquals(got[i]!, v, 1e-6 * Math.max(1, Math.abs(v))));
      }
    }
  });
}

/** The parameters after steps with these factors on the gradients. */
async function after(optimizer: Optimizer, factors: readonly number[]): Promise<number[]> {
  let params = tensors(golden.start), state = optimizer.init(params);
  for (const [t, factor] of factors.entries()) {
    const grads = mapTree(
      tensors(golden.grads[t % 10]!) as Tree<AnyTensor>,
      (g) => mul(g, factor) as AnyTensor,
    );
    ({ params, state } = optimizer.step(params, grads as typeof params, state));
  }
  return [...await read(params.w as Tensor)];
}
const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.hypot(...a.map((x, i) => x - b[i]!));

Deno.test("lamb() with gradNorm always does not see the scale of the gradients", async () => {
  const optimizer = lamb({ rate: 1e-2, gradNorm: "always" }), ones = Array(6).fill(1);
  const plain = await after(optimizer, ones), scaled = await after(optimizer, Array(6).fill(1024));
  assertLess(distance(plain, scaled), 1e-5);
});

Deno.test("lamb() is not derailed by one spike of 1000 when gradients are normalised, and is without", async () => {
  const calm = Array(20).fill(1), spike = calm.with(2, 1000);
  const offBy = async (gradNorm: "always" | "off") => {
    const optimizer = lamb({ rate: 1e-2, gradNorm });
    return distance(await after(optimizer, calm), await after(optimizer, spike));
  };
  const [normalised, raw] = [await offBy("always"), await offBy("off")];
  assertLess(normalised, 1e-4);
  assertLess(20 * normalised, raw);
});

Deno.test("optimizer.step() changes nothing where it is told to skip", async () => {
  const optimizer = lamb({ rate: 1e-2 }),
    params = tensors(golden.start),
    state = optimizer.init(params);
  const take = tensor(0, "bool") as Tensor<[], "bool">;
  const next = optimizer.step(params, tensors(golden.grads[0]!), state, take);
  assertAlmostEquals(
    distance([...await read(next.params.w as Tensor)], [...golden.start.w!]),
    0,
    1e-6,
  );
  assertAlmostEquals((await read(next.state.count))[0]!, 0, 0);
});
