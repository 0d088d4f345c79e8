/** LAMB in five variants against the golden values, and the schedules. */
import { assertAlmostEquals } from "@std/assert";
import { type AnyTensor, fromArray, read, type Tensor, tensor } from "../../core/mod.ts";
import { lamb, type LambOptions, noDecay, polynomial } from "../../optim/mod.ts";
import { shared } from "../shared.ts";

interface Row {
  readonly global_grad_norm: number;
  readonly [name: string]:
    | { readonly trust_ratio: number; readonly param: number[] | number[][] }
    | number;
}

/** The gradients that make.py feeds in. */
const gradients = [
  { w: [[0.3, -0.4], [1.2, 0]], b: [0.5, -0.1] },
  { w: [[-0.2, 0.1], [0.4, 0.3]], b: [0.05, 0.02] },
  { w: [[3, -4], [0, 1]], b: [-2, 1] },
];

const variants: Readonly<Record<string, Partial<LambOptions>>> = {
  nvlamb: {},
  nvlamb_all: { trustRatio: { on: "all" } },
  always_normalise: { gradNorm: "always" },
  paper_v5: { gradNorm: "off", trustRatio: { on: "all" } },
  paper_no_correction: { gradNorm: "off", trustRatio: { on: "all" }, biasCorrection: false },
};

const golden = await shared("golden/lamb.json");
for (const [name, options] of Object.entries(variants)) {
  if (!golden) break;
  Deno.test(`lamb() reproduces the golden values of ${name}`, async () => {
    const rows: Row[] = JSON.parse(golden).variants[name];
    const optimizer = lamb({ rate: 0.01, decay: 0.01, groups: [noDecay], ...options });
    let params: Record<string, AnyTensor> = {
      w: tensor([[0.5, -1], [2, 0.25]]),
      b: tensor([0.1, -0.2]),
    };
    let state = optimizer.init(params);
    for (const [t, row] of rows.entries()) {
      const { w, b } = gradients[t]!;
      const next = optimizer.step(params, { w: fromNested(w), b: fromNested(b) }, state);
      ({ params, state } = next);
      assertAlmostEquals((await read(next.metrics.grad_norm!))[0]!, row.global_grad_norm, 1e-5);
      for (const k of ["w", "b"]) {
        const want = (row[k] as { param: number[] }).param.flat();
        const got = await read(params[k] as Tensor);
        want.forEach((v, i) => assertAlmostEquals(got[i]!, v as number, 1e-6));
      }
    }
  });
}

function fromNested(x: number[] | number[][]): AnyTensor {
  const flat = x.flat(), columns = flat.length / x.length;
  return fromArray(flat, (Array.isArray(x[0]) ? [x.length, columns] : [x.length]) as number[]);
}

const schedules = await shared("golden/poly_lr.json");
if (schedules) {
  Deno.test("polynomial() reproduces the golden rates of both phases", async () => {
    for (const { base, warm, total, lr } of Object.values(JSON.parse(schedules)) as Phase[]) {
      const rate = polynomial({ peak: base, total, warmup: warm * total, power: 0.5 });
      for (const [t, want] of Object.entries(lr)) {
        const [got] = await read(rate(tensor(Number(t), "i32") as Tensor<[], "i32">));
        assertAlmostEquals(got!, want, 1e-6 * base + 1e-5 * want);
      }
    }
  });
}

interface Phase {
  readonly base: number;
  readonly warm: number;
  readonly total: number;
  readonly lr: Readonly<Record<string, number>>;
}
