/**
 * The process of the peers "jax-js wasm" and "jax-js webgpu".
 *
 * @module
 */
import type { Task } from "../bench_case.ts";
import type { JaxArray, JaxJs } from "./jaxjs_api.ts";
import { jaxOps } from "./jaxjs_ops.ts";
import { LOSSES, type StepSizes } from "../step_sizes.ts";
import { type JaxState, jaxStep } from "./jaxjs_step.ts";
import { serve, type Served } from "./serve.ts";

/** Not written out, so that the types of the whole project are checked without the package. */
const library = "@jax-js/jax";

/**
 * jax-js's shader of a scatter hands a pointer into storage to a function, which browsers take and Deno's naga does not: the function
 * gets the place instead. Without this no embedding could be trained, and there would be nothing to compare with.
 */
function mendShaders(): void {
  const prototype = GPUDevice.prototype, create = prototype.createShaderModule;
  prototype.createShaderModule = function (descriptor) {
    const code = descriptor.code
      .replace(
        "fn atomic_add_f32(address: ptr<storage, atomic<u32>, read_write>,",
        "fn atomic_add_f32(at: u32,",
      )
      .replace("atomicLoad(address)", "atomicLoad(&output[at])")
      .replace("atomicCompareExchangeWeak(address,", "atomicCompareExchangeWeak(&output[at],")
      .replace("atomic_add_f32(&output[output_index],", "atomic_add_f32(u32(output_index),");
    return create.call(this, { ...descriptor, code });
  };
}

/** Steps that are queued before they are waited for, as ours are. */
const QUEUED = 4;

function trainingStep(jax: JaxJs, sizes: StepSizes): Served {
  const made = jaxStep(jax, sizes), step = jax.jit(made.step);
  let state = made.start(), loss: JaxArray | undefined;
  const all = ({ params, m, v, count }: JaxState): JaxArray[] => [
    ...[params, m, v].flatMap((tree) => Object.values(tree)),
    count,
  ];
  const forget = (): void => {
    for (const x of all(state)) x.dispose();
    loss?.dispose();
    loss = undefined;
  };
  const advance = (): void => {
    loss?.dispose();
    const { params, m, v, count } = state, inputs = made.inputs.map((x) => x.ref);
    const [value, ...next] = step(params, m, v, count, ...inputs as [...typeof made.inputs]);
    loss = value;
    state = { params: next[0], m: next[1], v: next[2], count: next[3] };
  };
  return {
    async run(times) {
      for (let i = 1; i <= times; i++) {
        advance();
        if (i % QUEUED === 0 || i === times) await jax.blockUntilReady(all(state));
      }
    },
    async results() {
      forget();
      state = made.start();
      const losses: number[] = [];
      for (let i = 0; i < LOSSES; i++) {
        advance();
        losses.push((await loss!.ref.data())[0]!);
      }
      return [losses];
    },
    close() {
      forget();
      for (const x of made.inputs) x.dispose();
      step.dispose();
    },
  };
}

await serve(async () => {
  const jax: JaxJs = await import(library), device = Deno.args[0]!;
  if (!(await jax.init(device)).includes(device)) {
    throw new TypeError(`Cannot run jax-js on ${device}: this machine has none`);
  }
  if (device === "webgpu") mendShaders();
  jax.defaultDevice(device);
  return {
    name: `jax-js 0.1.25 ${device}`,
    open({ op, sizes }: Task) {
      if (op === "step") return trainingStep(jax, sizes as unknown as StepSizes);
      const make = jaxOps[op];
      if (!make) throw new TypeError(`Cannot compute ${op} with jax-js: the bench has no such op`);
      const { call, inputs } = make(jax, sizes);
      const compute = jax.jit(call);
      const once = (): readonly JaxArray[] => compute(...inputs.map((x) => x.ref));
      return {
        async run(times) {
          // jax-js computes nothing that nobody waits for: all results are kept until they are there.
          const results = Array.from({ length: times }, once).flat();
          await jax.blockUntilReady(results);
          for (const x of results) x.dispose();
        },
        results: () => Promise.all(once().map((x) => x.data())),
        close() {
          for (const x of inputs) x.dispose();
          compute.dispose();
        },
      };
    },
  };
});
