/**
 * The process of the peers "jax-js wasm" and "jax-js webgpu".
 *
 * @module
 */
import type { Task } from "../bench_case.ts";
import type { JaxArray, JaxJs } from "./jaxjs_api.ts";
import { jaxOps } from "./jaxjs_ops.ts";
import { serve } from "./serve.ts";

/** Not written out, so that the types of the whole project are checked without the package. */
const library = "@jax-js/jax";

await serve(async () => {
  const jax: JaxJs = await import(library), device = Deno.args[0]!;
  if (!(await jax.init(device)).includes(device)) {
    throw new TypeError(`Cannot run jax-js on ${device}: this machine has none`);
  }
  jax.defaultDevice(device);
  return {
    name: `jax-js 0.1.25 ${device}`,
    open({ op, sizes }: Task) {
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
